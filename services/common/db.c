/* Opens and closes the pool of connections, and answers for it. */
#include "db.h"

#include <assert.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_pool.h"
#include "stats.h"

static const char *const outcomes[] = { [DB_COMMITTED] = "committed",
	[DB_FAILED] = "failed",
	[DB_UNKNOWN] = "unknown",
	[DB_NOT_SENT] = "not_sent",
	NULL };

static const struct stat_row table[] = {
	[DB_STAT_UNITS] = { .name = "turunc_db_units_total",
	    .type = STAT_COUNTER,
	    .label = "outcome",
	    .label_values = outcomes,
	    .help = "Transactions by outcome" },
	[DB_STAT_SECONDS] = { .name = "turunc_db_unit_seconds",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us,
	    .help = "Time from submitting a transaction to its outcome" },
	[DB_STAT_REFUSED] = { .name = "turunc_db_refused_total",
	    .type = STAT_COUNTER,
	    .help = "Transactions refused because too many were waiting" },
	[DB_STAT_WAITING] = { .name = "turunc_db_waiting",
	    .type = STAT_GAUGE,
	    .help = "Transactions waiting for a connection" },
	[DB_STAT_IN_FLIGHT] = { .name = "turunc_db_in_flight",
	    .type = STAT_GAUGE,
	    .help = "Transactions sent and not yet answered" },
	[DB_STAT_READY] = { .name = "turunc_db_connections_ready",
	    .type = STAT_GAUGE,
	    .help = "Connections that can take a transaction" },
	[DB_STAT_CONNECTED] = { .name = "turunc_db_connected_total",
	    .type = STAT_COUNTER,
	    .help = "Connections made" },
	[DB_STAT_FAILURES] = { .name = "turunc_db_connect_failures_total",
	    .type = STAT_COUNTER,
	    .help = "Attempts to connect that failed" },
	[DB_STAT_LOST] = { .name = "turunc_db_connections_lost_total",
	    .type = STAT_COUNTER,
	    .help = "Connections lost after they were ready" },
	[DB_STAT_SLOW] = { .name = "turunc_db_slow_total",
	    .type = STAT_COUNTER,
	    .help = "Seconds in which a transaction was slow" },
	[DB_STAT_RELEASED] = { .name = "turunc_db_released_total",
	    .type = STAT_COUNTER,
	    .help = "Holders of the log's lock ended by the watchdog" },
};

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
	s->watchdog_ms = s->watchdog_ms == 0 ? 600 : s->watchdog_ms;
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
	db->owner = db_worker_owner;
	db->watchdog_owner = db_watchdog_owner;
	db->owner.arg = db->watchdog_owner.arg = db;
	db->timer_at_ms = UINT64_MAX;
	TAILQ_INIT(&db->waiting);
	TAILQ_INIT(&db->faulty);
	TAILQ_INIT(&db->batches);
	take_settings(db, settings);

	if ((db->stats = stats_create(table, ARRAY_LEN(table))) == NULL
	    || (db->timer = evtimer_new(loop, db_on_timer, db)) == NULL
	    || (db->address = db_address_open(loop, settings, complaint, complaint_size)) == NULL
	    || !make_connections(db) || !make_watchdog(db, settings->watchdog_sql)) {
		db_close(db);
		return NULL;
	}
	db_wake(db, clock_monotonic_ms());
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
	db_fail_faulty(db);
	while ((unit = TAILQ_FIRST(&db->waiting)) != NULL) {
		TAILQ_REMOVE(&db->waiting, unit, link);
		db->waiting_count--;
		db_finish(db, unit, DB_NOT_SENT);
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
		stats_incr(db->stats, DB_STAT_REFUSED);
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
