/* What a played month is made of: who comes when, what is next, what was counted. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "demo_agenda.h"
#include "demo_counts.h"
#include "demo_people.h"
#include "demo_plan.h"
#include "demo_random.h"
#include "istanbul.h"

static struct demo_month
march(void)
{
	struct demo_month month;

	CHECK(demo_month_parse("2026-03", &month));
	return month;
}

static struct demo_plan
plan_of(uint32_t one_of, int days, uint64_t seed)
{
	struct demo_month month = march();
	const struct demo_share share = { one_of, days };
	struct demo_plan plan;

	CHECK(demo_plan_make(&plan, &month, &share, seed));
	return plan;
}

static size_t
count_kind(const struct demo_plan *plan, enum demo_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->arrivals[i].kind == kind;
	return count;
}

TEST(test_demo_only_the_known_month)
{
	struct demo_month month;

	CHECK(!demo_month_parse("2026-04", &month));
	CHECK(!demo_month_parse("2026-3", &month));
	CHECK(!demo_month_parse("", &month));
}

TEST(test_demo_plan_has_the_march_s_volumes)
{
	struct demo_plan plan = plan_of(1, 0, 7);
	size_t answered = 0, opened = 0;

	for (int kind = 0; kind < DEMO_KINDS; kind++) {
		size_t count = count_kind(&plan, (enum demo_kind)kind);
		CHECK_U64("as many as the month has", count, demo_volume((enum demo_kind)kind));
		if (demo_kind_is_call((enum demo_kind)kind) && kind != DEMO_CALL_ABANDONED)
			answered += count;
		if (demo_kind_opens((enum demo_kind)kind))
			opened += count;
	}
	CHECK_U64("answered", answered, 21219);
	CHECK_U64("recorded", count_kind(&plan, DEMO_CALL_RECORDED), 11651);
	/* 80.9 % of all come by call, 6.5 % at the desk, 2 to 3 % by CİMER. */
	CHECK_U64("share of calls", 11651 * 1000 / opened, 808);
	CHECK_U64("share of the desk", count_kind(&plan, DEMO_DESK) * 1000 / opened, 64);
	CHECK_U64("share of CİMER", count_kind(&plan, DEMO_CIMER) * 1000 / opened, 24);
	demo_plan_finish(&plan);
}

TEST(test_demo_plan_keeps_to_its_time)
{
	struct demo_plan plan = plan_of(1, 0, 1);

	for (size_t i = 0; i < plan.count; i++) {
		const struct demo_arrival *a = &plan.arrivals[i];
		struct istanbul_time t = istanbul_split(a->at_us);
		CHECK(i == 0 || plan.arrivals[i - 1].at_us <= a->at_us);
		CHECK(t.year == 2026 && t.month == 3);
		/* What a call leads to belongs to the month, too. */
		CHECK(a->at_us + ((int64_t)a->wait_ms + a->talk_ms) * 1000 < plan.month.end_us);
		if (a->kind == DEMO_DESK)
			CHECK(t.weekday < 5 && t.hour >= 8 && t.hour <= 17
			      && !(t.day >= 20 && t.day <= 22));
		if (a->kind == DEMO_CIMER)
			CHECK(a->at_us < plan.files_us[plan.file_count - 1]);
	}
	CHECK_U64("a file on each working day but the holiday's Friday", plan.file_count, 21);
	demo_plan_finish(&plan);
}

TEST(test_demo_plan_is_the_seed_s)
{
	struct demo_plan one = plan_of(10, 0, 3), same = plan_of(10, 0, 3),
			 other = plan_of(10, 0, 4);

	CHECK_U64("as many", one.count, same.count);
	CHECK(memcmp(one.arrivals, same.arrivals, one.count * sizeof(one.arrivals[0])) == 0);
	CHECK_U64("as many with another seed", one.count, other.count);
	CHECK(memcmp(one.arrivals, other.arrivals, one.count * sizeof(one.arrivals[0])) != 0);
	demo_plan_finish(&one);
	demo_plan_finish(&same);
	demo_plan_finish(&other);
}

TEST(test_demo_plan_of_a_share)
{
	struct demo_plan plan = plan_of(100, 0, 1);

	CHECK_U64("a hundredth", count_kind(&plan, DEMO_CALL_RECORDED), 116);
	CHECK_U64("at least one", count_kind(&plan, DEMO_CALL_JOINED), 3);
	demo_plan_finish(&plan);
	plan = plan_of(1000000, 2, 1);
	CHECK_U64("none is left out", count_kind(&plan, DEMO_OPEN311), 1);
	CHECK(plan.arrivals[plan.count - 1].at_us < plan.month.start_us + 2 * US_PER_DAY);
	demo_plan_finish(&plan);
}

