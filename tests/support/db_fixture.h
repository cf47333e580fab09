/*
 * db_fixture - a db under test: its loop, a schema of its own, and what became of each unit.
 *
 * Statements name their tables without a schema; the fixture's search_path leads to a schema that
 * only this test process has.
 */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include <event2/event.h>

#include "check.h"
#include "db.h"

/* The conninfo with the test's schema, made with this SQL. */
const char *fixture_conninfo(const char *server, const char *setup_sql);

struct event_base *fixture_loop(void);
/* One turn of the loop; true, so that it can stand before a condition. */
bool fixture_turn(void);
/* Turns the loop until cond or limit_ms. */
#define FIXTURE_WITHIN(limit_ms, cond) CHECK_WITHIN(limit_ms, fixture_turn() && (cond))

/* Opens and waits until it is ready. */
struct db *fixture_open(const struct db_settings *settings, const struct db_statement *statements,
    size_t count, const struct db_events *events);

/* What became of a unit; the first value of the last result when that is a number. */
struct fate {
	bool over;
	unsigned times;
	enum db_outcome outcome;
	char sqlstate[6];
	char message[200];
	char constraint[64];
	size_t failed_at;
	int64_t value;
	unsigned order; /* the how-manieth end this was */
};
/* A db_done_fn whose arg is a struct fate. */
void fixture_done(void *arg, const struct db_reply *reply);

/* Submits a unit of one statement with one bigint. */
bool fixture_submit_int8(struct db *db, size_t statement, int64_t value, struct fate *fate);

#endif
