/* Reads records, loads the facts that they are about, counts, and commits what has changed. */
#include "keeper.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "db.h"
#include "keeper_stats.h"
#include "keeper_store.h"
#include "log.h"
#include "month_fold.h"
#include "stats.h"
#include "store.h"

enum { RECORDS_MAX = 500 };

static const struct backoff retry = { .first_ms = 200, .cap_ms = 10000, .spread_percent = 20 };

/* A record, copied while its facts are loaded. */
struct waiting_record {
	uint64_t seq;
	int64_t committed_us;
	size_t at, len;
};

struct keeper {
	struct db *db;
	struct stats *stats;
	uint64_t pause_ms;
	struct month_fold fold; /* of the batch under way; its state is where we stand */
	struct uuid log_id;
	bool known; /* the state is that of the record */
	bool under_way, stopped;
	struct month_turned turned; /* under way */
	struct waiting_record records[RECORDS_MAX];
	size_t record_count;
	uint8_t *bytes;
	size_t byte_count, byte_room;
	bool more; /* there is more to read at once */
	uint32_t failures;
	uint64_t next_ms;
};

struct keeper *
keeper_create(struct db *db, uint64_t pause_ms)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->db = db;
	k->pause_ms = pause_ms;
	month_fold_init(&k->fold, MONTH_FOLD_BATCH);
	k->stats = stats_create(keeper_stat_rows, KEEPER_STATS);
	if (k->stats == NULL) {
		keeper_destroy(k);
		return NULL;
	}
	return k;
}

void
keeper_destroy(struct keeper *k)
{
	if (k == NULL)
		return;
	month_turned_finish(&k->turned);
	month_fold_finish(&k->fold);
	stats_destroy(k->stats);
	free(k->bytes);
	free(k);
}

const struct stats *
keeper_stats(const struct keeper *k)
{
	return k->stats;
}

void
keeper_stop(struct keeper *k)
{
	k->stopped = true;
}

bool
keeper_busy(void *keeper)
{
	return ((struct keeper *)keeper)->under_way;
}

static void read_state(struct keeper *k);
static void read_records(struct keeper *k);

/* What was under way is not in the record for sure, or nobody knows: the record says where we
 * stand. */
static void
fail(struct keeper *k, const char *what, const struct db_reply *reply)
{
	k->known = false;
	k->under_way = false;
	k->next_ms = clock_monotonic_ms() + backoff_delay_ms(&retry, ++k->failures, 0);
	stats_incr(k->stats, KEEPER_STAT_LOST);
	if (reply == NULL || !k->stopped)
		log_warn("months not counted, again soon what=%s sqlstate=%s why=%s", what,
		    reply == NULL ? "" : reply->sqlstate,
		    log_quoted(reply == NULL ? "out of memory" : reply->message));
}

static void
submit(struct keeper *k, struct db_unit *unit, db_done_fn *done)
{
	k->under_way = db_submit(k->db, unit, done, k);
	if (k->under_way)
		return;
	db_unit_destroy(unit);
	k->next_ms = clock_monotonic_ms() + retry.first_ms;
}

/* --- where we stand --------------------------------------------------------------------------- */

static void
on_begun(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		fail(k, "begin", reply);
		return;
	}
	stats_incr(k->stats, KEEPER_STAT_BEGUN);
	k->next_ms = 0;
	if (!k->stopped)
		read_state(k);
}

static void
begin_anew(struct keeper *k, const char *why)
{
	struct db_unit *unit = db_unit_create(k->db);

	log_info("months are counted from the first record why=%s", log_quoted(why));
	db_unit_add(unit, STORE_MONTH_BEGIN);
	db_add_int4(unit, MONTH_FOLD_VERSION);
	db_add_uuid(unit, &k->log_id);
	db_add_int8(unit, clock_now_us());
	submit(k, unit, on_begun);
}

static void
on_state(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;
	const char *anew = NULL;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) != 1) {
		fail(k, "state", reply);
		return;
	}
	const struct pg_result *r = reply->results[0];
	k->log_id = db_get_uuid(r, 0, MONTH_COLUMN_LOG_ID);
	if (db_is_null(r, 0, MONTH_COLUMN_VERSION))
		anew = "nothing is counted yet";
	else if (db_get_int(r, 0, MONTH_COLUMN_VERSION) != MONTH_FOLD_VERSION)
		anew = "this program counts differently";
	else if (!db_get_bool(r, 0, MONTH_COLUMN_SAME_LOG))
		anew = "the log has another history";
	else if (db_get_int(r, 0, MONTH_COLUMN_STATE) > db_get_int(r, 0, MONTH_COLUMN_HEAD))
		anew = "the log is shorter than what was counted";
	if (k->stopped)
		return;
	if (anew != NULL) {
		begin_anew(k, anew);
		return;
	}
	const struct month_state state = store_month_state(r, 0, MONTH_COLUMN_STATE);
	month_fold_begin(&k->fold, &state);
	k->known = true;
	stats_set(k->stats, KEEPER_STAT_SEQ, (int64_t)state.seq);
	read_records(k);
}

