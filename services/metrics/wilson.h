/*
 * wilson - how sure a share is: the score interval after Wilson (1927), at 95 %.
 *
 * Unlike "share plus or minus", it never leaves 0 to 1, and says something for few answers and for
 * unanimous ones: 10 of 10 satisfied is "72 % or more", not "100 %".  Pure.
 */
#ifndef METRICS_WILSON_H
#define METRICS_WILSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct wilson {
	double share; /* of the whole, 0 to 1 */
	double low, high; /* the share of all whom one could have asked lies between, in 19 of 20
			     such questions */
};

/* False: of none, nothing is known; or part is not within 0 and whole. */
MUST_CHECK bool wilson_interval(int64_t part, int64_t whole, struct wilson *ret_interval);

#endif
