/* Keeps the alarms in the record, and reads who acknowledged them. */
#include "alarm_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "db.h"
#include "istanbul.h"
#include "log.h"
#include "picture.h"
#include "registry.h"
#include "stats.h"
#include "store.h"

#define HOLD_US (60 * US_PER_S) /* an alarm that has not been one for so long has ended */
#define KEPT_US (400 * US_PER_DAY)
enum { LOOK_MS = 1000, READ_MS = 2000, KEEP_MS = 5000 };

enum stat { STAT_OPEN, STAT_WAITING, STAT_LEFT_OUT, STAT_LOOKS, STAT_FAILED, STAT_ROWS };
static const struct stat_row stat_rows[STAT_ROWS] = {
	[STAT_OPEN] = { .name = "turunc_metrics_board_alarms",
	    .type = STAT_GAUGE,
	    .help = "Alarms of the board that have not ended",
	    .label = "kind",
	    .label_values = alarm_kind_names },
	[STAT_WAITING] = { .name = "turunc_metrics_board_alarms_unacknowledged",
	    .type = STAT_GAUGE,
	    .help = "Those of them that nobody has acknowledged" },
	[STAT_LEFT_OUT] = { .name = "turunc_metrics_board_alarms_left_out_total",
	    .help = "Surges that were not told, being smaller than as many as are told at a time" },
	[STAT_LOOKS] = { .name = "turunc_metrics_board_alarm_looks_total",
	    .help = "Times that fresh figures were held against the rules" },
	[STAT_FAILED] = { .name = "turunc_metrics_board_alarms_failed_total",
	    .help = "Times that the record did not keep or tell the alarms, tried again" },
};

/* A record that answers, but does not take what it is given, is not asked each second for ever. */
static const struct backoff retry = { .first_ms = 1000, .cap_ms = 10000 };

struct alarm_watch {
	struct db *db;
	const struct picture *picture;
	const struct registry *registry;
	alarm_watch_change_fn *on_change;
	void *arg;
	struct stats *stats;
	struct alarms found;
	struct alarm_row rows[ALARMS_MAX], former[ALARMS_MAX];
	size_t count;
	size_t untold; /* open ones that are not in rows, as they may not be named */
	bool known;
	uint64_t retry_ms; /* not before */
	uint32_t failures; /* in a row */
	bool asked;
	uint64_t read_ms, kept_ms;
};

struct alarm_watch *
alarm_watch_create(struct db *db, const struct picture *picture, const struct registry *registry,
    alarm_watch_change_fn *on_change, void *arg)
{
	struct alarm_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->db = db;
	w->picture = picture;
	w->registry = registry;
	w->on_change = on_change;
	w->arg = arg;
	w->stats = stats_create(stat_rows, STAT_ROWS);
	if (w->stats == NULL) {
		alarm_watch_destroy(w);
		return NULL;
	}
	return w;
}

void
alarm_watch_destroy(struct alarm_watch *w)
{
	if (w == NULL)
		return;
	stats_destroy(w->stats);
	free(w);
}

bool
alarm_watch_known(const struct alarm_watch *w)
{
	return w->known;
}

size_t
alarm_watch_rows(const struct alarm_watch *w, const struct alarm_row **ret_rows)
{
	*ret_rows = w->rows;
	return w->count;
}

const struct stats *
alarm_watch_stats(const struct alarm_watch *w)
{
	return w->stats;
}

/* --- what the record says --------------------------------------------------------------------- */

/* A row of a kind that this program does not know is of one that came after it: passed over. */
static void
take_rows(struct alarm_watch *w, const struct pg_result *r)
{
	size_t open[ALARM_KINDS] = { 0 };
	int64_t waiting = 0;

	memset(w->rows, 0, sizeof(w->rows));
	w->count = 0;
	w->untold = 0;
	for (int i = 0; i < db_rows(r) && w->count < ALARMS_MAX; i++) {
		enum alarm_kind kind = alarm_kind_parse(db_get_text(r, i, ALARM_COLUMN_KIND));
		if (kind == ALARM_KINDS)
			continue;
		if (kind == ALARM_SURGE
		    && !alarm_may_be_named(
			registry_catalogue(w->registry), db_get_text(r, i, ALARM_COLUMN_ABOUT))) {
			w->untold++;
			continue;
		}
		struct alarm_row *row = &w->rows[w->count++];
		row->id = db_get_int(r, i, ALARM_COLUMN_ID);
		row->alarm.kind = kind;
		(void)snprintf(row->alarm.about, sizeof(row->alarm.about), "%s",
		    db_get_text(r, i, ALARM_COLUMN_ABOUT));
		row->alarm.value = db_get_int(r, i, ALARM_COLUMN_VALUE);
		row->alarm.bound = db_get_int(r, i, ALARM_COLUMN_BOUND);
		row->raised_us = db_get_int(r, i, ALARM_COLUMN_RAISED);
		row->seen_us = db_get_int(r, i, ALARM_COLUMN_SEEN);
		if (!db_is_null(r, i, ALARM_COLUMN_ACKNOWLEDGED))
			row->acknowledged_us = db_get_int(r, i, ALARM_COLUMN_ACKNOWLEDGED);
		open[kind]++;
		waiting += row->acknowledged_us == 0;
	}
	for (size_t k = 0; k < ALARM_KINDS; k++)
		stats_set_at(w->stats, STAT_OPEN, k, (int64_t)open[k]);
	stats_set(w->stats, STAT_WAITING, waiting);
}