static void
read_state(struct keeper *k)
{
	struct db_unit *unit = db_unit_create(k->db);

	db_unit_add(unit, STORE_MONTH_STATE);
	submit(k, unit, on_state);
}

/* --- days ------------------------------------------------------------------------------------- */

static void
on_turned(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		month_turned_finish(&k->turned);
		fail(k, "day", reply);
		return;
	}
	k->failures = 0;
	stats_incr(k->stats, KEEPER_STAT_TURNS);
	stats_add(k->stats, KEEPER_STAT_REVISIONS, k->turned.revision_count);
	for (size_t i = 0; i < k->turned.revision_count; i++)
		log_info("month revised month=%d seq=%" PRIu64 " changes=%zu",
		    (int)k->turned.revisions[i].month, k->turned.revisions[i].revision.seq,
		    k->turned.revisions[i].revision.change_count);
	if (k->turned.back) {
		stats_incr(k->stats, KEEPER_STAT_BACK);
		log_warn(
		    "the log's calendar goes back, a clock was ahead; months published too early "
		    "are not seq=%" PRIu64 " published=%d",
		    k->fold.state.seq, (int)k->turned.state.published);
	}
	k->fold.state = k->turned.state;
	month_turned_finish(&k->turned);
	if (!k->stopped)
		read_records(k);
}

static void
write_turn(struct keeper *k)
{
	struct db_unit *unit = db_unit_create(k->db);

	keeper_store_turn(unit, &k->fold.state, &k->turned);
	submit(k, unit, on_turned);
	if (!k->under_way)
		month_turned_finish(&k->turned);
}

static void
on_day(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;
	struct month_cells now = { 0 };

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		fail(k, "day's figures", reply);
		return;
	}
	if (k->stopped)
		return;
	struct month_touched *touched = keeper_store_touched(reply->results[0]);
	const struct pg_result *open = reply->results[1];
	for (int row = 0; row < db_rows(open); row++)
		month_cells_add(&now, 0, db_get_text(open, row, 0), db_get_int(open, row, 1));
	bool good = touched != NULL && !now.failed
		    && month_turn(&k->fold.state, k->records[0].committed_us, &now, touched,
			(size_t)db_rows(reply->results[0]), &k->turned);
	free(touched);
	month_cells_finish(&now);
	if (good)
		write_turn(k);
	else
		fail(k, "day", NULL);
}

static void
read_day(struct keeper *k)
{
	struct db_unit *unit = db_unit_create(k->db);

	db_unit_add(unit, STORE_MONTH_TOUCHED);
	db_unit_add(unit, STORE_MONTH_OPEN);
	submit(k, unit, on_day);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void
on_taken(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		fail(k, "batch", reply);
		return;
	}
	k->failures = 0;
	stats_incr(k->stats, KEEPER_STAT_BATCHES);
	stats_add(k->stats, KEEPER_STAT_RECORDS, k->record_count);
	stats_add(k->stats, KEEPER_STAT_DAMAGED, k->fold.damaged);
	stats_set(k->stats, KEEPER_STAT_SEQ, (int64_t)k->fold.state.seq);
	stats_set(k->stats, KEEPER_STAT_DOUBTED, k->fold.state.doubted_us != 0);
	if (k->fold.damaged > 0)
		log_error("records not understood, they count for nothing through=%" PRIu64
			  " records=%" PRIu64,
		    k->fold.state.seq, k->fold.damaged);
	k->fold.damaged = 0;
	if (k->more && !k->stopped)
		read_records(k);
	else
		k->next_ms = clock_monotonic_ms() + k->pause_ms;
}

static void
write_batch(struct keeper *k, uint64_t from_seq)
{
	struct db_unit *unit = db_unit_create(k->db);

	keeper_store_batch(unit, &k->log_id, from_seq, &k->fold);
	submit(k, unit, on_taken);
	if (!k->under_way)
		k->known = false; /* the fold has gone further than the record */
}

static void
on_facts(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;
	struct month_state state = k->fold.state;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		fail(k, "facts", reply);
		return;
	}
	if (k->stopped)
		return;
	month_fold_begin(&k->fold, &state);
	bool good = keeper_store_facts(reply->results[0], &k->fold.facts);
	for (size_t i = 0; good && i < k->record_count; i++) {
		const struct waiting_record *r = &k->records[i];
		good = month_fold_add(&k->fold, r->seq, r->committed_us, k->bytes + r->at, r->len);
	}
	if (good)
		write_batch(k, state.seq);
	else
		fail(k, "batch", NULL);
}

