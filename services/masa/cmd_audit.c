/* masa audit: who looked at what the law protects most; who signed in, and who changed whose
 * rights. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masa.h"
#include "number.h"
#include "turunc/v1/event.pb-c.h"

static enum exit_code audit_viewed(struct masa *m, int argc, char **argv);
static enum exit_code audit_people(struct masa *m, int argc, char **argv);

const struct command audit_commands[] = {
	{ "audit", "viewed", "[--ticket N] [--actor A] [--limit N]",
	    "who looked at tickets of a special category (health, social aid), newest first; A: "
	    "client:NAME or user:NAME",
	    audit_viewed },
	{ "audit", "people", "[--user NAME] [--kind K] [--limit N]",
	    "what users did and what was done to them, newest first; K: signed-in signed-out "
	    "refused "
	    "locked password-changed, and of masa user: added changed disabled password-set "
	    "unlocked",
	    audit_people },
	{ 0 },
};

/* The record's body is read here: through which door, and at which version of the ticket. */
static void
add_body(json_t *row, const char *hex)
{
	size_t hex_len = strlen(hex), len = 0;
	uint8_t *packed = malloc(hex_len / 2 + 1);
	Turunc__V1__Event *event = NULL;

	if (packed != NULL
	    && sodium_hex2bin(packed, hex_len / 2 + 1, hex, hex_len, NULL, &len, NULL) == 0)
		event = turunc__v1__event__unpack(NULL, len, packed);
	if (event != NULL && event->body_case == TURUNC__V1__EVENT__BODY_VIEWED) {
		json_object_set_new(row, "door", json_string(event->viewed->door));
		json_object_set_new(row, "version", json_integer(event->viewed->version));
		json_object_set_new(row, "subject", json_string(event->viewed->subject_code));
	}
	if (event != NULL)
		turunc__v1__event__free_unpacked(event, NULL);
	free(packed);
}

static enum exit_code
audit_viewed(struct masa *m, int argc, char **argv)
{
	const char *ticket = NULL, *actor = NULL, *limit = "50";
	const struct option_spec specs[] = { { "ticket", &ticket, NULL }, { "actor", &actor, NULL },
		{ "limit", &limit, NULL } };
	char ticket_text[24];
	int64_t ticket_id = 0;
	int positional;
	size_t index;
	json_t *row;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (ticket != NULL && number_parse_typed(ticket, &ticket_id) != NUMBER_OK)
		return masa_fail(MASA_USAGE, "%s is not a ticket number", ticket);
	code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	snprintf(ticket_text, sizeof(ticket_text), "%lld", (long long)ticket_id);
	const char *values[] = { ticket != NULL ? ticket_text : NULL, actor, limit };
	code = masa_query(m,
	    "SELECT seq, committed_at_us, ticket_id, actor, encode(event, 'hex') AS event FROM "
	    "turunc.event_log WHERE type = 'ticket.viewed' AND ($1::bigint IS NULL OR ticket_id "
	    "= coalesce((SELECT a.ticket_id FROM turunc.ticket_alias a WHERE a.alias_id = "
	    "$1::bigint), $1::bigint)) AND ($2::text IS NULL OR actor = $2::text) "
	    "ORDER BY seq DESC LIMIT $3::integer",
	    3, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	json_array_foreach(rows, index, row)
	{
		add_body(row, json_string_value(json_object_get(row, "event")));
		json_object_del(row, "event");
	}
	masa_print(m, rows);
	return MASA_OK;
}

static enum exit_code
audit_people(struct masa *m, int argc, char **argv)
{
	static const char *const kinds[] = { "signed-in", "signed-out", "refused", "locked",
		"password-changed", "added", "changed", "disabled", "password-set", "unlocked" };
	const char *user = NULL, *kind = NULL, *limit = "50";
	const struct option_spec specs[] = { { "user", &user, NULL }, { "kind", &kind, NULL },
		{ "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_check_limit(limit);
	if (code == MASA_OK && kind != NULL && !masa_word_is_among(kind, kinds, ARRAY_LEN(kinds)))
		return masa_fail(MASA_USAGE, "%s is no kind; see masa --help", kind);
	const char *values[] = { user, kind, limit };
	if (code == MASA_OK)
		code = masa_show(m,
		    "SELECT act_no, at_us, kind, name, actor, address, detail FROM "
		    "turunc.person_act WHERE ($1::text IS NULL OR name = $1::text) AND ($2::text "
		    "IS NULL OR kind = $2::text) ORDER BY act_no DESC LIMIT $3::integer",
		    (int)ARRAY_LEN(values), values);
	return code;
}
