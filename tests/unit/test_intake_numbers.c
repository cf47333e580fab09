/* Numbers come from leased blocks, a spare is always asked for, and nobody waits. */
#include <stdlib.h>

#include "base.h"
#include "check.h"
#include "number.h"
#include "numbers.h"

/* A lessor that answers when told to. */
struct lessor {
	struct numbers *numbers;
	int64_t next[100];
	int32_t asked[100]; /* by year, 0: nothing */
	size_t times;
	bool refuses;
};

static bool
lease(void *arg, int year, int32_t how_many)
{
	struct lessor *l = arg;

	l->times++;
	if (l->refuses)
		return false;
	l->asked[year] = how_many;
	return true;
}

/* Answers one question; false: there is none. */
static bool
answer(struct lessor *l)
{
	for (int year = 0; year < 100; year++) {
		int32_t how_many = l->asked[year];
		int64_t first = l->next[year] + 1;
		if (how_many == 0)
			continue;
		l->asked[year] = 0;
		l->next[year] += how_many;
		numbers_leased(l->numbers, year, first, how_many);
		return true;
	}
	return false;
}

/* 2026-03-02 and 2026-12-31 20:59 UTC, which is 23:59 in Istanbul. */
#define MARCH_US INT64_C(1772440000000000)
#define NEW_YEARS_EVE_US INT64_C(1798750740000000)

TEST(test_numbers_rise_without_gaps_and_a_spare_is_ahead)
{
	struct lessor l = { 0 };
	int64_t id, last = 0;

	l.numbers = numbers_create(lease, NULL, &l);
	CHECK_FALSE("none before the first lease", numbers_take(l.numbers, 26, &id));
	CHECK(answer(&l) && answer(&l));
	CHECK_I64("a block and a spare", numbers_left(l.numbers, 26), 2 * NUMBERS_BLOCK_MIN);
	for (int i = 1; i <= 10000; i++) {
		if (!CHECK(numbers_take(l.numbers, 26, &id)))
			break;
		CHECK_I64("the next one", id, number_make(26, i));
		CHECK(id > last);
		last = id;
		(void)answer(&l);
	}
	numbers_destroy(l.numbers);
}

TEST(test_a_year_that_runs_fast_leases_more_at_a_time)
{
	struct lessor l = { 0 };
	int64_t id;
	int32_t largest = 0;
	size_t taken = 0;

	l.numbers = numbers_create(lease, NULL, &l);
	numbers_tick(l.numbers, MARCH_US, 1000);
	for (int i = 0; i < 300000; i++) {
		largest = l.asked[26] > largest ? l.asked[26] : largest;
		(void)answer(&l);
		taken += numbers_take(l.numbers, 26, &id);
	}
	CHECK_I64("up to the cap", largest, NUMBERS_BLOCK_MAX);
	CHECK(taken > 299990);
	numbers_destroy(l.numbers);
}

TEST(test_a_slow_lease_turns_away_and_never_hands_out_twice)
{
	struct lessor l = { 0 };
	int64_t id, last = 0;
	size_t taken = 0;

	l.numbers = numbers_create(lease, NULL, &l);
	numbers_tick(l.numbers, MARCH_US, 1000);
	(void)answer(&l);
	(void)answer(&l);
	while (numbers_take(l.numbers, 26, &id)) {
		CHECK(id > last);
		last = id;
		taken++;
	}
	CHECK_U64("all of both blocks", taken, 2 * NUMBERS_BLOCK_MIN);
	CHECK_U64("asked once more", l.times, 3);
	CHECK(!numbers_take(l.numbers, 26, &id));
	CHECK_U64("one lease at a time", l.times, 3);
	CHECK(answer(&l));
	CHECK(numbers_take(l.numbers, 26, &id) && id > last);
	numbers_destroy(l.numbers);
}

TEST(test_a_failed_lease_is_tried_at_the_next_tick)
{
	struct lessor l = { .refuses = true };
	int64_t id;

	l.numbers = numbers_create(lease, NULL, &l);
	CHECK(!numbers_take(l.numbers, 26, &id));
	CHECK(!numbers_take(l.numbers, 26, &id));
	CHECK_U64("not hammered", l.times, 1);
	l.refuses = false;
	numbers_tick(l.numbers, MARCH_US, 2000);
	CHECK_U64("again", l.times, 2);
	l.asked[26] = 0;
	numbers_lease_failed(l.numbers, 26);
	numbers_tick(l.numbers, MARCH_US, 3000);
	CHECK(answer(&l) && numbers_take(l.numbers, 26, &id));
	numbers_destroy(l.numbers);
}

TEST(test_the_next_year_is_there_before_it_begins)
{
	struct lessor l = { 0 };
	int64_t id;

	l.numbers = numbers_create(lease, NULL, &l);
	numbers_tick(l.numbers, NEW_YEARS_EVE_US, 1000);
	while (answer(&l))
		continue;
	numbers_tick(l.numbers, NEW_YEARS_EVE_US, 2000);
	while (answer(&l))
		continue;
	CHECK(numbers_take(l.numbers, 26, &id));
	CHECK_I64("this year", id, number_make(26, 1));
	CHECK(numbers_take(l.numbers, 27, &id));
	CHECK_I64("the next", id, number_make(27, 1));
	numbers_destroy(l.numbers);
}

TEST(test_years_out_of_range_and_too_many_years)
{
	struct lessor l = { 0 };
	int64_t id;

	l.numbers = numbers_create(lease, NULL, &l);
	CHECK(!numbers_take(l.numbers, -1, &id) && !numbers_take(l.numbers, 100, &id));
	CHECK_U64("no lease for them", l.times, 0);
	for (int year = 20; year < 30; year++) {
		CHECK(!numbers_take(l.numbers, year, &id));
		CHECK(answer(&l));
		CHECK_TRUE("served after its lease", numbers_take(l.numbers, year, &id));
		while (answer(&l))
			continue;
	}
	numbers_destroy(l.numbers);
}
