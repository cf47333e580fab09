/* Which unit goes to which connection, what waits, what is late, and who is told. */
#include <event2/event.h>
#include <stdio.h>

#include "clock.h"
#include "db_pool.h"
#include "failpoint.h"
#include "log.h"
#include "stats.h"

/* Said once a second; the watchdog looks more often, for the next stuck holder may come just after
 * the last, and those who wait for it are to wait for no more than a second and a bit. */
enum { SLOW_REPEAT_MS = 1000, WATCHDOG_REPEAT_MS = 250 };

static void pump(struct db *db);

/* --- time --- */

void
db_wake(void *arg, uint64_t at_ms)
{
	struct db *db = arg;

	if (at_ms >= db->timer_at_ms)
		return;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	const struct timeval wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
	evtimer_add(db->timer, &wait);
	db->timer_at_ms = at_ms;
}

/* --- what is told --- */

static void
show_load(struct db *db)
{
	stats_set(db->stats, DB_STAT_WAITING, (int64_t)db->waiting_count);
	stats_set(db->stats, DB_STAT_IN_FLIGHT, (int64_t)db->sent_count);
	stats_set(db->stats, DB_STAT_READY, (int64_t)db->ready_count);
}

static void
tell_state(struct db *db, enum db_state state)
{
	if (db->closing || (db->state_told && db->state == state))
		return;
	db->state = state;
	db->state_told = true;
	if (db->events.on_state != NULL)
		db->events.on_state(
		    db->events.arg, state, state == DB_READY ? NULL : db->last_error);
}

static void
tell_room(struct db *db)
{
	if (db->events.on_room != NULL && db_has_room(db))
		db->events.on_room(db->events.arg);
}

/* The end of every unit. */
void
db_finish(struct db *db, struct db_unit *unit, enum db_outcome outcome)
{
	static const char *const nothing = "";
	struct db_reply reply = {
		.outcome = outcome,
		.sqlstate = nothing,
		.message = nothing,
		.detail = nothing,
		.constraint = nothing,
		.failed_at = unit->failed_at,
		.result_count = unit->call_count,
		.results = (const PGresult *const *)unit->results,
	};

	if (outcome == DB_FAILED && unit->error != NULL) {
		const char *fields[] = { PQresultErrorField(unit->error, PG_DIAG_SQLSTATE),
			PQresultErrorField(unit->error, PG_DIAG_MESSAGE_PRIMARY),
			PQresultErrorField(unit->error, PG_DIAG_MESSAGE_DETAIL),
			PQresultErrorField(unit->error, PG_DIAG_CONSTRAINT_NAME) };
		reply.sqlstate = fields[0] == NULL ? nothing : fields[0];
		reply.message = fields[1] == NULL ? nothing : fields[1];
		reply.detail = fields[2] == NULL ? nothing : fields[2];
		reply.constraint = fields[3] == NULL ? nothing : fields[3];
	} else if (outcome == DB_FAILED) {
		reply.sqlstate = unit->fault_sqlstate;
		reply.message = unit->fault;
	} else if (outcome != DB_COMMITTED) {
		reply.message = outcome == DB_UNKNOWN && unit->warned ? "a warning at commit"
								      : db->last_error;
	}
	stats_add_at(db->stats, DB_STAT_UNITS, outcome, 1);
	stats_observe(db->stats, DB_STAT_SECONDS, clock_monotonic_us() - unit->submitted_us);
	show_load(db);
	unit->done(unit->arg, &reply);
	db_unit_destroy(unit);
}

/* --- points where a test makes a transaction fail --- */

static bool
unit_fails(const struct db_unit *unit, enum failpoint_side side)
{
	bool fails = failpoint(unit->step, side);

	for (size_t i = 0; i < unit->call_count; i++) {
		const char *name = unit->statements[unit->calls[i].statement].name;
		fails = failpoint_statement(name, side) || fails;
	}
	return fails;
}

static void
put_faulty(struct db *db, struct db_unit *unit)
{
	TAILQ_INSERT_TAIL(&db->faulty, unit, link);
	db->faulty_count++;
	db_wake(db, clock_monotonic_ms());
}

/* --- what connections tell --- */

static void
on_ready(void *arg, struct db_connection *c)
{
	struct db *db = arg;

	(void)c;
	db->ready_count++;
	stats_incr(db->stats, DB_STAT_CONNECTED);
	tell_state(db, DB_READY);
	pump(db);
	tell_room(db);
}

