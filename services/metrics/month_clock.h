/*
 * month_clock - what day it is, by the log itself.
 *
 * The log's time is that of its records' commits, which clocks give that can be wrong.  So a record
 * far from where the calendar stands is counted, but moves nothing by itself: only when records
 * have come from there for an hour of their own time, and none from here, is it believed.  What was
 * leapt over is remembered for a while, and the calendar goes back there when it turns out that
 * nobody was there yet.  It never goes back to before it leapt: a clock that is behind stops
 * nothing.  Pure; all of it follows from the records alone.
 */
#ifndef METRICS_MONTH_CLOCK_H
#define METRICS_MONTH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "month_fact.h"

enum {
	MONTH_AHEAD_DAYS = 45, /* further ahead is far, and so long a leap is remembered */
	MONTH_BEHIND_DAYS = 2, /* more is far; so much no clock differs from another */
	MONTH_SURE_MIN = 60
};

struct month_state {
	uint64_t seq; /* the last record counted */
	int64_t at_us; /* the latest commit of those believed */
	int32_t day; /* of that, in Istanbul; 0: nothing was counted */
	struct month_calendar calendar;
	int32_t published, ladder_published; /* up to this month */
	uint64_t config_version; /* as last applied */
	int64_t doubted_us; /* since when records come from far; 0: the last did not */
	int64_t leapt_from_us; /* how far back the calendar may go; 0: it may not */
	int32_t leapt_day; /* to where it leapt from there */
};

/* Does the log's day change with a record committed then?  Not with its first one. */
bool month_clock_turns(const struct month_state *state, int64_t committed_us);
/* Sets the day of such a record; true: the calendar has gone back. */
bool month_clock_turn(struct month_state *state, int64_t committed_us);
/* Notes that a record was counted: its place and its time; the first one begins the calendar. */
void month_clock_pass(struct month_state *state, uint64_t seq, int64_t committed_us);

#endif
