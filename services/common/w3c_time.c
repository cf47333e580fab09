/* Date-times of Open311, by the civil calendar and Istanbul's offsets. */
#include "w3c_time.h"

#include <stddef.h>
#include <stdio.h>

#include "clock.h"
#include "istanbul.h"

enum { SECONDS_A_DAY = 86400, OFFSET_MAX_MINUTES = 14 * 60 };

void
w3c_time_format(int64_t at_us, char out[W3C_TIME_SIZE])
{
	out[0] = '\0';
	if (at_us < 0 || at_us > CLOCK_LATEST_US)
		return;
	struct istanbul_time t = istanbul_split(at_us);
	int offset_min = istanbul_span_at(at_us).offset_s / 60;
	(void)snprintf(out, W3C_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u+%02u:%02u",
	    (unsigned)t.year % 10000, (unsigned)t.month % 100, (unsigned)t.day % 100,
	    (unsigned)t.hour % 100, (unsigned)t.minute % 100, (unsigned)t.second % 100,
	    (unsigned)offset_min / 60 % 100, (unsigned)offset_min % 60);
}

/* Exactly `count` digits; -1 when there are others. */
static int
take_digits(const char **at, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + (**at - '0');
	}
	return value;
}

static bool
take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* Fractions are read to the microsecond; further digits are passed over. */
static bool
take_fraction(const char **at, int64_t *ret_us)
{
	int64_t scale = 100000;

	*ret_us = 0;
	if (**at != '.' && **at != ',')
		return true;
	++*at;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; ++*at, scale /= 10)
		*ret_us += (**at - '0') * scale;
	return true;
}

static bool
take_offset(const char **at, int *ret_minutes)
{
	if (**at == 'Z' || **at == 'z') {
		++*at;
		*ret_minutes = 0;
		return true;
	}
	char sign = **at;
	if (sign != '+' && sign != '-' && sign != ' ')
		return false;
	++*at;
	int hours = take_digits(at, 2);
	(void)take_char(at, ':');
	int minutes = take_digits(at, 2);
	if (hours < 0 || minutes < 0 || minutes > 59 || hours * 60 + minutes > OFFSET_MAX_MINUTES)
		return false;
	*ret_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
	return true;
}

bool
w3c_time_parse(const char *text, int64_t *ret_us)
{
	const char *at = text;
	int year = take_digits(&at, 4);
	bool dashed = year >= 0 && take_char(&at, '-');
	int month = dashed ? take_digits(&at, 2) : -1;
	int day = month >= 0 && take_char(&at, '-') ? take_digits(&at, 2) : -1;
	if (day < 0 || !civil_valid(year, month, day))
		return false;
	int32_t day_number = civil_day(year, month, day);
	if (*at == '\0') {
		*ret_us = istanbul_day_start_us(day_number);
		return true;
	}

	if (!take_char(&at, 'T') && !take_char(&at, 't'))
		return false;
	int64_t fraction_us;
	int offset_min;
	int hour = take_digits(&at, 2);
	int minute = hour >= 0 && take_char(&at, ':') ? take_digits(&at, 2) : -1;
	int second = minute >= 0 && take_char(&at, ':') ? take_digits(&at, 2) : -1;
	if (second < 0 || hour > 23 || minute > 59 || second > 60
	    || !take_fraction(&at, &fraction_us) || !take_offset(&at, &offset_min) || *at != '\0')
		return false;
	int64_t seconds = (int64_t)day_number * SECONDS_A_DAY + hour * 3600 + minute * 60 + second
			  - offset_min * 60;
	if (seconds < 0)
		return false;
	*ret_us = seconds * US_PER_S + fraction_us;
	return true;
}
