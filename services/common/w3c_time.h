/*
 * w3c_time - date-times as Open311 writes them: 2026-03-02T08:15:00+03:00.
 *
 * Written with Istanbul's offset at that moment, to the second.  Read with `Z` or an offset;
 * a date alone is its midnight in Istanbul.  A space where the `+` of the offset should be is
 * taken as one, for that is what a `+` becomes in a query that was not escaped.
 */
#ifndef TURUNC_W3C_TIME_H
#define TURUNC_W3C_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

enum { W3C_TIME_SIZE = 26 };

/* Years 1970 to 9999; "" for anything else. */
void w3c_time_format(int64_t at_us, char out[W3C_TIME_SIZE]);

/* Years 1970 to 2999.  *ret_us is written on success alone. */
MUST_CHECK bool w3c_time_parse(const char *text, int64_t *ret_us);

#endif
