/*
 * report - a month's report as sections of lines, which every form of it is written from.
 *
 * The page, the text, the CSV file, the workbook and the press sheet must say the same; so they
 * only lay out what stands here: each figure with its title, its definition, and its value in this
 * month, the month before and the same month a year before.  Pure.
 */
#ifndef METRICS_REPORT_H
#define METRICS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "figures.h"
#include "month.h"
#include "month_words.h"
#include "report_format.h"
#include "wilson.h"

enum report_section_code {
	REPORT_CALLS,
	REPORT_CONTACTS,
	REPORT_UNTICKETED, /* contacts without a ticket */
	REPORT_TICKETS,
	REPORT_CHANNELS,
	REPORT_SUBJECTS,
	REPORT_DEPARTMENTS,
	REPORT_NEIGHBOURHOODS,
	REPORT_DAYS,
	REPORT_OUTCOMES, /* ended, in time, reopened, hops */
	REPORT_OPEN,
	REPORT_AGES,
	REPORT_LADDER,
	REPORT_RESTS,
	REPORT_SECTIONS
};

enum report_when { REPORT_NOW, REPORT_BEFORE, REPORT_YEAR_BEFORE, REPORT_WHENS };

struct report_line {
	char name[FIGURE_NAME_SIZE]; /* of the figure; of a rate the rate's */
	const char *code; /* what follows the section's prefix, "" else */
	const char *title;
	/* NULL where the section has the definition. */
	const char *definition[CATALOGUE_LANGUAGES];
	enum report_kind kind;
	struct report_value in[REPORT_WHENS];
	struct report_value rate; /* of this month, where its section has one */
};

struct report_section {
	const char *name; /* "subjects" */
	const char *title;
	const char *definition[CATALOGUE_LANGUAGES]; /* of its lines; NULL where each has its own */
	const struct month_rate *rate; /* of its lines; NULL: none */
	enum report_kind rate_kind;
	bool ranked; /* the most first; else in an order of its own */
	size_t first, count; /* of the lines */
};

struct report {
	enum catalogue_language language;
	const struct month_report *month;
	struct report_section sections[REPORT_SECTIONS];
	struct report_line *lines;
	size_t count, room;
	bool failed;
	bool has_satisfaction;
	struct wilson satisfaction;
};

/* Lends month for as long as it lives.  False: no memory; finish all the same. */
MUST_CHECK bool report_init(
    struct report *r, const struct month_report *month, enum catalogue_language language);
void report_finish(struct report *r);

const struct report_line *report_line_at(
    const struct report *r, enum report_section_code section, size_t i);
/* What this month's value may be compared with: not known when this month is not over, or when the
 * other one is that in which the log begins. */
struct report_value report_compared(
    const struct report *r, const struct report_line *line, enum report_when when);
/* "Mart 2026", and in the same language the month it is compared with. */
void report_month_title(const struct report *r, enum report_when when, char out[REPORT_TEXT_SIZE]);
/* Calls answered (or offered) on that weekday (1: Monday) in that hour. */
int64_t report_hour(const struct report *r, bool answered, int weekday, int hour);
const char *report_weekday(enum catalogue_language language, int weekday);
/* "Memnuniyet oranı %95,3 (%94,6 – %95,9)"'s last part; "" when nobody answered. */
void report_interval(const struct report *r, char out[REPORT_TEXT_SIZE]);
/* What the figures are: final, of a month that goes on, or not published yet. */
const char *report_state(const struct report *r);
/* Says which of the months shown is the one in which the records begin; "" when none is. */
enum { REPORT_SENTENCE_SIZE = 192 };
void report_not_whole(const struct report *r, char out[REPORT_SENTENCE_SIZE]);

#endif
