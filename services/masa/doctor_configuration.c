/* What masa doctor finds in the configuration in force: holidays ahead, subjects nobody takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "clock.h"
#include "istanbul.h"
#include "masa.h"

static void look(const struct catalogue *catalogue, json_t *findings);

void
doctor_configuration(struct masa *m, json_t *findings)
{
	struct bundle bundle;
	char version[24];
	struct catalogue_report *report = calloc(1, sizeof(*report));

	bundle_init(&bundle);
	if (report != NULL && masa_load_active(m, &bundle, version, sizeof(version)) == MASA_OK
	    && version[0] != '\0') {
		struct catalogue *catalogue = catalogue_parse(&bundle, report);
		if (catalogue != NULL)
			look(catalogue, findings);
		else
			json_array_append_new(
			    findings, json_pack("{s:s,s:s,s:s}", "check", "configuration",
					  "finding", "the version in force cannot be read", "fix",
					  "masa config rollback"));
		catalogue_destroy(catalogue);
	}
	bundle_finish(&bundle);
	free(report);
}

static void
look(const struct catalogue *catalogue, json_t *findings)
{
	struct istanbul_time in_a_year = istanbul_split(clock_now_us() + 365 * US_PER_DAY);

	if (catalogue->office->last_year < in_a_year.year)
		json_array_append_new(
		    findings, json_pack("{s:s,s:s,s:s}", "check", "holidays", "finding",
				  "the holidays of the next twelve months are not all there", "fix",
				  "add them to holidays.csv and masa config apply"));
	for (size_t i = 0; i < catalogue->subject_count; i++) {
		bool taken = false;
		for (size_t r = 0; !taken && r < catalogue->rule_count; r++) {
			const struct catalogue_pattern *p = &catalogue->rules[r].subject;
			taken = p->any;
			for (size_t c = 0; !taken && c < p->count; c++)
				taken = strcmp(p->codes[c], catalogue->subjects[i].code) == 0;
		}
		if (!taken)
			json_array_append_new(findings,
			    json_pack("{s:s,s:o,s:s}", "check", "rules", "finding",
				json_sprintf(
				    "no rule takes the subject %s", catalogue->subjects[i].code),
				"fix",
				"add a line to rules.csv, or leave it to triage on purpose"));
	}
}
