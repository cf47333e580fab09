/* Delays double to a cap that nothing passes, and chance only ever shortens them. */
#include <stdint.h>

#include "backoff.h"
#include "base.h"
#include "check.h"

static const struct {
	const char *name;
	struct backoff b;
	uint32_t failures;
	uint32_t random;
	uint64_t want_ms;
} delays[] = {
	{ "no failure yet waits the first step", { 100, 5000, 0 }, 0, 9, 100 },
	{ "first failure", { 100, 5000, 0 }, 1, 9, 100 },
	{ "second failure doubles", { 100, 5000, 0 }, 2, 9, 200 },
	{ "last step below the cap", { 100, 5000, 0 }, 6, 9, 3200 },
	{ "cap is never passed", { 100, 5000, 0 }, 7, 9, 5000 },
	{ "step that equals the cap", { 100, 400, 0 }, 3, 9, 400 },
	{ "64 doublings do not wrap", { 1, UINT64_MAX, 0 }, 65, 9, UINT64_MAX },
	{ "a huge count neither spins nor wraps", { 100, 5000, 0 }, UINT32_MAX, 9, 5000 },
	{ "first above the cap waits the cap", { 9000, 5000, 0 }, 1, 9, 5000 },
	{ "nothing to wait for", { 0, 5000, 0 }, UINT32_MAX, 9, 0 },
	{ "chance of zero waits all of it", { 100, 5000, 50 }, 2, 0, 200 },
	{ "chance takes its part", { 100, 5000, 50 }, 2, 37, 163 },
	{ "chance takes half at most", { 100, 5000, 50 }, 2, 100, 100 },
	{ "chance wraps at its part", { 100, 5000, 50 }, 2, 101, 200 },
	{ "all of it may go", { 100, 5000, 100 }, 1, 100, 0 },
	{ "the widest spread", { UINT64_MAX, UINT64_MAX, 100 }, 1, UINT32_MAX, 0 },
};

TEST(test_backoff_delay)
{
	for (size_t i = 0; i < ARRAY_LEN(delays); i++)
		CHECK_U64(delays[i].name,
		    backoff_delay_ms(&delays[i].b, delays[i].failures, delays[i].random),
		    delays[i].want_ms);
}

TEST(test_backoff_stays_within_its_spread)
{
	const struct backoff b = { .first_ms = 10, .cap_ms = 3000, .spread_percent = 30 };

	for (uint32_t failures = 0; failures < 20; failures++) {
		uint64_t most = backoff_delay_ms(&b, failures, 0);
		for (uint32_t random = 1; random < 5000; random += 7) {
			uint64_t got = backoff_delay_ms(&b, failures, random);
			if (!CHECK(got <= most && got >= most - most * 30 / 100))
				return;
		}
	}
}
