/* masa message: what citizens were told, and what becomes of messages no machine may decide on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "masa.h"
#include "number.h"
#include "uuid.h"
#include "viewed.h"

static enum exit_code message_list(struct masa *m, int argc, char **argv);
static enum exit_code message_show(struct masa *m, int argc, char **argv);
static enum exit_code message_retry(struct masa *m, int argc, char **argv);
static enum exit_code message_discard(struct masa *m, int argc, char **argv);

const struct command message_commands[] = {
	{ "message", "list", "[--state S] [--ticket N] [--limit N]",
	    "messages to citizens, the newest first; S: queued, sending, sent, unknown, dead, "
	    "delivered, discarded",
	    message_list },
	{ "message", "show", "ID [--personal]",
	    "one message and its attempts; --personal adds recipient and text", message_show },
	{ "message", "retry", "ID",
	    "send a dead or unknown one again; an unknown one the citizen may get twice",
	    message_retry },
	{ "message", "discard", "ID --reason TEXT", "never send it; kept with the reason",
	    message_discard },
	{ 0 },
};

/* turunc.notification.state in words, and back. */
#define STATE_WORDS "ARRAY['queued','sending','sent','unknown','dead','delivered','discarded']"
#define STATE_WORD(column) "(" STATE_WORDS ")[" column "]"

static const char *const states[] = { "queued", "sending", "sent", "unknown", "dead", "delivered",
	"discarded" };

static enum exit_code
message_list(struct masa *m, int argc, char **argv)
{
	const char *state = NULL, *ticket = NULL, *limit = "20";
	const struct option_spec specs[] = { { "state", &state, NULL }, { "ticket", &ticket, NULL },
		{ "limit", &limit, NULL } };
	char ticket_text[24];
	int64_t ticket_id;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (state != NULL && !masa_word_is_among(state, states, ARRAY_LEN(states)))
		return masa_fail(
		    MASA_USAGE, "%s is no state of a message (see masa --help)", state);
	if (ticket != NULL && number_parse_typed(ticket, &ticket_id) != NUMBER_OK)
		return masa_fail(MASA_USAGE, "%s is not a ticket number", ticket);
	code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	if (ticket != NULL)
		snprintf(ticket_text, sizeof(ticket_text), "%lld", (long long)ticket_id);
	const char *values[] = { state, ticket != NULL ? ticket_text : NULL, limit };
	return masa_show(m,
	    "SELECT notification_id::text AS id, ticket_id, about_type AS about, "
	    "channel, " STATE_WORD(
		"state") " AS state, attempts, updated_us, last_error FROM turunc.notification"
			 " WHERE ($1::text IS NULL OR state = array_position(" STATE_WORDS
			 ", $1::text)) AND ($2::bigint IS NULL OR ticket_id = $2::bigint)"
			 " ORDER BY updated_us DESC, notification_id DESC LIMIT $3::integer",
	    3, values);
}

/* The id in argv[0] as PostgreSQL takes it. */
static enum exit_code
read_id(const char *text)
{
	struct uuid id;

	if (!uuid_parse(text, strlen(text), &id))
		return masa_fail(
		    MASA_USAGE, "%s is not a message's id (see masa message list)", text);
	return MASA_OK;
}

/* The trace of having looked comes before the look. */
static enum exit_code
note_look(struct masa *m, const json_t *message)
{
	char array[32];
	int64_t ticket_id;
	const char *number = json_string_value(json_object_get(message, "ticket"));

	if (number == NULL || number_parse(number, &ticket_id) != NUMBER_OK)
		return masa_fail(MASA_FAILED, "the message is of no ticket");
	snprintf(array, sizeof(array), "{%lld}", (long long)ticket_id);
	return viewed_note(m, array, "message show");
}

