/* masa drill: does a backup bring the system back?  It is restored elsewhere and compared. */
#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "drill.h"
#include "program.h"
#include "restored.h"
#include "restoring.h"

static enum exit_code drill_run(struct masa *m, int argc, char **argv);

const struct command drill_commands[] = {
	{ "drill", "", "[BACKUP] [--at FOLDER] [--alone] [--max-rate KB]",
	    "restore a backup (one made now, without BACKUP) into a folder of its own below FOLDER "
	    "(/var/tmp), compare it with the running system, say how long it took, and remove it; "
	    "--alone: on another machine, where there is nothing to compare it with",
	    drill_run },
	{ 0 },
};

#define MARGIN_BYTES (INT64_C(1) << 30) /* left for the running system, whose disk it may be */

/* Some hundred milliseconds of the running system's time. */
#define PIECE_ROWS "50000"

static volatile sig_atomic_t stopping;

static void
on_stop(int number)
{
	(void)number;
	stopping = 1;
}

struct exercise {
	struct masa *m;
	struct masa copy, live;
	struct drill drill;
	struct restore restore;
	const char *at, *max_rate;
	bool alone;
	char place[PATH_MAX]; /* "" until it is made; goes at the end */
	char backup[PATH_MAX];
};

/* --- room ---------------------------------------------------------------------------------------
 */

static int64_t
bytes_below(const char *folder)
{
	char path[PATH_MAX];
	char *const paths[] = { path, NULL };
	int64_t bytes = 0;
	const FTSENT *entry;

	snprintf(path, sizeof(path), "%s", folder);
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	while (tree != NULL && (entry = fts_read(tree)) != NULL)
		if (entry->fts_info == FTS_F)
			bytes += entry->fts_statp->st_size;
	if (tree != NULL)
		fts_close(tree);
	return bytes;
}

static enum exit_code
cluster_bytes(struct exercise *e, int64_t *ret_bytes)
{
	PGresult *result;
	enum exit_code code = masa_query(e->m,
	    "SELECT sum(pg_database_size(oid))::bigint FROM pg_database WHERE datallowconn", 0,
	    NULL, &result);

	if (code != MASA_OK)
		return code;
	*ret_bytes = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return MASA_OK;
}

/* The running system's disk is not filled for an exercise. */
static enum exit_code
check_room(struct exercise *e, const char *given)
{
	struct statvfs disk;
	int64_t needed = 0;
	enum exit_code code = MASA_OK;

	if (given != NULL)
		needed = bytes_below(e->backup);
	else
		code = cluster_bytes(e, &needed);
	if (code != MASA_OK)
		return code;
	needed = MARGIN_BYTES + (given != NULL ? needed : 2 * needed);
	if (statvfs(e->at, &disk) != 0)
		return masa_fail(MASA_FAILED, "%s: %s", e->at, strerror(errno));
	int64_t free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	return free_bytes >= needed ? MASA_OK
				    : masa_fail(MASA_CONFLICT,
					"%s has %" PRId64 " MB free, the drill wants %" PRId64
					"; --at names another folder",
					e->at, free_bytes >> 20, needed >> 20);
}

/* --- the steps ----------------------------------------------------------------------------------
 */

/* Others pass through to what is theirs, as in a system's folder, and see no names. */
static enum exit_code
make_place(struct exercise *e)
{
	int len = snprintf(e->place, sizeof(e->place), "%s/turunc-drill-XXXXXX", e->at);

	if (len >= (int)sizeof(e->place) || mkdtemp(e->place) == NULL
	    || chmod(e->place, 0711) != 0) {
		e->place[0] = '\0';
		return masa_fail(MASA_FAILED, "%s: %s", e->at, strerror(errno));
	}
	return MASA_OK;
}

static enum exit_code
remove_place(const struct exercise *e)
{
	const char *argv[] = { "rm", "-rf", e->place, NULL };

	return e->place[0] != '\0' ? program_run(argv, PROGRAM_AS_WE_ARE) : MASA_OK;
}

static enum exit_code
connect_live(struct exercise *e)
{
	if (e->alone)
		return MASA_OK;
	enum exit_code code = backup_check_owner();
	if (code != MASA_OK)
		return code;
	e->live.db = PQconnectdb(masa_env("TURUNC_OWNER_DATABASE", ""));
	if (PQstatus(e->live.db) != CONNECTION_OK)
		return masa_fail(MASA_UNREACHABLE,
		    "the running system cannot be reached (--alone does without): %s",
		    PQerrorMessage(e->live.db));
	e->drill.live = &e->live;
	return MASA_OK;
}

static enum exit_code
compare(struct exercise *e)
{
	char photos[PATH_MAX];

	if (!backup_path(photos, e->restore.into, "state/attachments"))
		return masa_fail(MASA_FAILED, "%s is too long", e->place);
	enum exit_code code = drill_log(&e->drill);
	if (code == MASA_OK && !stopping)
		code = drill_tables(&e->drill);
	if (code == MASA_OK && !stopping)
		code = drill_photos(&e->drill, photos);
	if (code == MASA_OK && !stopping && !e->alone)
		drill_secrets(&e->drill, e->restore.into);
	return code;
}

