/* Two pictures made into figures. */
#include "top_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum service { INTAKE, ROUTER, NOTIFIER, METRICS };
enum how { NOW, RATE, P95 };

const char *const top_ticket_words[TOP_TICKET_STATES] = { "opened", "triage", "routed", "accepted",
	"in_progress", "waiting" };

/* Each number that a service counts. */
static const struct {
	enum top_group group;
	const char *key, *word;
	enum service service;
	const char *metric, *label;
	enum how how;
	unsigned is; /* TOP_IS_... */
	double from;
} wanted[] = {
	{ TOP_FLOW, "accepted", "in", INTAKE, "turunc_intake_items_total", "outcome=\"accepted\"",
	    RATE, 0, 0 },
	{ TOP_FLOW, "opened", "opened", INTAKE, "turunc_intake_tickets_opened_total", NULL, RATE, 0,
	    0 },
	{ TOP_FLOW, "repeats", "repeats", INTAKE, "turunc_intake_items_total",
	    "outcome=\"duplicate\"", RATE, 0, 1e-9 },
	{ TOP_FLOW, "routed", "routed", ROUTER, "turunc_router_routed_total", NULL, RATE, 0, 0 },
	{ TOP_FLOW, "commands", "steps", ROUTER, "turunc_router_commands_total", NULL, RATE, 0, 0 },
	{ TOP_FLOW, "streamed", "bus", ROUTER, "turunc_stream_records_total", NULL, RATE, 0, 0 },
	{ TOP_FLOW, "told", "told", NOTIFIER, "turunc_notifier_attempts_total",
	    "outcome=\"accepted\"", RATE, 0, 0 },
	{ TOP_FLOW, "not_told", "not told", NOTIFIER, "turunc_notifier_attempts_total",
	    "outcome=\"unreachable\"", RATE, 0, 1e-9 },
	{ TOP_FLOW, "shown", "board", METRICS, "turunc_metrics_records_total", NULL, RATE, 0, 0 },
	{ TOP_STAGES, "commit_p95_s", "commit", INTAKE, "turunc_stage_seconds", "stage=\"commit\"",
	    P95, TOP_IS_SECONDS, 0 },
	{ TOP_STAGES, "routed_p95_s", "route", ROUTER, "turunc_stage_seconds", "stage=\"routed\"",
	    P95, TOP_IS_SECONDS, 0 },
	{ TOP_STAGES, "delivered_p95_s", "deliver", ROUTER, "turunc_stage_seconds",
	    "stage=\"delivered\"", P95, TOP_IS_SECONDS, 0 },
	{ TOP_STAGES, "told_p95_s", "tell", NOTIFIER, "turunc_stage_seconds", "stage=\"told\"", P95,
	    TOP_IS_SECONDS, 0 },
	{ TOP_STAGES, "shown_p95_s", "show", METRICS, "turunc_metrics_lag_seconds", NULL, P95,
	    TOP_IS_SECONDS, 0 },
	{ TOP_STAGES, "command_p95_s", "step", ROUTER, "turunc_router_command_seconds", NULL, P95,
	    TOP_IS_SECONDS, 0.1 },
	{ TOP_STAGES, "attempt_p95_s", "attempt", NOTIFIER, "turunc_notifier_attempt_seconds", NULL,
	    P95, TOP_IS_SECONDS, 1 },
	{ TOP_STAGES, "oldest_message_s", "oldest message", NOTIFIER,
	    "turunc_notifier_oldest_waiting_seconds", NULL, NOW, TOP_IS_SECONDS, 2 },
	{ TOP_STAGES, "board_age_s", "board's age", METRICS, "turunc_metrics_data_age_seconds",
	    NULL, NOW, TOP_IS_SECONDS, 3 },
	{ TOP_QUEUES, "held", "held", INTAKE, "turunc_intake_items_held", NULL, NOW, 0, 0 },
	{ TOP_QUEUES, "in_doubt", "commits in doubt", INTAKE, "turunc_intake_items_in_doubt", NULL,
	    NOW, 0, 1 },
	{ TOP_QUEUES, "spool", "spool", INTAKE, "turunc_intake_spool_items", NULL, NOW, 0, 0 },
	{ TOP_QUEUES, "spool_bytes", "of", INTAKE, "turunc_intake_spool_bytes", NULL, NOW,
	    TOP_IS_BYTES, 1 },
	{ TOP_QUEUES, "spool_set_aside", "set aside", INTAKE, "turunc_intake_spool_items_set_aside",
	    NULL, NOW, 0, 1 },
	{ TOP_QUEUES, "spool_damaged", "damaged", INTAKE, "turunc_intake_spool_damaged", NULL, NOW,
	    0, 1 },
	{ TOP_QUEUES, "mails", "mails", INTAKE, "turunc_intake_mails_in_hand", NULL, NOW, 0, 1 },
	{ TOP_QUEUES, "cimer_files", "CİMER files", INTAKE, "turunc_intake_cimer_files_waiting",
	    NULL, NOW, 0, 1 },
	{ TOP_QUEUES, "unrouted", "to route", ROUTER, "turunc_router_lag_records", NULL, NOW, 0,
	    0 },
	{ TOP_QUEUES, "commands_held", "steps", ROUTER, "turunc_router_commands_held", NULL, NOW, 0,
	    0 },
	{ TOP_QUEUES, "messages", "messages", NOTIFIER, "turunc_notifier_messages_waiting", NULL,
	    NOW, 0, 0 },
	{ TOP_QUEUES, "sending", "sending", NOTIFIER, "turunc_notifier_messages_sending", NULL, NOW,
	    0, 0 },
	{ TOP_QUEUES, "unknown", "in doubt", NOTIFIER, "turunc_notifier_messages_unknown", NULL,
	    NOW, 0, 1 },
	{ TOP_QUEUES, "dead", "given up", NOTIFIER, "turunc_notifier_messages_dead", NULL, NOW, 0,
	    1 },
	{ TOP_LEGAL, "legal_passed", "passed", ROUTER, "turunc_legal_deadlines_passed", NULL, NOW,
	    0, 0 },
	{ TOP_LEGAL, "legal_day", "1 day", ROUTER, "turunc_legal_deadlines_near", "within=\"1d\"",
	    NOW, 0, 0 },
	{ TOP_LEGAL, "legal_three_days", "3 days", ROUTER, "turunc_legal_deadlines_near",
	    "within=\"3d\"", NOW, 0, 0 },
	{ TOP_QUEUES, "months", "months", METRICS, "turunc_metrics_month_lag_records", NULL, NOW, 0,
	    1000 },
};

