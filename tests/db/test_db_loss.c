/* Connections are lost in every way, outcomes stay true, and the db comes back by itself. */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "db_fixture.h"
#include "db_internal.h"
#include "servers.h"
#include "stats.h"

enum { INSERT, COUNT, SLEEP, SLOW_COMMIT, BACKEND, LOCK, FORGET };

static const struct db_statement statements[] = {
	[INSERT] = { "insert", "insert into item (id) values ($1)", 1 },
	[COUNT] = { "count", "select count(*) from item", 0 },
	[SLEEP] = { "sleep", "select 1 from pg_sleep($1::bigint / 1000.0)", 1 },
	[SLOW_COMMIT] = { "slow_commit", "insert into slow (id) values ($1)", 1 },
	[BACKEND] = { "backend", "select pg_backend_pid()", 0 },
	[LOCK] = { "lock", "select 1 from (select pg_advisory_xact_lock($1)) l", 1 },
	[FORGET] = { "forget", "deallocate all", 0 },
};

/* slow sleeps while it commits: the deferred trigger runs when the Sync has arrived. */
static const char setup[] = "create table item (id bigint primary key);"
			    " create table slow (id bigint);"
			    " create function dawdle() returns trigger language plpgsql as"
			    "  $$begin perform pg_sleep(30); return null; end$$;"
			    " create constraint trigger dawdle after insert on slow"
			    "  deferrable initially deferred for each row"
			    "  execute function dawdle();";

struct states {
	unsigned ready, lost, slow, room;
	uint64_t age_ms;
	char why[300];
};

static void
on_state(void *arg, enum db_state state, const char *why)
{
	struct states *s = arg;

	s->ready += state == DB_READY;
	s->lost += state == DB_LOST;
	snprintf(s->why, sizeof(s->why), "%s", why == NULL ? "" : why);
}

static void
on_slow(void *arg, uint64_t age_ms)
{
	struct states *s = arg;

	s->slow++;
	s->age_ms = age_ms;
}

static void
on_room(void *arg)
{
	struct states *s = arg;

	s->room++;
}

static struct db *
open_on(const char *conninfo, const struct db_settings *wanted, struct states *states)
{
	struct db_settings settings = *wanted;

	settings.conninfo = conninfo;
	return fixture_open(&settings, statements, ARRAY_LEN(statements),
	    &(struct db_events){
		.on_state = on_state, .on_slow = on_slow, .on_room = on_room, .arg = states });
}

static struct db *
open_db(const struct db_settings *wanted, struct states *states)
{
	return open_on(fixture_conninfo(server_database(), setup), wanted, states);
}

static int64_t
ask(struct db *db, size_t statement)
{
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, statement);
	if (!CHECK(db_submit(db, unit, fixture_done, &fate)) || !FIXTURE_WITHIN(5000, fate.over))
		return -1;
	CHECK_U64("", fate.outcome, DB_COMMITTED);
	return fate.value;
}

static void
terminate(int64_t backend)
{
	char sql[80];

	snprintf(sql, sizeof(sql), "select pg_terminate_backend(%lld)", (long long)backend);
	CHECK_STR("", server_sql(server_database(), sql), "t");
}

/* Waits until the backend is where the test wants it, seen from outside. */
static bool
backend_waits_for(int64_t backend, const char *event)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
	    "select count(*) from pg_stat_activity where pid = %lld and wait_event = '%s'",
	    (long long)backend, event);
	return strcmp(server_sql(server_database(), sql), "1") == 0;
}

/* In a statement the server says that it ends the session: nothing of the unit stays, which is
 * certain.  What came behind it was sent and never answered. */
TEST(terminated_in_a_statement)
{
	struct states states = { 0 };
	struct db *db = open_db(&(struct db_settings){ .in_flight = 2 }, &states);
	struct fate first = { 0 }, behind = { 0 }, after = { 0 };
	int64_t backend = ask(db, BACKEND);

	struct db_unit *unit = db_unit_create(db);
	db_unit_add(unit, INSERT);
	db_add_int8(unit, 1);
	db_unit_add(unit, SLEEP);
	db_add_int8(unit, 60000);
	CHECK(db_submit(db, unit, fixture_done, &first));
	CHECK(fixture_submit_int8(db, INSERT, 2, &behind));
	FIXTURE_WITHIN(5000, backend_waits_for(backend, "PgSleep"));
	terminate(backend);
	FIXTURE_WITHIN(5000, first.over && behind.over);
	CHECK_U64("", first.outcome, DB_FAILED);
	CHECK_STR("", first.sqlstate, "57P01");
	CHECK_U64("", behind.outcome, DB_UNKNOWN);

	FIXTURE_WITHIN(5000, states.ready == 2);
	CHECK_U64("", states.lost, 1);
	CHECK_TRUE("prepared anew", ask(db, BACKEND) != backend);
	CHECK(fixture_submit_int8(db, INSERT, 3, &after));
	FIXTURE_WITHIN(5000, after.over);
	CHECK_I64("", ask(db, COUNT), 1);
	db_close(db);
}

