/* The holidays that masa doctor misses. */
#include "base.h"
#include "check.h"
#include "doctor.h"
#include "doctor_holidays.h"
#include "istanbul.h"

enum { HOLIDAYS_MAX = 64, YEAR = 365 };

struct world {
	struct calendar_holiday days[HOLIDAYS_MAX];
	struct calendar calendar;
};

static void
add(struct world *w, int month, int day, int from_min)
{
	w->days[w->calendar.holiday_count++] = (struct calendar_holiday){
		civil_day(2026, month, day), { (int16_t)from_min, MINUTES_A_DAY }
	};
	w->calendar.holidays = w->days;
}

/* All of 2026. */
static void
whole_year(struct world *w)
{
	static const int days[][3] = { { 1, 1, 0 }, { 3, 19, 780 }, { 3, 20, 0 }, { 3, 21, 0 },
		{ 3, 22, 0 }, { 4, 23, 0 }, { 5, 1, 0 }, { 5, 19, 0 }, { 5, 26, 780 }, { 5, 27, 0 },
		{ 5, 28, 0 }, { 5, 29, 0 }, { 5, 30, 0 }, { 7, 15, 0 }, { 8, 30, 0 },
		{ 10, 28, 780 }, { 10, 29, 0 } };

	*w = (struct world){ .calendar = { .name = "office" } };
	for (size_t i = 0; i < ARRAY_LEN(days); i++)
		add(w, days[i][0], days[i][1], days[i][2]);
}

static size_t
missing(const struct world *w, struct holiday_missing *ret, size_t max)
{
	return holidays_missing(&w->calendar, civil_day(2026, 1, 1), YEAR, ret, max);
}

TEST(test_a_year_with_all_of_them_misses_none)
{
	struct world w;

	whole_year(&w);
	CHECK_U64("none", missing(&w, NULL, 0), 0);
}

TEST(test_each_day_that_is_taken_away_is_named)
{
	struct world w;
	struct holiday_missing found[2];

	whole_year(&w);
	size_t count = w.calendar.holiday_count;
	for (size_t i = 0; i < count; i++) {
		int32_t day = w.days[i].day;
		bool afternoon = w.days[i].closed.from_min > 0;
		w.days[i].day = civil_day(2020, 1, 1);
		CHECK_U64("one", missing(&w, found, 2), 1);
		CHECK_I64("this one", found[0].day, day);
		CHECK_TRUE("its part of the day", found[0].afternoon == afternoon);
		w.days[i].day = day;
	}
}

TEST(test_half_a_holiday_is_none_but_a_longer_one_is)
{
	struct world w;
	struct holiday_missing found[2];

	whole_year(&w);
	w.days[0].closed.from_min = 780; /* New Year's Day from 13:00 */
	w.days[1].closed.from_min = 0; /* the eve all day */
	CHECK_U64("one", missing(&w, found, 2), 1);
	CHECK_I64("New Year", found[0].day, civil_day(2026, 1, 1));
}

TEST(test_an_empty_calendar_misses_all_and_no_more_is_written_than_fits)
{
	struct world w = { .calendar = { .name = "office" } };
	struct holiday_missing found[3] = { { 0 }, { 0 }, { 77, "untouched", false } };

	CHECK_U64("all", missing(&w, found, 2), 17);
	CHECK_I64("the third", found[2].day, 77);
	CHECK_U64("from the middle of a feast, two years' days",
	    holidays_missing(&w.calendar, civil_day(2026, 3, 21), YEAR, NULL, 0), 19);
}

TEST(test_a_disk_is_full_below_a_tenth)
{
	CHECK_TRUE("full", doctor_disk_is_full(9, 100));
	CHECK_FALSE("not yet", doctor_disk_is_full(10, 100));
	CHECK_FALSE("of no size, as /proc", doctor_disk_is_full(0, 0));
}
