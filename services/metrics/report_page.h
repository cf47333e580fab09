/*
 * report_page - how a month's report and the list of months are shown to people.
 *
 * All content is there without JavaScript.  Each chart is drawn by charts.js from the table below
 * it (data-chart, data-value), so that the two cannot differ.
 */
#ifndef METRICS_REPORT_PAGE_H
#define METRICS_REPORT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "report.h"

struct html;

/* Between html_begin_page() and html_reply(). */
void report_page(struct html *h, const struct report *report);

/* Of the index: newest first. */
struct report_month {
	int32_t month;
	bool over;
	uint32_t revision; /* the last one published; 0: none */
};
void report_index_page(struct html *h, const struct report_month months[], size_t count);

#endif
