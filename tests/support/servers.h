/*
 * servers - the PostgreSQL and the Redis a test in C talks to.
 *
 * They are the private ones of tests/lib/private_*, in the test's own directory, and end with the
 * test.  Everything here fails the test by exiting when it cannot do its work.
 */
#ifndef TESTS_SERVERS_H
#define TESTS_SERVERS_H

#include <stdbool.h>
#include <sys/types.h>

/* The conninfo of TURUNC_TEST_DATABASE, or of a server started for this test.  What is in it is
 * the caller's business: other tests may use the same server at the same time. */
const char *server_database(void);

/* A server of the test's own, for tests that hurt it.  arguments: more for private_postgres, or
 * "".  Starting it again after it died keeps its data.  Lent: the conninfo. */
const char *server_postgres_start(const char *arguments);
void server_postgres_stop(void);
pid_t server_postgres_pid(void);
void server_postgres_migrate(void);
/* The conninfo over TCP; only after starting with "--tcp". */
const char *server_postgres_tcp(void);

/* Likewise; lent: the socket's path. */
const char *server_redis_start(const char *arguments);
void server_redis_stop(void);
pid_t server_redis_pid(void);

/* Runs SQL on a connection of its own, without the code under test.  The first column of the first
 * row as text (lent until the next call), "" when there is none. */
const char *server_sql(const char *conninfo, const char *sql);

#endif
