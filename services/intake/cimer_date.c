/* Reads a date as people and spreadsheets in Türkiye write it; what could be two dates is none. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cimer_sheet.h"
#include "istanbul.h"
#include "w3c_time.h"

enum {
	DAYS_1900 = 25569, /* 1970-01-01 as spreadsheets count from the last days of 1899 */
	DAYS_1904 = 24107, /* and as they count from 1904-01-01 */
	DAYS_MIN = 61, /* before it spreadsheets have a day too many */
	DAYS_MAX = 73050, /* the year 2100 */
	SECONDS_A_DAY = 86400,
};

/* Takes digits, [min, max] of them, off *at. */
static bool
take_number(const char **at, int min, int max, int *ret_value)
{
	int value = 0, count = 0;

	while (**at >= '0' && **at <= '9' && count < max) {
		value = value * 10 + (*(*at)++ - '0');
		count++;
	}
	*ret_value = value;
	return count >= min && (**at < '0' || **at > '9');
}

static bool
take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* Day, month, year with the same '.', '/' or '-' between; or year-month-day. */
static bool
take_date(const char **at, int *ret_year, int *ret_month, int *ret_day)
{
	bool year_first = strlen(*at) > 4 && (*at)[4] == '-';
	int *first = year_first ? ret_year : ret_day, *last = year_first ? ret_day : ret_year;

	if (!take_number(at, year_first ? 4 : 1, year_first ? 4 : 2, first))
		return false;
	char between = **at;
	return (between == '-' || (!year_first && (between == '.' || between == '/')))
	       && take(at, between) && take_number(at, 1, 2, ret_month) && take(at, between)
	       && take_number(at, year_first ? 1 : 4, year_first ? 2 : 4, last);
}

static bool
take_time(const char **at, int *ret_second)
{
	int hour, minute, second = 0;

	if (!take_number(at, 1, 2, &hour) || !take(at, ':') || !take_number(at, 2, 2, &minute))
		return false;
	if (take(at, ':') && !take_number(at, 2, 2, &second))
		return false;
	if (take(at, '.'))
		*at += strspn(*at, "0123456789");
	*ret_second = (hour * 60 + minute) * 60 + second;
	return hour < 24 && minute < 60 && second < 60;
}

bool
cimer_date_parse(const char *text, int64_t *ret_us)
{
	const char *at = text;
	int year, month, day, second = 0;

	/* With an offset it is a moment already. */
	if (strchr(text, 'T') != NULL && w3c_time_parse(text, ret_us))
		return true;
	if (!take_date(&at, &year, &month, &day) || !civil_valid(year, month, day))
		return false;
	if (*at != '\0' && !take(&at, ' ') && !take(&at, 'T'))
		return false;
	at += strspn(at, " ");
	if (*at != '\0' && (!take_time(&at, &second) || *at != '\0'))
		return false;
	*ret_us = istanbul_moment_us(civil_day(year, month, day), second / 60)
		  + second % 60 * US_PER_S;
	return true;
}

bool
cimer_date_of_days(const char *digits, bool from_1904, int64_t *ret_us)
{
	char *end = NULL;
	double days = strtod(digits, &end);

	if (end == digits || *end != '\0' || !isfinite(days) || days < DAYS_MIN || days > DAYS_MAX)
		return false;
	double whole = floor(days);
	int seconds = (int)lround((days - whole) * SECONDS_A_DAY);
	int32_t day = (int32_t)whole - (from_1904 ? DAYS_1904 : DAYS_1900);
	if (seconds == SECONDS_A_DAY) {
		seconds = 0;
		day++;
	}
	if (day < 0)
		return false;
	*ret_us = istanbul_moment_us(day, seconds / 60) + seconds % 60 * US_PER_S;
	return true;
}
