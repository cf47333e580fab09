/* masa ticket trace: one ticket's way through the services, from the record and from their logs. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "masa.h"
#include "number.h"
#include "trace.h"
#include "w3c_time.h"

enum { TRACES_MAX = 500, STEPS_MAX = 20000 };

/* What was found so far: the traces of the ticket, and the steps of any of them. */
struct trail {
	char traces[TRACES_MAX][TRACE_ID_SIZE];
	size_t trace_count;
	json_t *steps;
};

static bool
is_ours(const struct trail *t, const char *trace)
{
	for (size_t i = 0; i < t->trace_count; i++)
		if (strcmp(t->traces[i], trace) == 0)
			return true;
	return false;
}

static void
add_step(struct trail *t, int64_t at_us, const char *service, const char *stage, const char *trace,
    const char *what)
{
	if (json_array_size(t->steps) < STEPS_MAX)
		json_array_append_new(
		    t->steps, json_pack("{s:I,s:s,s:s,s:s,s:s}", "at_us", (json_int_t)at_us,
				  "where", service, "stage", stage, "trace", trace, "what", what));
}

/* --- from the record ---------------------------------------------------------------------------
 */

static void
add_record(struct trail *t, const PGresult *rows, int row)
{
	char traceparent[TRACE_SIZE] = "", trace[TRACE_ID_SIZE], what[200];
	size_t len = 0;
	unsigned char *event = PQunescapeBytea(
	    (const unsigned char *)PQgetvalue(rows, row, 5), &len);

	if (event == NULL || !trace_of_packed(event, len, traceparent))
		traceparent[0] = '\0';
	PQfreemem(event);
	trace_id(traceparent, trace);
	if (trace[0] != '\0' && !is_ours(t, trace) && t->trace_count < TRACES_MAX)
		memcpy(t->traces[t->trace_count++], trace, sizeof(trace));
	snprintf(what, sizeof(what), "seq=%.20s %.40s department=%.40s actor=%.60s",
	    PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 2), PQgetvalue(rows, row, 3),
	    PQgetvalue(rows, row, 4));
	add_step(t, strtoll(PQgetvalue(rows, row, 1), NULL, 10), "record", "recorded", trace, what);
}

static enum exit_code
read_records(struct masa *m, struct trail *t, const char *id)
{
	const char *values[] = { id };
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT seq, committed_at_us, type, coalesce(department, ''), actor, event "
	    "FROM turunc.event_log WHERE ticket_id = coalesce((SELECT ticket_id FROM "
	    "turunc.ticket_alias WHERE alias_id = $1::bigint), $1::bigint) "
	    "ORDER BY seq LIMIT 10000",
	    1, values, &result);

	if (code != MASA_OK)
		return code;
	for (int row = 0; row < PQntuples(result); row++)
		add_record(t, result, row);
	PQclear(result);
	return MASA_OK;
}

/* --- from the logs -----------------------------------------------------------------------------
 */

/* "2026-03-02T08:15:00.123456Z info router traced stage=delivered trace=4bf9... type=..." */
static void
add_line(struct trail *t, char *line)
{
	char *rest = NULL, *words[4], *stage, *trace;
	int64_t at_us;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
	stage = strtok_r(NULL, " ", &rest);
	trace = strtok_r(NULL, " ", &rest);
	if (trace == NULL || strcmp(words[3], "traced") != 0 || strncmp(stage, "stage=", 6) != 0
	    || strncmp(trace, "trace=", 6) != 0 || !is_ours(t, trace + 6)
	    || !w3c_time_parse(words[0], &at_us))
		return;
	add_step(t, at_us, words[2], stage + 6, trace + 6, rest == NULL ? "" : rest);
}

static void
read_log(struct trail *t, const char *path)
{
	char line[LOG_LINE_BYTES + 2];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, " traced stage=") != NULL)
			add_line(t, line);
	}
	fclose(file);
}

