/*
 * month_words - what each figure of a month is: its name, its title and its definition.
 *
 * One row for each figure, or for each kind of figures whose names begin alike
 * ("tickets.subject.": one for each subject's code, "-" for those that have none).  What stands
 * behind "d.<department>." is the same figure of that department alone.  A rate is a quotient of
 * two figures and has a row of its own.  Everything that prints a figure takes its words from
 * here.  Pure.
 */
#ifndef METRICS_MONTH_WORDS_H
#define METRICS_MONTH_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "figures.h"

enum month_unit { MONTH_COUNT, MONTH_MILLISECONDS, MONTH_MINUTES };

struct month_word {
	const char *name;
	bool is_prefix; /* a code, an hour or a day follows in the names */
	enum month_unit unit;
	const char *title[CATALOGUE_LANGUAGES];
	const char *definition[CATALOGUE_LANGUAGES];
};

/* In the order in which people read them. */
extern const struct month_word month_words[];
extern const size_t month_word_count;

/* The row that says what this figure is; NULL: it is none of a month. */
const struct month_word *month_word_of(const char *name);

enum month_rate_unit {
	MONTH_PERCENT,
	MONTH_PER_1000, /* inhabitants */
	MONTH_MINUTES_BETWEEN,
	MONTH_SECONDS,
	MONTH_TIMES /* a plain quotient */
};

struct month_rate {
	const char *name;
	bool is_prefix; /* both names go on with the same code */
	enum month_rate_unit unit;
	const char *numerator;
	const char *denominator;
	const char *title[CATALOGUE_LANGUAGES];
	const char *definition[CATALOGUE_LANGUAGES];
};

extern const struct month_rate month_rates[];
extern const size_t month_rate_count;

/* NULL: there is no rate of that name. */
const struct month_rate *month_rate_named(const char *name);

/*
 * Ten times the rate in its unit, rounded half up, all in whole numbers: 953 is 95.3 %.  prefix is
 * "" or "d.<department>.", code what follows a prefix, else "".  A figure that is absent is 0.
 * False: there is nothing to divide by, and so no rate.
 */
MUST_CHECK bool month_rate_tenths(const struct month_rate *rate, const struct figures *figures,
    const char *prefix, const char *code, int64_t *ret_tenths);

/* 0 when it is absent, which in a month means that it did not happen. */
int64_t month_value(const struct figures *figures, const char *name);

/* How old a ticket is that is open at the month's end: "open.age.<bucket>", bucket a code of two
 * or more digits, the fewest days in it, in rising order: 00, 03, 07, 15, 30, 60, 90. */
enum { MONTH_AGES = 7 };
struct month_age {
	const char *bucket;
	int from_days, below_days; /* below_days 0: no end */
	const char *title[CATALOGUE_LANGUAGES];
};
extern const struct month_age month_ages[MONTH_AGES];

/* "resolved": the word in names; NULL: it is no status that ends.  By turunc.v1.Status. */
const char *month_status_name(int status);
/* "call", "other" when unknown; by turunc.v1.Channel. */
const char *month_channel_name(int channel);
/* Of such a word; NULL: there is no such channel. */
const char *month_channel_title(const char *name, enum catalogue_language language);

#endif
