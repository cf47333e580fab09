/*
 * program - PostgreSQL's own programs and the system's, run by a command of masa.
 *
 * What they print goes to standard error.  As root, what belongs to the cluster runs as its user
 * (TURUNC_POSTGRES_USER, postgres); PostgreSQL's programs are looked for in TURUNC_POSTGRES_BIN,
 * where Debian has them.
 */
#ifndef MASA_PROGRAM_H
#define MASA_PROGRAM_H

#include <sys/types.h>

#include "masa.h"

enum program_user { PROGRAM_AS_WE_ARE, PROGRAM_AS_CLUSTER };

enum { PROGRAM_CONNINFO_SIZE = 4096 };
/* A connection string as everybody on the machine may read it among a program's arguments: its
 * password stands in our environment from now on, which programs inherit (PGPASSWORD).  False: it
 * is none, or too long; why was said. */
MUST_CHECK bool program_conninfo(const char *conninfo, char out[PROGRAM_CONNINFO_SIZE]);

/* "…/pg_basebackup" */
void program_postgres(const char *name, char *path, size_t size);
/* The user and group of the cluster; our own when we are not root.  False: there is no such user.
 */
MUST_CHECK bool program_cluster_user(uid_t *ret_user, gid_t *ret_group);

/* argv ends with NULL.  -1: it could not be started, and why was said. */
pid_t program_start(const char *const argv[], enum program_user user);
/* Its exit status as a shell has it (128 + signal). */
int program_wait(pid_t pid);
/* True: it has ended (and is waited for). */
bool program_ended(pid_t pid, int *ret_status);

/* Runs it to its end; anything but success is said. */
MUST_CHECK enum exit_code program_run(const char *const argv[], enum program_user user);

#endif
