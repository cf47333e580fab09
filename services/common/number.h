/*
 * number - ticket numbers: 26-0012345-4.
 *
 * Two digits of the Istanbul year of arrival, a serial of seven digits or more, and a Damm check
 * digit over all digits before it, which catches every single wrong digit and every swap of
 * neighbours.  ticket_id is the same digits without the check digit, read as an integer: 260012345.
 *
 * Serials have exactly seven digits below 10,000,000 and no leading zero above, and years run from
 * 10 (2010) to 99 (2099): so an id of nine digits holds a serial of seven, one of ten a serial of
 * eight, and so on; two numbers never share an id, and ids of a year grow with the serial.
 */
#ifndef TURUNC_NUMBER_H
#define TURUNC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum {
	NUMBER_SIZE = 16, /* "26-999999999-9" and its NUL, and a little room */
	NUMBER_YEAR_MIN = 10,
	NUMBER_YEAR_MAX = 99,
	NUMBER_SERIAL_MIN = 1,
	NUMBER_SERIAL_MAX = 999999999
};

enum number_result {
	NUMBER_OK,
	NUMBER_MALFORMED, /* not a ticket number at all */
	NUMBER_WRONG_CHECK /* looks like one, but a digit was misheard or mistyped */
};

/* The id, or 0 when the year or the serial is out of range. */
int64_t number_make(int year, int64_t serial);
/* False when it is no ticket's id. */
MUST_CHECK bool number_split(int64_t ticket_id, int *ret_year, int64_t *ret_serial);

/* False when it is no ticket's id; out is then "". */
MUST_CHECK bool number_format(int64_t ticket_id, char out[NUMBER_SIZE]);

/* The printed form exactly, as machines send it. */
MUST_CHECK enum number_result number_parse(const char *text, int64_t *ret_ticket_id);

/* What a person types or reads out: any spaces and dashes, also none; leading zeros of the serial
 * may be missing when the three parts are kept apart ("26 12345 4"). */
MUST_CHECK enum number_result number_parse_typed(const char *text, int64_t *ret_ticket_id);

/* The year a number carries for an arrival at that moment; -1 outside 2010 to 2099. */
int number_year(int64_t arrived_us);

/* Over count digits '0' to '9'; the result is a digit too. */
char number_check_digit(const char *digits, size_t count);

#endif
