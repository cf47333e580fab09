/* masa restore: a system's folder out of a backup, with a history of its own from there on. */
#include "backup.h"

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
#include "failpoint.h"
#include "program.h"
#include "restored.h"

static enum exit_code restore_run(struct masa *m, int argc, char **argv);

const struct command restore_commands[] = {
	{ "restore", "", "BACKUP --into FOLDER [--numbers-above NUMBER]",
	    "make the folder of a system (.run) from a backup, as a new history of the log; "
	    "deploy/up --restore BACKUP does it and starts it.  NUMBER: the highest ticket number "
	    "that anybody was given",
	    restore_run },
	{ 0 },
};

enum { RECOVERY_MS = 6 * 3600 * 1000, POLL_MS = 100 };

/* Where the pieces are while the restore is under way; absolute. */
struct restore {
	struct masa *m;
	char backup[PATH_MAX], into[PATH_MAX];
	char cluster[PATH_MAX]; /* FOLDER/postgres */
	char growing[PATH_MAX], data[PATH_MAX]; /* the cluster's files, before and after */
	char wal[PATH_MAX]; /* copies of what --follow kept */
	char door[PATH_MAX]; /* the private socket's folder */
	const char *database; /* lent by the manifest */
	bool follow;
	int64_t numbers_above;
};

/* --- the files ----------------------------------------------------------------------------------
 */

static bool
exists(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return backup_path(path, folder, name) && access(path, F_OK) == 0;
}

static enum exit_code
name_places(struct restore *r, const char *backup, const char *into)
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
static enum exit_code
remove_leftovers(const struct restore *r)
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

static enum exit_code
check_copy(const struct restore *r)
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
		"-c", hba_setting, "-c", "port=5432", "-c", "archive_mode=off", "-c", command,
		NULL };
	*ret_pid = program_start(argv, PROGRAM_AS_CLUSTER);
	return *ret_pid < 0 ? MASA_FAILED : MASA_OK;
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
		r->m->db = PQconnectdbParams(names, values, 0);
		PGresult *result = NULL;
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

static enum exit_code
stop_server(struct restore *r, pid_t pid)
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

/* From here on it is a system: nothing half restored ever has this name. */
static enum exit_code
put_in_place(const struct restore *r)
{
	const char *sync_argv[] = { "sync", "-f", r->into, NULL };
	enum exit_code code = program_run(sync_argv, PROGRAM_AS_WE_ARE);

	if (code != MASA_OK)
		return code;
	if (failpoint(FAILPOINT_MASA_RESTORE, FAILPOINT_BEFORE) || rename(r->growing, r->data) != 0)
		return masa_fail(MASA_FAILED, "%s: %s", r->data, strerror(errno));
	if (failpoint(FAILPOINT_MASA_RESTORE, FAILPOINT_AFTER))
		return masa_fail(MASA_FAILED, "%s: %s", r->data, strerror(errno));
	code = program_run(sync_argv, PROGRAM_AS_WE_ARE);
	return code == MASA_OK ? remove_leftovers(r) : code;
}

static enum exit_code
restore(struct restore *r, json_t **ret_said)
{
	pid_t pid = -1;
	enum exit_code code = check_copy(r);

	if (code == MASA_OK)
		code = remove_leftovers(r);
	if (code == MASA_OK)
		code = lay_out(r);
	if (code == MASA_OK)
		code = start_server(r, &pid);
	if (code == MASA_OK)
		code = wait_recovered(r, &pid);
	if (code == MASA_OK)
		code = restored_begin_history(r->m, r->numbers_above, ret_said);
	enum exit_code stopped = stop_server(r, pid);
	if (code == MASA_OK)
		code = stopped;
	return code == MASA_OK ? put_in_place(r) : code;
}

static enum exit_code
restore_run(struct masa *m, int argc, char **argv)
{
	const char *into = NULL, *above = NULL;
	const struct option_spec specs[] = { { "into", &into, NULL },
		{ "numbers-above", &above, NULL } };
	struct restore *r = calloc(1, sizeof(*r));
	json_t *manifest = NULL, *said = NULL;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (r == NULL)
		code = masa_fail(MASA_FAILED, "out of memory");
	if (code == MASA_OK && into == NULL)
		code = masa_fail(MASA_USAGE, "--into FOLDER says where the system is to be");
	if (code == MASA_OK && above != NULL)
		code = restored_read_number(above, &r->numbers_above);
	if (code == MASA_OK && (manifest = backup_manifest(argv[0])) == NULL)
		code = MASA_NOT_FOUND;
	if (code == MASA_OK)
		code = name_places(r, argv[0], into);
	if (code == MASA_OK) {
		assert(r != NULL);
		r->m = m;
		r->follow = json_is_true(json_object_get(manifest, "follow"));
		r->database = json_string_value(json_object_get(manifest, "database"));
		umask(077);
		code = m->dry_run ? check_copy(r) : restore(r, &said);
	}
	if (code == MASA_OK)
		masa_print(m, said != NULL ? json_incref(said) : json_incref(manifest));
	json_decref(said);
	json_decref(manifest);
	free(r);
	return code;
}
