/*
 * doctor_holidays - the public holidays of Law 2429 that a calendar should have.
 *
 * Fixed days by the law; the two feasts by a table of their first days, for as long as that
 * reaches.  Administrative leave is nobody's to foresee.
 */
#ifndef MASA_DOCTOR_HOLIDAYS_H
#define MASA_DOCTOR_HOLIDAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "calendar.h"

struct holiday_missing {
	int32_t day; /* since 1970-01-01 */
	const char *name;
	bool afternoon; /* it begins at 13:00 */
};

/* Those of [first_day, first_day + days) on which the calendar's holidays do not close at noon and
 * in the afternoon (or in the afternoon alone).  The number found; at most max are written. */
size_t holidays_missing(const struct calendar *calendar, int32_t first_day, int32_t days,
    struct holiday_missing *ret, size_t max);
/* The table of the feasts reaches to the end of this year. */
int holidays_known_until(void);

#endif