static void
on_lost(void *arg, const char *why, bool was_ready)
{
	struct db *db = arg;

	snprintf(db->last_error, sizeof(db->last_error), "%s", why);
	stats_incr(db->stats, was_ready ? DB_STAT_LOST : DB_STAT_FAILURES);
	if (was_ready)
		db->ready_count--;
	else if (!db->closing)
		db_address_refresh(db->address);
	show_load(db);
	if (db->ready_count == 0)
		tell_state(db, DB_LOST);
}

static void
on_finished(void *arg, struct db_unit *unit, enum db_outcome outcome)
{
	struct db *db = arg;

	if (outcome == DB_COMMITTED && unit_fails(unit, FAILPOINT_AFTER)) {
		unit->warned = true;
		outcome = DB_UNKNOWN;
	}
	db->sent_count--;
	pump(db);
	tell_room(db);
	db_finish(db, unit, outcome);
	tell_room(db);
}

const struct db_connection_owner db_worker_owner = { on_ready, on_finished, on_lost, db_wake,
	NULL };

/* --- sending --- */

static struct db_connection *
least_loaded(const struct db *db)
{
	struct db_connection *best = NULL;

	for (size_t i = 0; i < db->connection_count && !db->closing; i++) {
		struct db_connection *c = db->connections[i];
		if (db_connection_has_room(c)
		    && (best == NULL || db_connection_in_flight(c) < db_connection_in_flight(best)))
			best = c;
	}
	return best;
}

bool
db_has_room(const struct db *db)
{
	return !db->draining && db->waiting_count == 0 && least_loaded(db) != NULL;
}

static void
send_unit(struct db *db, struct db_connection *c, struct db_unit *unit)
{
	db->sent_count++;
	db_connection_send(c, unit);
	db_wake(
	    db, unit->since_ms
		    + (db->settings.watchdog_ms < db->settings.slow_ms ? db->settings.watchdog_ms
								       : db->settings.slow_ms));
}

/* Sends what waits, as far as there is room. */
static void
pump(struct db *db)
{
	struct db_unit *unit;

	while ((unit = TAILQ_FIRST(&db->waiting)) != NULL) {
		struct db_connection *c = least_loaded(db);
		if (c == NULL)
			break;
		TAILQ_REMOVE(&db->waiting, unit, link);
		db->waiting_count--;
		if (unit_fails(unit, FAILPOINT_BEFORE)) {
			db_unit_fault(unit, "58030", "a point was told to fail");
			put_faulty(db, unit);
			continue;
		}
		send_unit(db, c, unit);
	}
	show_load(db);
}

void
db_submit_again(struct db *db, struct db_unit *unit, db_done_fn *done, void *arg)
{
	uint64_t now_ms = clock_monotonic_ms();

	unit->done = done;
	unit->arg = arg;
	unit->submitted_us = clock_monotonic_us();
	unit->since_ms = now_ms;
	if (!db_unit_seal(unit)) {
		put_faulty(db, unit);
		return;
	}
	TAILQ_INSERT_TAIL(&db->waiting, unit, link);
	db->waiting_count++;
	pump(db);
	if (db->waiting_count > 0)
		db_wake(db, TAILQ_FIRST(&db->waiting)->since_ms + db->settings.waiting_ms);
}

bool
db_submit(struct db *db, struct db_unit *unit, db_done_fn *done, void *arg)
{
	if (unit == NULL)
		return false;
	bool full = db->waiting_count + db->faulty_count >= db->settings.waiting_max;
	if (db->draining || (full && !db_has_room(db))) {
		stats_incr(db->stats, DB_STAT_REFUSED);
		return false;
	}
	db_submit_again(db, unit, done, arg);
	return true;
}

struct db_unit *
db_unit_create(struct db *db)
{
	return db_unit_make(db->statements, db->statement_count, db->settings.unit_bytes);
}

/* --- what is late --- */

static void
on_released(void *arg, struct db_unit *unit, enum db_outcome outcome)
{
	struct db *db = arg;

	if (outcome == DB_COMMITTED && db_rows(unit->results[0]) == 1
	    && !db_is_null(unit->results[0], 0, 0)) {
		int64_t released = db_get_int(unit->results[0], 0, 0);
		stats_add(db->stats, DB_STAT_RELEASED, released > 0 ? (uint64_t)released : 0);
	}
	db_unit_destroy(unit);
}

