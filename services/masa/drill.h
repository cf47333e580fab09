/*
 * drill - does a copy that was restored hold what the running system holds?
 *
 * The system has gone on meanwhile, and the log says where: records behind the copy's last one are
 * left out, and the tickets that they are about.  Everything else must be equal to the byte, and
 * the copy must be right in itself: its chain of hashes, its tickets, its configuration, its
 * photos.
 */
#ifndef MASA_DRILL_H
#define MASA_DRILL_H

#include "masa.h"

struct drill {
	struct masa *copy; /* the restored record, as its owner */
	struct masa *live; /* the running one, as its owner; NULL: none is looked at */
	json_t *compared; /* [{what, held}]: how much there was of each */
	json_t *differences; /* [{what, difference}]; empty: all is equal */
	int64_t piece_rows; /* records, or tickets, that one statement compares */
	int64_t head; /* the copy's last record; set by drill_log() */
};

/* MASA_OK: it was looked at, whatever was found.  The log comes first. */
MUST_CHECK enum exit_code drill_log(struct drill *d);
MUST_CHECK enum exit_code drill_tables(struct drill *d);
/* folder: of the copy's files. */
MUST_CHECK enum exit_code drill_photos(struct drill *d, const char *folder);
/* The copy's keys and secrets against those of the running system. */
void drill_secrets(struct drill *d, const char *restored);

#endif
