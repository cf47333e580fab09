/* masa dlq: records that a consumer of the log set aside, and what becomes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "masa.h"

static enum exit_code dlq_list(struct masa *m, int argc, char **argv);
static enum exit_code dlq_show(struct masa *m, int argc, char **argv);
static enum exit_code dlq_requeue(struct masa *m, int argc, char **argv);
static enum exit_code dlq_discard(struct masa *m, int argc, char **argv);

const struct command dlq_commands[] = {
	{ "dlq", "list", "[--consumer C] [--state S] [--limit N]",
	    "dead letters, by record; C: router, notifier, metrics; S: open, requeued, processed, "
	    "discarded, all (without it those open or requeued)",
	    dlq_list },
	{ "dlq", "show", "SEQ|ID",
	    "the letters of one record, or one letter (ID is CONSUMER:SEQ), with the record",
	    dlq_show },
	{ "dlq", "requeue", "ID...", "let the consumer try these records again", dlq_requeue },
	{ "dlq", "discard", "ID... --reason TEXT",
	    "nothing will follow from these records; kept with the reason", dlq_discard },
	{ 0 },
};

enum { IDS_MAX = 1000, CONSUMER_BYTES = 16, SEQ_DIGITS_MAX = 18, WHY_BYTES = 400 };

/* turunc.dead_letter.state in words, and back. */
#define STATE_WORDS "ARRAY['open','requeued','processed','discarded']"
#define LETTER_COLUMNS                                                                      \
	"d.consumer || ':' || d.seq AS id, d.consumer, d.seq, d.type, d.ticket_id, "        \
	"(" STATE_WORDS ")[d.state] AS state, d.reason, d.detail, d.attempts, d.first_us, " \
	"d.last_us, d.who"

static const char *const states[] = { "open", "requeued", "processed", "discarded", "all" };
static const char *const consumers[] = { "router", "notifier", "metrics" };

static bool
is_number(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= SEQ_DIGITS_MAX && strspn(text, "0123456789") == len;
}

