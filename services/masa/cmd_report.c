/* masa report: a month's figures, counted from the log up to a record. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "month_log.h"
#include "month_words.h"
#include "report.h"
#include "report_csv.h"
#include "report_press.h"
#include "report_xlsx.h"

static enum exit_code report_verify(struct masa *m, int argc, char **argv);
static enum exit_code report_run(struct masa *m, int argc, char **argv);

const struct command report_commands[] = {
	{ "report", "verify", "",
	    "count the log anew and compare: are the figures that metrics keeps, and the revisions "
	    "it published, those of the log?",
	    report_verify },
	{ "report", "", "--month YYYY-MM [--as-of SEQ] [--format text|json|csv|xlsx|press]",
	    "a month's figures, counted anew from the log up to record SEQ (or its end): the same "
	    "bytes for the same record for ever, which are those of the page's files; --json is "
	    "--format json",
	    report_run },
	{ 0 },
};

static enum exit_code
parse_as_of(const char *text, uint64_t *ret_as_of)
{
	size_t digits = strspn(text, "0123456789");

	*ret_as_of = 0;
	if (digits == 0 || digits > 18 || text[digits] != '\0' || strtoull(text, NULL, 10) == 0)
		return masa_fail(MASA_USAGE, "--as-of is the number of a record, from 1");
	*ret_as_of = strtoull(text, NULL, 10);
	return MASA_OK;
}

/* One line a figure, with what it is. */
static void
print_figures(const struct figures *figures)
{
	for (size_t w = 0; w < month_word_count; w++)
		for (size_t i = 0; i < figures->count; i++) {
			const struct figure *f = &figures->at[i];
			bool department = strncmp(f->name, "d.", 2) == 0;
			if (department || month_word_of(f->name) != &month_words[w])
				continue;
			printf("%-44s %12" PRId64 "  %s\n", f->name, f->value,
			    month_words[w].title[CATALOGUE_TR]);
		}
}

static void
print_rates(const struct figures *figures)
{
	static const char *const units[] = { "%", "/ 1000", "min", "s", "" };

	for (size_t i = 0; i < month_rate_count; i++) {
		const struct month_rate *r = &month_rates[i];
		int64_t tenths;
		if (r->is_prefix || !month_rate_tenths(r, figures, "", "", &tenths))
			continue;
		printf("%-44s %10" PRId64 ".%" PRId64 "  %s (%s)\n", r->name, tenths / 10,
		    tenths % 10, r->title[CATALOGUE_TR], units[r->unit]);
	}
}

static enum exit_code
print_text(const struct month_report *r)
{
	char title[40];

	month_title(r->month, CATALOGUE_TR, title, sizeof(title));
	printf("%s%s\n", title, r->over ? "" : " (sürüyor)");
	printf("record %" PRIu64 " of log %s, configuration %" PRIu64 "\n", r->as_of_seq, r->log_id,
	    r->config_version);
	printf("head %" PRIu64 ":%s\n", r->head_seq, r->head_hash);
	printf("revision %zu\n", r->revision_count);
	for (size_t i = 0; i < r->revision_count; i++)
		for (size_t k = 0; k < r->revisions[i].change_count; k++) {
			const struct month_change *c = &r->revisions[i].changes[k];
			printf("  %" PRIu32 ": %s %" PRId64 " -> %" PRId64 "\n",
			    r->revisions[i].number, c->name, c->was, c->is);
		}
	printf("\n");
	print_figures(&r->figures);
	printf("\n");
	print_rates(&r->figures);
	return MASA_OK;
}

