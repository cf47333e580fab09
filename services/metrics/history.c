/* Takes samples of the figures, and reads them back as means. */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "db.h"
#include "figures.h"
#include "istanbul.h"
#include "log.h"
#include "picture.h"
#include "stats.h"
#include "store.h"

#define SLOT_US (5 * US_PER_MIN)
#define HOUR_US (60 * US_PER_MIN)
#define KEPT_US (400 * US_PER_DAY)
/* A sample of a day ago may be so far from it. */
#define THEN_SLACK_US (3 * SLOT_US)
/* Steps begin where Istanbul's days do, which has been three hours ahead since long before. */
#define ZONE_US (3 * HOUR_US)
enum { LOOK_MS = 1000, READ_APART_MS = 2000 };

static const struct {
	const char *name;
	int64_t length_us, step_us;
} spans[HISTORY_SPANS] = {
	[HISTORY_DAY] = { "day", US_PER_DAY, 15 * US_PER_MIN },
	[HISTORY_WEEK] = { "week", 7 * US_PER_DAY, 2 * HOUR_US },
	[HISTORY_MONTH] = { "month", 31 * US_PER_DAY, 8 * HOUR_US },
};

static const char *const value_names[HISTORY_VALUES] = {
	[HISTORY_OPEN] = "open",
	[HISTORY_OVERDUE] = "overdue",
	[HISTORY_OPENED] = "opened",
	[HISTORY_ENDED] = "ended",
	[HISTORY_OFFERED] = "offered",
	[HISTORY_ANSWERED] = "answered",
	[HISTORY_ABANDONED] = "abandoned",
	[HISTORY_WAITING] = "waiting",
	[HISTORY_LEVEL] = "level",
};

/* What a sample says, in the order of STORE_SAMPLE_PUT; the last one may be unknown. */
static const char *const sampled[] = { "open", "overdue", "today", "hour.opened", "hour.ended",
	"hour.offered", "hour.answered", "hour.abandoned", "calls.offered", "calls.waiting",
	"calls.level" };

/* What is told of a day ago, in the order of STORE_SAMPLE_THEN. */
static const char *const then_names[] = { "then.open", "then.overdue", "then.today",
	"then.calls.offered", "then.calls.level" };

enum stat { STAT_SAMPLES, STAT_FAILED, STAT_ROWS };
static const struct stat_row stat_rows[STAT_ROWS] = {
	[STAT_SAMPLES] = { .name = "turunc_metrics_board_samples_total",
	    .help = "Samples of the board's figures put into the record" },
	[STAT_FAILED] = { .name = "turunc_metrics_board_samples_failed_total",
	    .help = "Samples that the record did not take or give back, tried again" },
};

/* A record that answers, but does not take what it is given, is not asked each second for ever. */
static const struct backoff retry = { .first_ms = 1000, .cap_ms = 60000 };

struct history {
	struct db *db;
	const struct picture *picture;
	history_change_fn *on_change;
	void *arg;
	struct stats *stats;
	struct history_row rows[HISTORY_SPANS][HISTORY_ROWS_MAX];
	size_t count[HISTORY_SPANS];
	int64_t then[ARRAY_LEN(then_names)]; /* or HISTORY_UNKNOWN */
	int64_t slot_us; /* the last one that was put, 0: none */
	int64_t putting_us;
	uint64_t version;
	uint64_t retry_ms; /* not before */
	uint32_t failures; /* in a row */
	bool asked; /* what is under way has not been answered */
	bool wants_reading;
	uint64_t read_at_ms;
};

enum history_span
history_span_parse(const char *name)
{
	size_t span = 0;

	while (span < HISTORY_SPANS && strcmp(spans[span].name, name) != 0)
		span++;
	return (enum history_span)span;
}

const char *
history_span_name(enum history_span span)
{
	return spans[span].name;
}

const char *
history_value_name(enum history_value value)
{
	return value_names[value];
}

int64_t
history_step_us(enum history_span span)
{
	return spans[span].step_us;
}

struct history *
history_create(
    struct db *db, const struct picture *picture, history_change_fn *on_change, void *arg)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->db = db;
	h->picture = picture;
	h->on_change = on_change;
	h->arg = arg;
	h->wants_reading = true;
	for (size_t i = 0; i < ARRAY_LEN(h->then); i++)
		h->then[i] = HISTORY_UNKNOWN;
	h->stats = stats_create(stat_rows, STAT_ROWS);
	if (h->stats == NULL) {
		history_destroy(h);
		return NULL;
	}
	return h;
}

void
history_destroy(struct history *h)
{
	if (h == NULL)
		return;
	stats_destroy(h->stats);
	free(h);
}

const struct stats *
history_stats(const struct history *h)
{
	return h->stats;
}

uint64_t
history_version(const struct history *h)
{
	return h->version;
}

size_t
history_rows(const struct history *h, enum history_span span, const struct history_row **ret_rows)
{
	*ret_rows = h->rows[span];
	return h->count[span];
}

