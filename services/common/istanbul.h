/*
 * istanbul - civil time in Europe/Istanbul, for every moment since 1973.
 *
 * A compiled table of the zone's changes (the last one made it +03 for good on 2016-09-07), so that
 * no service depends on the machine's zone files; tests compare it with those.  Moments before 1973
 * are taken as +02.  Days are counted from 1970-01-01; weekday 0 is Monday.
 */
#ifndef TURUNC_ISTANBUL_H
#define TURUNC_ISTANBUL_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_MIN (60 * US_PER_S)
#define US_PER_DAY (86400 * US_PER_S)

struct istanbul_time {
	int year, month, day; /* 1-12, 1-31 */
	int hour, minute, second;
	int weekday;
	int32_t day_number;
};

/* A stretch of time [from_us, to_us) with one offset; the first and last reach to INT64 limits. */
struct istanbul_span {
	int64_t from_us;
	int64_t to_us;
	int32_t offset_s;
};

struct istanbul_span istanbul_span_at(int64_t at_us);

struct istanbul_time istanbul_split(int64_t at_us);
int32_t istanbul_day(int64_t at_us); /* the day_number alone */

/* Local midnight at which that day begins (the zone never changes at midnight since 1973). */
int64_t istanbul_day_start_us(int32_t day);

/* The first moment at which a clock there shows this time; one skipped in spring is the moment of
 * the change.  minute: 0 to 1440 of the day. */
int64_t istanbul_moment_us(int32_t day, int minute);

int32_t civil_day(int year, int month, int day);
void civil_split(int32_t day, int *ret_year, int *ret_month, int *ret_day);
int civil_weekday(int32_t day);
bool civil_valid(int year, int month, int day); /* years 1970 to 2999 */

#endif
