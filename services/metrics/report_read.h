/* report_read - a month's report out of one answer of the record. */
#ifndef METRICS_REPORT_READ_H
#define METRICS_REPORT_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "month.h"
#include "report_page.h"

struct db_unit;
struct pg_result;

/* A report is none while more than so many records, or more than so much of the log's time, are
 * not counted yet: months would be missing, or said to go on. */
enum { REPORT_BEHIND_RECORDS = 10000, REPORT_BEHIND_HOURS = 24 };

enum report_read {
	REPORT_READ,
	REPORT_NO_MONTH, /* the log does not reach back to it, or has not come to it */
	REPORT_BEHIND, /* the log is being counted anew, or was counted by another program */
	REPORT_NO_CATALOGUE, /* another version of the configuration was loaded, or it is none */
	REPORT_NO_MEMORY
};

/* How far the count has come. */
struct report_progress {
	int64_t counted, records; /* of so many */
};

/* The configuration that a report's names and populations are of; zeroed is that of a log without
 * one. */
struct report_catalogue {
	struct catalogue *catalogue;
	uint64_t version;
};
void report_catalogue_finish(struct report_catalogue *cat);

/* Puts the question into the unit, as two statements; loaded is what the asker has. */
void report_ask(struct db_unit *unit, int32_t month, const struct report_catalogue *loaded);
/* Replaces the loaded one when the answer holds another.  False: no memory. */
MUST_CHECK bool report_take_catalogue(
    const struct pg_result *answer, struct report_catalogue *loaded);
/* cat is lent, of the version that the report needs, or it is none.  On REPORT_READ the report is
 * the caller's to finish. */
MUST_CHECK enum report_read report_take(const struct pg_result *answer, int32_t month,
    const struct report_catalogue *cat, struct report_progress *ret_progress,
    struct month_report *ret_report);

/* The same for the list of months, newest first; REPORT_READ or REPORT_BEHIND. */
void report_ask_months(struct db_unit *unit);
MUST_CHECK enum report_read report_take_months(const struct pg_result *answer,
    struct report_month months[], size_t size, struct report_progress *ret_progress,
    size_t *ret_count);

#endif
