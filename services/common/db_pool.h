/* db_pool - the db itself; for db.c and db_queue.c alone. */
#ifndef TURUNC_DB_POOL_H
#define TURUNC_DB_POOL_H

#include "db_connection.h"

enum { CONNECTIONS_MAX = 32 };

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
	uint64_t slow_said_ms, watched_ms;
	enum db_state state;
	bool state_told;
	bool draining, closing;
	char last_error[300];
};

enum db_stat {
	DB_STAT_UNITS,
	DB_STAT_SECONDS,
	DB_STAT_REFUSED,
	DB_STAT_WAITING,
	DB_STAT_IN_FLIGHT,
	DB_STAT_READY,
	DB_STAT_CONNECTED,
	DB_STAT_FAILURES,
	DB_STAT_LOST,
	DB_STAT_SLOW,
	DB_STAT_RELEASED,
};

/* What connections of either kind call; arg is to be the db. */
extern const struct db_connection_owner db_worker_owner, db_watchdog_owner;

/* The timer fires at at_ms or earlier. */
void db_wake(void *db, uint64_t at_ms);
void db_on_timer(evutil_socket_t fd, short what, void *db);
/* The end of every unit. */
void db_finish(struct db *db, struct db_unit *unit, enum db_outcome outcome);
/* Ends the units that could not be built. */
void db_fail_faulty(struct db *db);

#endif
