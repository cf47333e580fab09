/* Every statement of the notifier is prepared against an empty, migrated database, as its own
 * role; and what is asked for often reads what lives, not all there ever was. */
#include <libpq-fe.h>
#include <stdlib.h>

#include "check.h"
#include "servers.h"
#include "store.h"

enum { LIVING = 40 };

static void
run(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);

	CHECK_STR(sql, PQresultErrorMessage(result), "");
	PQclear(result);
}

static int64_t
number_of(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	int64_t number = -1;

	if (CHECK_STR(sql, PQresultErrorMessage(result), "") && PQntuples(result) > 0)
		number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return number;
}

#define REMIND_DUE "EXECUTE remind_due(1000, 'a@example.org', 1, 9223372036854775807, '{fen}')"

/* Tickets of years, of which few live; but the plan was made when there were none. */
static void
check_reminders_read_the_living(PGconn *pg)
{
	run(pg, "RESET SESSION AUTHORIZATION");
	run(pg, "SET session_replication_role = replica");
	run(pg, "SET max_parallel_workers_per_gather = 0");
	run(pg,
	    "CREATE TEMPORARY VIEW n AS SELECT n, n > 20000 AS lives, "
	    "1772355600000000 + n * 90000000::bigint AS at_us FROM generate_series(1, 20040) n");
	run(pg, "SET plan_cache_mode = force_generic_plan");
	run(pg, REMIND_DUE);
	run(pg, "INSERT INTO turunc.ticket (ticket_id, contact_id, channel, subject_code, "
		"neighbourhood, legal_basis, public, arrived_us, recorded_us, client) "
		"SELECT n, gen_random_uuid(), 2, 'x', '', 0, true, at_us, at_us, '' FROM n");
	run(pg, "INSERT INTO turunc.ticket_state (ticket_id, status, version, department, "
		"subject_code, priority, ended_us, updated_us, reason_code) "
		"SELECT n, CASE WHEN lives THEN 3 ELSE 12 END, 2, 'fen', 'x', 2, 1, at_us, '' "
		"FROM n");
	run(pg, "INSERT INTO turunc.ticket_clock (ticket_id, clock, basis, calendar, "
		"calendar_version, state, started_us, due_us, promise_ms, elapsed_ms, "
		"running_since_us, next_alarm) SELECT n, c, 0, '', '', "
		"CASE WHEN lives THEN 1 ELSE 3 END, 1, at_us, 0, 0, 0, CASE WHEN lives AND n % 2 "
		"= 0 THEN 2 ELSE 1 END FROM n, generate_series(1, 2) c");
	run(pg, "BEGIN");
	PGresult *due = PQexec(pg, REMIND_DUE);
	CHECK_STR("remind_due", PQresultErrorMessage(due), "");
	CHECK_I64("both clocks of every other one", PQntuples(due), LIVING);
	CHECK_STR("the first due first", PQgetvalue(due, 0, 0), "20002");
	PQclear(due);
	CHECK_TRUE("reads few clocks",
	    number_of(pg, "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables "
			  "WHERE schemaname = 'turunc' AND relname = 'ticket_clock'")
		<= 2 * LIVING);
	CHECK_TRUE("and few tickets",
	    number_of(pg, "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables "
			  "WHERE schemaname = 'turunc' AND relname = 'ticket'")
		<= 2 * LIVING);
	run(pg, "ROLLBACK");
}

TEST_WITHIN(test_every_statement_is_prepared, 120)
{
	const char *conninfo = server_postgres_start("");

	server_postgres_migrate();
	PGconn *pg = PQconnectdb(conninfo);
	CHECK(PQstatus(pg) == CONNECTION_OK);
	PQclear(PQexec(pg, "SET SESSION AUTHORIZATION turunc_notifier"));
	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		const struct db_statement *s = &store_statements[i];
		PGresult *prepared = PQprepare(pg, s->name, s->sql, 0, NULL);
		CHECK_STR(s->name, PQresultErrorMessage(prepared), "");
		PQclear(prepared);
		PGresult *told = PQdescribePrepared(pg, s->name);
		CHECK_U64(s->name, (uint64_t)PQnparams(told), s->param_count);
		PQclear(told);
	}
	check_reminders_read_the_living(pg);
	PQfinish(pg);
}
