/* masa log: follow the history, and check that nobody rewrote it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_verify.h"

static enum exit_code log_tail(struct masa *m, int argc, char **argv);
static enum exit_code log_verify(struct masa *m, int argc, char **argv);

const struct command log_commands[] = {
	{ "log", "tail", "[--lines N] [--follow]",
	    "the last records of the log; --follow goes on until interrupted", log_tail },
	{ "log", "verify", "[--head SEQ:HASH]",
	    "recompute every hash from the first record on and say where the history is not as "
	    "written; --head is one seen earlier (masa status, a report), beside those that "
	    "earlier checks noted in the state folder",
	    log_verify },
	{ 0 },
};

static enum exit_code
log_tail(struct masa *m, int argc, char **argv)
{
	const char *lines = "20";
	bool follow = false;
	const struct option_spec specs[] = { { "lines", &lines, NULL },
		{ "follow", NULL, &follow } };
	char after[24] = "0";
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (strlen(lines) > 6 || strspn(lines, "0123456789") != strlen(lines) || lines[0] == '\0')
		return masa_fail(MASA_USAGE, "--lines is a number up to 999999");
	do {
		const char *values[] = { after, lines };
		code = masa_query(m,
		    "SELECT * FROM (SELECT seq, committed_at_us, type, ticket_id, department, actor"
		    " FROM turunc.event_log WHERE seq > $1::bigint"
		    " ORDER BY seq DESC LIMIT CASE WHEN $1::bigint = 0 THEN $2::integer END) r "
		    "ORDER BY seq",
		    2, values, &result);
		if (code != MASA_OK)
			return code;
		int rows = PQntuples(result);
		if (rows > 0)
			snprintf(after, sizeof(after), "%s", PQgetvalue(result, rows - 1, 0));
		if (rows > 0 || !follow)
			masa_print(m, masa_rows(result));
		PQclear(result);
		fflush(stdout);
		if (follow)
			nanosleep(&(struct timespec){ .tv_nsec = 250000000 }, NULL);
	} while (follow);
	return MASA_OK;
}

/* "SEQ:HASH" as status and verify print them. */
static bool
parse_head(const char *text, int64_t *ret_seq, struct digest *ret_hash)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits] != ':')
		return false;
	*ret_seq = strtoll(text, NULL, 10);
	return *ret_seq > 0 && digest_parse(text + digits + 1, strlen(text + digits + 1), ret_hash);
}

/* What was looked at and what was found; the first fault also by itself, for people. */
static json_t *
verdict(const struct log_verifier *v, const char *log_id)
{
	char head_hash[DIGEST_HEX_SIZE] = "", first[400] = "";
	const json_t *fault = json_array_get(v->faults, 0);

	if (v->batches > 0)
		digest_format(&v->head, head_hash);
	if (fault != NULL)
		snprintf(first, sizeof(first),
		    "records %" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT ": %s",
		    json_integer_value(json_object_get(fault, "from")),
		    json_integer_value(json_object_get(fault, "through")),
		    json_string_value(json_object_get(fault, "fault")));
	return json_pack("{s:b,s:s,s:I,s:I,s:s,s:I,s:s,s:O}", "right", fault == NULL, "log_id",
	    log_id, "records", (json_int_t)(v->next_seq - 1), "batches", (json_int_t)v->batches,
	    "head_hash", head_hash, "witnesses", (json_int_t)v->witness_count, "fault", first,
	    "faults", v->faults);
}

static enum exit_code
log_verify(struct masa *m, int argc, char **argv)
{
	const char *head = NULL;
	const struct option_spec specs[] = { { "head", &head, NULL } };
	int positional;
	char log_id[UUID_TEXT_SIZE] = "";
	int64_t head_seq = 0;
	struct digest head_hash;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK && head != NULL && !parse_head(head, &head_seq, &head_hash))
		code = masa_fail(MASA_USAGE, "--head is SEQ:HASH, as masa log verify prints "
					     "records and head_hash");
	if (code == MASA_OK)
		code = masa_query(m,
		    "SELECT log_id FROM turunc.log_history ORDER BY history_no DESC LIMIT 1", 0,
		    NULL, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) > 0)
		snprintf(log_id, sizeof(log_id), "%s", PQgetvalue(result, 0, 0));
	PQclear(result);

	struct log_verifier *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	*v = (struct log_verifier){ .m = m, .next_seq = 1, .faults = json_array() };
	code = log_heads_read(v);
	if (code == MASA_OK && head_seq > 0)
		log_verifier_witness(v, head_seq, &head_hash);
	if (code == MASA_OK)
		code = log_verifier_run(v);
	if (code == MASA_OK) {
		bool right = json_array_size(v->faults) == 0;
		if (right && !m->dry_run)
			log_heads_add(v, log_id);
		masa_print(m, verdict(v, log_id));
		code = right ? MASA_OK : MASA_FAILED;
	}
	json_decref(v->faults);
	free(v);
	return code;
}
