/* What masa doctor finds in the configuration in force: holidays ahead, subjects nobody takes,
 * where links lead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "clock.h"
#include "doctor.h"
#include "doctor_holidays.h"
#include "istanbul.h"

enum { YEAR_DAYS = 365, NAMED_MAX = 5 };

static void
look_at_holidays(struct doctor *d, const struct catalogue *catalogue)
{
	static const char fix[] = "add them to holidays.csv and masa config apply";
	struct istanbul_time today = istanbul_split(clock_now_us());
	struct holiday_missing missing[NAMED_MAX];
	size_t count = holidays_missing(
	    catalogue->office, today.day_number, YEAR_DAYS, missing, NAMED_MAX);

	doctor_looked(d, "holidays");
	for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
		int year, month, day;
		civil_split(missing[i].day, &year, &month, &day);
		doctor_find(d, DOCTOR_BAD, "holidays", fix,
		    "%04d-%02d-%02d (%s%s) is a working day of the calendar %s", year, month, day,
		    missing[i].name, missing[i].afternoon ? ", from 13:00" : "",
		    catalogue->office->name);
	}
	if (count > NAMED_MAX)
		doctor_find(d, DOCTOR_BAD, "holidays", fix,
		    "the holidays of the next twelve months are not all there: %zu more are "
		    "missing",
		    count - NAMED_MAX);
	if (istanbul_split(clock_now_us() + YEAR_DAYS * US_PER_DAY).year > holidays_known_until())
		doctor_find(d, DOCTOR_NOTE, "holidays",
		    "look the feasts up at the Presidency of Religious Affairs, and compare",
		    "these programs know no feasts after %d", holidays_known_until());
}

static bool
is_taken(const struct catalogue *catalogue, const char *subject)
{
	for (size_t r = 0; r < catalogue->rule_count; r++) {
		const struct catalogue_pattern *p = &catalogue->rules[r].subject;
		if (p->any)
			return true;
		for (size_t c = 0; c < p->count; c++)
			if (strcmp(p->codes[c], subject) == 0)
				return true;
	}
	return false;
}

static void
look_at_rules(struct doctor *d, const struct catalogue *catalogue)
{
	doctor_looked(d, "rules");
	for (size_t i = 0; i < catalogue->subject_count; i++)
		if (!is_taken(catalogue, catalogue->subjects[i].code))
			doctor_find(d, DOCTOR_BAD, "rules",
			    "add a line to rules.csv, or leave it to triage on purpose",
			    "no rule takes the subject %s", catalogue->subjects[i].code);
}

static void
look_at_address(struct doctor *d, const char *base_url)
{
	static const char fix[] =
	    "say where citizens reach the system: base_url of municipality.csv "
	    "(masa config apply --base-url URL), and masa config apply";
	bool here = strstr(base_url, "//127.") != NULL || strstr(base_url, "//localhost") != NULL;

	doctor_looked(d, "address");
	if (d->is_demo)
		return;
	if (here)
		doctor_find(d, DOCTOR_NOTE, "address", fix,
		    "links in messages lead to %s, which is each reader's own machine", base_url);
	else if (strncmp(base_url, "https:", 6) != 0)
		doctor_find(d, DOCTOR_NOTE, "address", fix,
		    "links in messages lead to %s, where nothing is encrypted", base_url);
}

void
doctor_configuration(struct doctor *d)
{
	struct bundle bundle;
	char version[24];
	struct catalogue_report *report = calloc(1, sizeof(*report));

	bundle_init(&bundle);
	if (report != NULL && masa_load_active(d->m, &bundle, version, sizeof(version)) == MASA_OK
	    && version[0] != '\0') {
		struct catalogue *catalogue = catalogue_parse(&bundle, report);
		if (catalogue != NULL) {
			look_at_holidays(d, catalogue);
			look_at_rules(d, catalogue);
			look_at_address(d, catalogue->municipality.base_url);
		} else {
			doctor_find(d, DOCTOR_BAD, "configuration", "masa config rollback",
			    "the version in force cannot be read");
		}
		catalogue_destroy(catalogue);
	} else {
		doctor_skip(d, "holidays, rules, address", "no configuration is in force");
	}
	bundle_finish(&bundle);
	free(report);
}
