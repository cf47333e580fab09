/*
 * bundle - the municipality's files as (name, bytes) pairs, wherever they come from.
 *
 * Names are relative with '/' ("subjects.csv", "templates/received.sms.tr.txt").  The bundle owns
 * copies of names and bytes and keeps them sorted by name, so that the same files give the same
 * digest whatever order they arrived in.
 */
#ifndef TURUNC_BUNDLE_H
#define TURUNC_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum {
	BUNDLE_FILES_MAX = 256,
	BUNDLE_FILE_BYTES_MAX = 1024 * 1024,
	BUNDLE_NAME_MAX = 64,
	BUNDLE_DIGEST_SIZE = 65
};

struct bundle_file {
	char *name;
	char *data; /* ends in a NUL that size does not count */
	size_t size;
};

struct bundle {
	struct bundle_file *files;
	size_t count;
};

void bundle_init(struct bundle *b);
void bundle_finish(struct bundle *b); /* takes one half filled, or finished */

/* False, with the reason in ret_why (a literal): too many or too large, a bad or repeated name, no
 * memory.  The bundle is as before. */
MUST_CHECK bool bundle_add(
    struct bundle *b, const char *name, const void *data, size_t size, const char **ret_why);

/*
 * Adds folder/X.csv, folder/templates/X.txt and folder/information/X.txt; other files are for
 * people and are left out. False: what is in the folder could not all be read; why (of why_size)
 * names the file and the reason. Blocks: for start-up and the command line.
 */
MUST_CHECK bool bundle_read_folder(
    struct bundle *b, const char *folder, char *why, size_t why_size);

const struct bundle_file *bundle_find(const struct bundle *b, const char *name); /* or NULL */

/* Lower-case hex SHA-256 over names and contents. */
void bundle_digest(const struct bundle *b, char ret_hex[BUNDLE_DIGEST_SIZE]);

#endif
