/*
 * report_press - the press sheet: the month in Turkish sentences, for an office to send on.
 *
 * Written from the same figures as everything else, with what they mean below.  It goes out of the
 * house, so it names no subject of a special category, and no count under five of a subject or a
 * neighbourhood.
 */
#ifndef METRICS_REPORT_PRESS_H
#define METRICS_REPORT_PRESS_H

#include <stdbool.h>

#include "base.h"
#include "report.h"

struct evbuffer;

/* UTF-8 text, paragraphs apart by empty lines, the first one the headline; the report must be the
 * Turkish one.  False: no memory. */
MUST_CHECK bool report_press(const struct report *report, struct evbuffer *out);

#endif
