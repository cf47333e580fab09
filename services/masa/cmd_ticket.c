/* masa ticket: what the record says of one ticket, or of many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masa.h"
#include "number.h"
#include "viewed.h"

static enum exit_code ticket_show(struct masa *m, int argc, char **argv);
static enum exit_code ticket_list(struct masa *m, int argc, char **argv);

const struct command ticket_commands[] = {
	{ "ticket", "show", "NUMBER [--personal]",
	    "everything about one ticket; --personal adds what people gave of themselves",
	    ticket_show },
	{ "ticket", "list", "[--status S] [--department D] [--limit N]", "the newest tickets first",
	    ticket_list },
	{ "ticket", "trace", "NUMBER [--logs FOLDER]",
	    "its way through the services: records, and what their logs say of its traces",
	    ticket_trace },
	{ 0 },
};

/* turunc.v1.Status in words, for SQL results and for who asks. */
static const char *const statuses[] = { "opened", "triage", "routed", "accepted", "in_progress",
	"waiting", "resolved", "rejected", "forwarded", "duplicate", "withdrawn", "closed" };
#define STATUS_WORD(column)                                                                \
	"(ARRAY['opened','triage','routed','accepted','in_progress','waiting','resolved'," \
	"'rejected','forwarded','duplicate','withdrawn','closed'])[" column "]"
#define CHANNEL_WORD(column) \
	"(ARRAY['call','web','open311','email','cimer','desk','bus','sms'])[" column "]"

static const struct section {
	const char *name;
	const char *sql;
	bool personal;
} sections[] = {
	{ "clocks",
	    "SELECT (ARRAY['legal','service'])[clock] AS clock, "
	    "(ARRAY['running','paused','stopped'])[state]"
	    " AS state, started_us, due_us, calendar, calendar_version FROM turunc.ticket_clock"
	    " WHERE ticket_id = $1 ORDER BY ticket_clock.clock",
	    false },
	{ "hops",
	    "SELECT version, at_us, from_department, to_department, reason_code, actor"
	    " FROM turunc.ticket_hop WHERE ticket_id = $1 ORDER BY version",
	    false },
	{ "history",
	    "SELECT seq, committed_at_us, type, department, actor FROM turunc.event_log"
	    " WHERE ticket_id = $1 ORDER BY seq",
	    false },
	{ "messages",
	    "SELECT about_type, channel, language, "
	    "(ARRAY['queued','sending','sent','unknown','dead',"
	    "'delivered','discarded'])[state] AS state, attempts, updated_us, last_error"
	    " FROM turunc.notification WHERE ticket_id = $1 ORDER BY about_seq, channel",
	    false },
	{ "contacts",
	    "SELECT kind, " CHANNEL_WORD(
		"channel") " AS channel, recorded_us, name, phone, email, address,"
			   " description FROM turunc.contact WHERE ticket_id = $1"
			   " ORDER BY recorded_us, contact_id",
	    true },
	{ "texts",
	    "SELECT version, kind, actor, created_us, body FROM turunc.ticket_text WHERE ticket_id "
	    "= $1"
	    " ORDER BY version, text_id",
	    true },
};

static const char ticket_sql[] = "SELECT t.ticket_id, " STATUS_WORD(
    "coalesce(s.status, 1)") " AS status, coalesce(s.version, 1) AS version,"
			     " coalesce(s.department, '') AS department,"
			     " coalesce(s.subject_code, t.subject_code) AS subject,"
			     " s.priority, t.neighbourhood, " CHANNEL_WORD(
				 "t.channel") " AS channel, t.public,"
					      " t.arrived_us, t.recorded_us, s.updated_us, "
					      "s.ended_us,"
					      " s.legal_due_us, s.service_due_us, s.reason_code"
					      " FROM turunc.ticket t LEFT JOIN turunc.ticket_state "
					      "s"
					      " USING (ticket_id) WHERE t.ticket_id ="
					      " coalesce((SELECT a.ticket_id FROM "
					      "turunc.ticket_alias a"
					      " WHERE a.alias_id = $1), $1)";