static double
weight_at(int day, int minute)
{
	struct demo_month month = march();

	return demo_call_weight(
	    &month, month.start_us + (day - 1) * US_PER_DAY + minute * US_PER_MIN);
}

TEST(test_demo_calls_follow_the_day_the_week_and_the_fast)
{
	struct demo_month month = march();

	CHECK_U64("first of March", (uint64_t)demo_iftar_min(&month, 1), 18 * 60 + 50);
	CHECK_U64("last day of the fast", (uint64_t)demo_iftar_min(&month, 19), 19 * 60 + 9);
	CHECK(demo_iftar_min(&month, 20) == -1);
	/* Wednesday, 4 March: the table, the rush before it and after. */
	int iftar = demo_iftar_min(&month, 4);
	CHECK(weight_at(4, iftar + 10) < weight_at(4, iftar - 60) / 5);
	CHECK(weight_at(4, iftar + 90) > weight_at(4, iftar + 10) * 4);
	/* The same hour of Wednesday, 25 March, when nobody fasts. */
	CHECK(weight_at(25, iftar + 10) > weight_at(4, iftar + 10) * 4);
	CHECK(weight_at(2, 10 * 60) > weight_at(1, 10 * 60)); /* Monday, Sunday */
	CHECK(weight_at(4, 10 * 60) > weight_at(4, 2 * 60) * 5);
	CHECK(weight_at(20, 10 * 60) < weight_at(27, 10 * 60)); /* the holiday */
}

TEST(test_demo_agenda_is_in_order)
{
	struct demo_agenda agenda = { 0 };
	struct demo_random r = demo_random_of(5, 5);
	struct demo_entry entry, before = { .at_us = -1 };

	for (uint32_t i = 0; i < 5000; i++)
		CHECK(demo_agenda_add(&agenda, demo_random_below(&r, 300), ACT_STEP, i, 0));
	CHECK(!demo_agenda_take(&agenda, -1, &entry));
	for (uint32_t i = 0; i < 5000; i++) {
		CHECK(demo_agenda_take(&agenda, 300, &entry));
		CHECK(before.at_us < entry.at_us
		      || (before.at_us == entry.at_us && before.about < entry.about));
		before = entry;
	}
	CHECK(!demo_agenda_take(&agenda, INT64_MAX, &entry));
	CHECK(demo_agenda_next_us(&agenda) == INT64_MAX);
	demo_agenda_finish(&agenda);
}

TEST(test_demo_counts_by_name)
{
	struct demo_counts counts = { 0 };

	for (int i = 999; i >= 0; i--)
		demo_count(&counts, i, "n.%d", i % 500);
	CHECK_U64("two of a name are one", counts.count, 500);
	CHECK_U64("summed", (uint64_t)demo_counted(&counts, "n.7"), 7 + 507);
	CHECK_U64("never counted", (uint64_t)demo_counted(&counts, "n.500"), 0);
	for (size_t i = 1; i < counts.count; i++)
		CHECK(strcmp(counts.at[i - 1].name, counts.at[i].name) < 0);
	json_t *object = demo_counts_json(&counts);
	CHECK_U64("all of them", json_object_size(object), 500);
	json_decref(object);
	demo_counts_finish(&counts);
}

TEST(test_demo_text_names_its_contact)
{
	uint32_t contact = 0;

	CHECK(demo_text_contact("Çöp için. (Canlandırma kaydı 4711)", &contact));
	CHECK_U64("as it was written", contact, 4711);
	CHECK(!demo_text_contact("(Canlandırma kaydı )", &contact));
	CHECK(!demo_text_contact("(Canlandırma kaydı 47", &contact));
	CHECK(!demo_text_contact("Çöp için 4711.", &contact));
}

TEST(test_demo_random_is_even)
{
	struct demo_random r = demo_random_of(1, 2);
	const double weights[] = { 1, 0, 3 };
	size_t picked[3] = { 0 };

	for (int i = 0; i < 40000; i++)
		picked[demo_random_pick(&r, weights, 3)]++;
	CHECK_U64("what has no weight", picked[1], 0);
	CHECK(picked[0] > 9500 && picked[0] < 10500);
}
