/* Makes a cluster of a backup and starts it, for us alone. */
#include "restoring.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "program.h"

enum { RECOVERY_MS = 6 * 3600 * 1000, POLL_MS = 100 };

/* --- the files ----------------------------------------------------------------------------------
 */

static bool
exists(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return backup_path(path, folder, name) && access(path, F_OK) == 0;
}

enum exit_code
restoring_name_places(struct restore *r, const char *backup, const char *into)
{
	assert(into != NULL);
	if (realpath(backup, r->backup) == NULL)
		return masa_fail(MASA_NOT_FOUND, "%s: %s", backup, strerror(errno));
	if (mkdir(into, 0755) != 0 && errno != EEXIST)
		return masa_fail(MASA_FAILED, "%s: %s", into, strerror(errno));
	if (realpath(into, r->into) == NULL)
		return masa_fail(MASA_FAILED, "%s: %s", into, strerror(errno));
	/* Secrets beside a cluster that is still growing are an interrupted restore's. */
	bool begun = exists(r->into, "postgres/data.restoring");
	if (exists(r->into, "postgres/data")
	    || (!begun && (exists(r->into, "secrets") || exists(r->into, "keys"))))
		return masa_fail(MASA_CONFLICT,
		    "a system is in %s already; a backup is restored "
		    "into an empty folder (deploy/down --wipe)",
		    r->into);
	if (!backup_path(r->cluster, r->into, "postgres")
	    || !backup_path(r->growing, r->cluster, "data.restoring")
	    || !backup_path(r->data, r->cluster, "data")
	    || !backup_path(r->wal, r->cluster, "wal.restoring")
	    || !backup_path(r->door, r->cluster, "door.restoring"))
		return masa_fail(MASA_FAILED, "%s is too long", r->into);
	return MASA_OK;
}

/* What an interrupted restore left is begun anew. */
enum exit_code
restoring_remove_leftovers(const struct restore *r)
{
	const char *argv[] = { "rm", "-rf", r->growing, r->wal, r->door, NULL };

	return program_run(argv, PROGRAM_AS_WE_ARE);
}

static enum exit_code
give_to_cluster(const char *path)
{
	char owner[64];
	uid_t user;
	gid_t group;

	if (!program_cluster_user(&user, &group))
		return masa_fail(MASA_FAILED, "there is no user %s to give the cluster to",
		    masa_env("TURUNC_POSTGRES_USER", "postgres"));
	snprintf(owner, sizeof(owner), "%u:%u", user, group);
	const char *argv[] = { "chown", "-R", owner, path, NULL };
	return program_run(argv, PROGRAM_AS_WE_ARE);
}

static enum exit_code
copy_tree(const char *from, const char *to)
{
	const char *copy[] = { "cp", "-a", from, to, NULL };
	enum exit_code code = program_run(copy, PROGRAM_AS_WE_ARE);

	if (code == MASA_OK && chmod(to, 0700) != 0)
		code = masa_fail(MASA_FAILED, "%s: %s", to, strerror(errno));
	return code == MASA_OK ? give_to_cluster(to) : code;
}

enum exit_code
restoring_check_copy(const struct restore *r)
{
	char program[PATH_MAX], base[PATH_MAX];

	program_postgres("pg_verifybackup", program, sizeof(program));
	if (!backup_path(base, r->backup, "base"))
		return masa_fail(MASA_FAILED, "%s is too long", r->backup);
	const char *argv[] = { program, "-q", base, NULL };
	if (program_run(argv, PROGRAM_AS_WE_ARE) != MASA_OK)
		return masa_fail(MASA_CONFLICT,
		    "%s is damaged: its files are not those that were "
		    "written",
		    base);
	return MASA_OK;
}

/* Those of before there were any have none. */
static enum exit_code
lay_out_photos(const struct restore *r)
{
	char from[PATH_MAX], state[PATH_MAX];

	if (!exists(r->backup, "attachments"))
		return MASA_OK;
	if (!backup_path(from, r->backup, "attachments") || !backup_path(state, r->into, "state"))
		return masa_fail(MASA_FAILED, "%s is too long", r->into);
	if (mkdir(state, 0755) != 0 && errno != EEXIST)
		return masa_fail(MASA_FAILED, "%s: %s", state, strerror(errno));
	const char *copy[] = { "cp", "-a", from, state, NULL };
	return program_run(copy, PROGRAM_AS_WE_ARE);
}

static enum exit_code
lay_out(struct restore *r)
{
	char base[PATH_MAX], wal[PATH_MAX], archive[PATH_MAX], signal_file[PATH_MAX];

	if (!backup_path(base, r->backup, "base") || !backup_path(wal, r->backup, "wal")
	    || !backup_path(archive, r->backup, "system.tar")
	    || !backup_path(signal_file, r->growing, "recovery.signal"))
		return masa_fail(MASA_FAILED, "%s is too long", r->backup);
	/* Others come by here to the socket; what is behind it is the cluster's own. */
	if ((mkdir(r->cluster, 0755) != 0 && errno != EEXIST) || chmod(r->cluster, 0755) != 0)
		return masa_fail(MASA_FAILED, "%s: %s", r->cluster, strerror(errno));
	enum exit_code code = copy_tree(base, r->growing);
	if (code == MASA_OK && r->follow) {
		code = copy_tree(wal, r->wal);
		FILE *file = code == MASA_OK ? fopen(signal_file, "we") : NULL;
		if (code == MASA_OK && (file == NULL || fclose(file) != 0))
			code = masa_fail(MASA_FAILED, "%s: %s", signal_file, strerror(errno));
		if (code == MASA_OK)
			code = give_to_cluster(signal_file);
	}
	if (code == MASA_OK && (mkdir(r->door, 0700) != 0))
		code = masa_fail(MASA_FAILED, "%s: %s", r->door, strerror(errno));
	if (code == MASA_OK)
		code = give_to_cluster(r->door);
	/* As root the owners of the backup are taken over by number; deploy/up sets its own. */
	const char *unpack[] = { "tar", "-C", r->into, "-xpf", archive, NULL };
	if (code == MASA_OK)
		code = program_run(unpack, PROGRAM_AS_WE_ARE);
	return code == MASA_OK ? lay_out_photos(r) : code;
}

