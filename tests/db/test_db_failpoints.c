/* Every unit reaches the points of its statements by itself, on both sides. */
#include <stdio.h>
#include <stdlib.h>

#include "db_fixture.h"
#include "servers.h"

/* Names of the router's list, so that this program plays the router. */
enum { PUT, GET };
static const struct db_statement statements[] = {
	[PUT] = { "append", "INSERT INTO kept VALUES ($1::bigint)", 1 },
	[GET] = { "records", "SELECT count(*) FROM kept WHERE n = $1::bigint", 1 },
};
static const struct db_settings settings = { .connections = 1 };

static struct db *
open_db(void)
{
	static char name[] = "turunc-router";
	static struct db_settings with;

	program_invocation_short_name = name;
	setenv("TURUNC_FAILPOINTS", check_directory(), 1);
	with = settings;
	with.conninfo = fixture_conninfo(
	    server_postgres_start(""), "create table kept (n bigint primary key)");
	return fixture_open(&with, statements, ARRAY_LEN(statements), NULL);
}

static void
arm(const char *line)
{
	FILE *file = fopen(check_path("router"), "w");

	if (!CHECK(file != NULL))
		return;
	fputs(line, file);
	fclose(file);
}

static struct fate
put(struct db *db, size_t statement, int64_t n)
{
	struct fate fate = { 0 };

	CHECK(fixture_submit_int8(db, statement, n, &fate));
	CHECK(!fate.over); /* never from within the call */
	FIXTURE_WITHIN(5000, fate.over);
	return fate;
}

TEST_WITHIN(test_a_unit_fails_before_it_is_sent, 120)
{
	struct db *db = open_db();

	arm("append.before error 1 a");
	struct fate fate = put(db, PUT, 1);
	CHECK(fate.outcome == DB_FAILED && fate.times == 1);
	CHECK_STR("as a disk would", fate.sqlstate, "58030");
	CHECK(db_fault_of(fate.sqlstate) == DB_FAULT_PASSING);
	CHECK_I64("not stored", put(db, GET, 1).value, 0);
	CHECK(put(db, PUT, 1).outcome == DB_COMMITTED);
	db_close(db);
}

TEST_WITHIN(test_a_unit_is_of_unknown_outcome_after_it_was_committed, 120)
{
	struct db *db = open_db();

	arm("append.after error 1 a");
	struct fate fate = put(db, PUT, 1);
	CHECK(fate.outcome == DB_UNKNOWN && fate.times == 1);
	CHECK_I64("stored", put(db, GET, 1).value, 1);
	arm("append.after error 1 b");
	CHECK(put(db, PUT, 1).outcome == DB_FAILED); /* what failed by itself has no after */
	CHECK(put(db, PUT, 2).outcome == DB_UNKNOWN);
	db_close(db);
}

TEST_WITHIN(test_a_unit_that_was_named_is_that_step_as_well, 120)
{
	struct db *db = open_db();
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	arm("sweep.after error 1 a");
	CHECK(put(db, PUT, 1).outcome == DB_COMMITTED);
	db_unit_step(unit, FAILPOINT_ROUTER_SWEEP);
	db_unit_add(unit, PUT);
	db_add_int8(unit, 2);
	CHECK(db_submit(db, unit, fixture_done, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	CHECK(fate.outcome == DB_UNKNOWN);
	db_close(db);
}
