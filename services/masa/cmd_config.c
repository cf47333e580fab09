/* masa config: check, apply and take back the municipality's files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base_url.h"
#include "bundle.h"
#include "catalogue.h"
#include "clock.h"
#include "digest.h"
#include "masa.h"

static enum exit_code config_check(struct masa *m, int argc, char **argv);
static enum exit_code config_apply(struct masa *m, int argc, char **argv);
static enum exit_code config_rollback(struct masa *m, int argc, char **argv);
static enum exit_code config_list(struct masa *m, int argc, char **argv);

const struct command config_commands[] = {
	{ "config", "check", "FOLDER",
	    "say file, line and reason of whatever is wrong; changes nothing", config_check },
	{ "config", "apply", "FOLDER [--base-url URL | --local-url URL]",
	    "make the folder's files the configuration in force, all or nothing; --dry-run shows "
	    "the change.  --base-url: where citizens find the system, whatever the files say; "
	    "--local-url: the same, if the files name an address of this machine itself",
	    config_apply },
	{ "config", "rollback", "[VERSION]",
	    "put an earlier version in force again (default: the one before)", config_rollback },
	{ "config", "list", "", "the versions, newest first", config_list },
	{ 0 },
};

static enum exit_code read_checked(
    const char *folder, struct bundle *ret_bundle, json_t **ret_report);
static enum exit_code check(const struct bundle *bundle, json_t **ret_report);
static enum exit_code activate(struct masa *m, const char *version);
static json_t *compare(const struct bundle *before, const struct bundle *after);

static enum exit_code
config_check(struct masa *m, int argc, char **argv)
{
	int positional;
	struct bundle bundle;
	json_t *report = NULL;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, 1, &positional);
	if (code != MASA_OK)
		return code;
	bundle_init(&bundle);
	code = read_checked(argv[0], &bundle, &report);
	if (report != NULL)
		masa_print(m, report);
	bundle_finish(&bundle);
	return code;
}

/* On MASA_OK ret_bundle holds valid files.  ret_report is set unless the folder cannot be read. */
static enum exit_code
read_checked(const char *folder, struct bundle *ret_bundle, json_t **ret_report)
{
	char why[512];

	if (!bundle_read_folder(ret_bundle, folder, why, sizeof(why)))
		return masa_fail(MASA_CONFIG, "%s", why);
	return check(ret_bundle, ret_report);
}

/* Takes what *ret_report held. */
static enum exit_code
check(const struct bundle *bundle, json_t **ret_report)
{
	struct catalogue_report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	struct catalogue *catalogue = catalogue_parse(bundle, report);
	json_t *problems = json_array();
	for (size_t i = 0; i < report->kept; i++) {
		const struct catalogue_problem *p = &report->problems[i];
		json_array_append_new(problems,
		    json_pack("{s:s,s:s,s:i,s:s}", "severity", p->warning ? "warning" : "error",
			"file", p->file, "line", p->line, "reason", p->reason));
	}
	json_decref(*ret_report);
	*ret_report = json_pack("{s:b,s:I,s:I,s:s,s:o}", "valid", catalogue != NULL, "errors",
	    (json_int_t)report->errors, "warnings", (json_int_t)report->warnings, "digest",
	    catalogue != NULL ? catalogue->digest : "", "problems", problems);
	enum exit_code code = catalogue != NULL ? MASA_OK : MASA_CONFIG;
	catalogue_destroy(catalogue);
	free(report);
	return code;
}

