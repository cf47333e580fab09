/* Leaves a trace of looking at tickets of a special category. */
#include "viewed.h"

#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "catalogue.h"
#include "records.h"

/* NULL: none in force, or it cannot be read. */
static struct catalogue *
catalogue_in_force(struct masa *m)
{
	struct bundle bundle;
	struct catalogue_report *report = calloc(1, sizeof(*report));
	struct catalogue *catalogue = NULL;
	char version[24];

	bundle_init(&bundle);
	if (report != NULL && masa_load_active(m, &bundle, version, sizeof(version)) == MASA_OK
	    && version[0] != '\0')
		catalogue = catalogue_parse(&bundle, report);
	bundle_finish(&bundle);
	free(report);
	return catalogue;
}

static bool
is_special(const struct catalogue *catalogue, const char *code)
{
	if (catalogue == NULL)
		return true;
	if (code[0] == '\0')
		return false;
	const struct catalogue_subject *subject = catalogue_subject(catalogue, code);
	return subject == NULL || subject->special_category;
}

static void
add_viewed(struct records *records, const PGresult *rows, int row, const char *door)
{
	Turunc__V1__TicketViewed viewed = TURUNC__V1__TICKET_VIEWED__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	char *word = strdup(door);

	if (word == NULL) {
		records->failed = true;
		return;
	}
	viewed.door = word;
	viewed.subject_code = PQgetvalue(rows, row, 1);
	viewed.department = PQgetvalue(rows, row, 3);
	viewed.version = (uint32_t)strtoul(PQgetvalue(rows, row, 2), NULL, 10);
	event.body_case = TURUNC__V1__EVENT__BODY_VIEWED;
	event.viewed = &viewed;
	records_add(records, "ticket.viewed", strtoll(PQgetvalue(rows, row, 0), NULL, 10),
	    PQgetvalue(rows, row, 3), &event);
	free(word);
}

enum exit_code
viewed_note(struct masa *m, const char *tickets, const char *door)
{
	const char *values[] = { tickets };
	struct records records;
	PGresult *rows;
	enum exit_code code = masa_query(m,
	    "SELECT t.ticket_id, coalesce(s.subject_code, t.subject_code), "
	    "coalesce(s.version, 1), coalesce(s.department, '') FROM "
	    "turunc.ticket t LEFT JOIN turunc.ticket_state s USING (ticket_id) WHERE t.ticket_id "
	    "= ANY ($1::bigint[]) ORDER BY t.ticket_id",
	    1, values, &rows);

	if (code != MASA_OK)
		return code;
	struct catalogue *catalogue = catalogue_in_force(m);
	records_init(&records, m);
	for (int row = 0; row < PQntuples(rows); row++)
		if (is_special(catalogue, PQgetvalue(rows, row, 1)))
			add_viewed(&records, rows, row, door);
	if (records.count > 0) {
		code = masa_query(m, "BEGIN", 0, NULL, NULL);
		if (code == MASA_OK)
			code = records_append(&records);
		if (code == MASA_OK)
			code = masa_query(m, "COMMIT", 0, NULL, NULL);
	}
	records_finish(&records);
	catalogue_destroy(catalogue);
	PQclear(rows);
	return code;
}
