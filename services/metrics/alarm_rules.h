/*
 * alarm_rules - what of the figures somebody must be told, decided here and nowhere else.
 *
 * Pure: figures, the municipality's bounds and a moment in, alarms out.
 */
#ifndef METRICS_ALARM_RULES_H
#define METRICS_ALARM_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"

struct catalogue;

enum { ALARMS_MAX = 40 }; /* at a time; of more surges the smaller are left out */

enum alarm_kind {
	ALARM_WAIT, /* a call has waited too long: seconds */
	ALARM_LEVEL, /* too few calls of the last hour were answered in time: tenths of a percent */
	ALARM_CIMER, /* applications from CİMER without an answer after the law's deadline */
	ALARM_OVERDUE, /* too much of what is open is late: tenths of a percent */
	ALARM_TRIAGE, /* a ticket has had no department for too long: minutes of working time */
	ALARM_SURGE, /* like reports from one neighbourhood in the last hour */
	ALARM_KINDS
};

struct alarm {
	enum alarm_kind kind;
	char about[FIGURE_NAME_SIZE]; /* of a surge "neighbourhood/subject", else "" */
	int64_t value, bound;
};

struct alarms {
	struct alarm at[ALARMS_MAX];
	size_t count;
	size_t left_out;
};

const char *alarm_kind_name(enum alarm_kind kind);
/* The names, ended with NULL, for counters. */
extern const char *const alarm_kind_names[ALARM_KINDS + 1];
/* ALARM_KINDS: no such kind. */
enum alarm_kind alarm_kind_parse(const char *name);

/* Of "neighbourhood/subject": neither a subject that is not for everybody nor one that is health's
 * or need's is named, nor one that the catalogue does not have. */
bool alarm_may_be_named(const struct catalogue *catalogue, const char *place);

/* Everything that is an alarm now; without a catalogue nothing is. */
void alarm_rules(const struct figures *f, const struct catalogue *catalogue, int64_t now_us,
    struct alarms *ret_alarms);

#endif
