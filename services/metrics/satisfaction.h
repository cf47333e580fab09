/*
 * satisfaction - the ladder by month, as a page and as JSON, read from the record.
 *
 *	/live/satisfaction        the page, of the last thirteen months (/live/memnuniyet is the
 *same) /live/satisfaction.json   the same figures, with each step's definition
 *
 * Shown to whom the board is shown.  The record is asked at most every two seconds, and for a
 * tenth of the time at most, however many look; while it is away the answer is 503, for old figures
 *would look like new ones.
 */
#ifndef METRICS_SATISFACTION_H
#define METRICS_SATISFACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct board;
struct db;
struct http;
struct satisfaction;
struct stats;

/* All are lent.  NULL: no memory.  Destroy takes NULL; close db and http before. */
struct satisfaction *satisfaction_create(struct db *db, struct board *board);
void satisfaction_destroy(struct satisfaction *s);
/* Before the board's, whose path of files holds every other name below /live/.  False: no room for
 * another table of routes. */
MUST_CHECK bool satisfaction_add_routes(struct satisfaction *s, struct http *http);
/* turunc_metrics_satisfaction_*.  Lent. */
const struct stats *satisfaction_stats(const struct satisfaction *s);

#endif
