/* What every test of db needs before it can begin. */
#include "db_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "servers.h"

const char *
fixture_conninfo(const char *server, const char *setup_sql)
{
	static char conninfo[1024];
	char sql[8192];

	snprintf(sql, sizeof(sql),
	    "set client_min_messages = warning; drop schema if exists t_%d cascade;"
	    " create schema t_%d; set search_path = t_%d; %s",
	    (int)getpid(), (int)getpid(), (int)getpid(), setup_sql);
	server_sql(server, sql);
	snprintf(conninfo, sizeof(conninfo), "%s options='-c search_path=t_%d,public'", server,
	    (int)getpid());
	return conninfo;
}

struct event_base *
fixture_loop(void)
{
	static struct event_base *loop;

	if (loop == NULL)
		loop = event_base_new();
	return loop;
}

bool
fixture_turn(void)
{
	event_base_loop(fixture_loop(), EVLOOP_NONBLOCK);
	return true;
}

struct db *
fixture_open(const struct db_settings *settings, const struct db_statement *statements,
    size_t count, const struct db_events *events)
{
	char complaint[200];
	struct db *db = db_open(
	    fixture_loop(), settings, statements, count, events, complaint, sizeof(complaint));

	if (!CHECK(db != NULL)) {
		printf("%s\n", complaint);
		exit(EXIT_FAILURE);
	}
	if (!FIXTURE_WITHIN(10000, db_state_now(db) == DB_READY)) {
		printf("%s\n", db_last_error(db));
		exit(EXIT_FAILURE);
	}
	return db;
}

void
fixture_done(void *arg, const struct db_reply *reply)
{
	static unsigned ends;
	struct fate *fate = arg;

	fate->over = true;
	fate->times++;
	fate->outcome = reply->outcome;
	snprintf(fate->sqlstate, sizeof(fate->sqlstate), "%s", reply->sqlstate);
	snprintf(fate->message, sizeof(fate->message), "%s", reply->message);
	snprintf(fate->constraint, sizeof(fate->constraint), "%s", reply->constraint);
	fate->failed_at = reply->failed_at;
	fate->order = ++ends;
	if (reply->outcome != DB_COMMITTED || reply->result_count == 0)
		return;
	const struct pg_result *last = reply->results[reply->result_count - 1];
	if (PQntuples(last) > 0 && PQftype(last, 0) >= 20 && PQftype(last, 0) <= 23
	    && !db_is_null(last, 0, 0))
		fate->value = db_get_int(last, 0, 0);
}

bool
fixture_submit_int8(struct db *db, size_t statement, int64_t value, struct fate *fate)
{
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, statement);
	db_add_int8(unit, value);
	bool taken = db_submit(db, unit, fixture_done, fate);
	if (!taken)
		db_unit_destroy(unit);
	return taken;
}