/* As masa restore does it, up to the name that makes it a system. */
static enum exit_code
restore_and_compare(struct exercise *e, uint64_t *ret_recovered_ms)
{
	char into[PATH_MAX];
	pid_t server = -1;
	json_t *begun = NULL;

	if (!backup_path(into, e->place, "system"))
		return masa_fail(MASA_FAILED, "%s is too long", e->place);
	e->restore.m = &e->copy;
	umask(022); /* the cluster's user comes by here; what lies there has modes of its own */
	enum exit_code code = restoring_name_places(&e->restore, e->backup, into);
	umask(077);
	if (code == MASA_OK)
		code = restoring_start(&e->restore, &server);
	*ret_recovered_ms = clock_monotonic_ms();
	if (code == MASA_OK && !stopping)
		code = compare(e);
	if (code == MASA_OK && !stopping)
		code = restored_begin_history(&e->copy, 0, &begun);
	json_decref(begun);
	enum exit_code stopped = restoring_stop(&e->restore, server);
	if (code == MASA_OK && stopping)
		code = masa_fail(MASA_FAILED, "interrupted");
	return code == MASA_OK ? stopped : code;
}

static enum exit_code
take_backup(struct exercise *e, const char *given)
{
	if (given != NULL)
		return MASA_OK;
	if (!backup_path(e->backup, e->place, "backup"))
		return masa_fail(MASA_FAILED, "%s is too long", e->place);
	return backup_once(e->m, e->backup, e->max_rate);
}

/* How far the backup reaches, as its last record says. */
static json_t *
reaches(struct exercise *e, const json_t *manifest)
{
	return json_pack("{s:I,s:O}", "through_record", (json_int_t)e->drill.head, "made_us",
	    json_object_get(manifest, "ended_us"));
}

static void
tell(struct exercise *e, const json_t *manifest, uint64_t began_ms, uint64_t recovered_ms)
{
	uint64_t now_ms = clock_monotonic_ms();
	bool equal = json_array_size(e->drill.differences) == 0;
	json_t *said = reaches(e, manifest);

	json_object_set_new(said, e->alone ? "right" : "equal", json_boolean(equal));
	json_object_set_new(
	    said, "recovered_ms", json_integer((json_int_t)(recovered_ms - began_ms)));
	json_object_set_new(said, "compared_ms", json_integer((json_int_t)(now_ms - recovered_ms)));
	json_object_set(said, "compared", e->drill.compared);
	json_object_set(said, "differences", e->drill.differences);
	masa_print(e->m, said);
}

static enum exit_code
exercise(struct exercise *e, const char *given)
{
	uint64_t began_ms, recovered_ms;
	json_t *manifest = NULL;
	enum exit_code code = connect_live(e);

	if (code == MASA_OK)
		code = check_room(e, given);
	if (code == MASA_OK)
		code = make_place(e);
	if (code == MASA_OK)
		code = take_backup(e, given);
	if (code == MASA_OK && (manifest = backup_manifest(e->backup)) == NULL)
		code = MASA_NOT_FOUND;
	if (code == MASA_OK) {
		e->restore.follow = json_is_true(json_object_get(manifest, "follow"));
		e->restore.database = json_string_value(json_object_get(manifest, "database"));
		began_ms = clock_monotonic_ms();
		code = restore_and_compare(e, &recovered_ms);
		if (code == MASA_OK)
			tell(e, manifest, began_ms, recovered_ms);
		if (code == MASA_OK && json_array_size(e->drill.differences) > 0)
			code = MASA_FAILED;
	}
	json_decref(manifest);
	enum exit_code removed = remove_place(e);
	return code == MASA_OK ? removed : code;
}

static enum exit_code
drill_run(struct masa *m, int argc, char **argv)
{
	struct exercise *e = calloc(1, sizeof(*e));
	int positional = 0;

	if (e == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	const struct option_spec specs[] = { { "at", &e->at, NULL }, { "alone", NULL, &e->alone },
		{ "max-rate", &e->max_rate, NULL } };
	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 1, &positional);
	const char *given = positional == 1 ? argv[0] : NULL;
	e->m = m;
	if (e->at == NULL)
		e->at = "/var/tmp";
	if (code == MASA_OK)
		code = backup_check_rate(e->max_rate);
	if (code == MASA_OK && given == NULL && e->alone)
		code = masa_fail(MASA_USAGE, "--alone wants a BACKUP");
	if (code == MASA_OK && given != NULL && realpath(given, e->backup) == NULL)
		code = masa_fail(MASA_NOT_FOUND, "%s: %s", given, strerror(errno));
	const char *rows = masa_env("TURUNC_DRILL_ROWS", PIECE_ROWS);
	int64_t piece_rows = strspn(rows, "0123456789") == strlen(rows) && strlen(rows) <= 9
				 ? atoi(rows)
				 : 0;
	if (code == MASA_OK && piece_rows == 0)
		code = masa_fail(MASA_CONFIG,
		    "TURUNC_DRILL_ROWS is how many records or tickets one statement compares, from "
		    "1 to 999999999");
	if (code == MASA_OK && m->dry_run) {
		masa_print(m, json_pack("{s:b,s:s}", "dry_run", 1, "at", e->at));
	} else if (code == MASA_OK) {
		e->drill = (struct drill){
			.copy = &e->copy,
			.piece_rows = piece_rows,
			.compared = json_array(),
			.differences = json_array(),
		};
		(void)signal(SIGTERM, on_stop);
		(void)signal(SIGINT, on_stop);
		code = exercise(e, given);
		json_decref(e->drill.compared);
		json_decref(e->drill.differences);
	}
	PQfinish(e->live.db);
	free(e);
	return code;
}
