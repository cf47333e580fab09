/* The offsets of Europe/Istanbul since 1973, and civil dates without the C library's time zone. */
#include "istanbul.h"

#include <stddef.h>

/* Each change: UTC seconds and the hours east from then on.  From the tz database, 2024a. */
static const struct {
	int64_t from_s;
	int8_t hours;
} changes[] = {
	/* clang-format off */
	{ 107910000, 3 }, /* 1973-06-02 23:00 */
	{ 121215600, 2 }, /* 1973-11-03 23:00 */
	{ 133920000, 3 }, /* 1974-03-31 00:00 */
	{ 152665200, 2 }, /* 1974-11-02 23:00 */
	{ 164678400, 3 }, /* 1975-03-22 00:00 */
	{ 184114800, 2 }, /* 1975-11-01 23:00 */
	{ 196214400, 3 }, /* 1976-03-21 00:00 */
	{ 215564400, 2 }, /* 1976-10-30 23:00 */
	{ 228873600, 3 }, /* 1977-04-03 00:00 */
	{ 245804400, 2 }, /* 1977-10-15 23:00 */
	{ 260323200, 3 }, /* 1978-04-02 00:00 */
	{ 428454000, 4 }, /* 1983-07-30 23:00 */
	{ 433893600, 3 }, /* 1983-10-01 22:00 */
	{ 468111600, 2 }, /* 1984-10-31 23:00 */
	{ 482799600, 3 }, /* 1985-04-19 23:00 */
	{ 496710000, 2 }, /* 1985-09-27 23:00 */
	{ 512521200, 3 }, /* 1986-03-29 23:00 */
	{ 528246000, 2 }, /* 1986-09-27 23:00 */
	{ 543970800, 3 }, /* 1987-03-28 23:00 */
	{ 559695600, 2 }, /* 1987-09-26 23:00 */
	{ 575420400, 3 }, /* 1988-03-26 23:00 */
	{ 591145200, 2 }, /* 1988-09-24 23:00 */
	{ 606870000, 3 }, /* 1989-03-25 23:00 */
	{ 622594800, 2 }, /* 1989-09-23 23:00 */
	{ 638319600, 3 }, /* 1990-03-24 23:00 */
	{ 654649200, 2 }, /* 1990-09-29 23:00 */
	{ 670374000, 3 }, /* 1991-03-30 23:00 */
	{ 686098800, 2 }, /* 1991-09-28 23:00 */
	{ 701823600, 3 }, /* 1992-03-28 23:00 */
	{ 717548400, 2 }, /* 1992-09-26 23:00 */
	{ 733273200, 3 }, /* 1993-03-27 23:00 */
	{ 748998000, 2 }, /* 1993-09-25 23:00 */
	{ 764118000, 3 }, /* 1994-03-19 23:00 */
	{ 780447600, 2 }, /* 1994-09-24 23:00 */
	{ 796172400, 3 }, /* 1995-03-25 23:00 */
	{ 811897200, 2 }, /* 1995-09-23 23:00 */
	{ 828226800, 3 }, /* 1996-03-30 23:00 */
	{ 846370800, 2 }, /* 1996-10-26 23:00 */
	{ 859676400, 3 }, /* 1997-03-29 23:00 */
	{ 877820400, 2 }, /* 1997-10-25 23:00 */
	{ 891126000, 3 }, /* 1998-03-28 23:00 */
	{ 909270000, 2 }, /* 1998-10-24 23:00 */
	{ 922575600, 3 }, /* 1999-03-27 23:00 */
	{ 941324400, 2 }, /* 1999-10-30 23:00 */
	{ 954025200, 3 }, /* 2000-03-25 23:00 */
	{ 972774000, 2 }, /* 2000-10-28 23:00 */
	{ 985474800, 3 }, /* 2001-03-24 23:00 */
	{ 1004223600, 2 }, /* 2001-10-27 23:00 */
	{ 1017529200, 3 }, /* 2002-03-30 23:00 */
	{ 1035673200, 2 }, /* 2002-10-26 23:00 */
	{ 1048978800, 3 }, /* 2003-03-29 23:00 */
	{ 1067122800, 2 }, /* 2003-10-25 23:00 */
	{ 1080428400, 3 }, /* 2004-03-27 23:00 */
	{ 1099177200, 2 }, /* 2004-10-30 23:00 */
	{ 1111878000, 3 }, /* 2005-03-26 23:00 */
	{ 1130626800, 2 }, /* 2005-10-29 23:00 */
	{ 1143327600, 3 }, /* 2006-03-25 23:00 */
	{ 1162076400, 2 }, /* 2006-10-28 23:00 */
	{ 1174784400, 3 }, /* 2007-03-25 01:00 */
	{ 1193533200, 2 }, /* 2007-10-28 01:00 */
	{ 1206838800, 3 }, /* 2008-03-30 01:00 */
	{ 1224982800, 2 }, /* 2008-10-26 01:00 */
	{ 1238288400, 3 }, /* 2009-03-29 01:00 */
	{ 1256432400, 2 }, /* 2009-10-25 01:00 */
	{ 1269738000, 3 }, /* 2010-03-28 01:00 */
	{ 1288486800, 2 }, /* 2010-10-31 01:00 */
	{ 1301274000, 3 }, /* 2011-03-28 01:00 */
	{ 1319936400, 2 }, /* 2011-10-30 01:00 */
	{ 1332637200, 3 }, /* 2012-03-25 01:00 */
	{ 1351386000, 2 }, /* 2012-10-28 01:00 */
	{ 1364691600, 3 }, /* 2013-03-31 01:00 */
	{ 1382835600, 2 }, /* 2013-10-27 01:00 */
	{ 1396227600, 3 }, /* 2014-03-31 01:00 */
	{ 1414285200, 2 }, /* 2014-10-26 01:00 */
	{ 1427590800, 3 }, /* 2015-03-29 01:00 */
	{ 1446944400, 2 }, /* 2015-11-08 01:00 */
	{ 1459040400, 3 }, /* 2016-03-27 01:00 */
	/* clang-format on */
};

