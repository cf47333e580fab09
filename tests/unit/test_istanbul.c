#include "istanbul.h"

#include <stdlib.h>
#include <time.h>

#include "base.h"
#include "check.h"

/* The machine's own zone files are the judge: every half hour of 67 years. */
TEST(test_istanbul_agrees_with_the_zone_files)
{
	int64_t mismatches = 0;

	setenv("TZ", "Europe/Istanbul", 1);
	tzset();
	for (int64_t s = INT64_C(94694400); s < INT64_C(2208988800); s += 1800) {
		struct istanbul_time t = istanbul_split(s * US_PER_S + 999999);
		struct tm want;
		time_t at = s;
		localtime_r(&at, &want);
		mismatches += t.year != want.tm_year + 1900 || t.month != want.tm_mon + 1
			      || t.day != want.tm_mday || t.hour != want.tm_hour
			      || t.minute != want.tm_min || t.second != want.tm_sec
			      || t.weekday != (want.tm_wday + 6) % 7
			      || t.day_number != civil_day(t.year, t.month, t.day)
			      || t.day_number != istanbul_day(s * US_PER_S);
	}
	CHECK_I64("moments that differ", mismatches, 0);
}

TEST(test_istanbul_days_begin_at_midnight)
{
	for (int32_t day = civil_day(1973, 1, 1); day < civil_day(2040, 1, 1); day++) {
		int64_t start_us = istanbul_day_start_us(day);
		CHECK(istanbul_day(start_us) == day && istanbul_day(start_us - 1) == day - 1);
	}
}

TEST(test_istanbul_changes)
{
	/* 2015-03-29: 03:00 became 04:00.  2015-11-08: 04:00 became 03:00. */
	int32_t spring = civil_day(2015, 3, 29), autumn = civil_day(2015, 11, 8);

	CHECK_I64("before", istanbul_moment_us(spring, 179), INT64_C(1427590740) * US_PER_S);
	CHECK_I64("skipped", istanbul_moment_us(spring, 210), INT64_C(1427590800) * US_PER_S);
	CHECK_I64("after", istanbul_moment_us(spring, 240), INT64_C(1427590800) * US_PER_S);
	CHECK_I64("shown twice: the first", istanbul_moment_us(autumn, 210),
	    INT64_C(1446942600) * US_PER_S);
	CHECK_I64("once again", istanbul_moment_us(autumn, 240), INT64_C(1446948000) * US_PER_S);
	CHECK_I64("a day of 23 hours",
	    istanbul_day_start_us(spring + 1) - istanbul_day_start_us(spring),
	    23 * 60 * US_PER_MIN);
	CHECK_I64("a day of 25 hours",
	    istanbul_day_start_us(autumn + 1) - istanbul_day_start_us(autumn),
	    25 * 60 * US_PER_MIN);
	CHECK_I64("+03 since 2016",
	    istanbul_span_at(istanbul_day_start_us(civil_day(2016, 12, 1))).offset_s, 3 * 3600);
	CHECK_I64("and for good",
	    istanbul_span_at(istanbul_day_start_us(civil_day(2500, 1, 1))).offset_s, 3 * 3600);
}

TEST(test_civil_dates)
{
	static const struct {
		int year, month, day;
		bool valid;
	} dates[] = {
		{ 2024, 2, 29, true },
		{ 2023, 2, 29, false },
		{ 2100, 2, 29, false },
		{ 2000, 2, 29, true },
		{ 2026, 4, 31, false },
		{ 2026, 13, 1, false },
		{ 2026, 0, 1, false },
		{ 2026, 1, 0, false },
		{ 1970, 1, 1, true },
		{ 1969, 12, 31, false },
		{ 3000, 1, 1, false },
		{ 2026, 1, -5, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		CHECK(civil_valid(dates[i].year, dates[i].month, dates[i].day) == dates[i].valid);
	CHECK_I64("the epoch", civil_day(1970, 1, 1), 0);
	CHECK_I64("a Thursday", civil_weekday(0), 3);
	CHECK_I64("2026-11-24 is a Tuesday", civil_weekday(civil_day(2026, 11, 24)), 1);
	CHECK_I64("before the epoch", civil_weekday(-1), 2);
}
