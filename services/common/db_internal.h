/* db_internal - what the files of db share; for db*.c alone. */
#ifndef TURUNC_DB_INTERNAL_H
#define TURUNC_DB_INTERNAL_H

#include <libpq-fe.h>
#include <sys/queue.h>

#include "db.h"
#include "db_batch.h"

/* --- db_unit.c --- */

struct db_param {
	const char *data; /* NULL: null, or an array */
	size_t len;
	struct db_array *array;
};

struct db_call {
	size_t statement;
	size_t first_param;
	size_t param_count;
};

/* A unit is filled by db_unit.c, then owned by db.c, then by the connection that sent it. */
struct db_unit {
	TAILQ_ENTRY(db_unit) link;
	const struct db_statement *statements;
	size_t statement_count;
	size_t bytes_max;

	struct db_call *calls;
	size_t call_count, call_room;
	struct db_param *params;
	size_t param_count, param_room;
	struct db_chunk *chunks;
	struct db_array *arrays;
	size_t bytes;
	const char *fault_sqlstate; /* why it cannot be sent; NULL: it can */
	char fault[200];

	db_done_fn *done;
	void *arg;
	int64_t submitted_us;
	uint64_t since_ms; /* waiting: since submitted; sent: since sent */

	PGresult **results; /* call_count of them */
	size_t got;
	PGresult *error; /* the first error there was */
	size_t failed_at;
	bool warned; /* a warning that may have been the commit's */
};
TAILQ_HEAD(db_units, db_unit);

struct db_unit *db_unit_make(
    const struct db_statement *statements, size_t statement_count, size_t bytes_max);
/* Closes the arrays and checks the last statement; false: the unit has a fault. */
bool db_unit_seal(struct db_unit *unit);
/* Hands the statements to libpq; false: the connection is no good any more. */
bool db_unit_send(struct db_unit *unit, PGconn *pg);

/* --- db_address.c: where the servers are --- */

struct db_address;
struct db_address *db_address_open(
    const struct db_settings *settings, char *complaint, size_t complaint_size);
void db_address_close(struct db_address *a);
size_t db_address_count(const struct db_address *a);
/* Begins to connect to target (index, taken modulo the count).  NULL: no memory. */
PGconn *db_address_connect(const struct db_address *a, size_t target);

/* --- db_connection.c: one connection, from attempt to loss --- */

struct db_connection;

/* What a connection tells its db.  Never called from within connection_send(). */
struct db_connection_owner {
	void (*on_ready)(void *arg, struct db_connection *c);
	/* The unit is the owner's again; to be finished. */
	void (*on_finished)(void *arg, struct db_unit *unit, enum db_outcome outcome);
	/* was_ready: it was; else an attempt has failed. */
	void (*on_lost)(void *arg, const char *why, bool was_ready);
	/* Something is due at at_ms. */
	void (*wake)(void *arg, uint64_t at_ms);
	void *arg;
};

struct db_connection_settings {
	struct event_base *loop;
	const struct db_address *address;
	const struct db_statement *statements;
	size_t statement_count;
	unsigned in_flight;
	uint64_t connect_ms;
	uint64_t unit_ms;
};

/* settings and owner are lent.  NULL: no memory. */
struct db_connection *db_connection_create(
    const struct db_connection_settings *settings, const struct db_connection_owner *owner);
/* Cuts it and gives back its units; the owner gets on_finished() for them.  Takes NULL. */
void db_connection_destroy(struct db_connection *c);
/* Does what is due; returns when to come again (monotonic), UINT64_MAX: not by itself. */
uint64_t db_connection_tick(struct db_connection *c, uint64_t now_ms);
bool db_connection_ready(const struct db_connection *c);
size_t db_connection_in_flight(const struct db_connection *c);
bool db_connection_has_room(const struct db_connection *c);
/* Takes the unit; asserts there is room. */
void db_connection_send(struct db_connection *c, struct db_unit *unit);
/* How long the oldest unit has been on its way, 0: none. */
uint64_t db_connection_age_ms(const struct db_connection *c, uint64_t now_ms);

/* --- db.c, for db_batch.c --- */

struct db_batch_link {
	TAILQ_ENTRY(db_batch_link) link;
	/* The db closes: settle what is left. */
	void (*abandon)(struct db_batch_link *self);
};
/* False: too many batches, or draining. */
bool db_batch_enter(struct db *db, struct db_batch_link *batch);
void db_batch_leave(struct db *db, struct db_batch_link *batch);
/* As db_submit(), but neither the bound nor draining refuses. */
void db_submit_again(struct db *db, struct db_unit *unit, db_done_fn *done, void *arg);
bool db_closing(const struct db *db);
struct event_base *db_loop(const struct db *db);

#endif
