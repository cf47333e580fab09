/*
 * masa - what the commands share: where the system is, how to ask its record, how to answer.
 *
 * A command returns an exit code and has then said why on standard error.  Data goes to standard
 * output: for people as a table, with --json as one JSON document.
 */
#ifndef MASA_H
#define MASA_H

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum exit_code {
	MASA_OK = 0,
	MASA_FAILED = 1,
	MASA_USAGE = 2,
	MASA_NOT_FOUND = 3,
	MASA_DENIED = 4,
	MASA_CONFLICT = 5,
	MASA_UNREACHABLE = 6,
	MASA_CONFIG = EXIT_CONFIG
};

struct masa {
	bool json;
	bool dry_run;
	PGconn *db; /* opened by the first masa_query() */
	char actor[80]; /* "user:NAME" for the log */
};

/* --- options: one row each; positional arguments are what is left -------------------------------
 */

struct option_spec {
	const char *name; /* without the dashes */
	const char **value; /* takes an argument */
	bool *flag; /* takes none */
};

/* A row of the help, and what runs.  Ends with a row without a noun. */
struct command {
	const char *noun;
	const char *verb; /* "" when the noun alone is the command */
	const char *arguments;
	const char *help;
	enum exit_code (*run)(struct masa *m, int argc, char **argv);
};

extern const struct command status_commands[];
extern const struct command doctor_commands[];
extern const struct command top_commands[];
extern const struct command ticket_commands[];
extern const struct command message_commands[];
extern const struct command template_commands[];
extern const struct command address_commands[];
extern const struct command mail_commands[];
extern const struct command dlq_commands[];
extern const struct command cimer_commands[];
extern const struct command citizen_commands[];
extern const struct command audit_commands[];
extern const struct command log_commands[];
extern const struct command subs_commands[];
extern const struct command client_commands[];
extern const struct command user_commands[];
extern const struct command config_commands[];
extern const struct command report_commands[];
extern const struct command db_commands[];
extern const struct command backup_commands[];
extern const struct command restore_commands[];
extern const struct command drill_commands[];
extern const struct command demo_commands[];

/*
 * Takes the options of specs (and --json, --dry-run) out of argv; the positional arguments stay in
 * front, their count in ret_positional.  MASA_USAGE for what is not in specs or outside
 * [min, max] positional arguments.
 */
MUST_CHECK enum exit_code masa_options(struct masa *m, int argc, char **argv,
    const struct option_spec *specs, size_t spec_count, int min, int max, int *ret_positional);

/* --- the system ---------------------------------------------------------------------------------
 */

/* Reads .run/env of this folder or one above it into the environment (what is set already wins),
 * unless it is another user's. */
void masa_find_system(void);

/* The value of an environment variable, or what to use without it. */
const char *masa_env(const char *name, const char *otherwise);

/* Connects if need be (TURUNC_DATABASE). */
MUST_CHECK enum exit_code masa_connect(struct masa *m);

/* One statement with text parameters; on MASA_OK the caller clears *ret_result (may be NULL). */
MUST_CHECK enum exit_code masa_query(
    struct masa *m, const char *sql, int count, const char *const *values, PGresult **ret_result);

/* masa_query for a statement with binary parameters mixed in: lengths and formats as in libpq. */
MUST_CHECK enum exit_code masa_query_binary(struct masa *m, const char *sql, int count,
    const char *const *values, const int *lengths, const int *formats, PGresult **ret_result);

/* Appends one record of an administrator's act in the transaction that is open: last statement
 * before COMMIT. */
MUST_CHECK enum exit_code masa_log_act(
    struct masa *m, const char *type, const char *name, uint64_t config_version);

struct bundle;

/* The files in force; ret_version is "" when none are yet. */
MUST_CHECK enum exit_code masa_load_active(
    struct masa *m, struct bundle *ret_bundle, char *ret_version, size_t size);

/* Is it one of the words that an option takes? */
bool masa_word_is_among(const char *word, const char *const *words, size_t count);
/* MASA_OK when --limit was given a number from 1 to 999999; else it was told what it takes. */
MUST_CHECK enum exit_code masa_check_limit(const char *limit);

/* Ends a transaction of changes that went well (code MASA_OK) by COMMIT, or ROLLBACK with
 * --dry-run, and prints what was changed; takes changed in any case. */
MUST_CHECK enum exit_code masa_finish_change(struct masa *m, enum exit_code code, json_t *changed);

/* --- answering ----------------------------------------------------------------------------------
 */

/* "masa: ..." on standard error; returns code, so that `return masa_fail(...)` reads well. */
PRINTF(2, 3) enum exit_code masa_fail(enum exit_code code, const char *format, ...);

/*
 * The rows of a result as an array of objects named by its columns; numbers and booleans stay
 * such.  A column `ticket_id` becomes `ticket`, the printed number.  NULL: no memory.
 */
json_t *masa_rows(const PGresult *result);

/* Prints and takes the value: as JSON, or for people (array of objects: a table; object: lines).
 * Fields ending in _us are shown in Istanbul time, and as they are in JSON. */
void masa_print(struct masa *m, json_t *value);

/* Asks and prints what was found. */
enum exit_code masa_show(struct masa *m, const char *sql, int count, const char *const *values);

/* masa ticket trace (cmd_trace.c). */
enum exit_code ticket_trace(struct masa *m, int argc, char **argv);

#endif
