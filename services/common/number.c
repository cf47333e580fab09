/* Builds and reads ticket numbers with their check digit. */
#include "number.h"

#include <string.h>

#include "istanbul.h"
#include "utf8.h"

enum { SERIAL_DIGITS_MIN = 7, SERIAL_DIGITS_MAX = 9, PARTS = 3 };

/* Damm's quasigroup of order 10, the usual one. */
static const char damm[10][10] = {
	{ 0, 3, 1, 7, 5, 9, 8, 6, 4, 2 },
	{ 7, 0, 9, 2, 1, 5, 4, 8, 6, 3 },
	{ 4, 2, 0, 6, 8, 7, 1, 3, 5, 9 },
	{ 1, 7, 5, 0, 9, 8, 3, 4, 2, 6 },
	{ 6, 1, 2, 3, 0, 4, 5, 9, 7, 8 },
	{ 3, 6, 7, 4, 2, 0, 9, 5, 8, 1 },
	{ 5, 8, 6, 9, 7, 2, 0, 1, 3, 4 },
	{ 8, 9, 4, 5, 3, 6, 2, 0, 1, 7 },
	{ 9, 4, 3, 8, 6, 1, 7, 2, 0, 5 },
	{ 2, 5, 8, 1, 4, 3, 6, 7, 9, 0 },
};

char
number_check_digit(const char *digits, size_t count)
{
	int interim = 0;

	for (size_t i = 0; i < count; i++)
		interim = damm[interim][digits[i] - '0'];
	return (char)('0' + interim);
}

/* 10 to the number of digits a serial is written with. */
static int64_t
serial_scale(int64_t serial)
{
	int64_t scale = 10000000;

	while (serial >= scale)
		scale *= 10;
	return scale;
}

int64_t
number_make(int year, int64_t serial)
{
	if (year < NUMBER_YEAR_MIN || year > NUMBER_YEAR_MAX || serial < NUMBER_SERIAL_MIN
	    || serial > NUMBER_SERIAL_MAX)
		return 0;
	return year * serial_scale(serial) + serial;
}

bool
number_split(int64_t ticket_id, int *ret_year, int64_t *ret_serial)
{
	int64_t scale = 10000000;

	while (scale <= NUMBER_SERIAL_MAX && ticket_id / scale > NUMBER_YEAR_MAX)
		scale *= 10;
	int64_t year = ticket_id / scale, serial = ticket_id % scale;
	/* A serial that would be written with fewer digits than it has here is nobody's. */
	if (year < NUMBER_YEAR_MIN || year > NUMBER_YEAR_MAX || serial < NUMBER_SERIAL_MIN
	    || serial_scale(serial) != scale)
		return false;
	*ret_year = (int)year;
	*ret_serial = serial;
	return true;
}

bool
number_format(int64_t ticket_id, char out[NUMBER_SIZE])
{
	char digits[2 + SERIAL_DIGITS_MAX + 1] = "";
	size_t first = ARRAY_LEN(digits), used = 0;
	int64_t serial;
	int year;

	out[0] = '\0';
	if (!number_split(ticket_id, &year, &serial))
		return false;
	digits[--first] = '\0';
	for (; ticket_id > 0 && first > 0; ticket_id /= 10)
		digits[--first] = (char)('0' + ticket_id % 10);
	for (const char *d = digits + first; *d != '\0'; d++) {
		if (used == 2)
			out[used++] = '-';
		out[used++] = *d;
	}
	out[used++] = '-';
	out[used++] = number_check_digit(digits + first, ARRAY_LEN(digits) - 1 - first);
	out[used] = '\0';
	return true;
}

static bool
all_digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return true;
}

/* digits: year, serial and check digit, nothing else. */
static enum number_result
take_digits(const char *digits, size_t count, int64_t *ret_ticket_id)
{
	int64_t ticket_id = 0, serial;
	int year;

	/* A year "05" would lose its zero in the id, and become another number. */
	if (count < 2 + SERIAL_DIGITS_MIN + 1 || count > 2 + SERIAL_DIGITS_MAX + 1
	    || digits[0] == '0')
		return NUMBER_MALFORMED;
	for (size_t i = 0; i + 1 < count; i++)
		ticket_id = ticket_id * 10 + (digits[i] - '0');
	/* A zero in front of eight digits would print differently: it is not one of ours. */
	if (!number_split(ticket_id, &year, &serial))
		return NUMBER_MALFORMED;
	if (number_check_digit(digits, count - 1) != digits[count - 1])
		return NUMBER_WRONG_CHECK;
	*ret_ticket_id = ticket_id;
	return NUMBER_OK;
}

enum number_result
number_parse(const char *text, int64_t *ret_ticket_id)
{
	char digits[NUMBER_SIZE];
	size_t len = strlen(text);

	if (len < 2 + SERIAL_DIGITS_MIN + 3 || len > 2 + SERIAL_DIGITS_MAX + 3)
		return NUMBER_MALFORMED;
	size_t serial_digits = len - 5;
	if (text[2] != '-' || text[len - 2] != '-' || !all_digits(text, 2)
	    || !all_digits(text + 3, serial_digits) || !all_digits(text + len - 1, 1))
		return NUMBER_MALFORMED;
	memcpy(digits, text, 2);
	memcpy(digits + 2, text + 3, serial_digits);
	digits[2 + serial_digits] = text[len - 1];
	return take_digits(digits, serial_digits + 3, ret_ticket_id);
}

static bool
is_divider(int32_t c)
{
	return c == ' ' || c == '\t' || c == '-' || c == '.' || c == '/' || c == '_' || c == 0xa0
	       || (c >= 0x2000 && c <= 0x2015) || c == 0x2212;
}

enum number_result
number_parse_typed(const char *text, int64_t *ret_ticket_id)
{
	char digits[NUMBER_SIZE], padded[NUMBER_SIZE];
	size_t count = 0, parts = 0, starts[PARTS] = { 0 };
	bool divided = true;
	const char *at = text, *end = text + strlen(text);

	while (at < end) {
		int32_t c = utf8_next(&at, end);
		if (is_divider(c)) {
			divided = true;
			continue;
		}
		if (c < '0' || c > '9' || count == 2 + SERIAL_DIGITS_MAX + 1)
			return NUMBER_MALFORMED;
		if (divided && parts < PARTS)
			starts[parts] = count;
		parts += divided;
		divided = false;
		digits[count++] = (char)c;
	}
	size_t serial_digits = parts == PARTS ? starts[2] - starts[1] : 0;
	if (serial_digits == 0 || serial_digits >= SERIAL_DIGITS_MIN || starts[1] != 2
	    || count - starts[2] != 1)
		return take_digits(digits, count, ret_ticket_id);

	memset(padded, '0', sizeof(padded));
	memcpy(padded, digits, 2);
	memcpy(padded + 2 + SERIAL_DIGITS_MIN - serial_digits, digits + 2, serial_digits + 1);
	return take_digits(padded, 2 + SERIAL_DIGITS_MIN + 1, ret_ticket_id);
}

int
number_year(int64_t arrived_us)
{
	int year = istanbul_split(arrived_us).year - 2000;

	return year >= NUMBER_YEAR_MIN && year <= NUMBER_YEAR_MAX ? year : -1;
}