static enum exit_code
message_show(struct masa *m, int argc, char **argv)
{
	bool personal = false;
	const struct option_spec specs[] = { { "personal", NULL, &personal } };
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = read_id(argv[0]);
	if (code != MASA_OK)
		return code;
	const char *values[] = { argv[0] };
	code = masa_query(m,
	    personal ? "SELECT notification_id::text AS id, ticket_id, greatest(about_seq, 0) AS "
		       "about_seq, about_type AS "
		       "about, channel, language, " STATE_WORD(
			   "state") " AS state, attempts, next_attempt_us, last_error, "
				    "gateway_reference, created_us, updated_us, recipient, "
				    "subject, "
				    /* The links of a survey are for the citizen alone. */
				    "regexp_replace(body, '/(anket|anket-istemiyorum)/"
				    "[A-Za-z0-9_-]{32}', '/\\1/…', 'g') "
				    "AS body FROM turunc.notification WHERE notification_id "
				    "= $1::uuid"
		     : "SELECT notification_id::text AS id, ticket_id, greatest(about_seq, 0) AS "
		       "about_seq, about_type AS "
		       "about, channel, language, " STATE_WORD(
			   "state") " AS state, attempts, next_attempt_us, last_error, "
				    "gateway_reference, created_us, updated_us FROM "
				    "turunc.notification WHERE notification_id = $1::uuid",
	    1, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	if (json_array_size(rows) == 0) {
		json_decref(rows);
		return masa_fail(MASA_NOT_FOUND, "there is no message %s", argv[0]);
	}
	json_t *message = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	code = masa_query(m,
	    "SELECT attempt, started_us, ended_us, outcome, detail FROM "
	    "turunc.notification_attempt WHERE notification_id = $1::uuid ORDER BY attempt",
	    1, values, &result);
	if (code != MASA_OK) {
		json_decref(message);
		return code;
	}
	json_object_set_new(message, "tries", masa_rows(result));
	PQclear(result);
	if (personal)
		code = note_look(m, message);
	if (code == MASA_OK)
		masa_print(m, message);
	else
		json_decref(message);
	return code;
}

/* Moves one message if its state is among those allowed, and prints what was changed. */
static enum exit_code
change(struct masa *m, const char *sql, const char *allowed, int count, const char *const *values)
{
	PGresult *result;
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);

	if (code == MASA_OK)
		code = masa_query(m,
		    "SELECT " STATE_WORD("state") ", state FROM turunc.notification WHERE "
						  "notification_id = $1::uuid FOR UPDATE",
		    1, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0) {
		PQclear(result);
		return masa_fail(MASA_NOT_FOUND, "there is no message %s", values[0]);
	}
	bool unknown = strcmp(PQgetvalue(result, 0, 0), "unknown") == 0;
	if (strchr(allowed, PQgetvalue(result, 0, 1)[0]) == NULL) {
		(void)masa_fail(MASA_CONFLICT, "the message is %s: that cannot be done to it",
		    PQgetvalue(result, 0, 0));
		PQclear(result);
		return MASA_CONFLICT;
	}
	PQclear(result);
	code = masa_query(m, sql, count, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *changed = masa_rows(result);
	PQclear(result);
	if (unknown)
		json_object_set_new(json_array_get(changed, 0), "warning",
		    json_string("it may have reached the citizen already"));
	return masa_finish_change(m, code, changed);
}

static enum exit_code
message_retry(struct masa *m, int argc, char **argv)
{
	int positional;
	char now_text[24];

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code == MASA_OK)
		code = read_id(argv[0]);
	if (code != MASA_OK)
		return code;
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { argv[0], now_text };
	return change(m,
	    "UPDATE turunc.notification SET state = 1, next_attempt_us = $2::bigint, updated_us = "
	    "$2::bigint WHERE notification_id = $1::uuid RETURNING notification_id::text AS id, "
	    "ticket_id, channel, " STATE_WORD("state") " AS state",
	    "45", 2, values);
}

static enum exit_code
message_discard(struct masa *m, int argc, char **argv)
{
	const char *reason = NULL;
	const struct option_spec specs[] = { { "reason", &reason, NULL } };
	int positional;
	char now_text[24], why[400];

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = read_id(argv[0]);
	if (code != MASA_OK)
		return code;
	if (reason == NULL || reason[0] == '\0')
		return masa_fail(MASA_USAGE, "--reason TEXT says why it is not sent");
	if (snprintf(why, sizeof(why), "%s: %s", m->actor, reason) >= (int)sizeof(why))
		return masa_fail(MASA_USAGE, "--reason is too long (300 bytes)");
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { argv[0], now_text, why };
	return change(m,
	    "UPDATE turunc.notification SET state = 7, next_attempt_us = NULL, last_error = "
	    "$3::text, updated_us = $2::bigint WHERE notification_id = $1::uuid RETURNING "
	    "notification_id::text AS id, ticket_id, channel, " STATE_WORD("state") " AS state",
	    "145", 3, values);
}
