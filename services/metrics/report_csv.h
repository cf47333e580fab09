/*
 * report_csv - the report as a file for spreadsheets: UTF-8 with its mark, ';' between fields, and
 * decimals as people of that language write them, so that a double click opens it rightly.
 *
 * One line a figure: section, figure, title, unit, this month, the month before, the year before,
 * and the definition in both languages.  Programs should take the JSON.
 */
#ifndef METRICS_REPORT_CSV_H
#define METRICS_REPORT_CSV_H

#include <stdbool.h>

#include "base.h"
#include "report.h"

struct evbuffer;

/* False: no memory. */
MUST_CHECK bool report_csv(const struct report *report, struct evbuffer *out);

#endif
