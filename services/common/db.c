/* The pool: which unit goes to which connection, what waits, what is slow, and who is told. */
#include "db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_internal.h"
#include "log.h"
#include "stats.h"

enum { CONNECTIONS_MAX = 32, SLOW_REPEAT_MS = 1000 };

struct db {
	struct event_base *loop;
	struct db_settings settings;
	const struct db_statement *statements;
	size_t statement_count;
	struct db_events events;
	struct stats *stats;
	struct db_address *address;

	struct db_connection_owner owner;
	struct db_connection *connections[CONNECTIONS_MAX];
	size_t connection_count;
	struct db_connection_owner watchdog_owner;
	struct db_connection *watchdog; /* NULL: none wanted */
	struct db_statement watchdog_statement;

	struct db_units waiting; /* oldest first */
	struct db_units faulty; /* could not be built: they fail at the next tick */
	size_t waiting_count, faulty_count, sent_count;
	size_t ready_count;
	TAILQ_HEAD(, db_batch_link) batches;
	size_t batch_count;

	struct event *timer;
	uint64_t timer_at_ms; /* UINT64_MAX: not set */
	uint64_t slow_said_ms;
	enum db_state state;
	bool state_told;
	bool draining, closing;
	char last_error[300];
};

enum {
	STAT_UNITS,
	STAT_SECONDS,
	STAT_REFUSED,
	STAT_WAITING,
	STAT_IN_FLIGHT,
	STAT_READY,
	STAT_CONNECTED,
	STAT_FAILURES,
	STAT_LOST,
	STAT_SLOW,
	STAT_RELEASED,
};

static const char *const outcomes[] = { [DB_COMMITTED] = "committed",
	[DB_FAILED] = "failed",
	[DB_UNKNOWN] = "unknown",
	[DB_NOT_SENT] = "not_sent",
	NULL };

static const struct stat_row table[] = {
	[STAT_UNITS] = { .name = "turunc_db_units_total",
	    .type = STAT_COUNTER,
	    .label = "outcome",
	    .label_values = outcomes,
	    .help = "Transactions by outcome" },
	[STAT_SECONDS] = { .name = "turunc_db_unit_seconds",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us,
	    .help = "Time from submitting a transaction to its outcome" },
	[STAT_REFUSED] = { .name = "turunc_db_refused_total",
	    .type = STAT_COUNTER,
	    .help = "Transactions refused because too many were waiting" },
	[STAT_WAITING] = { .name = "turunc_db_waiting",
	    .type = STAT_GAUGE,
	    .help = "Transactions waiting for a connection" },
	[STAT_IN_FLIGHT] = { .name = "turunc_db_in_flight",
	    .type = STAT_GAUGE,
	    .help = "Transactions sent and not yet answered" },
	[STAT_READY] = { .name = "turunc_db_connections_ready",
	    .type = STAT_GAUGE,
	    .help = "Connections that can take a transaction" },
	[STAT_CONNECTED] = { .name = "turunc_db_connected_total",
	    .type = STAT_COUNTER,
	    .help = "Connections made" },
	[STAT_FAILURES] = { .name = "turunc_db_connect_failures_total",
	    .type = STAT_COUNTER,
	    .help = "Attempts to connect that failed" },
	[STAT_LOST] = { .name = "turunc_db_connections_lost_total",
	    .type = STAT_COUNTER,
	    .help = "Connections lost after they were ready" },
	[STAT_SLOW] = { .name = "turunc_db_slow_total",
	    .type = STAT_COUNTER,
	    .help = "Seconds in which a transaction was slow" },
	[STAT_RELEASED] = { .name = "turunc_db_released_total",
	    .type = STAT_COUNTER,
	    .help = "Holders of the log's lock ended by the watchdog" },
};

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void pump(struct db *db);

/* --- time --- */

static void
wake(void *arg, uint64_t at_ms)
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
	stats_set(db->stats, STAT_WAITING, (int64_t)db->waiting_count);
	stats_set(db->stats, STAT_IN_FLIGHT, (int64_t)db->sent_count);
	stats_set(db->stats, STAT_READY, (int64_t)db->ready_count);
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
static void
finish(struct db *db, struct db_unit *unit, enum db_outcome outcome)
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
	stats_add_at(db->stats, STAT_UNITS, outcome, 1);
	stats_observe(db->stats, STAT_SECONDS, clock_monotonic_us() - unit->submitted_us);
	show_load(db);
	unit->done(unit->arg, &reply);
	db_unit_destroy(unit);
}

/* --- what connections tell --- */

static void
on_ready(void *arg, struct db_connection *c)
{
	struct db *db = arg;

	(void)c;
	db->ready_count++;
	stats_incr(db->stats, STAT_CONNECTED);
	tell_state(db, DB_READY);
	pump(db);
	tell_room(db);
}

