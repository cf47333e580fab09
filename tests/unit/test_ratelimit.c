#include <stdio.h>
#include <string.h>

#include "check.h"
#include "ratelimit.h"

static bool
take(struct ratelimit *limit, const char *key, uint64_t now_ms, uint64_t *ret_wait_ms)
{
	*ret_wait_ms = 0;
	return ratelimit_take(limit, key, strlen(key), now_ms, ret_wait_ms);
}

TEST(test_ratelimit_burst_then_rate)
{
	const struct ratelimit_settings settings = { .keys = 4, .burst = 3, .per_minute = 60 };
	struct ratelimit *limit = ratelimit_create(&settings);
	uint64_t wait_ms, now_ms = 1000000;

	for (int i = 0; i < 3; i++)
		CHECK(take(limit, "a", now_ms, &wait_ms));
	CHECK_FALSE("the burst is used up", take(limit, "a", now_ms, &wait_ms));
	CHECK_U64("when the next one comes", wait_ms, 1000);
	CHECK_FALSE("not a millisecond earlier", take(limit, "a", now_ms + 999, &wait_ms));
	CHECK_U64("as promised", wait_ms, 1);
	CHECK(take(limit, "a", now_ms + 1000, &wait_ms));
	CHECK_FALSE("only one", take(limit, "a", now_ms + 1000, &wait_ms));
	CHECK_TRUE("another key has its own", take(limit, "b", now_ms, &wait_ms));

	/* However long it rests, no more than the burst. */
	for (int i = 0; i < 3; i++)
		CHECK(take(limit, "a", UINT64_MAX / 2, &wait_ms));
	CHECK_FALSE("full is full", take(limit, "a", UINT64_MAX / 2, &wait_ms));
	CHECK_FALSE("a clock that goes back gives nothing", take(limit, "a", 0, &wait_ms));
	ratelimit_destroy(limit);
}

TEST(test_ratelimit_long_run)
{
	const struct ratelimit_settings settings = { .keys = 1, .burst = 1, .per_minute = 7 };
	struct ratelimit *limit = ratelimit_create(&settings);
	uint64_t wait_ms, taken = 0;

	for (uint64_t now_ms = 0; now_ms < 600000; now_ms += 13)
		taken += take(limit, "a", now_ms, &wait_ms);
	CHECK_TRUE("7 a minute for ten minutes", taken >= 69 && taken <= 71);
	ratelimit_destroy(limit);
}

TEST(test_ratelimit_give_back)
{
	const struct ratelimit_settings settings = { .keys = 2, .burst = 1, .per_minute = 1 };
	struct ratelimit *limit = ratelimit_create(&settings);
	uint64_t wait_ms;

	CHECK(take(limit, "a", 0, &wait_ms));
	CHECK_FALSE("used up", take(limit, "a", 0, &wait_ms));
	ratelimit_give_back(limit, "a", 1);
	ratelimit_give_back(limit, "a", 1);
	CHECK_TRUE("given back", take(limit, "a", 0, &wait_ms));
	CHECK_FALSE("not beyond the burst", take(limit, "a", 0, &wait_ms));
	ratelimit_give_back(limit, "unknown", 7);
	ratelimit_destroy(limit);
	ratelimit_destroy(NULL);
}

TEST(test_ratelimit_forgets_the_one_unused_for_longest)
{
	const struct ratelimit_settings settings = { .keys = 100, .burst = 2, .per_minute = 1 };
	struct ratelimit *limit = ratelimit_create(&settings);
	uint64_t wait_ms;
	char key[16];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		CHECK(take(limit, key, 0, &wait_ms));
	}
	CHECK(take(limit, "k0", 0, &wait_ms));
	CHECK_U64("none forgotten", ratelimit_forgotten(limit), 0);
	CHECK(take(limit, "new", 0, &wait_ms));
	CHECK_U64("one forgotten", ratelimit_forgotten(limit), 1);
	CHECK_FALSE("k0 was used lately", take(limit, "k0", 0, &wait_ms));
	CHECK(take(limit, "k1", 0, &wait_ms));
	CHECK_TRUE("k1 was forgotten and starts anew", take(limit, "k1", 0, &wait_ms));
	/* A table turned over many times stays whole. */
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "t%d", i);
		CHECK(take(limit, key, 0, &wait_ms));
	}
	ratelimit_destroy(limit);
}
