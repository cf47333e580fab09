/*
 * backup - what a backup's folder is made of.
 *
 *	base/          the cluster, as pg_basebackup made it, with the WAL written meanwhile
 *	wal/           with --follow: all WAL since, as it is written
 *	attachments/   photos; with --follow, those of later as well
 *	system.tar     keys, secrets, settings, ports, and what the services keep on disk
 *	backup.json    written last: without it the backup is not whole
 *
 * All of it is readable by its owner alone: it holds every citizen's data and every key.
 */
#ifndef MASA_BACKUP_H
#define MASA_BACKUP_H

#include <limits.h>

#include "masa.h"

enum { BACKUP_FORMAT = 1 };

/* FOLDER/NAME, in a buffer of PATH_MAX; false: too long. */
MUST_CHECK bool backup_path(char path[PATH_MAX], const char *folder, const char *name);

/* backup.json of the folder; NULL, and why was said: none, or not one of ours. */
json_t *backup_manifest(const char *folder);

/* MASA_USAGE and why was said, unless it is NULL or a rate that PostgreSQL takes. */
MUST_CHECK enum exit_code backup_check_rate(const char *max_rate);
/* MASA_UNREACHABLE and why was said, where the cluster's owner is not known. */
MUST_CHECK enum exit_code backup_check_owner(void);
/* A whole backup into the folder, which is made or empty; the manifest is not printed. */
MUST_CHECK enum exit_code backup_once(struct masa *m, const char *folder, const char *max_rate);

#endif