/* While it commits nobody can say, not even when the server says goodbye. */
TEST(terminated_while_committing)
{
	struct states states = { 0 };
	struct db *db = open_db(&(struct db_settings){ 0 }, &states);
	struct fate fate = { 0 };
	int64_t backend = ask(db, BACKEND);

	CHECK(fixture_submit_int8(db, SLOW_COMMIT, 1, &fate));
	FIXTURE_WITHIN(5000, backend_waits_for(backend, "PgSleep"));
	terminate(backend);
	FIXTURE_WITHIN(5000, fate.over);
	CHECK_U64("", fate.outcome, DB_UNKNOWN);
	CHECK_U64("", fate.times, 1);
	FIXTURE_WITHIN(5000, states.ready == 2);
	db_close(db);
}

TEST_WITHIN(server_killed_and_started_again, 120)
{
	struct states states = { 0 };
	const char *conninfo = fixture_conninfo(server_postgres_start(""), setup);
	struct db *db = open_on(
	    conninfo, &(struct db_settings){ .in_flight = 1, .connections = 2 }, &states);
	struct fate sent = { 0 }, stored = { 0 }, waiting = { 0 };

	CHECK(fixture_submit_int8(db, INSERT, 1, &stored));
	FIXTURE_WITHIN(5000, stored.over && stats_get(db_stats(db), 5, 0) == 2);
	CHECK(fixture_submit_int8(db, SLEEP, 60000, &sent));
	for (int i = 0; i < 5; i++)
		fixture_turn();
	/* The postmaster's end is not yet the backends' end: end them as a power cut would. */
	pid_t postmaster = server_postgres_pid();
	server_sql(conninfo, "select 1");
	CHECK(kill(postmaster, SIGKILL) == 0);
	FIXTURE_WITHIN(20000, states.lost == 1);
	CHECK_U64("", sent.outcome, DB_UNKNOWN);
	CHECK_TRUE("says why", states.why[0] != '\0');
	CHECK_FALSE("", db_has_room(db));
	CHECK(fixture_submit_int8(db, INSERT, 2, &waiting));
	FIXTURE_WITHIN(10000, waiting.over);
	CHECK_U64("waited long enough", waiting.outcome, DB_NOT_SENT);

	server_postgres_start("");
	FIXTURE_WITHIN(30000, states.ready == 2);
	CHECK_I64("", ask(db, COUNT), 1);
	FIXTURE_WITHIN(10000, stats_get(db_stats(db), 5, 0) == 2);
	db_close(db);
}

TEST_WITHIN(server_restarted_in_order, 120)
{
	struct states states = { 0 };
	struct db *db = open_on(fixture_conninfo(server_postgres_start(""), setup),
	    &(struct db_settings){ .waiting_ms = 60000 }, &states);
	struct fate waiting = { 0 };

	server_postgres_stop();
	FIXTURE_WITHIN(10000, states.lost == 1);
	CHECK(fixture_submit_int8(db, INSERT, 7, &waiting));
	server_postgres_start("");
	FIXTURE_WITHIN(30000, waiting.over);
	CHECK_U64("what waited leaves at once", waiting.outcome, DB_COMMITTED);
	db_close(db);
}

/* A stalled server answers nothing and closes nothing. */
TEST(stalled_backend_is_cut)
{
	struct states states = { 0 };
	struct db *db = open_db(&(struct db_settings){ .unit_ms = 700 }, &states);
	struct fate fate = { 0 };

	CHECK(fixture_submit_int8(db, SLEEP, 5000, &fate));
	FIXTURE_WITHIN(4000, fate.over);
	CHECK_U64("", fate.outcome, DB_UNKNOWN);
	CHECK_STR("", fate.message, "no answer after 700 ms");
	FIXTURE_WITHIN(5000, states.ready == 2);
	db_close(db);
}

/* --- hosts --- */

