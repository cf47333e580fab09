/* masa status: is it up, who lags, what is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masa.h"
#include "reach.h"

static enum exit_code status_run(struct masa *m, int argc, char **argv);

const struct command status_commands[] = {
	{ "status", "", "", "services, the log's head, who lags, tickets by status", status_run },
	{ 0 },
};

static enum exit_code
status_run(struct masa *m, int argc, char **argv)
{
	static const struct {
		const char *name, *sql;
	} parts[] = {
		{ "log", "SELECT h.log_id::text AS log_id, h.demo, b.last_seq AS head_seq,"
			 " encode(b.hash, 'hex') AS head_hash FROM turunc.log_history h LEFT JOIN "
			 "LATERAL"
			 " (SELECT last_seq, hash FROM turunc.log_batch ORDER BY last_seq DESC "
			 "LIMIT 1) b ON true"
			 " ORDER BY h.history_no DESC LIMIT 1" },
		{ "readers", "SELECT c.client, c.name, c.seq, coalesce((SELECT max(last_seq) FROM "
			     "turunc.log_batch), 0) - c.seq"
			     " AS lag FROM turunc.consumer_cursor c ORDER BY c.client, c.name" },
		{ "tickets", "SELECT coalesce(department, '') AS department, count(*) AS live, "
			     "min(updated_us) AS"
			     " longest_untouched_us FROM turunc.ticket_state WHERE status <= 6 "
			     "GROUP BY 1 ORDER BY 2 DESC" },
		{ "messages", "SELECT "
			      "(ARRAY['queued','sending','sent','unknown','dead','delivered','"
			      "discarded'])[state]"
			      " AS state, count(*) AS messages FROM turunc.notification GROUP BY "
			      "state ORDER BY state" },
	};
	int positional;
	bool all_ready = true;
	json_t *said = json_object(), *list = json_array();
	char detail[2048];

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	for (size_t i = 0; code == MASA_OK && i < REACH_SERVICES; i++) {
		const char *state = reach_service(i, detail, sizeof(detail));
		if (state[0] == '\0')
			continue;
		all_ready = all_ready && strcmp(state, "ready") == 0;
		json_array_append_new(
		    list, json_pack("{s:s,s:s}", "service", reach_service_name(i), "state", state));
	}
	json_object_set_new(said, "services", list);
	for (size_t i = 0; code == MASA_OK && i < ARRAY_LEN(parts); i++) {
		PGresult *result;
		code = masa_query(m, parts[i].sql, 0, NULL, &result);
		if (code == MASA_OK) {
			json_object_set_new(said, parts[i].name, masa_rows(result));
			PQclear(result);
		}
	}
	if (code != MASA_OK) {
		json_decref(said);
		return code;
	}
	masa_print(m, said);
	return all_ready ? MASA_OK : MASA_FAILED;
}
