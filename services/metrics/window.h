/*
 * window - which day is today and which minutes are the last hour, as the figures count them.
 *
 * Today is the calendar day in Istanbul.  The last hour is the present minute and the 59 before
 * it.  Pure.
 */
#ifndef METRICS_WINDOW_H
#define METRICS_WINDOW_H

#include <stdint.h>

struct window {
	int64_t now_us;
	int32_t day; /* days since 1970 */
	int64_t day_start_us;
	int64_t next_day_us;
	int64_t minute; /* minutes since 1970 */
	int64_t hour_start_us;
};

struct window window_at(int64_t now_us);
int64_t window_minute(int64_t at_us);

#endif
