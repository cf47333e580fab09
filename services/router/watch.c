/* Asks the record for what operators are warned of, and shows it. */
#include "watch.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "log.h"
#include "stats.h"
#include "store.h"

enum { US_PER_SECOND = 1000000, NEXT_DAYS = 1, NEAR_DAYS = 3, KEY_DAYS = 14 };
#define DAYS_US(days) ((int64_t)(days)*86400 * US_PER_SECOND)

enum {
	ROW_LAG,
	ROW_LAG_SECONDS,
	ROW_FROZEN,
	READER_ROWS,
};
enum {
	ROW_NEAR,
	ROW_PAST,
	ROW_BACKUP,
	ROW_KEYS,
	ROW_ROOM,
	RECORD_ROWS,
};

static const char *const near_values[] = { "1d", "3d", NULL };
static const char *const key_values[] = { "14d", NULL };

static const struct stat_row record_rows[RECORD_ROWS] = {
	[ROW_NEAR] = { .name = "turunc_legal_deadlines_near",
	    .type = STAT_GAUGE,
	    .help = "Tickets whose legal deadline comes within this time and that are not answered",
	    .label = "within",
	    .label_values = near_values },
	[ROW_PAST] = { .name = "turunc_legal_deadlines_passed",
	    .type = STAT_GAUGE,
	    .help = "Tickets whose legal deadline has passed and that are not answered" },
	[ROW_BACKUP] = { .name = "turunc_backup_last_success_timestamp_seconds",
	    .type = STAT_GAUGE,
	    .divisor = US_PER_SECOND,
	    .help = "Until when the newest whole backup holds everything, 0: there is none" },
	[ROW_KEYS] = { .name = "turunc_client_keys_expiring",
	    .type = STAT_GAUGE,
	    .help = "Keys of other systems that end within this time",
	    .label = "within",
	    .label_values = key_values },
	[ROW_ROOM] = { .name = "turunc_log_room_records",
	    .type = STAT_GAUGE,
	    .help = "Records that the log has room for in its partitions" },
};

struct watch {
	struct db *db;
	uint64_t every_ms;
	uint64_t next_ms;
	bool asking;
	bool read; /* record holds what was read last */
	struct stats *record;
	/* of the readers, made anew with each reading: their names are the labels' values */
	struct stats *readers;
	struct stat_row reader_rows[READER_ROWS];
	char **names;
};

static void
forget_readers(struct watch *w)
{
	stats_destroy(w->readers);
	w->readers = NULL;
	for (size_t i = 0; w->names != NULL && w->names[i] != NULL; i++)
		free(w->names[i]);
	free(w->names);
	w->names = NULL;
}

struct watch *
watch_create(struct db *db, uint64_t every_ms)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->db = db;
	w->every_ms = every_ms;
	w->record = stats_create(record_rows, RECORD_ROWS);
	if (w->record == NULL) {
		free(w);
		return NULL;
	}
	return w;
}

void
watch_destroy(struct watch *w)
{
	if (w == NULL)
		return;
	forget_readers(w);
	stats_destroy(w->record);
	free(w);
}

/* --- what was read ---------------------------------------------------------------------------- */

static void
describe_readers(struct watch *w)
{
	const char *const *values = (const char *const *)w->names;

	w->reader_rows[ROW_LAG] = (struct stat_row){ .name = "turunc_subscription_lag_records",
		.type = STAT_GAUGE,
		.help = "Records of the log that a reader has not acknowledged, there or not",
		.label = "subscription",
		.label_values = values };
	w->reader_rows[ROW_LAG_SECONDS] =
	    (struct stat_row){ .name = "turunc_subscription_lag_seconds",
		    .type = STAT_GAUGE,
		    .divisor = US_PER_SECOND,
		    .help = "Age of the oldest record that a reader has not acknowledged",
		    .label = "subscription",
		    .label_values = values };
	w->reader_rows[ROW_FROZEN] = (struct stat_row){ .name = "turunc_subscription_frozen",
		.type = STAT_GAUGE,
		.help = "1: the reader's rights no longer cover what it asked for",
		.label = "subscription",
		.label_values = values };
}