static void
read_facts(struct keeper *k)
{
	struct db_unit *unit = db_unit_create(k->db);
	char key[MONTH_KEY_SIZE];

	db_unit_add(unit, STORE_MONTH_FACTS);
	struct db_array *keys = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < k->record_count; i++) {
		const struct waiting_record *r = &k->records[i];
		Turunc__V1__Event *event = turunc__v1__event__unpack(
		    NULL, r->len, k->bytes + r->at);
		if (event == NULL)
			continue;
		if (month_fact_key(event, key))
			db_array_bytea(keys, key, strlen(key));
		turunc__v1__event__free_unpacked(event, NULL);
	}
	submit(k, unit, on_facts);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool
keep_record(struct keeper *k, const struct pg_result *r, int row)
{
	size_t len;
	const void *bytes = db_get_bytea(r, row, 2, &len);

	if (k->byte_count + len > k->byte_room) {
		size_t room = 2 * (k->byte_count + len) + 65536;
		uint8_t *more = realloc(k->bytes, room);
		if (more == NULL)
			return false;
		k->bytes = more;
		k->byte_room = room;
	}
	if (len > 0)
		memcpy(k->bytes + k->byte_count, bytes, len);
	k->records[k->record_count++] = (struct waiting_record){ .seq = (uint64_t)db_get_int(
								     r, row, 0),
		.committed_us = month_moment_us(db_get_int(r, row, 1)),
		.at = k->byte_count,
		.len = len };
	k->byte_count += len;
	return true;
}

static void
fail_at_gap(struct keeper *k, uint64_t next_seq)
{
	char why[80];
	const struct db_reply reply = { .sqlstate = "", .message = why };

	(void)snprintf(why, sizeof(why), "the log has nothing between %" PRIu64 " and %" PRIu64,
	    k->fold.state.seq, next_seq);
	fail(k, "records", &reply);
}

/* A batch lies within one day of the log: a day that begins is turned to first. */
static void
on_records(void *arg, const struct db_reply *reply)
{
	struct keeper *k = arg;
	struct month_state state = k->fold.state;
	bool gap = false;

	k->under_way = false;
	if (reply->outcome != DB_COMMITTED) {
		fail(k, "records", reply);
		return;
	}
	const struct pg_result *r = reply->results[0];
	k->record_count = 0;
	k->byte_count = 0;
	k->more = db_rows(r) == RECORDS_MAX;
	if (db_rows(r) > 0)
		stats_set(k->stats, KEEPER_STAT_LAG, db_get_int(r, 0, 3) - (int64_t)state.seq);
	else
		stats_set(k->stats, KEEPER_STAT_LAG, 0);
	for (int row = 0; row < db_rows(r) && k->record_count < RECORDS_MAX; row++) {
		/* A record that is not there yet must not be passed over: it would never count. */
		if (db_get_int(r, row, 0) != (int64_t)state.seq + 1) {
			gap = true;
			break;
		}
		if (row > 0 && month_clock_turns(&state, month_moment_us(db_get_int(r, row, 1)))) {
			k->more = true;
			break;
		}
		if (!keep_record(k, r, row)) {
			fail(k, "records", NULL);
			return;
		}
		if (row == 0 && month_clock_turns(&state, k->records[0].committed_us))
			break;
		month_clock_pass(&state, k->records[row].seq, k->records[row].committed_us);
	}
	if (gap && k->record_count == 0) {
		fail_at_gap(k, (uint64_t)db_get_int(r, 0, 0));
		return;
	}
	if (k->record_count == 0)
		k->failures = 0;
	if (k->stopped || k->record_count == 0)
		k->next_ms = clock_monotonic_ms() + k->pause_ms;
	else if (month_clock_turns(&k->fold.state, k->records[0].committed_us))
		read_day(k);
	else
		read_facts(k);
}

static void
read_records(struct keeper *k)
{
	struct db_unit *unit = db_unit_create(k->db);

	db_unit_add(unit, STORE_MONTH_RECORDS);
	db_add_int8(unit, (int64_t)k->fold.state.seq);
	db_add_int4(unit, RECORDS_MAX);
	submit(k, unit, on_records);
}

int64_t
keeper_tick(struct keeper *k, uint64_t now_ms)
{
	if (k->stopped || k->under_way || db_state_now(k->db) != DB_READY)
		return (int64_t)k->pause_ms;
	if (now_ms < k->next_ms)
		return (int64_t)(k->next_ms - now_ms);
	if (k->known)
		read_records(k);
	else
		read_state(k);
	return (int64_t)k->pause_ms;
}