/* --- recovery -----------------------------------------------------------------------------------
 */

/* A server for us alone: the socket's folder is private, and nothing else listens. */
static enum exit_code
start_server(const struct restore *r, pid_t *ret_pid)
{
	char program[PATH_MAX], sockets[PATH_MAX + 40], hba[PATH_MAX], hba_setting[PATH_MAX + 40],
	    command[2 * PATH_MAX + 80];
	FILE *file;

	program_postgres("postgres", program, sizeof(program));
	if (!backup_path(hba, r->door, "hba") || (file = fopen(hba, "we")) == NULL)
		return masa_fail(MASA_FAILED, "%s: %s", r->door, strerror(errno));
	bool written = fputs("local all all trust\n", file) >= 0;
	if (fclose(file) != 0 || !written)
		return masa_fail(MASA_FAILED, "%s cannot be written", hba);
	enum exit_code code = give_to_cluster(hba);
	if (code != MASA_OK)
		return code;
	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", r->door);
	snprintf(hba_setting, sizeof(hba_setting), "hba_file=%s", hba);
	/* The last segment may not have been full. */
	snprintf(command, sizeof(command),
	    "restore_command=cp '%s/%%f' '%%p' 2>/dev/null || cp '%s/%%f.partial' '%%p' "
	    "2>/dev/null",
	    r->wal, r->wal);
	const char *argv[] = { program, "-D", r->growing, "-c", "listen_addresses=", "-c", sockets,
		"-c", hba_setting, "-c", "port=5432", "-c", "archive_mode=off", "-c",
		"log_min_messages=fatal", "-c", command, NULL };
	*ret_pid = program_start(argv, PROGRAM_AS_CLUSTER);
	return *ret_pid < 0 ? MASA_FAILED : MASA_OK;
}

/* Does the server say in its file (pidfile.h) that it takes connections?  Whoever knocks before
 * makes it tell each time that it is not ready. */
static bool
lets_in(const struct restore *r)
{
	enum { STATUS_LINE = 8 };
	char path[PATH_MAX], line[PATH_MAX] = "";
	FILE *file = backup_path(path, r->growing, "postmaster.pid") ? fopen(path, "re") : NULL;
	int lines = 0;

	while (file != NULL && lines < STATUS_LINE && fgets(line, sizeof(line), file) != NULL)
		lines++;
	if (file != NULL)
		(void)fclose(file);
	return lines == STATUS_LINE && strncmp(line, "ready", 5) == 0;
}

/* Until it is over and the server takes writes. */
static enum exit_code
wait_recovered(struct restore *r, pid_t *pid)
{
	const char *const names[] = { "host", "port", "user", "dbname", "connect_timeout", NULL };
	const char *const values[] = { r->door, "5432", "postgres", r->database, "5", NULL };
	uint64_t end = clock_monotonic_ms() + RECOVERY_MS;
	int status;

	while (clock_monotonic_ms() < end) {
		if (program_ended(*pid, &status)) {
			*pid = -1;
			return masa_fail(MASA_FAILED, "the copy cannot be started (%d)", status);
		}
		PGresult *result = NULL;
		r->m->db = lets_in(r) ? PQconnectdbParams(names, values, 0) : NULL;
		bool ready = PQstatus(r->m->db) == CONNECTION_OK
			     && masa_query(r->m, "SELECT pg_is_in_recovery()", 0, NULL, &result)
				    == MASA_OK
			     && PQgetvalue(result, 0, 0)[0] == 'f';
		PQclear(result);
		if (ready)
			return MASA_OK;
		PQfinish(r->m->db);
		r->m->db = NULL;
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
	return masa_fail(MASA_FAILED, "the copy did not recover in time");
}

enum exit_code
restoring_stop(struct restore *r, pid_t pid)
{
	PQfinish(r->m->db);
	r->m->db = NULL;
	if (pid < 0)
		return MASA_OK;
	(void)kill(pid, SIGINT);
	int status = program_wait(pid);
	return status == 0 ? MASA_OK
			   : masa_fail(MASA_FAILED, "the copy did not stop in order (%d)", status);
}

enum exit_code
restoring_start(struct restore *r, pid_t *ret_pid)
{
	enum exit_code code = restoring_check_copy(r);

	*ret_pid = -1;
	if (code == MASA_OK)
		code = restoring_remove_leftovers(r);
	if (code == MASA_OK)
		code = lay_out(r);
	if (code == MASA_OK)
		code = start_server(r, ret_pid);
	return code == MASA_OK ? wait_recovered(r, ret_pid) : code;
}