/* Reads the sections of the ticket with that id.  Personal ones leave their trace before anything
 * is shown. */
static enum exit_code
add_sections(struct masa *m, json_t *ticket, const char *id, bool personal)
{
	const char *values[] = { id };
	char array[32];
	PGresult *result;
	enum exit_code code = MASA_OK;

	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(sections); i++) {
		if (sections[i].personal && !personal)
			continue;
		code = masa_query(m, sections[i].sql, 1, values, &result);
		if (code != MASA_OK)
			return code;
		json_object_set_new(ticket, sections[i].name, masa_rows(result));
		PQclear(result);
	}
	if (!personal)
		return MASA_OK;
	snprintf(array, sizeof(array), "{%s}", id);
	return viewed_note(m, array, "ticket show");
}

static enum exit_code
ticket_show(struct masa *m, int argc, char **argv)
{
	bool personal = false;
	const struct option_spec specs[] = { { "personal", NULL, &personal } };
	int positional;
	int64_t ticket_id;
	char id_text[24];
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	switch (number_parse_typed(argv[0], &ticket_id)) {
	case NUMBER_OK:
		break;
	case NUMBER_WRONG_CHECK:
		return masa_fail(
		    MASA_USAGE, "%s: the check digit is wrong; a digit was misread", argv[0]);
	case NUMBER_MALFORMED:
	default:
		return masa_fail(
		    MASA_USAGE, "%s is not a ticket number (like 26-0012345-4)", argv[0]);
	}
	snprintf(id_text, sizeof(id_text), "%lld", (long long)ticket_id);
	const char *values[] = { id_text };
	code = masa_query(m, ticket_sql, 1, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0) {
		PQclear(result);
		return masa_fail(MASA_NOT_FOUND, "there is no ticket %s", argv[0]);
	}
	/* The number asked for may be another name of it. */
	snprintf(id_text, sizeof(id_text), "%.20s", PQgetvalue(result, 0, 0));
	json_t *rows = masa_rows(result);
	json_t *ticket = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	PQclear(result);
	code = add_sections(m, ticket, id_text, personal);
	if (code == MASA_OK)
		masa_print(m, ticket);
	else
		json_decref(ticket);
	return code;
}

static enum exit_code
ticket_list(struct masa *m, int argc, char **argv)
{
	const char *status = NULL, *department = NULL, *limit = "20";
	const struct option_spec specs[] = { { "status", &status, NULL },
		{ "department", &department, NULL }, { "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	if (status != NULL && !masa_word_is_among(status, statuses, ARRAY_LEN(statuses)))
		return masa_fail(MASA_USAGE,
		    "%s is no status of a ticket (opened, triage, routed, accepted, in_progress, "
		    "waiting, resolved, rejected, forwarded, duplicate, withdrawn, closed)",
		    status);
	const char *values[] = { status, department, limit };
	return masa_show(m,
	    "SELECT t.ticket_id, t.recorded_us, " STATUS_WORD(
		"coalesce(s.status, 1)") " AS status,"
					 " coalesce(s.department, '') AS department, "
					 "coalesce(s.subject_code, t.subject_code) AS subject,"
					 " t.neighbourhood, " CHANNEL_WORD(
					     "t.channel") " AS channel, s.service_due_us"
							  " FROM turunc.ticket t LEFT JOIN "
							  "turunc.ticket_state s USING (ticket_id)"
							  " WHERE ($1::text IS NULL "
							  "OR " STATUS_WORD(
							      "coalesce(s.status, 1)") " = $1)"
										       " AND "
										       "($2::text "
										       "IS NULL OR "
										       "coalesce(s."
										       "department,"
										       " '') = $2)"
										       " ORDER BY "
										       "t.recorded_"
										       "us DESC, "
										       "t.ticket_"
										       "id DESC "
										       "LIMIT "
										       "$3::"
										       "integer",
	    3, values);
}