static enum exit_code
print_json(const struct month_report *r)
{
	char *text = month_report_text(r);

	if (text == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	fputs(text, stdout);
	free(text);
	return MASA_OK;
}

/* xlsx puts a workbook together from temporary files. */
static bool
write_xlsx(const struct report *report, struct evbuffer *out)
{
	const char *scratch = getenv("TMPDIR");

	return report_xlsx(report, scratch == NULL || scratch[0] == '\0' ? "/tmp" : scratch, out);
}

/* As metrics hands it out in Turkish. */
static enum exit_code
print_written(const struct month_report *month,
    bool (*write_report)(const struct report *report, struct evbuffer *out))
{
	struct evbuffer *out = evbuffer_new();
	struct report report = { 0 };
	enum exit_code code = MASA_OK;

	if (out == NULL || !report_init(&report, month, CATALOGUE_TR)
	    || !write_report(&report, out))
		code = masa_fail(MASA_FAILED, "the report cannot be written");
	size_t len = out == NULL ? 0 : evbuffer_get_length(out);
	if (code == MASA_OK && fwrite(evbuffer_pullup(out, -1), 1, len, stdout) != len)
		code = masa_fail(MASA_FAILED, "the output cannot be written");
	report_finish(&report);
	if (out != NULL)
		evbuffer_free(out);
	return code;
}

static enum exit_code
print_csv(const struct month_report *month)
{
	return print_written(month, report_csv);
}

static enum exit_code
print_xlsx(const struct month_report *month)
{
	return print_written(month, write_xlsx);
}

static enum exit_code
print_press(const struct month_report *month)
{
	return print_written(month, report_press);
}

static const struct {
	const char *name;
	enum exit_code (*print)(const struct month_report *report);
} formats[] = {
	{ "text", print_text },
	{ "json", print_json },
	{ "csv", print_csv },
	{ "xlsx", print_xlsx },
	{ "press", print_press },
};

static enum exit_code
report_run(struct masa *m, int argc, char **argv)
{
	const char *month_given = NULL, *as_of_given = NULL, *format = NULL;
	const struct option_spec specs[] = { { "month", &month_given, NULL },
		{ "as-of", &as_of_given, NULL }, { "format", &format, NULL } };
	struct month_report report;
	struct month_log log;
	uint64_t as_of = 0;
	int32_t month = 0;
	size_t f = 0;
	int positional;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK && (month_given == NULL || !month_parse(month_given, &month)))
		code = masa_fail(MASA_USAGE, "--month is a year and a month: 2026-03");
	if (code == MASA_OK && as_of_given != NULL)
		code = parse_as_of(as_of_given, &as_of);
	if (format == NULL)
		format = m->json ? "json" : "text";
	while (f < ARRAY_LEN(formats) && strcmp(formats[f].name, format) != 0)
		f++;
	if (code == MASA_OK && f == ARRAY_LEN(formats))
		code = masa_fail(MASA_USAGE, "--format is text, json, csv, xlsx or press");
	if (code != MASA_OK)
		return code;
	code = month_log_count(m, as_of, &log);
	if (code == MASA_OK)
		code = month_log_report(&log, month, &report);
	if (code == MASA_OK) {
		code = formats[f].print(&report);
		month_report_finish(&report);
	}
	month_log_finish(&log);
	return code;
}

/* --- verifying -------------------------------------------------------------------------------- */

enum { DIFFERENCES_SHOWN = 20 };

static void
add_difference(json_t *list, int32_t month, const char *name, int64_t kept, int64_t counted)
{
	if (json_array_size(list) < DIFFERENCES_SHOWN)
		json_array_append_new(
		    list, json_pack("{s:i,s:s,s:I,s:I}", "month", (int)month, "name", name, "kept",
			      (json_int_t)kept, "counted", (json_int_t)counted));
}

/* Both in the order of month and name. */
static size_t
compare_cells(const PGresult *kept, struct month_cells *counted, json_t *list)
{
	size_t differences = 0, i = 0;
	int row = 0, rows = PQntuples(kept);

	month_cells_sort(counted);
	while (row < rows || i < counted->count) {
		const struct month_cell *c = i < counted->count ? &counted->at[i] : NULL;
		if (c != NULL && c->n == 0) {
			i++;
			continue;
		}
		int32_t month = row < rows ? (int32_t)atoi(PQgetvalue(kept, row, 0)) : INT32_MAX;
		const char *name = row < rows ? PQgetvalue(kept, row, 1) : "";
		int64_t n = row < rows ? strtoll(PQgetvalue(kept, row, 2), NULL, 10) : 0;
		int order = c == NULL           ? -1
			    : month != c->month ? (month < c->month ? -1 : 1)
						: strcmp(name, c->name);
		if (order < 0)
			add_difference(list, month, name, n, 0);
		else if (order > 0)
			add_difference(list, c->month, c->name, 0, c->n);
		else if (n != c->n)
			add_difference(list, month, name, n, c->n);
		differences += order != 0 || n != c->n;
		row += order <= 0;
		i += order >= 0;
	}
	return differences;
}