static enum exit_code
insert_version(struct masa *m, const struct bundle *bundle, char *ret_version, size_t size)
{
	char hex[BUNDLE_DIGEST_SIZE], now_text[24];
	struct digest digest;
	PGresult *result;

	bundle_digest(bundle, hex);
	if (!digest_parse(hex, strlen(hex), &digest))
		return masa_fail(MASA_FAILED, "the digest cannot be read back");
	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { (const char *)digest.bytes, now_text, m->actor };
	const int lengths[] = { DIGEST_BYTES, 0, 0 }, formats[] = { 1, 0, 0 };
	enum exit_code code = masa_query_binary(m,
	    "INSERT INTO turunc.config_version (digest, applied_us, applied_by)"
	    " VALUES ($1::bytea, $2::bigint, $3) RETURNING version",
	    3, values, lengths, formats, &result);
	if (code != MASA_OK)
		return code;
	snprintf(ret_version, size, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	for (size_t i = 0; code == MASA_OK && i < bundle->count; i++) {
		const struct bundle_file *f = &bundle->files[i];
		const char *file_values[] = { ret_version, f->name, f->data };
		const int file_lengths[] = { 0, 0, (int)f->size };
		const int file_formats[] = { 0, 0, 1 };
		code = masa_query_binary(m,
		    "INSERT INTO turunc.config_file (version, name, content) VALUES ($1::bigint, "
		    "$2, $3::bytea)",
		    3, file_values, file_lengths, file_formats, NULL);
	}
	return code;
}

/* read_checked, with the address that they are to have. */
static enum exit_code
read_placed(const char *folder, const char *base_url, const char *local_url,
    struct bundle *ret_bundle, json_t **ret_report)
{
	enum exit_code code = read_checked(folder, ret_bundle, ret_report);

	if (code == MASA_OK && (base_url != NULL || local_url != NULL)) {
		code = base_url != NULL ? base_url_put(ret_bundle, base_url, false)
					: base_url_put(ret_bundle, local_url, true);
		if (code == MASA_OK)
			code = check(ret_bundle, ret_report);
	}
	return code;
}

static enum exit_code
config_apply(struct masa *m, int argc, char **argv)
{
	const char *base_url = NULL, *local_url = NULL;
	const struct option_spec specs[] = { { "base-url", &base_url, NULL },
		{ "local-url", &local_url, NULL } };
	int positional;
	struct bundle next, now;
	json_t *report = NULL;
	char version[24] = "", hex_next[BUNDLE_DIGEST_SIZE], hex_now[BUNDLE_DIGEST_SIZE];

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 1, 1, &positional);
	if (code == MASA_OK && base_url != NULL && local_url != NULL)
		code = masa_fail(MASA_USAGE, "--base-url and --local-url do not go together");
	if (code != MASA_OK)
		return code;
	bundle_init(&next);
	bundle_init(&now);
	code = read_placed(argv[0], base_url, local_url, &next, &report);
	if (code == MASA_CONFIG && report != NULL) {
		masa_print(m, json_incref(report));
		masa_fail(code, "nothing was applied");
	}
	if (code == MASA_OK)
		code = masa_query(m, "BEGIN", 0, NULL, NULL);
	/* Two administrators at once: the second waits, then compares with what the first applied.
	 */
	if (code == MASA_OK)
		code = masa_query(m, "SELECT pg_advisory_xact_lock(7302)", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_load_active(m, &now, version, sizeof(version));
	if (code == MASA_OK) {
		bundle_digest(&next, hex_next);
		bundle_digest(&now, hex_now);
		bool same = version[0] != '\0' && strcmp(hex_next, hex_now) == 0;
		json_t *said = json_pack("{s:b,s:O,s:o}", "changed", !same, "warnings",
		    json_object_get(report, "warnings"), "changes", compare(&now, &next));
		if (!same && !m->dry_run) {
			code = insert_version(m, &next, version, sizeof(version));
			if (code == MASA_OK)
				code = activate(m, version);
		}
		if (code == MASA_OK)
			code = masa_query(m, m->dry_run ? "ROLLBACK" : "COMMIT", 0, NULL, NULL);
		json_object_set_new(said, "version", json_integer(strtoll(version, NULL, 10)));
		if (code == MASA_OK)
			masa_print(m, json_incref(said));
		json_decref(said);
	}
	json_decref(report);
	bundle_finish(&next);
	bundle_finish(&now);
	return code;
}

/* Puts a stored version in force; the last statement before COMMIT. */
static enum exit_code
activate(struct masa *m, const char *version)
{
	char now_text[24];

	snprintf(now_text, sizeof(now_text), "%lld", (long long)clock_now_us());
	const char *values[] = { version, now_text };
	enum exit_code code = masa_query(m,
	    "INSERT INTO turunc.config_active (version, since_us) VALUES ($1::bigint, $2::bigint)"
	    " ON CONFLICT (singleton) DO UPDATE SET version = EXCLUDED.version, since_us = "
	    "EXCLUDED.since_us",
	    2, values, NULL);
	if (code != MASA_OK)
		return code;
	return masa_log_act(m, "config.applied", "", strtoull(version, NULL, 10));
}

static int
count_lines(const struct bundle_file *file)
{
	int lines = 0;

	for (size_t i = 0; i < file->size; i++)
		lines += file->data[i] == '\n';
	return lines;
}

static bool
holds_line(const struct bundle_file *file, const char *line, size_t len)
{
	const char *at = file->data, *end = file->data + file->size;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t this_len = (size_t)((stop != NULL ? stop : end) - at);
		if (this_len == len && memcmp(at, line, len) == 0)
			return true;
		at += this_len + 1;
	}
	return false;
}

