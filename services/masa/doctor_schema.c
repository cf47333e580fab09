/* What masa doctor finds of the schema: what these programs need, against what was applied. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "doctor.h"
#include "migrations.h"

static const char *
folder(void)
{
	static char path[4096];
	const char *given = masa_env("TURUNC_SCHEMA_DIR", NULL);

	if (given != NULL)
		return given;
	/* Beside .run, where the checkout is. */
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	DIR *here = opendir("deploy/schema");
	if (here != NULL || system == NULL) {
		if (here != NULL)
			closedir(here);
		return "deploy/schema";
	}
	snprintf(path, sizeof(path), "%s/../deploy/schema", system);
	return path;
}

/* The digest of a file that was applied, as hexadecimal digits; NULL: it was not. */
static const char *
applied_digest(const PGresult *applied, const char *name)
{
	for (int row = 0; row < PQntuples(applied); row++)
		if (strcmp(PQgetvalue(applied, row, 0), name) == 0)
			return PQgetvalue(applied, row, 1);
	return NULL;
}

static void
compare(struct doctor *d, const char *from, const struct dirent *file, const PGresult *applied)
{
	struct migration migration;
	char digest[DIGEST_HEX_SIZE];
	const char *was = applied_digest(applied, file->d_name);

	if (was == NULL) {
		doctor_find(d, DOCTOR_BAD, "schema",
		    "masa db migrate, as the record's owner; deploy/up does it",
		    "%s has not been applied", file->d_name);
		return;
	}
	if (migration_read(from, file->d_name, &migration) != MASA_OK)
		return;
	digest_format(&migration.digest, digest);
	if (strcmp(digest, was) != 0)
		doctor_find(d, DOCTOR_BAD, "schema",
		    "take the file of the version that was installed: an applied file is never "
		    "edited",
		    "%s is not what was applied", file->d_name);
	migration_finish(&migration);
}

static void
look_for_newer(struct doctor *d, struct dirent **files, int count, const PGresult *applied)
{
	const char *last = PQntuples(applied) > 0 ? PQgetvalue(applied, PQntuples(applied) - 1, 0)
						  : "";

	for (int i = 0; i < count; i++)
		if (strcmp(files[i]->d_name, last) == 0)
			return;
	if (last[0] != '\0')
		doctor_find(d, DOCTOR_BAD, "schema",
		    "install the programs of that version: schemas only go forward",
		    "the record is newer than these programs: it has %s", last);
}

static void
look_at_indexes(struct doctor *d)
{
	PGresult *result;

	if (masa_query(d->m,
		"SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = "
		"i.indexrelid WHERE NOT i.indisvalid AND c.relnamespace = 'turunc'::regnamespace "
		"AND "
		"c.relkind = 'i'",
		0, NULL, &result)
	    != MASA_OK)
		return;
	for (int row = 0; row < PQntuples(result); row++)
		doctor_find(d, DOCTOR_BAD, "schema", "REINDEX INDEX CONCURRENTLY it, as its owner",
		    "the index %s is not valid", PQgetvalue(result, row, 0));
	PQclear(result);
}

void
doctor_schema(struct doctor *d)
{
	struct dirent **files = NULL;
	PGresult *applied;
	const char *from = folder();
	int count = migration_list(from, &files);

	look_at_indexes(d);
	if (count <= 0) {
		doctor_skip(d, "schema", "its files are not here (TURUNC_SCHEMA_DIR)");
		free(files);
		return;
	}
	if (masa_query(d->m,
		"SELECT name, encode(digest, 'hex') FROM public.turunc_migration ORDER BY name", 0,
		NULL, &applied)
	    == MASA_OK) {
		for (int i = 0; i < count; i++)
			compare(d, from, files[i], applied);
		look_for_newer(d, files, count, applied);
		doctor_looked(d, "schema");
		PQclear(applied);
	}
	for (int i = 0; i < count; i++)
		free(files[i]);
	free(files);
}
