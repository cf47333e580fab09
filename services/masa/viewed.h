/*
 * viewed - who looked at the personal data of tickets of a special category (health, social aid).
 *
 * Every look leaves a record ticket.viewed with its actor, committed before anything is shown.
 * Without a configuration in force, and for a subject it does not know, nothing is known to be
 * harmless.
 */
#ifndef MASA_VIEWED_H
#define MASA_VIEWED_H

#include "masa.h"

/* tickets: ids as a PostgreSQL array.  door: what was looked through, a word of ours.  Also with
 * --dry-run: that shows as much.  Not MASA_OK: do not show it. */
MUST_CHECK enum exit_code viewed_note(struct masa *m, const char *tickets, const char *door);

#endif
