/* masa subs: where each reader of the log stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "masa.h"

static enum exit_code subs_list(struct masa *m, int argc, char **argv);
static enum exit_code subs_seek(struct masa *m, int argc, char **argv);
static enum exit_code subs_delete(struct masa *m, int argc, char **argv);

const struct command subs_commands[] = {
	{ "subs", "list", "", "every subscription and service cursor, with its lag in records",
	    subs_list },
	{ "subs", "seek", "CLIENT NAME SEQ",
	    "the next record delivered is SEQ + 1; a session that holds it must subscribe again",
	    subs_seek },
	{ "subs", "delete", "CLIENT NAME", "forget a subscription of an outside client",
	    subs_delete },
	{ 0 },
};

static enum exit_code
subs_list(struct masa *m, int argc, char **argv)
{
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_show(m,
		    "SELECT c.client, c.name, c.seq, coalesce(h.head, 0) - c.seq AS lag, "
		    "c.updated_us,"
		    " array_to_string(c.types, ',') AS types, array_to_string(c.departments, ',') "
		    "AS departments,"
		    " c.frozen_reason AS frozen"
		    " FROM (SELECT *, updated_at_us AS updated_us FROM turunc.consumer_cursor) c"
		    " CROSS JOIN (SELECT max(last_seq) AS head FROM turunc.log_batch) h ORDER BY "
		    "c.client, c.name",
		    0, NULL);
	return code;
}

/* Runs one changing statement that names one cursor; zero rows = there is no such cursor. */
static enum exit_code
change_cursor(struct masa *m, const char *sql, int count, const char *const *values)
{
	PGresult *result;
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);

	if (code == MASA_OK)
		code = masa_query(m, sql, count, values, &result);
	if (code != MASA_OK)
		return code;
	int rows = PQntuples(result);
	if (rows == 0) {
		PQclear(result);
		return masa_fail(MASA_NOT_FOUND,
		    "there is no subscription %s of %s that this may change", values[1], values[0]);
	}
	json_t *changed = masa_rows(result);
	PQclear(result);
	return masa_finish_change(m, code, changed);
}

static enum exit_code
subs_seek(struct masa *m, int argc, char **argv)
{
	int positional;
	char now_text[24];

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 3, 3, &positional);
	if (code != MASA_OK)
		return code;
	if (strlen(argv[2]) > 18 || strspn(argv[2], "0123456789") != strlen(argv[2]))
		return masa_fail(MASA_USAGE, "SEQ is a number from 0");
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { argv[0], argv[1], argv[2], now_text };
	return change_cursor(m,
	    "UPDATE turunc.consumer_cursor SET seq = $3::bigint, epoch = epoch + 1, frozen_reason "
	    "= NULL,"
	    " updated_at_us = $4::bigint WHERE client = $1 AND name = $2 AND client <> '' AND "
	    "$3::bigint <="
	    " (SELECT coalesce(max(last_seq), 0) FROM turunc.log_batch)"
	    " RETURNING client, name, seq, epoch",
	    4, values);
}

static enum exit_code
subs_delete(struct masa *m, int argc, char **argv)
{
	int positional;
	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 2, 2, &positional);

	if (code != MASA_OK)
		return code;
	const char *values[] = { argv[0], argv[1] };
	return change_cursor(m,
	    "DELETE FROM turunc.consumer_cursor WHERE client = $1 AND name = $2 AND client <> ''"
	    " RETURNING client, name, seq",
	    2, values);
}
