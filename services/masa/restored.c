/* Begins a new history in a restored record. */
#include "restored.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "number.h"

/* Numbers passed over at least: two of the largest blocks that intake leases (numbers.h there). */
#define NUMBERS_SKIPPED_MIN "131072"

static const struct step {
	const char *name; /* of its rows in what is said; NULL: not said */
	const char *sql; /* $1 now, $2 year, $3 serial of the highest number known */
} steps[] = {
	{ "histories",
	    "INSERT INTO turunc.log_history (log_id, base_seq, started_at_us, demo) SELECT "
	    "gen_random_uuid(), coalesce((SELECT max(last_seq) FROM turunc.log_batch), 0), "
	    "$1::bigint, demo FROM turunc.log_history WHERE $2::integer + $3::bigint IS NOT NULL "
	    "ORDER BY history_no DESC LIMIT 1 RETURNING log_id::text, base_seq AS "
	    "last_common_seq, (SELECT committed_at_us FROM turunc.event_log ORDER BY seq DESC "
	    "LIMIT 1) AS last_committed_us" },
	/* They were restored together with what they have done. */
	{ NULL,
	    "UPDATE turunc.consumer_cursor SET log_id = (SELECT log_id FROM turunc.log_history "
	    "ORDER BY history_no DESC LIMIT 1) WHERE client = '' AND $1::bigint + $2::integer + "
	    "$3::bigint IS NOT NULL" },
	/* As many as the busiest hour of the last day would have used four times over until now;
	 * the year that has come since begins as far in. */
	{ "numbers",
	    "WITH last AS (SELECT coalesce((SELECT recorded_us FROM turunc.ticket ORDER BY "
	    "recorded_us DESC LIMIT 1), $1::bigint) AS at_us), busiest AS (SELECT coalesce("
	    "max(h.tickets), 0) AS tickets FROM (SELECT count(*) AS tickets FROM turunc.ticket t, "
	    "last WHERE t.recorded_us > last.at_us - 86400000000 GROUP BY t.recorded_us / "
	    "3600000000) h), skipped AS (SELECT greatest(" NUMBERS_SKIPPED_MIN
	    ", 4 * busiest.tickets * (greatest($1::bigint - last.at_us, 0) / 3600000000 + 1)) AS "
	    "how_many FROM busiest, last), years AS (SELECT year, next_no FROM turunc.number_block "
	    "UNION ALL SELECT y.year, 1 FROM (VALUES ($2::integer)) AS y(year) WHERE y.year >= 10 "
	    "AND NOT EXISTS (SELECT FROM turunc.number_block b WHERE b.year = y.year)) "
	    "INSERT INTO turunc.number_block AS b (year, next_no) SELECT y.year, least(greatest("
	    "y.next_no + skipped.how_many, CASE WHEN y.year = $2::integer THEN $3::bigint + 1 "
	    "ELSE 0 END), 999999999) FROM years y, skipped ON CONFLICT (year) DO UPDATE SET "
	    "next_no = excluded.next_no RETURNING b.year, b.next_no AS goes_on_at, (SELECT "
	    "how_many FROM skipped) AS passed_over" },
	/* Who has signed out since, or was disabled, must not be in again. */
	{ "sessions_ended",
	    "WITH ended AS (DELETE FROM turunc.person_session WHERE until_us > 0 AND $1::bigint + "
	    "$2::integer + $3::bigint IS NOT NULL RETURNING 1) SELECT count(*) AS sessions FROM "
	    "ended" },
	/* Due before now, so they may have left in what was lost. */
	{ "messages_to_decide",
	    "WITH moved AS (UPDATE turunc.notification SET state = 4, next_attempt_us = NULL, "
	    "last_error = 'restored from a backup: it may have been sent since', updated_us = "
	    "$1::bigint WHERE $2::integer + $3::bigint IS NOT NULL AND (state = 2 OR (state = 1 "
	    "AND next_attempt_us <= $1::bigint)) RETURNING 1) SELECT count(*) AS messages FROM "
	    "moved" },
};

enum exit_code
restored_read_number(const char *text, int64_t *ret_ticket_id)
{
	if (number_parse_typed(text, ret_ticket_id) == NUMBER_OK)
		return MASA_OK;
	return masa_fail(MASA_USAGE, "%s is not a ticket number", text);
}

enum exit_code
restored_begin_history(struct masa *m, int64_t above, json_t **ret_said)
{
	char now_text[24], year_text[16], serial_text[24];
	int year = number_year(clock_now_us());
	int64_t serial = 0;
	json_t *said = json_object();

	if (above != 0 && !number_split(above, &year, &serial)) {
		json_decref(said);
		return masa_fail(MASA_USAGE, "there is no such ticket number");
	}
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	snprintf(year_text, sizeof(year_text), "%d", year);
	snprintf(serial_text, sizeof(serial_text), "%lld", (long long)serial);
	const char *values[] = { now_text, year_text, serial_text };
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);
	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(steps); i++) {
		PGresult *result;
		code = masa_query(m, steps[i].sql, 3, values, &result);
		if (code != MASA_OK)
			break;
		if (steps[i].name != NULL)
			json_object_set_new(said, steps[i].name, masa_rows(result));
		PQclear(result);
	}
	if (code == MASA_OK)
		code = masa_query(m, "COMMIT", 0, NULL, NULL);
	if (code != MASA_OK)
		json_decref(said);
	else
		*ret_said = said;
	return code;
}
