/* migrations - the files of the schema, as they lie in their folder. */
#ifndef MASA_MIGRATIONS_H
#define MASA_MIGRATIONS_H

#include <dirent.h>

#include "digest.h"
#include "masa.h"

struct migration {
	char *name;
	char *sql;
	struct digest digest;
};

/* NNNN_verb_noun.sql by number, as scandir() gives them; -1 with errno. */
int migration_list(const char *folder, struct dirent ***ret_files);
/* name is lent.  Anything but MASA_OK was said. */
MUST_CHECK enum exit_code migration_read(
    const char *folder, const char *name, struct migration *ret);
void migration_finish(struct migration *migration);

#endif
