/*
 * report_format - numbers, rates and months as people write them: 11.651 and %95,3 in Turkish,
 * 11,651 and 95.3% in English.
 *
 * Rates are whole tenths throughout, so that nothing depends on how a machine rounds.  Pure.
 */
#ifndef METRICS_REPORT_FORMAT_H
#define METRICS_REPORT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

enum { REPORT_TEXT_SIZE = 64 };

enum report_kind {
	REPORT_COUNT,
	REPORT_PERCENT, /* this one and those below: tenths */
	REPORT_PER_1000,
	REPORT_MINUTES,
	REPORT_SECONDS,
	REPORT_TIMES
};

/* A figure of one month; not known: there was nothing to divide by, or no such month. */
struct report_value {
	bool known;
	int64_t value;
};

/* "11.651", "%95,3", "2,1"; "–" when it is not known. */
void report_format(enum catalogue_language language, enum report_kind kind,
    struct report_value value, char out[REPORT_TEXT_SIZE]);
/* What follows a number of that kind where there is room: "dakika", "" for counts. */
const char *report_unit(enum catalogue_language language, enum report_kind kind);

/* From then to now: of counts "+%4,2", of rates by how much, "+0,1", "+0,3 puan"; "" when it cannot
 * be said. */
void report_change(enum catalogue_language language, enum report_kind kind, struct report_value now,
    struct report_value then, char out[REPORT_TEXT_SIZE]);
/* The same in tenths of a percent, rounded half away from zero; not known: nothing to divide by. */
struct report_value report_change_tenths(struct report_value now, struct report_value then);

#endif