TEST(hosts_are_tried_in_turn)
{
	struct states states = { 0 };
	char conninfo[1024], port[16] = "", password[64] = "";

	server_postgres_start("--tcp");
	const char *tcp = server_postgres_tcp();
	sscanf(strstr(tcp, "port="), "port=%15s", port);
	sscanf(strstr(tcp, "password="), "password=%63s", password);
	snprintf(conninfo, sizeof(conninfo),
	    "host=/nowhere,localhost,127.0.0.1 port=5432,1,%s user=postgres dbname=turunc "
	    "password=wrong",
	    port);
	struct db_settings settings = { .conninfo = conninfo, .password = password };
	static const struct db_statement one[] = { { "one", "select 1", 0 } };
	struct db *db = fixture_open(
	    &settings, one, 1, &(struct db_events){ .on_state = on_state, .arg = &states });
	CHECK_U64("", states.ready, 1);
	CHECK_TRUE("others failed first", stats_get(db_stats(db), 7, 0) >= 2);
	CHECK_TRUE("the password stays private", strstr(db_last_error(db), password) == NULL);
	db_close(db);
}

/* A name may lead elsewhere by the time it is tried again. */
TEST(names_are_looked_up_again)
{
	char complaint[200];
	const struct db_settings settings = {
		.conninfo = "host=no-such-host.invalid,localhost port=1,2"
	};
	struct db_address *a = db_address_open(
	    fixture_loop(), &settings, complaint, sizeof(complaint));

	if (!CHECK(a != NULL))
		return;
	size_t count = db_address_count(a);
	CHECK(count >= 1);
	for (int i = 0; i < 3; i++) {
		db_address_refresh(a);
		for (int turns = 0; turns < 100; turns++) {
			fixture_turn();
			check_pause();
		}
		CHECK_U64("none is lost, none doubled", db_address_count(a), count);
	}
	for (size_t target = 0; target < 2 * count; target++) {
		PGconn *pg = db_address_connect(a, target);
		CHECK_STR("", PQport(pg), "2");
		PQfinish(pg);
	}
	db_address_refresh(a);
	db_address_close(a);
}

/* Somebody took the prepared statements away: the unit fails for sure, the session is made anew. */
TEST(session_without_its_statements_is_replaced)
{
	struct states states = { 0 };
	struct db *db = open_db(&(struct db_settings){ 0 }, &states);
	struct fate first = { 0 }, second = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, FORGET);
	CHECK(db_submit(db, unit, fixture_done, &first));
	FIXTURE_WITHIN(5000, first.over);
	CHECK(fixture_submit_int8(db, INSERT, 1, &second));
	FIXTURE_WITHIN(5000, second.over);
	CHECK_STR("", second.sqlstate, "26000");
	CHECK_U64("", db_fault_of(second.sqlstate), DB_FAULT_PASSING);
	FIXTURE_WITHIN(5000, states.ready == 2);
	CHECK_I64("", ask(db, COUNT), 0);
	db_close(db);
}

TEST(server_that_takes_no_writes_is_passed_over)
{
	struct states states = { 0 };
	char complaint[200];
	const char *own = server_postgres_start("default_transaction_read_only=on");
	const struct db_settings settings = { .conninfo = own };
	struct db *db = db_open(fixture_loop(), &settings, statements, 0,
	    &(struct db_events){ .on_state = on_state, .arg = &states }, complaint,
	    sizeof(complaint));

	FIXTURE_WITHIN(5000, states.lost == 1);
	CHECK_TRUE(states.why, strstr(states.why, "read-only") != NULL);
	CHECK_U64("", states.ready, 0);
	db_close(db);
}

TEST(what_cannot_work_is_refused_at_start)
{
	static const struct {
		const char *name, *conninfo;
	} cases[] = {
		{ "not a conninfo", "host" },
		{ "no such option", "hust=x" },
		{ "no such host", "host=no-such-host.invalid" },
	};
	char complaint[300];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		complaint[0] = '\0';
		struct db *db = db_open(fixture_loop(),
		    &(struct db_settings){ .conninfo = cases[i].conninfo }, statements, 0, NULL,
		    complaint, sizeof(complaint));
		CHECK_TRUE(cases[i].name, db == NULL);
		CHECK_TRUE(cases[i].name, complaint[0] != '\0');
	}
}