static int
is_log(const struct dirent *entry)
{
	return strcmp(entry->d_name, "current") == 0 || entry->d_name[0] == '@';
}

/* A folder a service, in each the file of now and those before it, as svlogd keeps them. */
static void
read_logs(struct trail *t, const char *folder)
{
	static const char *const services[] = { "intake", "router", "notifier", "metrics" };
	char path[PATH_MAX];

	for (size_t s = 0; s < ARRAY_LEN(services); s++) {
		struct dirent **files = NULL;
		snprintf(path, sizeof(path), "%s/%s", folder, services[s]);
		int count = scandir(path, &files, is_log, alphasort);
		for (int i = 0; i < count; i++) {
			if (snprintf(path, sizeof(path), "%s/%s/%s", folder, services[s],
				files[i]->d_name)
			    < (int)sizeof(path))
				read_log(t, path);
			free(files[i]);
		}
		free(files);
	}
}

/* --- the command -------------------------------------------------------------------------------
 */

static int
by_time(const void *a, const void *b)
{
	json_t *const *left = a, *const *right = b;
	json_int_t l = json_integer_value(json_object_get(*left, "at_us")),
		   r = json_integer_value(json_object_get(*right, "at_us"));

	return l < r ? -1 : l > r;
}

/* In order of time, each with what had passed since the one before. */
static json_t *
in_order(const json_t *steps)
{
	size_t count = json_array_size(steps);
	json_t **all = calloc(count + 1, sizeof(json_t *)), *sorted = json_array();
	json_int_t before = 0;

	for (size_t i = 0; all != NULL && i < count; i++)
		all[i] = json_array_get(steps, i);
	if (all != NULL)
		qsort(all, count, sizeof(json_t *), by_time);
	for (size_t i = 0; all != NULL && i < count; i++) {
		json_int_t at = json_integer_value(json_object_get(all[i], "at_us"));
		json_object_set_new(
		    all[i], "after_ms", json_integer(i == 0 ? 0 : (at - before) / 1000));
		json_array_append(sorted, all[i]);
		before = at;
	}
	free(all);
	return sorted;
}

static void
tell(struct masa *m, const struct trail *t, const char *number)
{
	json_t *traces = json_array(), *steps = in_order(t->steps);

	for (size_t i = 0; i < t->trace_count; i++)
		json_array_append_new(traces, json_string(t->traces[i]));
	if (m->json)
		masa_print(m,
		    json_pack("{s:s,s:o,s:o}", "ticket", number, "traces", traces, "steps", steps));
	else {
		json_decref(traces);
		masa_print(m, steps);
	}
}

enum exit_code
ticket_trace(struct masa *m, int argc, char **argv)
{
	const char *logs = NULL;
	const struct option_spec specs[] = { { "logs", &logs, NULL } };
	char id[24], folder[PATH_MAX];
	int64_t ticket_id;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (number_parse_typed(argv[0], &ticket_id) != NUMBER_OK)
		return masa_fail(
		    MASA_USAGE, "%s is not a ticket number (like 26-0012345-4)", argv[0]);
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	if (logs == NULL && system != NULL
	    && snprintf(folder, sizeof(folder), "%s/log", system) < (int)sizeof(folder))
		logs = folder;
	struct trail *t = calloc(1, sizeof(*t));
	if (t == NULL || (t->steps = json_array()) == NULL) {
		free(t);
		return masa_fail(MASA_FAILED, "out of memory");
	}
	snprintf(id, sizeof(id), "%lld", (long long)ticket_id);
	code = read_records(m, t, id);
	if (code == MASA_OK && json_array_size(t->steps) == 0)
		code = masa_fail(MASA_NOT_FOUND, "there is no ticket %s", argv[0]);
	if (code == MASA_OK && logs != NULL)
		read_logs(t, logs);
	if (code == MASA_OK)
		tell(m, t, argv[0]);
	json_decref(t->steps);
	free(t);
	return code;
}