enum { FIRST_HOURS = 2, S_PER_HOUR = 3600, DAYS_PER_400_YEARS = 146097 };

struct istanbul_span
istanbul_span_at(int64_t at_us)
{
	size_t low = 0, high = ARRAY_LEN(changes);
	struct istanbul_span span = { INT64_MIN, INT64_MAX, FIRST_HOURS * S_PER_HOUR };

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (changes[mid].from_s * US_PER_S <= at_us)
			low = mid + 1;
		else
			high = mid;
	}
	if (low > 0) {
		span.from_us = changes[low - 1].from_s * US_PER_S;
		span.offset_s = changes[low - 1].hours * S_PER_HOUR;
	}
	if (low < ARRAY_LEN(changes))
		span.to_us = changes[low].from_s * US_PER_S;
	return span;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Local microseconds: what a clock there shows, counted as if it were UTC. */
static int64_t
local_us(int64_t at_us)
{
	return at_us + istanbul_span_at(at_us).offset_s * US_PER_S;
}

int32_t
istanbul_day(int64_t at_us)
{
	return (int32_t)floor_div(local_us(at_us), US_PER_DAY);
}

struct istanbul_time
istanbul_split(int64_t at_us)
{
	struct istanbul_time t;
	int64_t shown_us = local_us(at_us);

	t.day_number = (int32_t)floor_div(shown_us, US_PER_DAY);
	civil_split(t.day_number, &t.year, &t.month, &t.day);
	t.weekday = civil_weekday(t.day_number);
	int second = (int)((shown_us - t.day_number * US_PER_DAY) / US_PER_S);
	t.hour = second / S_PER_HOUR;
	t.minute = second / 60 % 60;
	t.second = second % 60;
	return t;
}

int64_t
istanbul_day_start_us(int32_t day)
{
	return istanbul_moment_us(day, 0);
}

int64_t
istanbul_moment_us(int32_t day, int minute)
{
	int64_t shown_us = day * US_PER_DAY + minute * US_PER_MIN;
	/* Offsets are 2 to 4 hours: begin in the span before any of them could apply. */
	struct istanbul_span span = istanbul_span_at(shown_us - 4 * S_PER_HOUR * US_PER_S);
	int64_t at_us = shown_us - span.offset_s * US_PER_S;

	while (at_us >= span.to_us) {
		int64_t change_us = span.to_us;
		span = istanbul_span_at(change_us);
		at_us = shown_us - span.offset_s * US_PER_S;
		if (at_us < change_us)
			return change_us;
	}
	return at_us;
}

/* Counts years from March, so that the odd day comes last. */
int32_t
civil_day(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (int)floor_div(y, 400);
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_400_YEARS + day_of_era - 719468;
}

void
civil_split(int32_t day, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t shifted = (int64_t)day + 719468;
	int64_t era = floor_div(shifted, DAYS_PER_400_YEARS);
	int day_of_era = (int)(shifted - era * DAYS_PER_400_YEARS);
	int year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int march_month = (5 * day_of_year + 2) / 153;

	*ret_day = day_of_year - (153 * march_month + 2) / 5 + 1;
	*ret_month = march_month < 10 ? march_month + 3 : march_month - 9;
	*ret_year = (int)(year_of_era + era * 400) + (*ret_month <= 2 ? 1 : 0);
}

int
civil_weekday(int32_t day)
{
	/* 1970-01-01 was a Thursday. */
	int64_t shifted = (int64_t)day + 3;

	return (int)(shifted - floor_div(shifted, 7) * 7);
}

bool
civil_valid(int year, int month, int day)
{
	int y, m, d;

	if (year < 1970 || year > 2999 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	civil_split(civil_day(year, month, day), &y, &m, &d);
	return y == year && m == month && d == day;
}