static void
on_watchdog_ready(void *arg, struct db_connection *c)
{
	(void)arg;
	(void)c;
}

static void
on_watchdog_lost(void *arg, const char *why, bool was_ready)
{
	(void)arg;
	log_debug("db watchdog lost was_ready=%d why=%s", was_ready, log_quoted(why));
}

static void
run_watchdog(struct db *db)
{
	if (db->watchdog == NULL || !db_connection_has_room(db->watchdog))
		return;
	struct db_unit *unit = db_unit_make(&db->watchdog_statement, 1, db->settings.unit_bytes);
	db_unit_add(unit, 0);
	if (unit != NULL && db_unit_seal(unit))
		db_connection_send(db->watchdog, unit);
	else
		db_unit_destroy(unit);
}

const struct db_connection_owner db_watchdog_owner = { on_watchdog_ready, on_released,
	on_watchdog_lost, db_wake, NULL };

/* True when the oldest unit reaches the limit, and every repeat_ms from then on; brings the next
 * look forward to when that may be. */
static bool
is_time(uint64_t now_ms, uint64_t age_ms, uint64_t limit_ms, uint64_t repeat_ms, uint64_t *last_ms,
    uint64_t *next_ms)
{
	bool over = age_ms >= limit_ms;
	bool act = over && now_ms >= *last_ms + repeat_ms;

	if (act)
		*last_ms = now_ms;
	uint64_t look_ms = over ? *last_ms + repeat_ms : now_ms + limit_ms - age_ms;
	if (look_ms < *next_ms)
		*next_ms = look_ms;
	return act;
}

/* Returns when to look again. */
static uint64_t
look_for_slow(struct db *db, uint64_t now_ms)
{
	const struct db_settings *s = &db->settings;
	uint64_t oldest_ms = 0, next_ms = UINT64_MAX;

	if (db->sent_count == 0)
		return UINT64_MAX;
	for (size_t i = 0; i < db->connection_count; i++) {
		uint64_t age_ms = db_connection_age_ms(db->connections[i], now_ms);
		if (age_ms > oldest_ms)
			oldest_ms = age_ms;
	}
	if (is_time(
		now_ms, oldest_ms, s->watchdog_ms, WATCHDOG_REPEAT_MS, &db->watched_ms, &next_ms))
		run_watchdog(db);
	if (is_time(now_ms, oldest_ms, s->slow_ms, SLOW_REPEAT_MS, &db->slow_said_ms, &next_ms)) {
		stats_incr(db->stats, DB_STAT_SLOW);
		if (db->events.on_slow != NULL)
			db->events.on_slow(db->events.arg, oldest_ms);
	}
	return next_ms;
}

void
db_fail_faulty(struct db *db)
{
	/* Only those that are here now: a callback may add others. */
	for (size_t n = db->faulty_count; n > 0; n--) {
		struct db_unit *unit = TAILQ_FIRST(&db->faulty);
		TAILQ_REMOVE(&db->faulty, unit, link);
		db->faulty_count--;
		unit->failed_at = unit->call_count > 0 ? unit->call_count - 1 : 0;
		db_finish(db, unit, DB_FAILED);
	}
}

/* Returns when the next one has waited too long. */
static uint64_t
expire_waiting(struct db *db, uint64_t now_ms)
{
	struct db_unit *unit;

	while ((unit = TAILQ_FIRST(&db->waiting)) != NULL
	       && now_ms >= unit->since_ms + db->settings.waiting_ms) {
		TAILQ_REMOVE(&db->waiting, unit, link);
		db->waiting_count--;
		db_finish(db, unit, DB_NOT_SENT);
	}
	return unit == NULL ? UINT64_MAX : unit->since_ms + db->settings.waiting_ms;
}

void
db_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct db *db = arg;
	uint64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)what;
	db->timer_at_ms = UINT64_MAX;
	for (size_t i = 0; i < db->connection_count; i++)
		db_wake(db, db_connection_tick(db->connections[i], now_ms));
	if (db->watchdog != NULL)
		db_wake(db, db_connection_tick(db->watchdog, now_ms));
	db_fail_faulty(db);
	db_wake(db, expire_waiting(db, now_ms));
	db_wake(db, look_for_slow(db, now_ms));
	tell_room(db);
}
