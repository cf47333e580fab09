/*
 * calendar - working time of a department, and the clocks of the law.
 *
 * A moment is working time when the clock on the wall in Istanbul shows a minute inside one of the
 * day's half-open intervals and no holiday closes that minute.  Everything below is the integral of
 * that one sentence; daylight saving (until 2016) needs no case of its own.
 *
 * Pure: no clock, no files, no allocation.  A calendar lends its holidays.  Moments lie between the
 * years 1970 and 9999.
 */
#ifndef TURUNC_CALENDAR_H
#define TURUNC_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum {
	CALENDAR_INTERVALS_MAX = 4,
	CALENDAR_NAME_MAX = 32,
	CALENDAR_VERSION_MAX = 20,
	MINUTES_A_DAY = 1440
};

/* [from_min, to_min) of the local day, 0 to 1440. */
struct calendar_interval {
	int16_t from_min;
	int16_t to_min;
};

struct calendar_day {
	uint8_t count;
	struct calendar_interval open[CALENDAR_INTERVALS_MAX]; /* ascending, not touching */
};

/* One closure of one local day; a day may have several, in ascending order. */
struct calendar_holiday {
	int32_t day; /* days since 1970-01-01, local */
	struct calendar_interval closed;
};

struct calendar {
	char name[CALENDAR_NAME_MAX];
	char version[CALENDAR_VERSION_MAX]; /* of its contents: stored with each deadline */
	struct calendar_day week[7]; /* [0] is Monday */
	const struct calendar_holiday *holidays; /* sorted by day, then by closed.from_min */
	size_t holiday_count;
	/* The years the holiday table speaks of, both included.  Outside them a result is flagged.
	 */
	int16_t first_year;
	int16_t last_year;
	bool always_open; /* open all week and no holiday closes it: set by calendar_seal() */
};

/* Checks order and bounds, sets always_open and the version.  False, with the reason in ret_why
 * (a literal), when the week or the holidays are not as described above. */
MUST_CHECK bool calendar_seal(struct calendar *cal, const char **ret_why);

/*
 * Working milliseconds in [from_us, to_us), rounded down; 0 when to_us <= from_us.  *ret_unsure
 * (may be NULL) becomes true when the span leaves the years of the holiday table.
 */
int64_t calendar_elapsed_ms(
    const struct calendar *cal, int64_t from_us, int64_t to_us, bool *ret_unsure);

/*
 * The first moment at which working_ms have passed since start_us; start_us itself for 0.
 * calendar_elapsed_ms(start, deadline) is working_ms, always.  False when the calendar never gets
 * there (no working hours in a hundred years, or a negative working_ms): *ret_us is untouched.
 */
MUST_CHECK bool calendar_deadline(const struct calendar *cal, int64_t start_us, int64_t working_ms,
    int64_t *ret_us, bool *ret_unsure);

bool calendar_is_open(const struct calendar *cal, int64_t at_us);

/* --- the legal clock ----------------------------------------------------------------- */

enum legal_basis {
	LEGAL_NONE, /* "none" */
	LEGAL_PETITION_3071, /* "3071": 30 calendar days */
	LEGAL_INFORMATION_4982, /* "4982": 15 working days, 30 when extended */
	LEGAL_KVKK_13, /* "kvkk": 30 calendar days */
	LEGAL_BASES
};

/* The word used in configuration, in the record and on the bus. */
const char *legal_basis_name(enum legal_basis basis);
MUST_CHECK bool legal_basis_parse(const char *text, enum legal_basis *ret_basis);

/*
 * The end of the legal period: 24:00 Istanbul of its last day.  The first day is the one after
 * arrival; a holiday on the last day does not extend it, and a half holiday counts as a working
 * day (the earlier, safe reading of both).  "office" lends the weekdays and public holidays that
 * make a working day; only basis 4982 looks at it.  False for LEGAL_NONE: there is no deadline.
 * *ret_unsure as above.  "extended" matters to 4982 alone.
 */
MUST_CHECK bool legal_deadline(enum legal_basis basis, bool extended, int64_t arrival_us,
    const struct calendar *office, int64_t *ret_us, bool *ret_unsure);

#endif
