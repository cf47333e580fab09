/* masa backup: a copy of everything that a system can be made anew from. */
#include "backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup_files.h"
#include "backup_hold.h"
#include "backup_reach.h"
#include "clock.h"
#include "program.h"

static enum exit_code backup_run(struct masa *m, int argc, char **argv);

const struct command backup_commands[] = {
	{ "backup", "", "FOLDER [--follow] [--max-rate KB]",
	    "copy the record, keys, secrets and state into a new folder, while everything runs; "
	    "--follow goes on and keeps all that is committed later, until it is interrupted",
	    backup_run },
	{ 0 },
};

/* What is copied besides the record, when it is there. */
static const char *const system_parts[] = { "keys", "secrets", "settings", "ports", "is-demo",
	"demo-keys", "state" };

/* Unless told otherwise: reports are taken meanwhile. */
#define MAX_RATE_KB "32768"

enum { FOLLOW_STARTS_MS = 20000, POLL_MS = 50, FILES_EVERY_MS = 2000 };
#define NOTE_EVERY_MS "60000"

/* What the record is told of a backup. */
struct made {
	int64_t began_us, at_least_seq;
	bool follows;
};

/* Who goes on taking what is committed. */
struct follower {
	struct backup_files *files;
	struct backup_reach reach;
	uint64_t note_every_ms;
	pid_t pid; /* of pg_receivewal; -1: none */
};

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

