/*
 * figures - what the board shows: names with whole numbers, in the order of their names.
 *
 * Names: today, today.<channel>, calls.offered/answered/abandoned/waiting, .longest (us: when the
 * one that waits longest was offered), .known (waits before an answer that are known), .quick
 * (those of them that were short), .level (tenths of a percent, of .known and .abandoned together),
 * open, overdue, status.<status>, hour.opened/ended/offered/answered/abandoned and, of the calls of
 * the last hour, hour.known/quick/level as above, of each channel
 * open.<channel> and, by the law's clocks, due.<channel> (us: the first deadline), soon.<channel>,
 * late.<channel>, of places surge.<neighbourhood>/<subject> (the last hour) and usual.<...> (the
 * seven days before), lag_ms, and of each department d.<code>.open, .overdue, .oldest (us),
 * .in, .out ("-" is the code of those that have no department yet).  A name that is absent is
 * not known, which is not the same as 0.  Pure.
 */
#ifndef METRICS_FIGURES_H
#define METRICS_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { FIGURE_NAME_SIZE = 104, FIGURES_MAX = 20000 };

struct figure {
	char name[FIGURE_NAME_SIZE];
	int64_t value;
};

/* Zeroed is empty. */
struct figures {
	struct figure *at;
	size_t count, room;
};

void figures_finish(struct figures *f);
void figures_clear(struct figures *f);

/* Sets or replaces.  False: no memory, too many, or a name too long; nothing is changed. */
MUST_CHECK bool figures_set(struct figures *f, const char *name, int64_t value);
/* False: not known. */
MUST_CHECK bool figures_get(const struct figures *f, const char *name, int64_t *ret_value);

/* Its value, or otherwise when it is not known. */
int64_t figures_or(const struct figures *f, const char *name, int64_t otherwise);

/* The calls that a level is of, answered and abandoned ones: of the day ("calls") or of the last
 * hour ("hour"). */
int64_t figures_asked(const struct figures *f, const char *when);

/* Sets what follows from the others: today, open, overdue, the levels; and 0 for what was counted
 * but did not happen (calls, the hour).  False: as figures_set(). */
MUST_CHECK bool figures_complete(struct figures *f);

/* Calls fn for each figure of now that before lacks or has with another value, then with known
 * false for each that is no more. */
typedef void figures_diff_fn(void *arg, const char *name, bool known, int64_t value);
size_t figures_diff(
    const struct figures *before, const struct figures *now, figures_diff_fn *fn, void *arg);

#endif
