/* The folder of the schema's files. */
#include "migrations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIGRATION_BYTES_MAX = 1 << 20 };

static int
is_migration(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t len = strlen(name);

	return strspn(name, "0123456789") == 4 && name[4] == '_' && len > 9
	       && strcmp(name + len - 4, ".sql") == 0;
}

int
migration_list(const char *folder, struct dirent ***ret_files)
{
	return scandir(folder, ret_files, is_migration, alphasort);
}

enum exit_code
migration_read(const char *folder, const char *name, struct migration *ret)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	char *sql = malloc(MIGRATION_BYTES_MAX);
	size_t len = file != NULL && sql != NULL ? fread(sql, 1, MIGRATION_BYTES_MAX, file) : 0;
	bool whole = file != NULL && sql != NULL && feof(file) && !ferror(file);
	if (file != NULL)
		fclose(file);
	if (!whole || memchr(sql, '\0', len) != NULL) {
		free(sql);
		return masa_fail(MASA_CONFIG, "%s cannot be read whole", path);
	}
	sql[len] = '\0';
	digest_sha256(sql, len, &ret->digest);
	ret->sql = sql;
	ret->name = (char *)(uintptr_t)name;
	return MASA_OK;
}

void
migration_finish(struct migration *migration)
{
	free(migration->sql);
	migration->sql = NULL;
}
