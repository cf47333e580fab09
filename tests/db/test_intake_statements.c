/* Every statement of intake is prepared against an empty, migrated database, as its own role; and
 * what accept_items promises about identities, rows and the log. */
#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "servers.h"
#include "store.h"

/* A connection as turunc_intake, which may do only what it was granted. */
static PGconn *
connect_as_intake(void)
{
	const char *conninfo = server_postgres_start("");

	server_postgres_migrate();
	PGconn *pg = PQconnectdb(conninfo);
	CHECK(PQstatus(pg) == CONNECTION_OK);
	PQclear(PQexec(pg, "SET SESSION AUTHORIZATION turunc_intake"));
	return pg;
}

static void
prepare_all(PGconn *pg, const struct db_statement *statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct db_statement *s = &statements[i];
		PGresult *prepared = PQprepare(pg, s->name, s->sql, 0, NULL);
		CHECK_STR(s->name, PQresultErrorMessage(prepared), "");
		PQclear(prepared);
		PGresult *told = PQdescribePrepared(pg, s->name);
		CHECK_U64(s->name, (uint64_t)PQnparams(told), s->param_count);
		PQclear(told);
	}
}

TEST_WITHIN(test_every_statement_is_prepared, 120)
{
	PGconn *pg = connect_as_intake();

	prepare_all(pg, store_write_statements, STORE_WRITE_STATEMENTS);
	prepare_all(pg, store_read_statements, STORE_READ_STATEMENTS);
	PQfinish(pg);
}

/* Two items under one identity each, the rest without; arrays of the n items of one call. */
static const char accept_sql[] =
    "SELECT string_agg(place || ':' || coalesce(ticket_id::text, '-') || ':' || same, ' ' "
    "ORDER BY place) FROM (SELECT (turunc.accept_items(5, a.client, a.source, a.id, a.digest, "
    "a.item, a.ticket, a.kind, a.channel, a.arrived, a.language, a.empty, a.citizen, a.key, "
    "a.empty, a.empty, a.empty, a.empty, a.empty, a.number, a.number, a.empty, a.empty, a.empty, "
    "a.empty, a.salt, a.opens, a.code, a.code, a.channel, a.opens, a.empty, a.none, a.type, "
    "a.actor, a.salt)).* FROM (SELECT array_agg('app'::text) client, array_agg('http'::text) "
    "source, array_agg(nullif(w[1], '')) id, array_agg(sha256(w[2]::bytea)) digest, "
    "array_agg(gen_random_uuid()) item, array_agg(w[3]::bigint) ticket, array_agg('report'::text) "
    "kind, array_agg(3::smallint) channel, array_agg(5::bigint) arrived, array_agg('tr'::text) "
    "\"language\", array_agg(NULL::text) empty, array_agg(gen_random_uuid()) citizen, "
    "array_agg('tel:' || w[2]) key, array_agg(NULL::float8) number, array_agg('x'::bytea) salt, "
    "array_agg(true) opens, array_agg(''::text) code, array_agg(NULL::bytea) none, "
    "array_agg('ticket.opened'::text) type, array_agg('client:app'::text) actor FROM "
    "(SELECT string_to_array(part, '/') w FROM unnest(string_to_array($1, ' ')) part) p) a) r";

static const struct {
	const char *name;
	const char *items; /* id/content/ticket ... */
	const char *want; /* place:ticket:same, place 0 is the last seq */
} accepts[] = {
	{ "without identity", "/a/260000001 /a/260000002", "0:2:true" },
	{ "new identities", "k1/a/260000003 k2/b/260000004", "0:4:true" },
	{ "a repeat writes nothing", "k1/a/260000005", "0:0:true 1:260000003:true" },
	{ "other content", "k1/z/260000006 /a/260000007", "0:5:true 1:260000003:false" },
	{ "twins in one batch", "k3/a/260000008 k3/a/260000009 k3/b/260000010",
	    "0:6:true 2:260000008:true 3:260000008:false" },
	{ "repeats alone, twice", "k1/a/260000011 k1/a/260000012",
	    "0:0:true 1:260000003:true 2:260000003:true" },
};

TEST_WITHIN(test_accept_items, 120)
{
	PGconn *pg = connect_as_intake();

	for (size_t i = 0; i < ARRAY_LEN(accepts); i++) {
		PGresult *r = PQexecParams(
		    pg, accept_sql, 1, NULL, &accepts[i].items, NULL, NULL, 0);
		CHECK_STR(accepts[i].name, PQresultErrorMessage(r), "");
		if (PQntuples(r) == 1)
			CHECK_STR(accepts[i].name, PQgetvalue(r, 0, 0), accepts[i].want);
		PQclear(r);
	}
	PGresult *r = PQexec(pg, "SELECT (SELECT count(*) FROM turunc.ticket) || ' ' || "
				 "(SELECT count(*) FROM turunc.contact) || ' ' || (SELECT "
				 "count(*) FROM turunc.citizen) || ' ' || (SELECT max(seq) || ' ' "
				 "|| count(*) FROM turunc.event_log) || ' ' || (SELECT count(*) "
				 "FROM turunc.contact c JOIN turunc.citizen z USING (citizen_id))");
	CHECK_STR("rows", PQgetvalue(r, 0, 0), "6 6 2 6 6 6");
	PQclear(r);
	PQfinish(pg);
}

TEST_WITHIN(test_lease_numbers, 120)
{
	PGconn *pg = connect_as_intake();
	static const char *const want[] = { "1", "2049", "4097" };

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		PGresult *r = PQexec(pg, "SELECT turunc.lease_numbers(26, 2048, 1)");
		CHECK_STR("first of the block", PQgetvalue(r, 0, 0), want[i]);
		PQclear(r);
	}
	PGresult *r = PQexec(pg, "SELECT turunc.lease_numbers(27, 10, 1)");
	CHECK_STR("each year its own", PQgetvalue(r, 0, 0), "1");
	PQclear(r);
	PQfinish(pg);
}
