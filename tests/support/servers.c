/* Starts and ends private servers for tests in C, by the scripts beside this file. */
#include "servers.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "check.h"

enum { LINE_BYTES = 1024 };

static void
give_up(const char *what, const char *why)
{
	printf("%s: %s\n", what, why);
	fflush(stdout);
	exit(EXIT_FAILURE);
}

/* Runs one of the scripts; ret_line (LINE_BYTES) gets the first line it prints. */
static void
script(const char *name, const char *verb, const char *directory, const char *arguments,
    char *ret_line)
{
	const char *source = getenv("TURUNC_SOURCE");
	char command[3 * LINE_BYTES], ignored[LINE_BYTES];

	snprintf(command, sizeof(command), "'%s/tests/lib/%s' %s '%s' %s",
	    source != NULL ? source : TURUNC_SOURCE, name, verb, directory, arguments);
	FILE *output = popen(command, "r");
	if (output == NULL)
		give_up(command, "cannot run");
	ret_line[0] = '\0';
	if (fgets(ret_line, LINE_BYTES, output) != NULL)
		ret_line[strcspn(ret_line, "\n")] = '\0';
	while (fgets(ignored, sizeof(ignored), output) != NULL)
		continue;
	if (pclose(output) != 0)
		give_up(command, "failed");
}

static void
wipe_postgres(void)
{
	char line[LINE_BYTES];

	script("private_postgres", "wipe", check_path("postgres"), "", line);
}

static void
wipe_redis(void)
{
	char line[LINE_BYTES];

	script("private_redis", "wipe", check_path("redis"), "", line);
}

/* Ends with the test: at its exit, or by the script's guard when it is killed. */
static void
start(const char *name, const char *directory, const char *arguments, void (*wipe)(void),
    char *ret_line)
{
	char with_owner[LINE_BYTES];

	if (access(directory, F_OK) != 0)
		atexit(wipe);
	snprintf(with_owner, sizeof(with_owner), "--owner %d %s", (int)getpid(), arguments);
	script(name, "start", directory, with_owner, ret_line);
}

const char *
server_postgres_start(const char *arguments)
{
	static char conninfo[LINE_BYTES];

	start("private_postgres", check_path("postgres"), arguments, wipe_postgres, conninfo);
	return conninfo;
}

void
server_postgres_stop(void)
{
	char line[LINE_BYTES];

	script("private_postgres", "stop", check_path("postgres"), "", line);
}

pid_t
server_postgres_pid(void)
{
	char line[LINE_BYTES];

	script("private_postgres", "pid", check_path("postgres"), "", line);
	return (pid_t)strtol(line, NULL, 10);
}

void
server_postgres_migrate(void)
{
	char line[LINE_BYTES];

	script("private_postgres", "migrate", check_path("postgres"), "", line);
}

const char *
server_postgres_tcp(void)
{
	static char conninfo[LINE_BYTES];
	FILE *file = fopen(check_path("postgres/conninfo-tcp"), "r");

	if (file == NULL || fgets(conninfo, sizeof(conninfo), file) == NULL)
		give_up("conninfo-tcp", "cannot be read");
	fclose(file);
	conninfo[strcspn(conninfo, "\n")] = '\0';
	return conninfo;
}

const char *
server_database(void)
{
	const char *given = getenv("TURUNC_TEST_DATABASE");

	return given != NULL && given[0] != '\0' ? given : server_postgres_start("");
}

const char *
server_redis_start(const char *arguments)
{
	static char path[LINE_BYTES];

	start("private_redis", check_path("redis"), arguments, wipe_redis, path);
	return path;
}

void
server_redis_stop(void)
{
	char line[LINE_BYTES];

	script("private_redis", "stop", check_path("redis"), "", line);
}

pid_t
server_redis_pid(void)
{
	char line[LINE_BYTES];

	script("private_redis", "pid", check_path("redis"), "", line);
	return (pid_t)strtol(line, NULL, 10);
}

const char *
server_sql(const char *conninfo, const char *sql)
{
	static char value[LINE_BYTES];
	PGconn *pg = PQconnectdb(conninfo);
	PGresult *result = PQexec(pg, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		give_up(sql, PQerrorMessage(pg));
	snprintf(value, sizeof(value), "%s",
	    PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	PQfinish(pg);
	return value;
}
