/*
 * report_xlsx - the report as a workbook: a sheet for what is counted at a glance, one for each
 * ranking, one for calls by weekday and hour, and one of the definitions in both languages.
 *
 * Numbers are numbers.  The same report gives the same bytes: the workbook is dated by the report.
 */
#ifndef METRICS_REPORT_XLSX_H
#define METRICS_REPORT_XLSX_H

#include <stdbool.h>

#include "base.h"
#include "report.h"

struct evbuffer;

/* The library puts a workbook together from temporary files: scratch is a folder where those may
 * lie for so long, without names.  False: no memory, or no room there; errno may say. */
MUST_CHECK bool report_xlsx(const struct report *report, const char *scratch, struct evbuffer *out);

#endif