static double
known(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

void
top_whole_characters(char *text)
{
	size_t len = strlen(text);

	/* At most the three bytes that a cut leaves of a character of four. */
	for (int i = 0; i < UTF8_BYTES_MAX && len > 0 && !utf8_valid(text, len); i++)
		text[--len] = '\0';
}

static void
keep_text(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(to, size, "%s", text != NULL ? text : "");
	top_whole_characters(to);
}

/* A counter's growth a second; one that fell began anew and says nothing yet. */
static double
rate(double now, double before, double seconds)
{
	return now >= before && seconds > 0 ? (now - before) / seconds : NAN;
}

static double
sample(const struct samples *s, const char *name, const char *label)
{
	double sum = NAN;

	return samples_sum(s, name, label, &sum) ? sum : NAN;
}

/* --- parts ----------------------------------------------------------------------------- */

/* What a service says of what it stands on, the needed first: "record: connection refused". */
static void
say_dependencies(const json_t *readyz, char *why, size_t size, bool needed)
{
	size_t i, used = strlen(why);
	const json_t *dependency;

	json_array_foreach(json_object_get(readyz, "dependencies"), i, dependency)
	{
		const char *name = json_string_value(json_object_get(dependency, "name"));
		const char *state = json_string_value(json_object_get(dependency, "state"));
		const char *detail = json_string_value(json_object_get(dependency, "detail"));
		bool is_needed = json_is_true(json_object_get(dependency, "needed"));
		if (name == NULL || state == NULL || strcmp(state, "up") == 0 || is_needed != needed
		    || used + 1 >= size)
			continue;
		int more = snprintf(why + used, size - used, "%s%s: %s", used > 0 ? "; " : "", name,
		    detail != NULL && detail[0] != '\0' ? detail : state);
		used += more > 0 ? (size_t)more : 0;
		if (used >= size)
			used = size - 1;
	}
	top_whole_characters(why);
}

void
top_say_dependencies(const json_t *readyz, char *why, size_t size)
{
	why[0] = '\0';
	say_dependencies(readyz, why, size, true);
	say_dependencies(readyz, why, size, false);
}

static const struct samples *
samples_of(const struct top_picture *picture, size_t service)
{
	return picture != NULL ? picture->services[service].samples : NULL;
}

static void
make_service(struct top_figures *f, size_t service, const struct top_picture *now,
    const struct top_picture *before)
{
	struct top_part *part = &f->parts[service];
	const struct samples *later = samples_of(now, service),
			     *earlier = samples_of(before, service);
	const json_t *readyz = now->services[service].readyz;
	double started_s = sample(later, "process_start_time_seconds", NULL);
	bool same = started_s <= sample(earlier, "process_start_time_seconds", NULL);

	part->name = reach_service_name(service);
	part->memory_bytes = sample(later, "process_resident_memory_bytes", NULL);
	part->files = sample(later, "process_open_fds", NULL);
	part->connections = sample(later, "turunc_http_connections", NULL);
	if (same) {
		part->cpu_percent = 100
				    * rate(sample(later, "process_cpu_seconds_total", NULL),
					sample(earlier, "process_cpu_seconds_total", NULL),
					f->seconds);
		part->requests = rate(sample(later, "turunc_http_requests_total", NULL),
		    sample(earlier, "turunc_http_requests_total", NULL), f->seconds);
		samples_quantile(
		    later, earlier, "turunc_http_reply_seconds", NULL, 0.95, &part->reply_p95_s);
	}
	/* The process knows when it began by the clock on the wall. */
	part->up_s = (double)now->real_us / 1e6 - started_s;
	if (!now->services[service].asked) {
		part->word = "not known";
		snprintf(part->why, sizeof(part->why), "no address is set");
		return;
	}
	top_say_dependencies(readyz, part->why, sizeof(part->why));
	if (now->services[service].status == 0) {
		part->state = TOP_DOWN;
		part->word = "no answer";
	} else if (now->services[service].status != 200) {
		part->state = TOP_DOWN;
		part->word = json_is_true(json_object_get(readyz, "draining")) ? "stopping"
									       : "not ready";
	} else {
		part->state = part->why[0] != '\0' ? TOP_IMPAIRED : TOP_WELL;
		part->word = "ready";
	}
}

static void
make_record(struct top_figures *f, const struct top_picture *now)
{
	struct top_part *part = &f->parts[TOP_RECORD];

	part->name = "postgresql";
	part->up_s = known(now->record, "up_s");
	part->connections = known(now->record, "connections");
	part->state = !now->record_asked ? TOP_UNKNOWN : now->record != NULL ? TOP_WELL : TOP_DOWN;
	part->word = !now->record_asked    ? "not known"
		     : now->record != NULL ? "answers"
					   : "no answer";
	snprintf(part->why, sizeof(part->why), "%.190s",
	    now->record_asked ? now->record_why : "TURUNC_DATABASE is not set");
	top_whole_characters(part->why);
}

/* As metrics sees it, which alone uses it. */
static void
make_redis(struct top_figures *f, const struct top_picture *now)
{
	struct top_part *part = &f->parts[TOP_REDIS];
	size_t i;
	const json_t *dependency;

	part->name = "redis";
	part->word = "not known";
	json_array_foreach(
	    json_object_get(now->services[METRICS].readyz, "dependencies"), i, dependency)
	{
		const char *name = json_string_value(json_object_get(dependency, "name"));
		const char *state = json_string_value(json_object_get(dependency, "state"));
		if (name == NULL || state == NULL || strcmp(name, "redis") != 0)
			continue;
		bool up = strcmp(state, "up") == 0;
		part->state = up ? TOP_WELL : TOP_DOWN;
		part->word = up ? "answers" : "no answer";
		keep_text(part->why, sizeof(part->why), dependency, "detail");
		return;
	}
	snprintf(part->why, sizeof(part->why), "metrics does not say");
}

static void
make_edge(struct top_figures *f, const struct top_picture *now)
{
	struct top_part *part = &f->parts[TOP_EDGE];

	part->name = "edge";
	part->word = "not known";
	if (!now->edge_asked)
		return;
	part->state = TOP_WELL;
	part->word = "answers";
	if (now->edge_status == 0) {
		part->state = TOP_DOWN;
		part->word = "no answer";
	} else if (now->edge_status != 404 && now->edge_status != 421) {
		/* 421: it is asked by a name of its own network, which is none of the street's. */
		part->state = TOP_IMPAIRED;
		snprintf(part->why, sizeof(part->why),
		    "answers /readyz with %ld, which it is to refuse", now->edge_status);
	}
}

/* --- the record's own figures ------------------------------------------------------------ */

static double
former_seq(const struct top_picture *before, const json_t *reader)
{
	size_t i;
	const json_t *former;

	if (before == NULL)
		return NAN;
	json_array_foreach(json_object_get(before->record, "readers"), i, former)
	{
		if (json_equal(json_object_get(former, "client"), json_object_get(reader, "client"))
		    && json_equal(json_object_get(former, "name"), json_object_get(reader, "name")))
			return known(former, "seq");
	}
	return NAN;
}

static void
make_readers(struct top_figures *f, const struct top_picture *now, const struct top_picture *before)
{
	size_t i;
	const json_t *said;

	json_array_foreach(json_object_get(now->record, "readers"), i, said)
	{
		if (f->reader_count == TOP_READERS_MAX)
			break;
		struct top_reader *reader = &f->readers[f->reader_count++];
		char client[36], name[36];
		keep_text(client, sizeof(client), said, "client");
		keep_text(name, sizeof(name), said, "name");
		snprintf(reader->name, sizeof(reader->name), "%s%s%s", client,
		    client[0] != '\0' ? "/" : "", name);
		reader->seq = known(said, "seq");
		reader->behind = known(said, "behind");
		reader->rate = rate(reader->seq, former_seq(before, said), f->seconds);
		keep_text(reader->why, sizeof(reader->why), said, "frozen");
		reader->frozen = reader->why[0] != '\0';
	}
}

static void
make_history(struct top_figures *f, const struct top_picture *now, const struct top_picture *before)
{
	const json_t *record = now->record, *lock = json_object_get(record, "lock");
	const json_t *former = before != NULL ? before->record : NULL;
	size_t i;

	keep_text(f->log_id, sizeof(f->log_id), record, "log_id");
	f->demo = json_is_true(json_object_get(record, "demo"));
	f->head_seq = known(record, "head_seq");
	f->head_rate = rate(f->head_seq, known(former, "head_seq"), f->seconds);
	f->config = known(record, "config");
	keep_text(f->record_version, sizeof(f->record_version), record, "version");
	f->record_bytes = known(record, "bytes");
	f->commits = rate(known(record, "commits"), known(former, "commits"), f->seconds);
	f->connections = known(record, "connections");
	f->connections_max = known(record, "connections_max");
	f->active = known(record, "active");
	f->oldest_transaction_s = known(record, "oldest_transaction_s");
	keep_text(f->lock_holder, sizeof(f->lock_holder), lock, "holder");
	f->lock_waiting = known(lock, "waiting");
	f->lock_longest_wait_s = known(lock, "longest_wait_s");
	f->other_waits = known(record, "other_waits");
	for (i = 0; i < TOP_TICKET_STATES; i++) {
		char status[4];
		snprintf(status, sizeof(status), "%u", (unsigned)i + 1);
		f->tickets[i] = known(json_object_get(record, "tickets"), status);
		/* A status that nothing has is not in the answer. */
		if (isnan(f->tickets[i]) && record != NULL)
			f->tickets[i] = 0;
	}
}

/* Where messages leave: how many wait for it, and whether nobody answers there. */
static void
make_ways(struct top_figures *f, const struct top_picture *now)
{
	static const char *const channels[TOP_WAYS] = { "email", "sms", "sms-second" };
	char label[40];
	size_t i;
	const json_t *way;

	for (size_t c = 0; c < TOP_WAYS; c++) {
		snprintf(label, sizeof(label), "channel=\"%s\"", channels[c]);
		f->ways[c].channel = channels[c];
		f->ways[c].waiting = now->record != NULL && c + 1 < TOP_WAYS ? 0 : NAN;
		f->ways[c].away =
		    sample(samples_of(now, NOTIFIER), "turunc_notifier_channel_away", label) > 0;
	}
	json_array_foreach(json_object_get(now->record, "ways"), i, way)
	{
		const char *channel = json_string_value(json_object_get(way, "channel"));
		for (size_t c = 0; channel != NULL && c < TOP_WAYS; c++)
			if (strcmp(channel, channels[c]) == 0)
				f->ways[c].waiting = known(way, "waiting");
	}
}

/* --- all ----------------------------------------------------------------------------------- */

static void
make_numbers(struct top_figures *f, const struct top_picture *now, const struct top_picture *before)
{
	_Static_assert(ARRAY_LEN(wanted) <= TOP_NUMBERS_MAX - 1, "room for every number");

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		const struct samples *later = samples_of(now, wanted[i].service),
				     *earlier = samples_of(before, wanted[i].service);
		double value = NAN;
		switch (wanted[i].how) {
		case NOW:
			value = sample(later, wanted[i].metric, wanted[i].label);
			break;
		case RATE:
			value = rate(sample(later, wanted[i].metric, wanted[i].label),
			    sample(earlier, wanted[i].metric, wanted[i].label), f->seconds);
			break;
		case P95:
			if (earlier != NULL)
				samples_quantile(later, earlier, wanted[i].metric, wanted[i].label,
				    0.95, &value);
			break;
		}
		f->numbers[f->number_count++] = (struct top_number){ .group = wanted[i].group,
			.key = wanted[i].key,
			.word = wanted[i].word,
			.value = value,
			.is = wanted[i].is,
			.from = wanted[i].from };
	}
	f->numbers[f->number_count++] = (struct top_number){ .group = TOP_QUEUES,
		.key = "dead_letters",
		.word = "dead letters",
		.from = 1,
		.value = known(now->record, "dead_letters") };
}

void
top_figures_make(
    struct top_figures *f, const struct top_picture *now, const struct top_picture *before)
{
	memset(f, 0, sizeof(*f));
	f->at_us = now->at_us;
	f->seconds = before != NULL ? (double)(now->at_ms - before->at_ms) / 1000 : NAN;
	for (size_t i = 0; i < TOP_PARTS; i++) {
		struct top_part *part = &f->parts[i];
		part->up_s = part->cpu_percent = part->memory_bytes = part->files = NAN;
		part->requests = part->connections = part->reply_p95_s = NAN;
	}
	for (size_t i = 0; i < REACH_SERVICES; i++)
		make_service(f, i, now, before);
	make_record(f, now);
	make_redis(f, now);
	make_edge(f, now);
	make_numbers(f, now, before);
	make_history(f, now, before);
	make_readers(f, now, before);
	make_ways(f, now);
	f->disk_bytes = now->disk_bytes;
	f->disk_free_bytes = now->disk_free_bytes;
	top_judge(f);
}

const struct top_number *
top_figures_number(const struct top_figures *f, const char *key)
{
	for (size_t i = 0; i < f->number_count; i++)
		if (strcmp(f->numbers[i].key, key) == 0)
			return &f->numbers[i];
	return NULL;
}
