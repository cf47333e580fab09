/*
 * backup_reach - until when is all that was committed kept by who takes the WAL?
 *
 * A receiver that lives may be stopped, and its disk or the way to it may hang.  So PostgreSQL is
 * asked where it stands itself, and, at the next look, whether the receiver has put that on its
 * disk: what was committed before the first of the two is kept then.
 */
#ifndef MASA_BACKUP_REACH_H
#define MASA_BACKUP_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "record_link.h"

struct backup_reach {
	struct record_link *record;
	char receiver[40]; /* its application_name, by which PostgreSQL knows it (PGAPPNAME) */
	int64_t mark_position, mark_us; /* 0: none yet */
	bool told; /* that it is behind; until it is not */
};

/* conninfo, of who may see the receiver, is lent.  False: no memory.  Close takes what is empty. */
MUST_CHECK bool backup_reach_open(struct backup_reach *r, const char *conninfo);
void backup_reach_close(struct backup_reach *r);

/* What was committed before that moment is kept; 0: nothing more is known, which is said once. */
MUST_CHECK int64_t backup_reach_ask(struct backup_reach *r);

#endif
