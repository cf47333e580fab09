/* Every statement of the notifier is prepared against an empty, migrated database, as its own
 * role. */
#include <libpq-fe.h>

#include "check.h"
#include "servers.h"
#include "store.h"

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
	PQfinish(pg);
}