static void
on_told(void *arg, const struct db_reply *reply)
{
	struct alarm_watch *w = arg;

	w->asked = false;
	if (reply->outcome != DB_COMMITTED) {
		stats_incr(w->stats, STAT_FAILED);
		if (w->failures == 0)
			log_warn("alarms not kept or told, tried again why=%s",
			    log_quoted(reply->message));
		w->retry_ms = clock_monotonic_ms() + backoff_delay_ms(&retry, ++w->failures, 0);
		w->kept_ms = 0;
		return;
	}
	w->failures = 0;
	size_t count = w->count;
	memcpy(w->former, w->rows, sizeof(w->former));
	take_rows(w, reply->results[reply->result_count - 1]);
	bool news = !w->known || count != w->count
		    || memcmp(w->former, w->rows, sizeof(w->former)) != 0;
	w->known = true;
	if (news)
		w->on_change(w->arg);
}

/* --- what is so now --------------------------------------------------------------------------- */

static bool
same(const struct alarm *a, const struct alarm *b)
{
	return a->kind == b->kind && strcmp(a->about, b->about) == 0;
}

static bool
is_open(const struct alarm_watch *w, const struct alarm *a)
{
	for (size_t i = 0; i < w->count; i++)
		if (same(&w->rows[i].alarm, a))
			return true;
	return false;
}

/* Is there one that the record has not, or is it time to say of those that it has how they are? */
static bool
must_keep(const struct alarm_watch *w, uint64_t now_ms)
{
	for (size_t i = 0; i < w->found.count; i++)
		if (!is_open(w, &w->found.at[i]))
			return true;
	return w->count + w->untold > 0 && (w->kept_ms == 0 || now_ms - w->kept_ms >= KEEP_MS);
}

static void
add_keep(struct alarm_watch *w, struct db_unit *unit)
{
	struct db_array *array;

	db_unit_add(unit, STORE_ALARM_KEEP);
	db_add_int8(unit, clock_now_us());
	db_add_int8(unit, HOLD_US);
	db_add_int8(unit, KEPT_US);
	array = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < w->found.count; i++)
		db_array_text(array, alarm_kind_name(w->found.at[i].kind));
	array = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < w->found.count; i++)
		db_array_text(array, w->found.at[i].about);
	array = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < w->found.count; i++)
		db_array_int8(array, w->found.at[i].value);
	array = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < w->found.count; i++)
		db_array_int8(array, w->found.at[i].bound);
}

/* What is left out stays so for as long as it lasts: only more of it counts. */
static void
find(struct alarm_watch *w)
{
	size_t left_out = w->found.left_out;

	alarm_rules(picture_figures(w->picture), registry_catalogue(w->registry), clock_now_us(),
	    &w->found);
	if (w->found.left_out > left_out)
		stats_add(w->stats, STAT_LEFT_OUT, w->found.left_out - left_out);
	stats_incr(w->stats, STAT_LOOKS);
}

int64_t
alarm_watch_tick(struct alarm_watch *w, uint64_t now_ms)
{
	bool fresh = picture_fresh(w->picture, now_ms);

	if (w->asked || now_ms < w->retry_ms || db_state_now(w->db) != DB_READY)
		return LOOK_MS;
	if (fresh)
		find(w);
	bool keep = fresh && w->known && must_keep(w, now_ms);
	if (!keep && w->known && now_ms - w->read_ms < READ_MS)
		return LOOK_MS;
	struct db_unit *unit = db_unit_create(w->db);
	if (keep) {
		add_keep(w, unit);
		w->kept_ms = now_ms;
	}
	db_unit_add(unit, STORE_ALARMS);
	db_add_int8(unit, ALARMS_MAX);
	w->read_ms = now_ms;
	w->asked = db_submit(w->db, unit, on_told, w);
	if (!w->asked)
		db_unit_destroy(unit);
	return LOOK_MS;
}
