/* report_read - a month's report out of one answer of the record. */
#ifndef METRICS_REPORT_READ_H
#define METRICS_REPORT_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "month.h"
#include "report_page.h"

struct catalogue;
struct db_unit;
struct pg_result;

enum report_read {
	REPORT_READ,
	REPORT_NO_MONTH, /* the log does not reach back to it, or has not come to it */
	REPORT_NO_MEMORY
};

/* Puts the question into the unit. */
void report_ask(struct db_unit *unit, int32_t month);
/* cat is lent.  On REPORT_READ the report is the caller's to finish. */
MUST_CHECK enum report_read report_take(const struct pg_result *answer, int32_t month,
    const struct catalogue *cat, struct month_report *ret_report);

/* The same for the list of months, newest first. */
void report_ask_months(struct db_unit *unit);
size_t report_take_months(
    const struct pg_result *answer, struct report_month months[], size_t size);

#endif