static void
on_lost(void *arg, const char *why, bool was_ready)
{
	struct db *db = arg;

	snprintf(db->last_error, sizeof(db->last_error), "%s", why);
	stats_incr(db->stats, was_ready ? STAT_LOST : STAT_FAILURES);
	if (was_ready)
		db->ready_count--;
	show_load(db);
	if (db->ready_count == 0)
		tell_state(db, DB_LOST);
}

static void
on_finished(void *arg, struct db_unit *unit, enum db_outcome outcome)
{
	struct db *db = arg;

	db->sent_count--;
	pump(db);
	tell_room(db);
	finish(db, unit, outcome);
	tell_room(db);
}

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
	wake(db, unit->since_ms + db->settings.slow_ms);
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
		TAILQ_INSERT_TAIL(&db->faulty, unit, link);
		db->faulty_count++;
		wake(db, now_ms);
		return;
	}
	TAILQ_INSERT_TAIL(&db->waiting, unit, link);
	db->waiting_count++;
	pump(db);
	if (db->waiting_count > 0)
		wake(db, TAILQ_FIRST(&db->waiting)->since_ms + db->settings.waiting_ms);
}

bool
db_submit(struct db *db, struct db_unit *unit, db_done_fn *done, void *arg)
{
	if (unit == NULL)
		return false;
	bool full = db->waiting_count + db->faulty_count >= db->settings.waiting_max;
	if (db->draining || (full && !db_has_room(db))) {
		stats_incr(db->stats, STAT_REFUSED);
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
		stats_add(db->stats, STAT_RELEASED, released > 0 ? (uint64_t)released : 0);
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

/* Returns when to look again. */
static uint64_t
look_for_slow(struct db *db, uint64_t now_ms)
{
	uint64_t oldest_ms = 0;

	for (size_t i = 0; i < db->connection_count; i++) {
		uint64_t age_ms = db_connection_age_ms(db->connections[i], now_ms);
		if (age_ms > oldest_ms)
			oldest_ms = age_ms;
	}
	if (oldest_ms < db->settings.slow_ms)
		return db->sent_count == 0 ? UINT64_MAX : now_ms + db->settings.slow_ms - oldest_ms;
	if (now_ms < db->slow_said_ms + SLOW_REPEAT_MS)
		return db->slow_said_ms + SLOW_REPEAT_MS;

	db->slow_said_ms = now_ms;
	stats_incr(db->stats, STAT_SLOW);
	run_watchdog(db);
	if (db->events.on_slow != NULL)
		db->events.on_slow(db->events.arg, oldest_ms);
	return now_ms + SLOW_REPEAT_MS;
}

static void
fail_faulty(struct db *db)
{
	/* Only those that are here now: a callback may add others. */
	for (size_t n = db->faulty_count; n > 0; n--) {
		struct db_unit *unit = TAILQ_FIRST(&db->faulty);
		TAILQ_REMOVE(&db->faulty, unit, link);
		db->faulty_count--;
		unit->failed_at = unit->call_count > 0 ? unit->call_count - 1 : 0;
		finish(db, unit, DB_FAILED);
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
		finish(db, unit, DB_NOT_SENT);
	}
	return unit == NULL ? UINT64_MAX : unit->since_ms + db->settings.waiting_ms;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct db *db = arg;
	uint64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)what;
	db->timer_at_ms = UINT64_MAX;
	for (size_t i = 0; i < db->connection_count; i++)
		wake(db, db_connection_tick(db->connections[i], now_ms));
	if (db->watchdog != NULL)
		wake(db, db_connection_tick(db->watchdog, now_ms));
	fail_faulty(db);
	wake(db, expire_waiting(db, now_ms));
	wake(db, look_for_slow(db, now_ms));
	tell_room(db);
}

/* --- life --- */

static void
take_settings(struct db *db, const struct db_settings *given)
{
	struct db_settings *s = &db->settings;

	*s = *given;
	s->connections = s->connections == 0 ? 1 : s->connections;
	if (s->connections > CONNECTIONS_MAX)
		s->connections = CONNECTIONS_MAX;
	s->in_flight = s->in_flight == 0 ? 2 : s->in_flight;
	s->waiting_max = s->waiting_max == 0 ? 64 : s->waiting_max;
	s->waiting_ms = s->waiting_ms == 0 ? 5000 : s->waiting_ms;
	s->connect_ms = s->connect_ms == 0 ? 5000 : s->connect_ms;
	s->unit_ms = s->unit_ms == 0 ? 30000 : s->unit_ms;
	s->slow_ms = s->slow_ms == 0 ? 1000 : s->slow_ms;
	s->unit_bytes = s->unit_bytes == 0 ? (size_t)8 * 1024 * 1024 : s->unit_bytes;
	/* These were the caller's strings. */
	s->conninfo = s->password = s->application_name = NULL;
	s->watchdog_sql = NULL;
}

static bool
make_connections(struct db *db)
{
	const struct db_connection_settings settings = {
		.loop = db->loop,
		.address = db->address,
		.statements = db->statements,
		.statement_count = db->statement_count,
		.in_flight = db->settings.in_flight,
		.connect_ms = db->settings.connect_ms,
		.unit_ms = db->settings.unit_ms,
	};

	for (size_t i = 0; i < db->settings.connections; i++) {
		struct db_connection *c = db_connection_create(&settings, &db->owner);
		if (c == NULL)
			return false;
		db->connections[db->connection_count++] = c;
	}
	return true;
}

static bool
make_watchdog(struct db *db, const char *sql)
{
	const struct db_connection_settings settings = {
		.loop = db->loop,
		.address = db->address,
		.statements = &db->watchdog_statement,
		.statement_count = 1,
		.in_flight = 1,
		.connect_ms = db->settings.connect_ms,
		.unit_ms = db->settings.unit_ms,
	};

	if (sql == NULL)
		return true;
	db->watchdog_statement = (struct db_statement){ .name = "watchdog", .sql = strdup(sql) };
	if (db->watchdog_statement.sql == NULL)
		return false;
	db->watchdog = db_connection_create(&settings, &db->watchdog_owner);
	return db->watchdog != NULL;
}

struct db *
db_open(struct event_base *loop, const struct db_settings *settings,
    const struct db_statement *statements, size_t statement_count, const struct db_events *events,
    char *complaint, size_t complaint_size)
{
	struct db *db = calloc(1, sizeof(*db));

	snprintf(complaint, complaint_size, "out of memory");
	if (db == NULL)
		return NULL;
	db->loop = loop;
	db->statements = statements;
	db->statement_count = statement_count;
	db->events = events != NULL ? *events : (struct db_events){ 0 };
	db->owner = (struct db_connection_owner){ on_ready, on_finished, on_lost, wake, db };
	db->watchdog_owner = (struct db_connection_owner){ on_watchdog_ready, on_released,
		on_watchdog_lost, wake, db };
	db->timer_at_ms = UINT64_MAX;
	TAILQ_INIT(&db->waiting);
	TAILQ_INIT(&db->faulty);
	TAILQ_INIT(&db->batches);
	take_settings(db, settings);

	if ((db->stats = stats_create(table, ARRAY_LEN(table))) == NULL
	    || (db->timer = evtimer_new(loop, on_timer, db)) == NULL
	    || (db->address = db_address_open(settings, complaint, complaint_size)) == NULL
	    || !make_connections(db) || !make_watchdog(db, settings->watchdog_sql)) {
		db_close(db);
		return NULL;
	}
	wake(db, clock_monotonic_ms());
	return db;
}

void
db_close(struct db *db)
{
	struct db_unit *unit;

	if (db == NULL)
		return;
	db->draining = db->closing = true;
	for (size_t i = 0; i < db->connection_count; i++)
		db_connection_destroy(db->connections[i]);
	db->connection_count = 0;
	db_connection_destroy(db->watchdog);
	fail_faulty(db);
	while ((unit = TAILQ_FIRST(&db->waiting)) != NULL) {
		TAILQ_REMOVE(&db->waiting, unit, link);
		db->waiting_count--;
		finish(db, unit, DB_NOT_SENT);
	}
	while (!TAILQ_EMPTY(&db->batches))
		TAILQ_FIRST(&db->batches)->abandon(TAILQ_FIRST(&db->batches));
	if (db->timer != NULL)
		event_free(db->timer);
	db_address_close(db->address);
	stats_destroy(db->stats);
	free((void *)(uintptr_t)db->watchdog_statement.sql);
	free(db);
}

void
db_drain(struct db *db)
{
	db->draining = true;
}

bool
db_busy(const struct db *db)
{
	return db->waiting_count + db->faulty_count + db->sent_count + db->batch_count > 0;
}

enum db_state
db_state_now(const struct db *db)
{
	return db->ready_count > 0 ? DB_READY : DB_LOST;
}

const char *
db_last_error(const struct db *db)
{
	return db->last_error;
}

const struct stats *
db_stats(struct db *db)
{
	return db->stats;
}

struct event_base *
db_loop(const struct db *db)
{
	return db->loop;
}

bool
db_closing(const struct db *db)
{
	return db->closing;
}

/* --- batches --- */

bool
db_batch_enter(struct db *db, struct db_batch_link *batch)
{
	size_t allowed = db->settings.waiting_max
			 + (size_t)db->settings.connections * db->settings.in_flight;

	bool full = db->waiting_count + db->faulty_count >= db->settings.waiting_max;
	if (db->draining || full || db->batch_count >= allowed) {
		stats_incr(db->stats, STAT_REFUSED);
		return false;
	}
	TAILQ_INSERT_TAIL(&db->batches, batch, link);
	db->batch_count++;
	return true;
}

void
db_batch_leave(struct db *db, struct db_batch_link *batch)
{
	TAILQ_REMOVE(&db->batches, batch, link);
	db->batch_count--;
}
