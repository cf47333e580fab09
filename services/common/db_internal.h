/* db_internal - what the files of db share; for db*.c alone. */
#ifndef TURUNC_DB_INTERNAL_H
#define TURUNC_DB_INTERNAL_H

#include <libpq-fe.h>
#include <sys/queue.h>

#include "db.h"
#include "db_batch.h"

/* --- db_unit.c, db_array.c --- */

/* Room for the head, then every element behind its int32 length (-1: null). */
struct db_array {
	struct db_array *next;
	struct db_unit *unit;
	enum db_type type;
	size_t param; /* its number in the statement, from 1 */
	size_t call;
	int32_t count;
	bool has_null;
	char *data;
	size_t used, size;
};

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

	enum failpoint_step step; /* besides those of its statements */
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

/* What the unit remembers against being sent; the first counts.  call and param (from 1) say
 * where; without them it is the last. */
void db_unit_fault_at(
    struct db_unit *unit, const char *sqlstate, const char *what, size_t call, size_t param);
void db_unit_fault(struct db_unit *unit, const char *sqlstate, const char *what);
/* False: that would be too much, now a fault. */
bool db_unit_take_bytes(struct db_unit *unit, size_t len);
/* The next parameter of the last statement, NULL when the unit has a fault. */
struct db_param *db_unit_next_param(struct db_unit *unit);
uint64_t db_float8_wire(double value);

/* Writes the head; false: no memory. */
bool db_array_close(struct db_array *array);
void db_array_destroy(struct db_array *array);

/* Closes the arrays and checks the last statement; false: the unit has a fault. */
bool db_unit_seal(struct db_unit *unit);
/* Hands the statements to libpq; false: the connection is no good any more. */
bool db_unit_send(struct db_unit *unit, PGconn *pg);

/* --- db_address.c: where the servers are --- */

struct db_address;
/* Blocks to look names up. */
struct db_address *db_address_open(struct event_base *loop, const struct db_settings *settings,
    char *complaint, size_t complaint_size);
void db_address_close(struct db_address *a);
/* Looks the names up again, in the background: a server may have come back elsewhere. */
void db_address_refresh(struct db_address *a);
/* Never 0. */
size_t db_address_count(const struct db_address *a);
/* Begins to connect to target (index, taken modulo the count).  NULL: no memory. */
PGconn *db_address_connect(const struct db_address *a, size_t target);

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
