/* masa db migrate: brings the schema up to date, each file once, in order. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest.h"
#include "masa.h"
#include "migrations.h"

static enum exit_code db_migrate(struct masa *m, int argc, char **argv);

const struct command db_commands[] = {
	{ "db", "migrate", "[FOLDER] [--demo]",
	    "apply the schema files that are new (default deploy/schema); --demo marks a new "
	    "record as a demo",
	    db_migrate },
	{ 0 },
};

static enum exit_code apply(struct masa *m, const struct migration *migration, json_t *applied);
static enum exit_code name_history(struct masa *m, bool demo);

static enum exit_code
db_migrate(struct masa *m, int argc, char **argv)
{
	bool demo = false;
	const struct option_spec specs[] = { { "demo", NULL, &demo } };
	int positional;
	struct dirent **entries = NULL;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 1, &positional);
	if (code != MASA_OK)
		return code;
	const char *folder = positional == 1 ? argv[0]
					     : masa_env("TURUNC_SCHEMA_DIR", "deploy/schema");
	int count = migration_list(folder, &entries);
	if (count <= 0)
		return masa_fail(MASA_CONFIG, "%s: %s", folder,
		    count == 0 ? "no schema files" : strerror(errno));

	json_t *applied = json_array();
	code = masa_query(m, "SELECT pg_advisory_lock(7303)", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "CREATE TABLE IF NOT EXISTS public.turunc_migration (name text PRIMARY KEY,"
		    " digest bytea NOT NULL, applied_us bigint NOT NULL)",
		    0, NULL, NULL);
	for (int i = 0; i < count; i++) {
		struct migration migration = { 0 };
		if (code == MASA_OK)
			code = migration_read(folder, entries[i]->d_name, &migration);
		if (code == MASA_OK)
			code = apply(m, &migration, applied);
		migration_finish(&migration);
		free(entries[i]);
	}
	free(entries);
	if (code == MASA_OK && !m->dry_run)
		code = name_history(m, demo);
	if (code == MASA_OK)
		masa_print(m, json_pack("{s:b,s:o}", "dry_run", m->dry_run, "applied", applied));
	else
		json_decref(applied);
	return code;
}

/* Each file is one transaction with the row that says so. */
static enum exit_code
apply(struct masa *m, const struct migration *migration, json_t *applied)
{
	PGresult *result;
	char now_text[24];
	const char *name_values[] = { migration->name };

	enum exit_code code = masa_query(m,
	    "SELECT encode(digest, 'hex') FROM public.turunc_migration WHERE name = $1", 1,
	    name_values, &result);
	if (code != MASA_OK)
		return code;
	char hex[DIGEST_HEX_SIZE];
	digest_format(&migration->digest, hex);
	bool known = PQntuples(result) > 0;
	bool same = known && strcmp(PQgetvalue(result, 0, 0), hex) == 0;
	PQclear(result);
	if (known)
		return same ? MASA_OK
			    : masa_fail(MASA_CONFLICT, "%s was edited after it had been applied",
				migration->name);
	json_array_append_new(applied, json_pack("{s:s}", "name", migration->name));
	if (m->dry_run)
		return MASA_OK;

	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code != MASA_OK)
		return code;
	result = PQexec(m->db, migration->sql); /* many statements: the simple protocol */
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		masa_fail(MASA_FAILED, "%s: %s", migration->name, PQresultErrorMessage(result));
		PQclear(result);
		return MASA_FAILED;
	}
	PQclear(result);
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { migration->name, (const char *)migration->digest.bytes, now_text };
	const int lengths[] = { 0, DIGEST_BYTES, 0 }, formats[] = { 0, 1, 0 };
	code = masa_query_binary(m,
	    "INSERT INTO public.turunc_migration (name, digest, applied_us)"
	    " VALUES ($1, $2::bytea, $3::bigint)",
	    3, values, lengths, formats, NULL);
	if (code == MASA_OK)
		code = masa_query(m, "COMMIT", 0, NULL, NULL);
	return code;
}

/* The first history of a new record gets its name; an existing one keeps its own. */
static enum exit_code
name_history(struct masa *m, bool demo)
{
	char now_text[24];

	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { now_text, demo ? "true" : "false" };
	enum exit_code code = masa_query(m,
	    "INSERT INTO turunc.log_history (log_id, base_seq, started_at_us, demo)"
	    " SELECT gen_random_uuid(), 0, $1::bigint, $2::boolean"
	    " WHERE NOT EXISTS (SELECT FROM turunc.log_history)",
	    2, values, NULL);
	/* The administrator's own role looks here (masa doctor); it is made by the first file. */
	if (code == MASA_OK)
		code = masa_query(
		    m, "GRANT SELECT ON public.turunc_migration TO turunc_admin", 0, NULL, NULL);
	return code;
}