bool
backup_path(char path[PATH_MAX], const char *folder, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* --- the folder ---------------------------------------------------------------------------------
 */

/* Whoever made it first, where others write too, would read every secret that we put there. */
static enum exit_code
check_owner(const char *folder)
{
	struct stat st;

	if (stat(folder, &st) != 0)
		return masa_fail(MASA_FAILED, "%s: %s", folder, strerror(errno));
	return st.st_uid == geteuid() ? MASA_OK
				      : masa_fail(MASA_CONFLICT,
					  "%s belongs to another user, who could read every secret "
					  "in the backup: give "
					  "a folder that is not there yet",
					  folder);
}

/* Made by us, or there, ours and empty; its absolute path. */
static enum exit_code
make_folder(const char *given, char folder[PATH_MAX])
{
	struct dirent **entries = NULL;

	if (mkdir(given, 0700) != 0 && errno != EEXIST)
		return masa_fail(MASA_FAILED, "%s: %s", given, strerror(errno));
	if (realpath(given, folder) == NULL)
		return masa_fail(MASA_FAILED, "%s: %s", given, strerror(errno));
	enum exit_code owned = check_owner(folder);
	if (owned != MASA_OK)
		return owned;
	if (chmod(folder, 0700) != 0)
		return masa_fail(MASA_FAILED, "%s: %s", given, strerror(errno));
	int count = scandir(folder, &entries, NULL, NULL);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	if (count != 2)
		return masa_fail(MASA_CONFLICT,
		    "%s is not empty: each backup has a folder of its "
		    "own",
		    given);
	return MASA_OK;
}

/* What was answered is spooled at this moment, or in the record that is copied afterwards.  Two
 * files of the state must not come back: numbers set aside, which may be given meanwhile, and
 * rights as they were last read, which may be taken back meanwhile. */
static enum exit_code
copy_system(const char *folder)
{
	const char *system = masa_env("TURUNC_SYSTEM_DIR", NULL);
	char archive[PATH_MAX], part[PATH_MAX];
	const char *argv[ARRAY_LEN(system_parts) + 13] = { "tar", "-C", system,
		"--warning=no-file-changed", "--warning=no-file-removed", "--exclude=state/edge",
		"--exclude=state/attachments", "--exclude=state/intake/numbers",
		"--exclude=state/*/registry", "-cf", archive };
	size_t count = 11;

	if (system == NULL)
		return masa_fail(MASA_UNREACHABLE, "no system found: run it from the project's "
						   "root, or set TURUNC_SYSTEM_DIR");
	for (size_t i = 0; i < ARRAY_LEN(system_parts); i++)
		if (backup_path(part, system, system_parts[i]) && access(part, F_OK) == 0)
			argv[count++] = system_parts[i];
	argv[count] = NULL;
	if (!backup_path(archive, folder, "system.tar"))
		return masa_fail(MASA_FAILED, "%s is too long", folder);
	pid_t pid = program_start(argv, PROGRAM_AS_WE_ARE);
	int status = pid < 0 ? -1 : program_wait(pid);
	/* 1: a file changed while it was read, which a running system's may. */
	return status == 0 || status == 1
		   ? MASA_OK
		   : masa_fail(MASA_FAILED, "the system's files cannot be copied (%d)", status);
}

/* --- the record ---------------------------------------------------------------------------------
 */

static const char *
owner(void)
{
	return masa_env("TURUNC_OWNER_DATABASE", NULL);
}

/* *ret_held_us: what was committed by then is in it. */
static enum exit_code
copy_record(const char *folder, const char *max_rate, int64_t *ret_held_us)
{
	char program[PATH_MAX], base[PATH_MAX], rate[40], database[PROGRAM_CONNINFO_SIZE];
	struct backup_hold hold;
	int status = -1;

	program_postgres("pg_basebackup", program, sizeof(program));
	if (!backup_path(base, folder, "base"))
		return masa_fail(MASA_FAILED, "%s is too long", folder);
	if (!program_conninfo(owner(), database))
		return MASA_CONFIG;
	snprintf(rate, sizeof(rate), "--max-rate=%.20s", max_rate != NULL ? max_rate : MAX_RATE_KB);
	const char *argv[] = { program, "-D", base, "-Fp", "-Xfetch", "--checkpoint=fast",
		"--manifest-checksums=SHA256", "--no-password", "-d", database, rate, NULL };
	enum exit_code code = backup_hold_begin(&hold, owner());
	if (code != MASA_OK)
		return code;
	(void)setenv("PGAPPNAME", hold.name, 1);
	pid_t pid = program_start(argv, PROGRAM_AS_WE_ARE);
	(void)unsetenv("PGAPPNAME");
	while (pid > 0 && !program_ended(pid, &status)) {
		backup_hold_look(&hold);
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
	*ret_held_us = hold.held_us;
	backup_hold_end(&hold);
	return status == 0 ? MASA_OK : masa_fail(MASA_FAILED, "pg_basebackup failed (%d)", status);
}

static bool
has_files(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* The WAL is taken from before the copy begins, so that the two meet.  name: by which PostgreSQL
 * knows who takes it, *ret_pid. */
static enum exit_code
follow(const char *folder, const char *name, pid_t *ret_pid)
{
	char program[PATH_MAX], wal[PATH_MAX], database[PROGRAM_CONNINFO_SIZE];
	int status;
	uint64_t end = clock_monotonic_ms() + FOLLOW_STARTS_MS;

	program_postgres("pg_receivewal", program, sizeof(program));
	if (!program_conninfo(owner(), database))
		return MASA_CONFIG;
	if (!backup_path(wal, folder, "wal") || mkdir(wal, 0700) != 0)
		return masa_fail(MASA_FAILED, "%s/wal: %s", folder, strerror(errno));
	const char *argv[] = { program, "-D", wal, "--synchronous", "--no-password", "-d", database,
		NULL };
	(void)setenv("PGAPPNAME", name, 1);
	*ret_pid = program_start(argv, PROGRAM_AS_WE_ARE);
	(void)unsetenv("PGAPPNAME");
	if (*ret_pid < 0)
		return MASA_FAILED;
	while (!has_files(wal)) {
		if (program_ended(*ret_pid, &status)) {
			*ret_pid = -1;
			return masa_fail(MASA_FAILED, "pg_receivewal failed (%d)", status);
		}
		if (clock_monotonic_ms() > end)
			return masa_fail(MASA_FAILED, "pg_receivewal receives nothing");
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
	return MASA_OK;
}

/* The record knows of its newest backup, so that its operators are warned of an old one.  The
 * backup is whole without that: a failure is told, and tried again by whoever goes on. */
static void
note_backup(struct masa *m, const struct made *made, int64_t good_until_us)
{
	char began[24], until[24], seq[24];
	const char *values[] = { began, until, seq, made->follows ? "true" : "false" };

	snprintf(began, sizeof(began), "%lld", (long long)made->began_us);
	snprintf(until, sizeof(until), "%lld", (long long)good_until_us);
	snprintf(seq, sizeof(seq), "%lld", (long long)made->at_least_seq);
	if (m->db != NULL && PQstatus(m->db) != CONNECTION_OK) {
		PQfinish(m->db);
		m->db = NULL;
	}
	enum exit_code code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "INSERT INTO turunc.backup_made AS b (began_us, good_until_us, at_least_seq, "
		    "follows) VALUES ($1::bigint, $2::bigint, $3::bigint, $4::boolean) "
		    "ON CONFLICT (began_us) DO UPDATE SET good_until_us = "
		    "greatest(b.good_until_us, excluded.good_until_us)",
		    ARRAY_LEN(values), values, NULL);
	if (code == MASA_OK)
		code = masa_query(m, "COMMIT", 0, NULL, NULL);
	if (code != MASA_OK && m->db != NULL) {
		PQfinish(m->db);
		m->db = NULL;
	}
	if (code != MASA_OK)
		(void)masa_fail(code, "the backup is whole, but the record does not know of it: "
				      "who watches over backups is not told of this one");
}

/* Until it is interrupted or the WAL cannot be had any more.  A photo's file is there before its
 * row: the last look, after the last WAL, has all that the WAL speaks of. */
static enum exit_code
keep_following(struct masa *m, const struct made *made, struct follower *f)
{
	struct backup_files *files = f->files;
	pid_t pid = f->pid;
	int status = 0;
	uint64_t look_ms = 0, note_ms = 0;
	enum exit_code failed = MASA_OK;

	while (!program_ended(pid, &status)) {
		if (stopping) {
			(void)kill(pid, SIGINT);
			status = program_wait(pid);
			enum exit_code code = backup_files_pass(files);
			if (failed != MASA_OK)
				code = failed; /* a last pass that went well does not undo it */
			return status == 0
				   ? code
				   : masa_fail(MASA_FAILED, "pg_receivewal ended with %d", status);
		}
		if (clock_monotonic_ms() >= look_ms) {
			failed = backup_files_pass(files);
			if (failed != MASA_OK)
				stopping = 1; /* it was said */
			look_ms = clock_monotonic_ms() + FILES_EVERY_MS;
		}
		if (!stopping && clock_monotonic_ms() >= note_ms) {
			int64_t kept_us = backup_reach_ask(&f->reach);
			if (kept_us != 0)
				note_backup(m, made, kept_us);
			note_ms = clock_monotonic_ms() + f->note_every_ms;
		}
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
	return masa_fail(MASA_FAILED,
	    "pg_receivewal ended with %d: what is committed from now on is not kept; make a new "
	    "backup",
	    status);
}

/* --- the manifest -------------------------------------------------------------------------------
 */

/* The head before the copy: all of it is in the copy, and more. */
static enum exit_code
describe(struct masa *m, bool following, json_t **ret_manifest)
{
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT h.log_id::text, coalesce(b.last_seq, 0) AS at_least_seq, h.demo, "
	    "current_setting('server_version') AS postgres, current_database() AS database FROM "
	    "turunc.log_history h LEFT JOIN LATERAL (SELECT last_seq FROM turunc.log_batch ORDER "
	    "BY last_seq DESC LIMIT 1) b ON "
	    "true ORDER BY h.history_no DESC LIMIT 1",
	    0, NULL, &result);

	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	*ret_manifest = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	if (*ret_manifest == NULL)
		return masa_fail(MASA_FAILED, "the record has no history yet");
	json_object_set_new(*ret_manifest, "format", json_integer(BACKUP_FORMAT));
	json_object_set_new(*ret_manifest, "began_us", json_integer(clock_now_us()));
	json_object_set_new(*ret_manifest, "follow", json_boolean(following));
	return MASA_OK;
}

static enum exit_code
write_manifest(const char *folder, const json_t *manifest)
{
	char path[PATH_MAX];

	if (!backup_path(path, folder, "backup.json"))
		return masa_fail(MASA_FAILED, "%s is too long", folder);
	/* The copies first, then the word that they are whole. */
	const char *argv[] = { "sync", "-f", folder, NULL };
	const char *shut[] = { "chmod", "-R", "go=", folder, NULL };
	enum exit_code code = program_run(shut, PROGRAM_AS_WE_ARE);
	if (code == MASA_OK)
		code = program_run(argv, PROGRAM_AS_WE_ARE);
	if (code != MASA_OK)
		return code;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written = fd >= 0 && json_dumpfd(manifest, fd, JSON_INDENT(2)) == 0;
	if (fd >= 0)
		written = close(fd) == 0 && written;
	if (!written)
		return masa_fail(MASA_FAILED, "%s: %s", path, strerror(errno));
	return program_run(argv, PROGRAM_AS_WE_ARE);
}

json_t *
backup_manifest(const char *folder)
{
	char path[PATH_MAX];
	json_t *manifest = backup_path(path, folder, "backup.json") ? json_load_file(path, 0, NULL)
								    : NULL;

	if (manifest == NULL) {
		(void)masa_fail(MASA_NOT_FOUND, "%s holds no whole backup", folder);
		return NULL;
	}
	if (json_integer_value(json_object_get(manifest, "format")) == BACKUP_FORMAT)
		return manifest;
	(void)masa_fail(MASA_CONFLICT, "%s was made by another version", folder);
	json_decref(manifest);
	return NULL;
}

/* --- the command --------------------------------------------------------------------------------
 */

static enum exit_code
copy_all(struct masa *m, const char *folder, bool following, const char *max_rate,
    struct follower *f, json_t **ret_manifest)
{
	json_t *manifest = NULL;
	enum exit_code code = MASA_OK;
	int64_t held_us = 0;

	if (following)
		code = follow(folder, f->reach.receiver, &f->pid);
	if (code == MASA_OK)
		code = describe(m, following, &manifest);
	if (code == MASA_OK)
		code = copy_system(folder);
	if (code == MASA_OK)
		code = copy_record(folder, max_rate, &held_us);
	/* After the record, whose every row has its file by now. */
	if (code == MASA_OK)
		code = backup_files_pass(f->files);
	if (code == MASA_OK) {
		json_object_set_new(manifest, "ended_us", json_integer(held_us));
		code = write_manifest(folder, manifest);
	}
	if (code == MASA_OK)
		*ret_manifest = json_incref(manifest);
	json_decref(manifest);
	return code;
}

enum exit_code
backup_check_rate(const char *max_rate)
{
	if (max_rate == NULL
	    || (strspn(max_rate, "0123456789") == strlen(max_rate) && strlen(max_rate) <= 7
		&& atoi(max_rate) >= 32 && atoi(max_rate) <= 1048576))
		return MASA_OK;
	return masa_fail(
	    MASA_USAGE, "--max-rate is a number of kilobytes a second, from 32 to 1048576");
}

enum exit_code
backup_check_owner(void)
{
	return owner() != NULL ? MASA_OK
			       : masa_fail(MASA_UNREACHABLE,
				   "no way to the cluster as its owner: run it from the project's "
				   "root, or set TURUNC_OWNER_DATABASE");
}

enum exit_code
backup_once(struct masa *m, const char *given, const char *max_rate)
{
	char folder[PATH_MAX], source[PATH_MAX], target[PATH_MAX];
	struct backup_files files = { 0 };
	struct follower follower = { .files = &files, .pid = -1 };
	json_t *manifest = NULL;

	umask(077);
	enum exit_code code = make_folder(given, folder);
	if (code == MASA_OK && !backup_path(target, folder, "attachments"))
		code = masa_fail(MASA_FAILED, "%s is too long", folder);
	files.from = backup_files_folder(source, sizeof(source));
	files.to = target;
	if (code == MASA_OK)
		code = copy_all(m, folder, false, max_rate, &follower, &manifest);
	json_decref(manifest);
	return code;
}

/* From here on the backup is one; a follower goes on. */
static void
tell(struct masa *m, const char *folder, bool following, json_t *manifest)
{
	json_object_set_new(manifest, "folder", json_string(folder));
	json_object_set_new(manifest, "recovery_point",
	    json_string(following ? "what is committed until this is interrupted, but for the last "
				    "moments"
				  : "what was committed until ended_us"));
	masa_print(m, manifest);
	fflush(stdout);
}

/* All of it, in a folder that is there and empty. */
static enum exit_code
make_backup(
    struct masa *m, const char *folder, bool following, const char *max_rate, struct follower *f)
{
	json_t *manifest = NULL;
	enum exit_code code = copy_all(m, folder, following, max_rate, f, &manifest);

	if (code == MASA_OK) {
		const struct made made = {
			.began_us = json_integer_value(json_object_get(manifest, "began_us")),
			.at_least_seq = json_integer_value(
			    json_object_get(manifest, "at_least_seq")),
			.follows = following,
		};
		note_backup(m, &made, json_integer_value(json_object_get(manifest, "ended_us")));
		tell(m, folder, following, manifest);
		if (following)
			return keep_following(m, &made, f);
	}
	if (f->pid > 0) {
		(void)kill(f->pid, SIGINT);
		(void)program_wait(f->pid);
	}
	return code;
}

static enum exit_code
parse_note_every(uint64_t *ret_ms)
{
	const char *text = masa_env("TURUNC_BACKUP_NOTE_MS", NOTE_EVERY_MS);

	*ret_ms = strspn(text, "0123456789") == strlen(text) && strlen(text) <= 8
		      ? strtoull(text, NULL, 10)
		      : 0;
	return *ret_ms >= 100
		   ? MASA_OK
		   : masa_fail(MASA_CONFIG,
		       "TURUNC_BACKUP_NOTE_MS is how often the record is told of a backup "
		       "that follows, in milliseconds, from 100 to 99999999");
}

static enum exit_code
backup_run(struct masa *m, int argc, char **argv)
{
	bool following = false;
	const char *max_rate = NULL;
	const struct option_spec specs[] = { { "follow", NULL, &following },
		{ "max-rate", &max_rate, NULL } };
	char folder[PATH_MAX], source[PATH_MAX], target[PATH_MAX];
	static struct backup_files files;
	struct follower follower = { .files = &files, .pid = -1 };
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK)
		code = backup_check_rate(max_rate);
	if (code == MASA_OK)
		code = parse_note_every(&follower.note_every_ms);
	if (code == MASA_OK)
		code = backup_check_owner();
	if (code == MASA_OK)
		code = masa_connect(m);
	if (code == MASA_OK && m->dry_run) {
		masa_print(m, json_pack("{s:b,s:s}", "dry_run", 1, "folder", argv[0]));
		return MASA_OK;
	}
	umask(077);
	if (code == MASA_OK)
		code = make_folder(argv[0], folder);
	if (code != MASA_OK)
		return code;
	(void)signal(SIGTERM, on_stop);
	(void)signal(SIGINT, on_stop);
	if (!backup_path(target, folder, "attachments"))
		return masa_fail(MASA_FAILED, "%s is too long", folder);
	files.from = backup_files_folder(source, sizeof(source));
	files.to = target;
	if (!backup_reach_open(&follower.reach, owner()))
		return masa_fail(MASA_FAILED, "no memory");
	code = make_backup(m, folder, following, max_rate, &follower);
	backup_reach_close(&follower.reach);
	return code;
}
