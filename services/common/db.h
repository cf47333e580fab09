/*
 * db - PostgreSQL on the loop: prepared statements, pipelined transactions, a bounded queue.
 *
 * A unit is one transaction: its statements leave in order, followed by one Sync, with no BEGIN;
 * they commit together or not at all.  The caller fills a unit and submits it; done() tells what
 * became of it, exactly once.  Several units may be on their way at once, in order on each
 * connection; a failed one does not touch those behind it, so nothing may be queued that assumes
 * the unit before it succeeded.
 *
 * Natural batching: submit at once while db_has_room(), else collect and submit when on_room()
 * says that something is free.
 *
 * All SQL is one const table, prepared on every connection each time it connects.  Connections are
 * made and made again by themselves, with backoff, trying the hosts of the conninfo in turn.
 * Parameters and results are binary.  One thread; callbacks come from the loop or from the calls
 * that say so; they may submit and create units but not close the db.
 */
#ifndef TURUNC_DB_H
#define TURUNC_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db_result.h"
#include "db_unit.h"

struct db;
struct event_base;
struct pg_result;
struct stats;

/* One row of a daemon's SQL.  Parameters are $1 to $param_count. */
struct db_statement {
	const char *name;
	const char *sql;
	unsigned param_count;
};

enum db_state {
	DB_LOST, /* no connection is ready: nothing can be sent */
	DB_READY, /* at least one is */
};

/* Zero means the standard value in brackets.  Strings are copied. */
struct db_settings {
	const char *conninfo; /* libpq's, several hosts allowed; one is chosen that takes writes */
	const char *password; /* in place of the conninfo's; NULL: none */
	const char *application_name; /* ["turunc"] */
	const char *options; /* more for the server, "-c statement_timeout=2000"; NULL: none */
	unsigned connections; /* [1], without the one for the watchdog */
	unsigned in_flight; /* [2] units on their way per connection */
	unsigned waiting_max; /* [64] units that wait for a free connection */
	uint64_t waiting_ms; /* [5000] after which a waiting unit is DB_NOT_SENT */
	uint64_t connect_ms; /* [5000] for one attempt at one host, statements prepared */
	uint64_t unit_ms; /* [30000] after which a connection that does not answer is cut */
	uint64_t slow_ms; /* [1000] after which on_slow acts, once a second */
	uint64_t watchdog_ms; /* [600] after which the watchdog acts, four times a second: a writer
				 stopped with the log's lock may hold others up for 2 s in all */
	size_t unit_bytes; /* [8 MiB] parameters in one unit */
	/* Runs on a connection of its own while a unit is slow; parameterless; NULL: none.  What
	 * it returns (an integer) counts as released. */
	const char *watchdog_sql;
};

/* Any may be NULL.  why: what the last failure said (lent, no secrets), NULL when ready.  DB_LOST
 * also comes when the first attempts to connect have failed. */
struct db_events {
	void (*on_state)(void *arg, enum db_state state, const char *why);
	/* A unit submitted now would be sent at once.  Comes before the done() of the unit that
	 * made room, so that the next batch is on its way while the answers of the last are
	 * written, and again after it; doing nothing is fine. */
	void (*on_room)(void *arg);
	void (*on_slow)(void *arg, uint64_t age_ms);
	void *arg;
};

/* Resolves the host names (this blocks; it is for start-up; later they are looked up again beside
 * the loop when a server is not found) and begins to connect; never waits for the server.  The
 * statements are lent for the db's life.  NULL: the conninfo is wrong, no host has an address, or
 * no memory; why is then written to complaint. */
MUST_CHECK struct db *db_open(struct event_base *loop, const struct db_settings *settings,
    const struct db_statement *statements, size_t statement_count, const struct db_events *events,
    char *complaint, size_t complaint_size);

/* Cuts the connections.  Units still held get their done() with DB_NOT_SENT or DB_UNKNOWN from
 * inside this call; submitting is refused by then.  Takes NULL. */
void db_close(struct db *db);

/* --- units --- */

enum db_outcome {
	DB_COMMITTED,
	DB_FAILED, /* rolled back for sure; sqlstate and message say why */
	DB_UNKNOWN, /* sent, and never heard of again, or a warning at commit: re-read, never guess
		     */
	DB_NOT_SENT, /* waited too long or the db was closed: nothing happened */
};

/* Lent for the call. */
struct db_reply {
	enum db_outcome outcome;
	const char *sqlstate; /* five characters when DB_FAILED, else "" */
	const char *message; /* one line, "" when there is nothing to say; may quote row data */
	const char *detail; /* PostgreSQL's DETAIL, or "" */
	const char *constraint; /* the constraint that was violated, or "" */
	size_t failed_at; /* when DB_FAILED: index of the statement; result_count: at commit */
	size_t result_count; /* statements of the unit */
	/* One per statement when DB_COMMITTED; else some are NULL. */
	const struct pg_result *const *results;
};
typedef void db_done_fn(void *arg, const struct db_reply *reply);

/* True: the db owns the unit now and will call done.  False: too many are waiting, the db is
 * draining, or unit is NULL; the unit is still yours.  A unit that could not be built (see
 * db_unit.h) is not sent but fails, with the SQLSTATE PostgreSQL would give.  done is never called
 * from here. */
MUST_CHECK bool db_submit(struct db *db, struct db_unit *unit, db_done_fn *done, void *arg);

/* A unit submitted now would be sent at once, without waiting. */
bool db_has_room(const struct db *db);
enum db_state db_state_now(const struct db *db);
/* What the last failure of a connection said (lent, no secrets), "" when there was none. */
const char *db_last_error(const struct db *db);

/* --- draining --- */

/* From now on db_submit() refuses.  Busy until every unit has had its done(). */
void db_drain(struct db *db);
bool db_busy(const struct db *db);

/* --- what went wrong, for those who decide what to do next --- */

enum db_fault {
	DB_FAULT_DATA, /* a row is to blame: smaller batches will find it */
	DB_FAULT_PASSING, /* deadlock, lock timeout, shutdown, no space: the same again later */
	DB_FAULT_OTHER, /* a lost compare-and-set, missing rights or tables: neither helps */
};
enum db_fault db_fault_of(const char *sqlstate);

/* turunc_db_*: units by outcome, time from submit to outcome, waiting, in flight, connections,
 * refusals, losses, slow seconds, releases.  Lent. */
const struct stats *db_stats(struct db *db);

#endif
