/* masa restore: a system's folder out of a backup, with a history of its own from there on. */
#include "restoring.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	return code == MASA_OK ? restoring_remove_leftovers(r) : code;
}

static enum exit_code
restore(struct restore *r, json_t **ret_said)
{
	pid_t pid;
	enum exit_code code = restoring_start(r, &pid);

	if (code == MASA_OK)
		code = restored_begin_history(r->m, r->numbers_above, ret_said);
	enum exit_code stopped = restoring_stop(r, pid);
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
		code = restoring_name_places(r, argv[0], into);
	if (code == MASA_OK) {
		assert(r != NULL);
		r->m = m;
		r->follow = json_is_true(json_object_get(manifest, "follow"));
		r->database = json_string_value(json_object_get(manifest, "database"));
		umask(077);
		code = m->dry_run ? restoring_check_copy(r) : restore(r, &said);
	}
	if (code == MASA_OK)
		masa_print(m, said != NULL ? json_incref(said) : json_incref(manifest));
	json_decref(said);
	json_decref(manifest);
	free(r);
	return code;
}
