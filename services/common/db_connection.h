/* db_connection - one connection, from attempt to loss and again; for db*.c alone. */
#ifndef TURUNC_DB_CONNECTION_H
#define TURUNC_DB_CONNECTION_H

#include <event2/event.h>

#include "db_internal.h"

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

/* --- between db_connection.c and db_pipeline.c --- */

enum link_state {
	LINK_IDLE, /* until retry_at_ms, then the next attempt */
	LINK_CONNECTING, /* libpq talks; until deadline_ms */
	LINK_PREPARING, /* the statements are on their way; until deadline_ms */
	LINK_READY,
	LINK_BROKEN, /* reclaimed by the next tick, for it may be in use up the stack */
	LINK_STATES
};

struct db_connection {
	struct db_connection_settings settings;
	const struct db_connection_owner *owner;
	enum link_state state;
	PGconn *pg;
	struct event *readable, *writable;
	struct db_units sent; /* in the order their results come */
	size_t in_flight;
	size_t prepared;
	size_t target; /* the server of the next attempt */
	uint32_t failures;
	uint64_t retry_at_ms, deadline_ms;
	bool was_ready;
	bool stale; /* no more units; made anew when the last one has its answer */
	char why[300];
};

/* The only place that assigns the state. */
void db_connection_enter(struct db_connection *c, enum link_state next);
/* Gives the connection up; the next tick reclaims it.  The first reason given is kept. */
void db_connection_break(struct db_connection *c, const char *why);
/* One line without the newline at its end, cut to size. */
void db_copy_message(char *to, size_t size, const char *from);

/* Puts the preparations of all statements into the pipeline; false: libpq says no. */
bool db_pipeline_prepare(struct db_connection *c);
void db_pipeline_flush(struct db_connection *c);
/* What the socket's events call. */
void db_pipeline_event(evutil_socket_t fd, short what, void *arg);

#endif
