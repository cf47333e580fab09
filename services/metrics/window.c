/* Today and the last hour. */
#include "window.h"

#include "istanbul.h"

enum { HOUR_MINUTES = 60 };

int64_t
window_minute(int64_t at_us)
{
	return at_us / US_PER_MIN;
}

struct window
window_at(int64_t now_us)
{
	int32_t day = istanbul_day(now_us);
	int64_t minute = window_minute(now_us);

	return (struct window){
		.now_us = now_us,
		.day = day,
		.day_start_us = istanbul_day_start_us(day),
		.next_day_us = istanbul_day_start_us(day + 1),
		.minute = minute,
		.hour_start_us = (minute - HOUR_MINUTES + 1) * US_PER_MIN,
	};
}