/* False: out of memory, and no reader is shown. */
static bool
take_readers(struct watch *w, const struct pg_result *rows)
{
	size_t count = (size_t)db_rows(rows);

	forget_readers(w);
	if (count == 0)
		return true;
	w->names = calloc(count + 1, sizeof(*w->names));
	for (size_t i = 0; w->names != NULL && i < count; i++) {
		w->names[i] = strdup(db_get_text(rows, (int)i, WATCH_READER_NAME));
		if (w->names[i] == NULL) {
			forget_readers(w);
			return false;
		}
	}
	if (w->names == NULL)
		return false;
	describe_readers(w);
	w->readers = stats_create(w->reader_rows, READER_ROWS);
	if (w->readers == NULL) {
		forget_readers(w);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		stats_set_at(
		    w->readers, ROW_LAG, i, db_get_int(rows, (int)i, WATCH_READER_RECORDS));
		stats_set_at(
		    w->readers, ROW_LAG_SECONDS, i, db_get_int(rows, (int)i, WATCH_READER_US));
		stats_set_at(
		    w->readers, ROW_FROZEN, i, db_get_bool(rows, (int)i, WATCH_READER_FROZEN));
	}
	return true;
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	static const enum watch_column columns[RECORD_ROWS] = {
		[ROW_NEAR] = WATCH_NEXT, /* the first of its two */
		[ROW_PAST] = WATCH_PAST,
		[ROW_BACKUP] = WATCH_BACKUP_US,
		[ROW_KEYS] = WATCH_KEYS,
		[ROW_ROOM] = WATCH_ROOM,
	};
	struct watch *w = arg;

	w->asking = false;
	w->read = reply->outcome == DB_COMMITTED && take_readers(w, reply->results[1]);
	if (!w->read) {
		forget_readers(w);
		log_debug("what operators watch could not be read why=%s",
		    log_quoted(reply->outcome == DB_COMMITTED ? "out of memory" : reply->message));
		return;
	}
	for (size_t i = 0; i < RECORD_ROWS; i++)
		stats_set(w->record, i, db_get_int(reply->results[0], 0, (int)columns[i]));
	stats_set_at(w->record, ROW_NEAR, 1, db_get_int(reply->results[0], 0, WATCH_NEAR));
}

/* --- asking ----------------------------------------------------------------------------------- */

int64_t
watch_tick(struct watch *w, uint64_t now_ms)
{
	if (now_ms < w->next_ms)
		return (int64_t)(w->next_ms - now_ms);
	w->next_ms = now_ms + w->every_ms;
	if (w->asking)
		return (int64_t)w->every_ms;
	if (db_state_now(w->db) != DB_READY) {
		w->read = false;
		return (int64_t)w->every_ms;
	}
	int64_t now_us = clock_now_us();
	struct db_unit *unit = db_unit_create(w->db);
	db_unit_add(unit, STORE_WATCH);
	db_add_int8(unit, now_us);
	db_add_int8(unit, now_us + DAYS_US(NEXT_DAYS));
	db_add_int8(unit, now_us + DAYS_US(NEAR_DAYS));
	db_add_int8(unit, now_us + DAYS_US(KEY_DAYS));
	db_unit_add(unit, STORE_WATCH_READERS);
	db_add_int8(unit, now_us);
	w->asking = db_submit(w->db, unit, on_read, w);
	if (!w->asking) {
		db_unit_destroy(unit);
		w->read = false;
	}
	return (int64_t)w->every_ms;
}

bool
watch_write(void *arg, struct evbuffer *out)
{
	const struct watch *w = arg;

	if (!w->read)
		return true;
	return stats_write(w->record, out) && (w->readers == NULL || stats_write(w->readers, out));
}