/* The lines of one file that the other does not have, each with its sign. */
static void
add_lines(json_t *into, const struct bundle_file *of, const struct bundle_file *not_in, char sign)
{
	const char *at = of->data, *end = of->data + of->size;

	while (at < end && json_array_size(into) < 1000) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		if (not_in == NULL || !holds_line(not_in, at, len))
			json_array_append_new(into,
			    json_pack("{s:s,s:o}", "file", of->name, "line",
				json_sprintf("%c %.*s", sign, (int)(len < 1000 ? len : 1000), at)));
		at += len + 1;
	}
}

static json_t *
compare(const struct bundle *before, const struct bundle *after)
{
	json_t *changes = json_array();

	for (size_t i = 0; i < before->count; i++) {
		const struct bundle_file *old = &before->files[i],
					 *new = bundle_find(after, old->name);
		if (new == NULL || new->size != old->size
		    || memcmp(new->data, old->data, old->size) != 0)
			add_lines(changes, old, new, '-');
	}
	for (size_t i = 0; i < after->count; i++) {
		const struct bundle_file *new = &after->files[i],
					 *old = bundle_find(before, new->name);
		if (old == NULL)
			json_array_append_new(
			    changes, json_pack("{s:s,s:o}", "file", new->name, "line",
					 json_sprintf("+ (new, %d lines)", count_lines(new))));
		else if (new->size != old->size || memcmp(new->data, old->data, old->size) != 0)
			add_lines(changes, new, old, '+');
	}
	return changes;
}

static enum exit_code
config_rollback(struct masa *m, int argc, char **argv)
{
	int positional;
	PGresult *result;
	char version[24];

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 1, &positional);
	if (code != MASA_OK)
		return code;
	if (positional == 1
	    && (strlen(argv[0]) > 18 || strspn(argv[0], "0123456789") != strlen(argv[0])))
		return masa_fail(MASA_USAGE, "VERSION is a number; see masa config list");
	const char *values[] = { positional == 1 ? argv[0] : NULL };
	code = masa_query(m, "BEGIN", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m, "SELECT pg_advisory_xact_lock(7302)", 0, NULL, NULL);
	if (code == MASA_OK)
		code = masa_query(m,
		    "SELECT v.version FROM turunc.config_version v, turunc.config_active a"
		    " WHERE CASE WHEN $1::bigint IS NULL THEN v.version < a.version ELSE v.version "
		    "= $1::bigint END"
		    " ORDER BY v.version DESC LIMIT 1",
		    1, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0) {
		PQclear(result);
		return masa_fail(
		    MASA_NOT_FOUND, "there is no such earlier version; see masa config list");
	}
	snprintf(version, sizeof(version), "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	code = activate(m, version);
	if (code == MASA_OK)
		code = masa_query(m, m->dry_run ? "ROLLBACK" : "COMMIT", 0, NULL, NULL);
	if (code == MASA_OK)
		masa_print(m, json_pack("{s:I,s:b}", "version",
				  (json_int_t)strtoll(version, NULL, 10), "dry_run", m->dry_run));
	return code;
}

static enum exit_code
config_list(struct masa *m, int argc, char **argv)
{
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_show(m,
		    "SELECT v.version, a.version IS NOT NULL AS in_force, v.applied_us, "
		    "v.applied_by,"
		    " encode(v.digest, 'hex') AS digest FROM turunc.config_version v"
		    " LEFT JOIN turunc.config_active a USING (version) ORDER BY v.version DESC",
		    0, NULL);
	return code;
}
