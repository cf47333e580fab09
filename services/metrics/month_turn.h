/*
 * month_turn - what the log's own calendar does to the figures: months end, are published, and get
 * revisions.
 *
 * The log's time is that of its records' commits.  When its first record of another day comes,
 * before it is counted: months that are over get their open tickets; months over for
 * MONTH_GRACE_DAYS are published, which is their first revision; and each month published before,
 * of which figures have changed since the last such turn, gets the next revision, that says which.
 * Who can still answer whether they were satisfied does so for weeks: what belongs to that ladder
 * is watched from MONTH_LADDER_DAYS on.  When the calendar goes back (month_clock.h), months that
 * are not over after all lose their open tickets, and those not due their revisions.  All of it
 * follows from the records alone.  Pure.
 */
#ifndef METRICS_MONTH_TURN_H
#define METRICS_MONTH_TURN_H

#include "month.h"
#include "month_cells.h"
#include "month_clock.h"
#include "month_fact.h"

enum { MONTH_GRACE_DAYS = 5, MONTH_LADDER_DAYS = 35 };

/* Is a change of it to be told of? */
bool month_is_watched(const struct month_state *state, int32_t month, const char *name);

/* When the month's first revision is due. */
int64_t month_published_us(int32_t month);
/* Nobody can still answer for it. */
bool month_ladder_is_final(const struct month_state *state, int32_t month);

/* A watched figure that may have changed. */
struct month_touched {
	int32_t month;
	char name[FIGURE_NAME_SIZE];
	int64_t was, is;
};

/* number is 0: the one after the month's last. */
struct month_drawn_up {
	int32_t month;
	struct month_revision revision;
};

struct month_turned {
	struct month_state state; /* from now on */
	bool back; /* month_turn_takes_back() what is past it */
	struct month_cells cells; /* to be added */
	struct month_drawn_up *revisions;
	size_t revision_count;
};

/* now: cells of which those of month 0 are looked at.  touched is sorted here.  False: no memory;
 * turned is finished. */
MUST_CHECK bool month_turn(const struct month_state *state, int64_t committed_us,
    const struct month_cells *now, struct month_touched *touched, size_t touched_count,
    struct month_turned *ret_turned);
void month_turned_finish(struct month_turned *turned);
/* When the calendar has gone back: is it a figure that there is only of months that are over? */
bool month_turn_takes_back(const struct month_state *state, int32_t month, const char *name);

/* What is printed of a month: its figures and those it is compared with, from cells of these
 * months and of month 0; revisions, log_id, head_seq and head_hash are the caller's.  catalogue is
 * lent, NULL when none is known.  False: no memory; the report is finished. */
MUST_CHECK bool month_report_make(struct month_report *ret_report, int32_t month,
    const struct month_state *state, const struct month_cells *cells,
    const struct catalogue *catalogue);

#endif
