/*
 * restoring - a backup laid out in a folder and recovered by a server that only we can reach.
 *
 * masa restore goes on and makes a system of it; masa drill looks at it and throws it away.
 */
#ifndef MASA_RESTORING_H
#define MASA_RESTORING_H

#include <sys/types.h>

#include "backup.h"

/* Where the pieces are while it is under way; absolute. */
struct restore {
	struct masa *m; /* its connection becomes one to the copy */
	char backup[PATH_MAX], into[PATH_MAX];
	char cluster[PATH_MAX]; /* FOLDER/postgres */
	char growing[PATH_MAX], data[PATH_MAX]; /* the cluster's files, before and after */
	char wal[PATH_MAX]; /* copies of what --follow kept */
	char door[PATH_MAX]; /* the private socket's folder */
	const char *database; /* lent by the manifest */
	bool follow;
	int64_t numbers_above;
};

/* Makes `into`, and refuses one where a system is. */
MUST_CHECK enum exit_code restoring_name_places(
    struct restore *r, const char *backup, const char *into);
/* Are its files those that were written? */
MUST_CHECK enum exit_code restoring_check_copy(const struct restore *r);
/* Checks, lays out, starts and recovers; on MASA_OK r->m asks the copy.  The server is to be
 * stopped in any case. */
MUST_CHECK enum exit_code restoring_start(struct restore *r, pid_t *ret_pid);
/* Leaves the copy and stops its server in order; nothing to do for -1. */
MUST_CHECK enum exit_code restoring_stop(struct restore *r, pid_t pid);
/* What an interrupted restore left is begun anew. */
MUST_CHECK enum exit_code restoring_remove_leftovers(const struct restore *r);

#endif
