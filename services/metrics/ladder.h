/*
 * ladder - from tickets that have ended to satisfied citizens, step by step, and what each step is.
 *
 * A figure without its definition can be read in any way one likes: the words stand here once, for
 * the page, the JSON and whoever copies either.  Each step counts some of those of the step before,
 * so that nobody can be satisfied who was not asked.  Pure.
 */
#ifndef METRICS_LADDER_H
#define METRICS_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

enum ladder_step {
	LADDER_ENDED,
	LADDER_ELIGIBLE,
	LADDER_INVITED,
	LADDER_DELIVERED,
	LADDER_ANSWERED,
	LADDER_SATISFIED,
	LADDER_STEPS
};

/* Beside the ladder: ended = eligible + waiting + those not asked, by why. */
enum ladder_rest {
	LADDER_WAITING, /* the delay has not passed */
	LADDER_REOPENED,
	LADDER_NO_ADDRESS,
	LADDER_UNREACHABLE, /* mail does not reach the address that they gave */
	LADDER_OPTED_OUT, /* there is but a number that wants no SMS */
	LADDER_ERASED,
	LADDER_LATE,
	LADDER_DISABLED,
	LADDER_REFUSED, /* an address that wants no such mail */
	LADDER_RESTS
};

struct ladder {
	int32_t month; /* of the end, in Istanbul: 202611 */
	int64_t steps[LADDER_STEPS];
	int64_t rests[LADDER_RESTS];
	int64_t not_solved; /* of those who answered: said then or later that it is not solved */
};

/* Sets the figure of that name ("ladder.ended", "ladder.rest.late", "ladder.not_solved"); false: it
 * is none of a ladder's. */
bool ladder_set(struct ladder *l, const char *name, int64_t value);

/* "ended", "no_address": in JSON. */
const char *ladder_step_name(enum ladder_step step);
const char *ladder_rest_name(enum ladder_rest rest);
/* For people: a heading, and what exactly is counted. */
const char *ladder_step_title(enum ladder_step step, enum catalogue_language language);
const char *ladder_step_definition(enum ladder_step step, enum catalogue_language language);
const char *ladder_rest_title(enum ladder_rest rest, enum catalogue_language language);
/* What the share is of, and what the interval says. */
const char *ladder_share_definition(enum catalogue_language language);

/* Does each step hold the next one, and do the parts of the ended make up the whole? */
bool ladder_holds(const struct ladder *l);

#endif
