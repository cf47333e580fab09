/*
 * backup_hold - keeps PostgreSQL from removing the WAL that a copy under way will ask for at its
 * end, and knows until when the copy is one of now.
 *
 * A temporary replication slot, reserved at once: it is gone with its session, whatever ends it.
 * The copy does not stream the WAL beside itself, because who streams is woken by each commit, and
 * that alone cost a tenth of the reports (docs/performance.md).
 */
#ifndef MASA_BACKUP_HOLD_H
#define MASA_BACKUP_HOLD_H

#include <stdint.h>

#include "masa.h"

struct record_link;

struct backup_hold {
	struct record_link *record;
	char name[48]; /* of the slot, and by which PostgreSQL knows who copies */
	int64_t held_us; /* what was committed by then, the copy will hold */
};

/* It fails when the cluster's owner may not replicate, or no slot is free (max_replication_slots).
 * conninfo is lent until the end.  held_us is now. */
MUST_CHECK enum exit_code backup_hold_begin(struct backup_hold *hold, const char *conninfo);
/* Moves held_us on, while files are still copied: the WAL until the last of them goes with them. */
void backup_hold_look(struct backup_hold *hold);
void backup_hold_end(struct backup_hold *hold);

#endif
