/* Options, and the way to the system's record. */
#include "masa.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failpoint.h"

static const struct option_spec *find_option(
    const struct option_spec *specs, size_t count, const char *name, size_t name_len);

enum exit_code
masa_options(struct masa *m, int argc, char **argv, const struct option_spec *specs,
    size_t spec_count, int min, int max, int *ret_positional)
{
	const struct option_spec common[] = { { "json", NULL, &m->json },
		{ "dry-run", NULL, &m->dry_run } };
	int positional = 0;

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0) {
			argv[positional++] = argv[i];
			continue;
		}
		const char *name = argv[i] + 2;
		size_t len = strcspn(name, "=");
		const struct option_spec *spec = find_option(specs, spec_count, name, len);
		if (spec == NULL)
			spec = find_option(common, ARRAY_LEN(common), name, len);
		if (spec == NULL)
			return masa_fail(MASA_USAGE, "unknown option %s", argv[i]);
		if (spec->flag != NULL && name[len] == '\0')
			*spec->flag = true;
		else if (spec->value != NULL && name[len] == '=')
			*spec->value = name + len + 1;
		else if (spec->value != NULL && i + 1 < argc)
			*spec->value = argv[++i];
		else
			return masa_fail(MASA_USAGE, "--%s %s", spec->name,
			    spec->flag != NULL ? "takes no value" : "needs a value");
	}
	if (positional < min || positional > max)
		return masa_fail(MASA_USAGE, "%s arguments; see masa --help",
		    positional < min ? "too few" : "too many");
	*ret_positional = positional;
	return MASA_OK;
}

static const struct option_spec *
find_option(const struct option_spec *specs, size_t count, const char *name, size_t name_len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(specs[i].name) == name_len
		    && strncmp(specs[i].name, name, name_len) == 0)
			return &specs[i];
	return NULL;
}

/* Takes off the single quotes a shell would; '\'' inside them is one quote. */
static void
unquote(char *value)
{
	char *to = value;
	bool quoted = false;

	for (const char *from = value; *from != '\0'; from++) {
		if (*from == '\'')
			quoted = !quoted;
		else if (*from == '\\' && !quoted && from[1] != '\0')
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*to = '\0';
}

/* What it says names programs that run as we do, and databases that we write to: it is whose we
 * are, or root's, and nobody else's to change.  Somebody else's lies in wait where we happen to
 * stand. */
static bool
is_trusted(FILE *env, const char *path)
{
	struct stat st;

	if (fstat(fileno(env), &st) == 0 && S_ISREG(st.st_mode)
	    && (st.st_uid == geteuid() || st.st_uid == 0)
	    && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	(void)masa_fail(MASA_DENIED,
	    "%s belongs to another user, or others may write to it: it is not read", path);
	return false;
}

void
masa_find_system(void)
{
	char path[4096] = ".run/env";
	char line[4096];
	FILE *env = fopen(path, "re");

	for (int up = 0; env == NULL && up < 8; up++) {
		char higher[sizeof(path)];
		if (snprintf(higher, sizeof(higher), "../%s", path) >= (int)sizeof(higher))
			return;
		memcpy(path, higher, sizeof(path));
		env = fopen(path, "re");
	}
	if (env == NULL)
		return;
	if (!is_trusted(env, path)) {
		fclose(env);
		return;
	}
	while (fgets(line, sizeof(line), env) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char *value = strchr(line, '=');
		if (strncmp(line, "TURUNC_", sizeof("TURUNC_") - 1) != 0 || value == NULL)
			continue;
		*value++ = '\0';
		unquote(value);
		setenv(line, value, 0);
	}
	fclose(env);
}

const char *
masa_env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

enum exit_code
masa_connect(struct masa *m)
{
	const char *conninfo = masa_env("TURUNC_DATABASE", NULL);

	if (m->db != NULL)
		return MASA_OK;
	if (conninfo == NULL)
		return masa_fail(MASA_UNREACHABLE, "no system found: run it from the project's "
						   "root, or set TURUNC_DATABASE");
	m->db = PQconnectdb(conninfo);
	if (PQstatus(m->db) != CONNECTION_OK)
		return masa_fail(
		    MASA_UNREACHABLE, "the record cannot be reached: %s", PQerrorMessage(m->db));
	PQclear(PQexec(m->db, "SET client_min_messages = warning"));
	return MASA_OK;
}

enum exit_code
masa_query(
    struct masa *m, const char *sql, int count, const char *const *values, PGresult **ret_result)
{
	return masa_query_binary(m, sql, count, values, NULL, NULL, ret_result);
}

enum exit_code
masa_show(struct masa *m, const char *sql, int count, const char *const *values)
{
	PGresult *result;
	enum exit_code code = masa_query(m, sql, count, values, &result);

	if (code != MASA_OK)
		return code;
	masa_print(m, masa_rows(result));
	PQclear(result);
	return MASA_OK;
}

enum exit_code
masa_query_binary(struct masa *m, const char *sql, int count, const char *const *values,
    const int *lengths, const int *formats, PGresult **ret_result)
{
	enum exit_code code = masa_connect(m);
	if (code != MASA_OK)
		return code;

	bool commits = strcmp(sql, "COMMIT") == 0;
	if (commits && failpoint(FAILPOINT_MASA_COMMIT, FAILPOINT_BEFORE))
		return masa_fail(MASA_FAILED, "the record says: a point was told to fail");
	PGresult *result = PQexecParams(m->db, sql, count, NULL, values, lengths, formats, 0);
	if (commits && failpoint(FAILPOINT_MASA_COMMIT, FAILPOINT_AFTER)) {
		PQclear(result);
		return masa_fail(MASA_UNREACHABLE, "the record did not answer: done or not, look");
	}
	ExecStatusType status = PQresultStatus(result);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		const char *why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		if (PQstatus(m->db) != CONNECTION_OK)
			code = MASA_UNREACHABLE;
		else if (state != NULL && strcmp(state, "42501") == 0)
			code = MASA_DENIED;
		else if (state != NULL
			 && (strncmp(state, "23", 2) == 0 || strncmp(state, "40", 2) == 0))
			code = MASA_CONFLICT;
		else if (state != NULL && strcmp(state, "TU005") == 0)
			code = MASA_NOT_FOUND; /* it was there a moment ago */
		else
			code = MASA_FAILED;
		masa_fail(code, "the record says: %s", why != NULL ? why : PQerrorMessage(m->db));
		PQclear(result);
		return code;
	}
	if (ret_result != NULL)
		*ret_result = result;
	else
		PQclear(result);
	return MASA_OK;
}

bool
masa_word_is_among(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

enum exit_code
masa_check_limit(const char *limit)
{
	if (strlen(limit) > 6 || strspn(limit, "0123456789") != strlen(limit) || atoi(limit) < 1)
		return masa_fail(MASA_USAGE, "--limit is a number from 1 to 999999");
	return MASA_OK;
}

enum exit_code
masa_finish_change(struct masa *m, enum exit_code code, json_t *changed)
{
	if (code == MASA_OK)
		code = masa_query(m, m->dry_run ? "ROLLBACK" : "COMMIT", 0, NULL, NULL);
	if (code == MASA_OK)
		masa_print(m, changed);
	else
		json_decref(changed);
	return code;
}

enum exit_code
masa_fail(enum exit_code code, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--)
		text[len - 1] = '\0';
	fprintf(stderr, "masa: %s\n", text);
	return code;
}