json_t *
history_json(const struct history *h, enum history_span span)
{
	json_t *names = json_array(), *rows = json_array();

	for (int v = 0; v < HISTORY_VALUES; v++)
		(void)json_array_append_new(names, json_string(value_names[v]));
	for (size_t i = 0; i < h->count[span]; i++) {
		const struct history_row *from = &h->rows[span][i];
		json_t *row = json_array();
		(void)json_array_append_new(row, json_integer(from->at_us));
		for (int v = 0; v < HISTORY_VALUES; v++)
			(void)json_array_append_new(row, from->values[v] == HISTORY_UNKNOWN
							     ? json_null()
							     : json_integer(from->values[v]));
		(void)json_array_append_new(rows, row);
	}
	return json_pack("{s:s, s:I, s:o, s:o}", "span", spans[span].name, "step_us",
	    (json_int_t)spans[span].step_us, "names", names, "rows", rows);
}

bool
history_add_then(const struct history *h, struct figures *f)
{
	for (size_t i = 0; i < ARRAY_LEN(then_names); i++)
		if (h->then[i] != HISTORY_UNKNOWN && !figures_set(f, then_names[i], h->then[i]))
			return false;
	return true;
}

/* The log hears of it once, the counter each time. */
static void
failed(struct history *h, const struct db_reply *reply)
{
	stats_incr(h->stats, STAT_FAILED);
	if (h->failures == 0)
		log_warn("samples of the board not taken or told, tried again why=%s",
		    log_quoted(reply->message));
	h->retry_ms = clock_monotonic_ms() + backoff_delay_ms(&retry, ++h->failures, 0);
}

/* --- reading ---------------------------------------------------------------------------------- */

static int64_t
known_or_not(const struct pg_result *r, int row, int column)
{
	return db_is_null(r, row, column) ? HISTORY_UNKNOWN : db_get_int(r, row, column);
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct history *h = arg;

	h->asked = false;
	if (reply->outcome != DB_COMMITTED) {
		failed(h, reply);
		h->wants_reading = true;
		return;
	}
	h->failures = 0;
	for (int s = 0; s < HISTORY_SPANS; s++) {
		const struct pg_result *r = reply->results[s];
		h->count[s] = 0;
		for (int row = 0; row < db_rows(r) && row < HISTORY_ROWS_MAX; row++) {
			struct history_row *to = &h->rows[s][h->count[s]++];
			to->at_us = db_get_int(r, row, 0);
			for (int v = 0; v < HISTORY_VALUES; v++)
				to->values[v] = known_or_not(r, row, v + 1);
		}
	}
	const struct pg_result *then = reply->results[HISTORY_SPANS];
	for (int i = 0; i < (int)ARRAY_LEN(h->then); i++)
		h->then[i] = db_rows(then) == 1 ? known_or_not(then, 0, i) : HISTORY_UNKNOWN;
	h->version++;
	h->on_change(h->arg);
}

static void
read_spans(struct history *h, uint64_t now_ms)
{
	struct db_unit *unit = db_unit_create(h->db);
	int64_t now_us = clock_now_us();

	for (int s = 0; s < HISTORY_SPANS; s++) {
		db_unit_add(unit, STORE_SAMPLES);
		db_add_int8(unit, now_us - spans[s].length_us);
		db_add_int8(unit, now_us);
		db_add_int8(unit, spans[s].step_us);
		db_add_int8(unit, ZONE_US);
	}
	db_unit_add(unit, STORE_SAMPLE_THEN);
	db_add_int8(unit, now_us - US_PER_DAY);
	db_add_int8(unit, THEN_SLACK_US);
	h->asked = db_submit(h->db, unit, on_read, h);
	if (!h->asked)
		db_unit_destroy(unit);
	h->wants_reading = !h->asked;
	h->read_at_ms = now_ms;
}

/* --- taking samples --------------------------------------------------------------------------- */

static void
on_put(void *arg, const struct db_reply *reply)
{
	struct history *h = arg;

	h->asked = false;
	if (reply->outcome == DB_COMMITTED) {
		h->slot_us = h->putting_us;
		h->wants_reading = true;
		stats_incr(h->stats, STAT_SAMPLES);
		h->failures = 0;
	} else {
		failed(h, reply);
	}
}

static void
put_sample(struct history *h, int64_t slot_us)
{
	const struct figures *f = picture_figures(h->picture);
	struct db_unit *unit = db_unit_create(h->db);

	db_unit_add(unit, STORE_SAMPLE_PUT);
	db_add_int8(unit, slot_us);
	db_add_int8(unit, slot_us - KEPT_US);
	for (size_t i = 0; i < ARRAY_LEN(sampled); i++) {
		int64_t value;
		if (figures_get(f, sampled[i], &value))
			db_add_int8(unit, value);
		else if (i + 1 == ARRAY_LEN(sampled))
			db_add_null(unit);
		else
			db_add_int8(unit, 0);
	}
	h->putting_us = slot_us;
	h->asked = db_submit(h->db, unit, on_put, h);
	if (!h->asked)
		db_unit_destroy(unit);
}

int64_t
history_tick(struct history *h, uint64_t now_ms)
{
	int64_t slot_us = clock_now_us() / SLOT_US * SLOT_US;
	bool fresh = picture_fresh(h->picture, now_ms);

	if (h->asked || now_ms < h->retry_ms || db_state_now(h->db) != DB_READY)
		return LOOK_MS;
	if (fresh && slot_us != h->slot_us)
		put_sample(h, slot_us);
	else if (h->wants_reading && now_ms - h->read_at_ms >= READ_APART_MS)
		read_spans(h, now_ms);
	return LOOK_MS;
}
