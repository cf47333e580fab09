/*
 * backoff - how long to wait before the next try.
 *
 * Pure: the number of failures and a random number are passed in, so the same arguments always
 * give the same delay.  The delay doubles from first_ms to cap_ms; spread_percent (0 to 100) of
 * it is left to chance, so that many clients of one server do not all come back together.
 */
#ifndef TURUNC_BACKOFF_H
#define TURUNC_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint64_t first_ms;
	uint64_t cap_ms;
	uint32_t spread_percent;
};

/* Between delay * (100 - spread_percent) / 100 and delay; random may be any value. */
uint64_t backoff_delay_ms(const struct backoff *b, uint32_t failures, uint32_t random);

#endif
