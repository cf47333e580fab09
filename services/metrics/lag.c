/* One slot a second, in a ring. */
#include "lag.h"

#include <stddef.h>

void
lag_init(struct lag *lag)
{
	lag->second = 0;
	for (size_t i = 0; i < LAG_SLOTS; i++)
		lag->us[i] = -1;
}

void
lag_note(struct lag *lag, int64_t lag_us, uint64_t now_ms)
{
	uint64_t second = now_ms / 1000;

	if (lag_us < 0)
		lag_us = 0;
	for (uint64_t s = lag->second + 1; s <= second && s <= lag->second + LAG_SLOTS; s++)
		lag->us[s % LAG_SLOTS] = -1;
	lag->second = second;
	if (lag->us[second % LAG_SLOTS] < lag_us)
		lag->us[second % LAG_SLOTS] = lag_us;
}

int64_t
lag_most_ms(const struct lag *lag, uint64_t now_ms)
{
	uint64_t now = now_ms / 1000;
	int64_t most = -1;

	for (uint64_t back = 0; back < LAG_SLOTS; back++) {
		uint64_t second = lag->second - back;
		if (second + LAG_SLOTS > now && lag->us[second % LAG_SLOTS] > most)
			most = lag->us[second % LAG_SLOTS];
	}
	return most < 0 ? -1 : most / 1000;
}