static enum exit_code
dlq_list(struct masa *m, int argc, char **argv)
{
	const char *consumer = NULL, *state = NULL, *limit = "100";
	const struct option_spec specs[] = { { "consumer", &consumer, NULL },
		{ "state", &state, NULL }, { "limit", &limit, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (consumer != NULL && !masa_word_is_among(consumer, consumers, ARRAY_LEN(consumers)))
		return masa_fail(
		    MASA_USAGE, "%s is no consumer of the log (see masa --help)", consumer);
	if (state != NULL && !masa_word_is_among(state, states, ARRAY_LEN(states)))
		return masa_fail(MASA_USAGE, "%s is no state of a letter (see masa --help)", state);
	code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	const char *values[] = { consumer, state, limit };
	return masa_show(m,
	    "SELECT " LETTER_COLUMNS
	    " FROM turunc.dead_letter d WHERE ($1::text IS NULL OR d.consumer = $1) AND CASE "
	    "WHEN $2::text IS NULL THEN d.state <= 2 WHEN $2 = 'all' THEN true "
	    "ELSE d.state = array_position(" STATE_WORDS
	    ", $2) END ORDER BY d.seq, d.consumer LIMIT $3::integer",
	    3, values);
}

/* "router:123", or with either a number alone: any consumer. */
static enum exit_code
read_id(const char *text, bool either, char ret_consumer[CONSUMER_BYTES], const char **ret_seq)
{
	const char *colon = strchr(text, ':');

	ret_consumer[0] = '\0';
	*ret_seq = colon != NULL ? colon + 1 : text;
	if (colon != NULL && colon - text < CONSUMER_BYTES) {
		memcpy(ret_consumer, text, (size_t)(colon - text));
		ret_consumer[colon - text] = '\0';
	}
	bool known = masa_word_is_among(ret_consumer, consumers, ARRAY_LEN(consumers));
	if (!is_number(*ret_seq) || (colon == NULL && !either) || (colon != NULL && !known))
		return masa_fail(MASA_USAGE,
		    "%s is not a letter's id, as in router:123 (see masa dlq list)", text);
	return MASA_OK;
}

static enum exit_code
dlq_show(struct masa *m, int argc, char **argv)
{
	char consumer[CONSUMER_BYTES];
	const char *seq;
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code == MASA_OK)
		code = read_id(argv[0], true, consumer, &seq);
	if (code != MASA_OK)
		return code;
	const char *values[] = { seq, consumer[0] != '\0' ? consumer : NULL };
	code = masa_query(m,
	    "SELECT " LETTER_COLUMNS
	    ", d.why, d.decided_us, e.committed_at_us, e.actor, e.department, "
	    "octet_length(e.event) AS event_bytes, coalesce((SELECT c.seq FROM "
	    "turunc.consumer_cursor c WHERE c.client = '' AND c.name = d.consumer), 0) AS "
	    "consumer_at FROM turunc.dead_letter d LEFT JOIN turunc.event_log e ON e.seq = d.seq "
	    "WHERE d.seq = $1::bigint AND ($2::text IS NULL OR d.consumer = $2) ORDER BY "
	    "d.consumer",
	    2, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	if (json_array_size(rows) == 0) {
		json_decref(rows);
		return masa_fail(MASA_NOT_FOUND, "there is no dead letter %s", argv[0]);
	}
	masa_print(m, rows);
	return MASA_OK;
}

/* One letter, in the transaction that is open; what was changed is added to changed. */
static enum exit_code
change_one(struct masa *m, const char *id, const char *to, const char *allowed, const char *why,
    json_t *changed)
{
	char consumer[CONSUMER_BYTES], now_text[24];
	const char *seq;
	PGresult *result;

	enum exit_code code = read_id(id, false, consumer, &seq);
	if (code != MASA_OK)
		return code;
	const char *key[] = { consumer, seq };
	code = masa_query(m,
	    "SELECT d.state, (" STATE_WORDS ")[d.state] FROM turunc.dead_letter d "
	    "WHERE d.consumer = $1 AND d.seq = $2::bigint FOR UPDATE",
	    2, key, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0)
		code = masa_fail(MASA_NOT_FOUND, "there is no dead letter %s", id);
	else if (strchr(allowed, PQgetvalue(result, 0, 0)[0]) == NULL)
		code = masa_fail(MASA_CONFLICT, "the letter %s is %s: that cannot be done to it",
		    id, PQgetvalue(result, 0, 1));
	PQclear(result);
	if (code != MASA_OK)
		return code;
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { consumer, seq, to, m->actor, why, now_text };
	code = masa_query(m,
	    "UPDATE turunc.dead_letter d SET state = array_position(" STATE_WORDS
	    ", $3), who = $4, why = $5, decided_us = $6::bigint WHERE d.consumer = $1 AND d.seq = "
	    "$2::bigint RETURNING " LETTER_COLUMNS,
	    6, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	json_array_extend(changed, rows);
	json_decref(rows);
	return MASA_OK;
}

/* All of them or none. */
static enum exit_code
change(struct masa *m, int count, char **ids, const char *to, const char *allowed, const char *why)
{
	json_t *changed = json_array();
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);

	for (int i = 0; code == MASA_OK && i < count; i++)
		code = change_one(m, ids[i], to, allowed, why, changed);
	return masa_finish_change(m, code, changed);
}

static enum exit_code
dlq_requeue(struct masa *m, int argc, char **argv)
{
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, IDS_MAX, &positional);
	if (code != MASA_OK)
		return code;
	return change(m, positional, argv, "requeued", "14", NULL);
}

static enum exit_code
dlq_discard(struct masa *m, int argc, char **argv)
{
	const char *reason = NULL;
	const struct option_spec specs[] = { { "reason", &reason, NULL } };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, IDS_MAX, &positional);
	if (code != MASA_OK)
		return code;
	if (reason == NULL || reason[0] == '\0')
		return masa_fail(MASA_USAGE, "--reason TEXT says why nothing follows from it");
	if (strlen(reason) >= WHY_BYTES)
		return masa_fail(MASA_USAGE, "--reason is too long (%d bytes)", WHY_BYTES - 1);
	return change(m, positional, argv, "discarded", "12", reason);
}
