/* Retry delays: doubling up to a cap, less a random part. */
#include "backoff.h"

#include <assert.h>

/* The first failure waits the first step; beyond 63 doublings only the cap is left. */
static uint64_t
full_delay_ms(const struct backoff *b, uint32_t failures)
{
	uint32_t doublings = failures > 1 ? failures - 1 : 0;

	if (doublings > 63 || b->first_ms > b->cap_ms >> doublings)
		return b->first_ms == 0 ? 0 : b->cap_ms;
	return b->first_ms << doublings;
}

uint64_t
backoff_delay_ms(const struct backoff *b, uint32_t failures, uint32_t random)
{
	assert(b->spread_percent <= 100);
	uint64_t delay_ms = full_delay_ms(b, failures);

	/* In parts, for no product here may pass 64 bits. */
	uint64_t spread_ms = delay_ms / 100 * b->spread_percent
			     + delay_ms % 100 * b->spread_percent / 100;
	uint64_t shorter_ms = spread_ms < UINT32_MAX ? random % (spread_ms + 1)
						     : spread_ms / UINT32_MAX * random;
	return delay_ms - shorter_ms;
}
