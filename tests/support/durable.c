/* Derives the statements that write and compares them with the list. */
#include "durable.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "failpoint.h"
#include "servers.h"

#define ROW(of_program, of_name) { of_program, of_name },
static const struct {
	const char *program, *name;
} list[] = { FAILPOINT_STATEMENTS(ROW) };
#undef ROW

/* Row locks do not make anything durable.  Functions of all schemas count; what is written inside
 * quotes does not. */
static const char writes_sql[] =
    "SELECT s.text ~* '\\m(insert +into|update +(only +)?[a-z]|delete +from|merge "
    "+into|truncate)\\M'"
    " OR s.text ~* '\\mupdate +(only +)?turunc\\.'"
    " OR EXISTS (SELECT FROM pg_proc p WHERE p.provolatile = 'v' AND p.prokind IN ('f', 'p')"
    " AND s.text ~ ('\\m' || p.proname || ' *\\('))"
    " FROM (SELECT regexp_replace($1::text, '''[^'']*''', '', 'g') AS text) s";

static bool
writes(PGconn *pg, const char *sql)
{
	const char *values[] = { sql };
	PGresult *told = PQexecParams(pg, writes_sql, 1, NULL, values, NULL, NULL, 0);

	CHECK_STR(sql, PQresultErrorMessage(told), "");
	bool yes = PQntuples(told) == 1 && strcmp(PQgetvalue(told, 0, 0), "t") == 0;
	PQclear(told);
	return yes;
}

static bool
listed(const char *program, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (strcmp(list[i].program, program) == 0 && strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

/* "" when the list says of it what is so. */
static const char *
complaint(PGconn *pg, const char *program, const struct db_statement *s)
{
	bool does = writes(pg, s->sql), is_listed = listed(program, s->name);

	if (does && !is_listed)
		return "writes: add it to FAILPOINT_STATEMENTS (services/common/failpoint.h)";
	if (!does && is_listed)
		return "only reads, but is in FAILPOINT_STATEMENTS";
	return "";
}

static bool
in_tables(const char *name, const struct durable_table *tables)
{
	for (; tables->count > 0; tables++)
		for (size_t i = 0; i < tables->count; i++)
			if (strcmp(tables->statements[i].name, name) == 0)
				return true;
	return false;
}

/* The first listed statement that there is not; NULL: none. */
static const char *
first_without_statement(const char *program, const struct durable_table *tables)
{
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		if (strcmp(list[i].program, program) == 0 && !in_tables(list[i].name, tables))
			return list[i].name;
	return NULL;
}

/* What must be found is shown to it once. */
static void
check_seeded(PGconn *pg, const char *program, const struct durable_table *tables)
{
	static const char *const bad[] = { "INSERT INTO turunc.contact DEFAULT VALUES",
		"WITH u AS (UPDATE turunc.ticket SET public = true RETURNING 1) SELECT * FROM u",
		"DELETE FROM turunc.ticket WHERE ticket_id = $1",
		"SELECT turunc.lease_numbers(1, 1, 1)", "SELECT nextval('s')" };
	static const char *const good[] = { "SELECT 1 FROM turunc.ticket FOR UPDATE",
		"SELECT turunc.last_common_seq($1::uuid), updated_us FROM turunc.ticket_state",
		"SELECT 'delete from'::text" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_FALSE(
		    bad[i], complaint(pg, program, &(struct db_statement){ "seeded", bad[i], 0 })[0]
				== '\0');
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CHECK_STR(good[i],
		    complaint(pg, program, &(struct db_statement){ "seeded", good[i], 0 }), "");
		for (size_t j = 0; j < ARRAY_LEN(list); j++)
			if (strcmp(list[j].program, program) == 0)
				CHECK_FALSE(list[j].name,
				    complaint(pg, program,
					&(struct db_statement){ list[j].name, good[i], 0 })[0]
					== '\0');
	}
	static const struct durable_table none[] = { { NULL, 0 } };
	CHECK(first_without_statement(program, none) != NULL);
	CHECK(tables->count > 0);
}

void
durable_check(const char *program, const struct durable_table *tables)
{
	const char *conninfo = server_postgres_start("");

	server_postgres_migrate();
	PGconn *pg = PQconnectdb(conninfo);
	if (!CHECK(PQstatus(pg) == CONNECTION_OK))
		return;
	for (const struct durable_table *t = tables; t->count > 0; t++)
		for (size_t i = 0; i < t->count; i++)
			CHECK_STR(
			    t->statements[i].name, complaint(pg, program, &t->statements[i]), "");
	CHECK_STR("listed without a statement", first_without_statement(program, tables), NULL);
	check_seeded(pg, program, tables);
	PQfinish(pg);
}