/* As the rows of the record say it. */
static json_t *
revisions_of(const struct month_fold *fold)
{
	json_t *list = json_array();

	for (size_t i = 0; i < fold->revision_count; i++) {
		const struct month_revision *r = &fold->revisions[i].revision;
		json_t *changes = json_array();
		for (size_t k = 0; k < r->change_count; k++)
			json_array_append_new(changes,
			    json_pack("[s,I,I]", r->changes[k].name, (json_int_t)r->changes[k].was,
				(json_int_t)r->changes[k].is));
		json_array_append_new(
		    list, json_pack("[i,i,I,I,o]", (int)fold->revisions[i].month, (int)r->number,
			      (json_int_t)r->seq, (json_int_t)r->at_us, changes));
	}
	return list;
}

/* What metrics keeps, as of one moment. */
struct kept {
	uint64_t seq; /* the last record that it counts */
	PGresult *cells;
	json_t *revisions;
};

static void
finish_kept(struct kept *kept)
{
	PQclear(kept->cells);
	json_decref(kept->revisions);
}

static enum exit_code
read_state(struct masa *m, struct kept *kept)
{
	PGresult *result;

	enum exit_code code = masa_query(
	    m, "SELECT seq FROM turunc.month_state WHERE seq > 0", 0, NULL, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 1)
		kept->seq = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return kept->seq == 0 ? masa_fail(MASA_NOT_FOUND, "metrics has counted nothing yet")
			      : MASA_OK;
}

static enum exit_code
read_revisions(struct masa *m, struct kept *kept)
{
	PGresult *result;

	enum exit_code code = masa_query(m,
	    "SELECT coalesce(json_agg(json_build_array(r.month, r.number, r.seq, r.at_us, "
	    "coalesce((SELECT json_agg(json_build_array(c.name, c.was, c.now) ORDER BY c.name) "
	    "FROM turunc.month_change c WHERE c.month = r.month AND c.number = r.number), '[]')) "
	    "ORDER BY r.month, r.number), '[]') FROM turunc.month_revision r",
	    0, NULL, &result);
	if (code != MASA_OK)
		return code;
	kept->revisions = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
	PQclear(result);
	return MASA_OK;
}

/* In one short transaction, before the count: the records up to there never change. */
static enum exit_code
read_kept(struct masa *m, struct kept *kept)
{
	enum exit_code code = masa_query(
	    m, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, NULL);

	if (code != MASA_OK)
		return code;
	code = read_state(m, kept);
	if (code == MASA_OK)
		code = masa_query(m,
		    "SELECT month, name, n FROM turunc.month_cell WHERE n <> 0 "
		    "ORDER BY month, name",
		    0, NULL, &kept->cells);
	if (code == MASA_OK)
		code = read_revisions(m, kept);
	if (code == MASA_UNREACHABLE)
		return code;
	enum exit_code ended = masa_query(m, "ROLLBACK", 0, NULL, NULL);
	return code == MASA_OK ? ended : code;
}

/* In whatever order they were drawn up. */
static bool
same_revisions(const struct kept *kept, const struct month_fold *fold)
{
	json_t *counted = revisions_of(fold);
	bool equal = json_array_size(kept->revisions) == json_array_size(counted);

	for (size_t i = 0; equal && i < json_array_size(counted); i++) {
		bool found = false;
		for (size_t k = 0; !found && k < json_array_size(kept->revisions); k++)
			found = json_equal(
			    json_array_get(kept->revisions, k), json_array_get(counted, i));
		equal = found;
	}
	json_decref(counted);
	return equal;
}

static enum exit_code
compare_all(struct masa *m, const struct kept *kept, struct month_log *log)
{
	json_t *list = json_array();
	size_t differences = compare_cells(kept->cells, &log->fold.cells, list);
	bool revisions = same_revisions(kept, &log->fold);
	bool right = differences == 0 && revisions;

	masa_print(m, json_pack("{s:b,s:I,s:i,s:i,s:b,s:o}", "right", right, "through",
			  (json_int_t)kept->seq, "figures", PQntuples(kept->cells), "differences",
			  (int)differences, "same_revisions", revisions, "first", list));
	return right ? MASA_OK : MASA_FAILED;
}

static enum exit_code
report_verify(struct masa *m, int argc, char **argv)
{
	struct month_log log = { 0 };
	struct kept kept = { 0 };
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 0, 0, &positional);
	if (code == MASA_OK)
		code = read_kept(m, &kept);
	if (code == MASA_OK)
		code = month_log_count(m, kept.seq, &log);
	if (code == MASA_OK)
		code = compare_all(m, &kept, &log);
	finish_kept(&kept);
	month_log_finish(&log);
	return code;
}