TEST(statement_that_cannot_be_prepared_is_named)
{
	static const struct db_statement wrong[] = { { "good", "select 1", 0 },
		{ "missing_table", "select * from no_such_table", 0 } };
	struct states states = { 0 };
	char complaint[200];
	struct db_settings settings = { .conninfo = fixture_conninfo(server_database(), setup) };
	struct db *db = db_open(fixture_loop(), &settings, wrong, ARRAY_LEN(wrong),
	    &(struct db_events){ .on_state = on_state, .arg = &states }, complaint,
	    sizeof(complaint));

	FIXTURE_WITHIN(5000, states.lost == 1);
	CHECK_TRUE(states.why, strstr(states.why, "missing_table") != NULL);
	CHECK_TRUE(states.why, strstr(states.why, "no_such_table") != NULL);
	db_close(db);
}

/* A migration may come after the daemon: it is waited for, not died of. */
TEST(missing_table_may_come_later)
{
	static const struct db_statement later[] = { { "later", "select count(*) from later", 0 } };
	struct states states = { 0 };
	char complaint[200], sql[100];
	struct db_settings settings = { .conninfo = fixture_conninfo(server_database(), setup) };
	struct db *db = db_open(fixture_loop(), &settings, later, 1,
	    &(struct db_events){ .on_state = on_state, .arg = &states }, complaint,
	    sizeof(complaint));

	FIXTURE_WITHIN(5000, states.lost == 1);
	snprintf(sql, sizeof(sql), "create table t_%d.later (id bigint)", (int)getpid());
	server_sql(server_database(), sql);
	FIXTURE_WITHIN(10000, states.ready == 1);
	db_close(db);
}

/* --- what is slow --- */

TEST(slow_units_are_reported_once_a_second)
{
	struct states states = { 0 };
	struct db *db = open_db(&(struct db_settings){ .slow_ms = 200 }, &states);
	struct fate fate = { 0 };

	uint64_t began_ms = check_now_ms();
	CHECK(fixture_submit_int8(db, SLEEP, 3700, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	/* After 0.2, 1.2, 2.2 and 3.2 seconds; who stood still may have passed some over, and what
	 * took longer is told more often. */
	unsigned slow = states.slow;
	CHECK_TRUE(
	    "once a second", slow >= 2 && slow <= 1 + (check_now_ms() - began_ms - 200) / 1000);
	CHECK_TRUE("how long so far", states.age_ms >= 1200);
	began_ms = check_now_ms();
	CHECK(ask(db, COUNT) == 0);
	CHECK_TRUE("quick ones are not", states.slow == slow || check_now_ms() - began_ms >= 200);
	db_close(db);
}

/* A client holds the lock and has stopped in the middle of its pipeline: the watchdog ends it. */
TEST(watchdog_frees_the_lock)
{
	struct states states = { 0 };
	struct db *db = open_db(
	    &(struct db_settings){ .watchdog_ms = 200,
		.watchdog_sql =
		    "select count(*) filter (where pg_terminate_backend(l.pid))::integer"
		    " from pg_locks l join pg_stat_activity a on a.pid = l.pid"
		    " where l.locktype = 'advisory' and l.objid = 4711 and l.granted"
		    " and l.database = (select oid from pg_database"
		    "  where datname = current_database()) and a.wait_event = 'ClientRead'" },
	    &states);
	struct fate fate = { 0 };
	PGconn *holder = PQconnectdb(server_database());

	PQclear(PQexec(holder, "begin"));
	PQclear(PQexec(holder, "select pg_advisory_xact_lock(4711)"));
	CHECK(fixture_submit_int8(db, LOCK, 4711, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	CHECK_U64("", fate.outcome, DB_COMMITTED);
	/* One that takes its time to go is seen, and counted, again. */
	FIXTURE_WITHIN(2000, stats_get(db_stats(db), 10, 0) >= 1);
	PQfinish(holder);

	/* The next ones are stuck at once, and not left alone until a second has passed: a busy
	 * machine may take that long once, not each time. */
	bool soon = false;
	for (int look = 0; look < 8 && !soon; look++) {
		int64_t released = stats_get(db_stats(db), 10, 0);
		holder = PQconnectdb(server_database());
		PQclear(PQexec(holder, "begin"));
		PQclear(PQexec(holder, "select pg_advisory_xact_lock(4711)"));
		uint64_t began_ms = check_now_ms();
		fate = (struct fate){ 0 };
		CHECK(fixture_submit_int8(db, LOCK, 4711, &fate));
		FIXTURE_WITHIN(5000, fate.over);
		CHECK_U64("", fate.outcome, DB_COMMITTED);
		soon = check_now_ms() - began_ms < 800;
		FIXTURE_WITHIN(2000, stats_get(db_stats(db), 10, 0) > released);
		PQfinish(holder);
	}
	CHECK_TRUE("before a second", soon);
	db_close(db);
}
