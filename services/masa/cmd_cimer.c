/* masa cimer: applications from the presidency's portal, and their answers on the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers_file.h"
#include "clock.h"
#include "istanbul.h"
#include "masa.h"
#include "number.h"
#include "status_words.h"
#include "viewed.h"

static enum exit_code cimer_list(struct masa *m, int argc, char **argv);
static enum exit_code cimer_answers(struct masa *m, int argc, char **argv);
static enum exit_code cimer_keyed(struct masa *m, int argc, char **argv);

const struct command cimer_commands[] = {
	{ "cimer", "list", "[--due DAYS] [--limit N]",
	    "applications whose answer is not in the portal yet, the most urgent first; --due: "
	    "those "
	    "whose legal end is so near",
	    cimer_list },
	{ "cimer", "answers", "--out FILE.csv|FILE.xlsx [--all]",
	    "the answers to be keyed into the portal (--all: also those that were); FILE is made "
	    "readable by you alone",
	    cimer_answers },
	{ "cimer", "keyed", "REFERENCE@VERSION...",
	    "these answers are in the portal now; as the list of answers has them", cimer_keyed },
	{ 0 },
};

enum { ARGUMENTS_MAX = 1000, DATE_BYTES = 24, VERSION_DIGITS_MAX = 9 };

/*
 * An application, the state of its ticket (of the one it was joined to, if it was), and the last
 * thing that was said to the citizen of it.  An end without words is keyed as version 1.
 */
#define APPLICATIONS                                                                           \
	"FROM turunc.cimer_application a "                                                     \
	"JOIN turunc.ticket t ON t.ticket_id = a.ticket_id "                                   \
	"JOIN turunc.ticket_state own ON own.ticket_id = a.ticket_id "                         \
	"JOIN turunc.ticket_state s ON s.ticket_id = coalesce(own.primary_id, own.ticket_id) " \
	"LEFT JOIN LATERAL (SELECT x.version, x.body, x.created_us FROM turunc.ticket_text x " \
	"WHERE x.ticket_id = s.ticket_id AND x.kind IN ('answer', 'closing') "                 \
	"ORDER BY x.version DESC LIMIT 1) x ON true "                                          \
	"CROSS JOIN LATERAL (SELECT CASE WHEN x.version IS NOT NULL THEN x.version WHEN "      \
	"s.ended_us IS NOT NULL THEN 1 ELSE 0 END AS version) v "

static bool
is_small_number(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 3 && strspn(text, "0123456789") == len;
}

static enum exit_code
cimer_list(struct masa *m, int argc, char **argv)
{
	const char *due = NULL, *limit = "100";
	const struct option_spec specs[] = { { "due", &due, NULL }, { "limit", &limit, NULL } };
	char before[24];
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code == MASA_OK)
		code = masa_check_limit(limit);
	if (code != MASA_OK)
		return code;
	if (due != NULL && !is_small_number(due))
		return masa_fail(MASA_USAGE, "--due takes a number of days up to 999");
	if (due != NULL)
		snprintf(before, sizeof(before), "%lld",
		    (long long)(clock_now_us() + atoi(due) * US_PER_DAY));
	const char *values[] = { due == NULL ? NULL : before, limit };
	code = masa_query(m,
	    "SELECT a.reference, a.ticket_id, s.department, a.kind, t.arrived_us AS dated_us, "
	    "own.legal_due_us, s.status, v.version > 0 AS answered, a.keyed_us " APPLICATIONS
	    "WHERE (v.version = 0 OR a.keyed_version < v.version) AND ($1::bigint IS NULL OR "
	    "own.legal_due_us < $1::bigint) ORDER BY own.legal_due_us NULLS LAST, a.reference "
	    "LIMIT $2::integer",
	    2, values, &result);
	if (code != MASA_OK)
		return code;
	masa_print(m, masa_rows(result));
	PQclear(result);
	return MASA_OK;
}

/* --- answers ---------------------------------------------------------------------------------- */

enum column {
	REFERENCE,
	TICKET,
	KIND,
	UNIT,
	DATED,
	DUE,
	STATUS,
	ANSWERED,
	KEYED_AS,
	ANSWER,
	COLUMNS
};
static const char *const header[COLUMNS] = { "Başvuru No", "Kayıt No", "Tür", "Birim Kodu",
	"Başvuru Tarihi", "Son Gün", "Durum", "Cevap Tarihi", "masa cimer keyed", "Cevap" };

/* Columns of the query, where they are not those above. */
enum { QUERY_VERSION = KEYED_AS };

/* What a cell is made of, when it is not the record's own text. */
struct made {
	char number[NUMBER_SIZE];
	char dated[DATE_BYTES];
	char due[DATE_BYTES];
	char answered[DATE_BYTES];
	char keyed_as[120];
};

/* 29.11.2026, or with the time of day; before: the day that ends then. */
static void
write_date(const char *us, bool with_time, bool before, char out[DATE_BYTES])
{
	out[0] = '\0';
	if (us[0] == '\0')
		return;
	struct istanbul_time at = istanbul_split(strtoll(us, NULL, 10) - before);
	int len = snprintf(out, DATE_BYTES, "%02d.%02d.%04d", at.day, at.month, at.year);
	if (with_time)
		snprintf(out + len, DATE_BYTES - (size_t)len, " %02d:%02d", at.hour, at.minute);
}

static void
fill_row(const PGresult *rows, int row, struct made *made, const char **cells)
{
	for (int c = 0; c < COLUMNS; c++)
		cells[c] = PQgetvalue(rows, row, c);
	if (!number_format(strtoll(cells[TICKET], NULL, 10), made->number))
		made->number[0] = '\0';
	write_date(cells[DATED], true, false, made->dated);
	write_date(cells[DUE], false, true, made->due);
	write_date(cells[ANSWERED], true, false, made->answered);
	snprintf(made->keyed_as, sizeof(made->keyed_as), "%s@%s", cells[REFERENCE],
	    PQgetvalue(rows, row, QUERY_VERSION));
	cells[TICKET] = made->number;
	cells[DATED] = made->dated;
	cells[DUE] = made->due;
	cells[STATUS] = status_word(strtoll(cells[STATUS], NULL, 10), CATALOGUE_TR);
	cells[ANSWERED] = made->answered;
	cells[KEYED_AS] = made->keyed_as;
}

/* The trace of having looked comes before the look; a joined application shows the other's words.
 */
static enum exit_code
note_looks(struct masa *m, const PGresult *rows)
{
	size_t count = (size_t)PQntuples(rows), size = count * DATE_BYTES + 3, used = 1;
	char *array = malloc(size);

	if (array == NULL)
		return masa_fail(MASA_FAILED, "out of memory");
	array[0] = '{';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(array + used, size - used, "%s%s", i == 0 ? "" : ",",
		    PQgetvalue(rows, (int)i, COLUMNS)); /* a number of 19 digits at most */
	memcpy(array + used, "}", 2);
	enum exit_code code = viewed_note(m, array, "cimer answers");
	free(array);
	return code;
}

static enum exit_code
write_answers(struct masa *m, const char *path, const PGresult *rows)
{
	size_t count = (size_t)PQntuples(rows);
	const char **cells = calloc(count * COLUMNS + 1, sizeof(*cells));
	struct made *made = calloc(count + 1, sizeof(*made));
	enum exit_code code = MASA_FAILED;

	if (cells == NULL || made == NULL) {
		(void)masa_fail(MASA_FAILED, "out of memory");
	} else {
		for (size_t i = 0; i < count; i++)
			fill_row(rows, (int)i, &made[i], cells + i * COLUMNS);
		const struct answers_table table = { header, COLUMNS, count, cells };
		code = m->dry_run ? MASA_OK : answers_file_write(path, &table);
	}
	if (code == MASA_OK)
		masa_print(m, json_pack("{s:s, s:I}", "file", path, "answers", (json_int_t)count));
	free(cells);
	free(made);
	return code;
}

static enum exit_code
cimer_answers(struct masa *m, int argc, char **argv)
{
	const char *path = NULL;
	bool all = false;
	const struct option_spec specs[] = { { "out", &path, NULL }, { "all", NULL, &all } };
	int positional;
	PGresult *result;

	enum exit_code code = masa_options(
	    m, argc, argv, specs, ARRAY_LEN(specs), 0, 0, &positional);
	if (code != MASA_OK)
		return code;
	if (path == NULL || !answers_file_named(path))
		return masa_fail(MASA_USAGE, "--out takes a file that ends in .csv or .xlsx");
	const char *values[] = { all ? "true" : "false" };
	code = masa_query(m,
	    "SELECT a.reference, a.ticket_id, a.kind, a.unit, t.arrived_us, own.legal_due_us, "
	    "s.status, coalesce(x.created_us, s.ended_us), v.version, coalesce(x.body, ''), "
	    "s.ticket_id " APPLICATIONS
	    "WHERE v.version > 0 AND ($1::boolean OR a.keyed_version < v.version) ORDER BY "
	    "own.legal_due_us NULLS LAST, a.reference",
	    1, values, &result);
	if (code != MASA_OK)
		return code;
	if (PQntuples(result) > 0)
		code = note_looks(m, result);
	if (code == MASA_OK)
		code = write_answers(m, path, result);
	PQclear(result);
	return code;
}

/* --- keyed ------------------------------------------------------------------------------------ */

/* One of them, in the transaction that is open. */
static enum exit_code
key_one(struct masa *m, const char *argument, json_t *changed)
{
	const char *at = strrchr(argument, '@');
	char reference[100], now[24];
	PGresult *result;

	if (at == NULL || at == argument || (size_t)(at - argument) >= sizeof(reference)
	    || strspn(at + 1, "0123456789") != strlen(at + 1) || at[1] == '\0'
	    || strlen(at + 1) > VERSION_DIGITS_MAX)
		return masa_fail(MASA_USAGE,
		    "%s is not REFERENCE@VERSION as the list of answers has it", argument);
	memcpy(reference, argument, (size_t)(at - argument));
	reference[at - argument] = '\0';
	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	const char *values[] = { reference, at + 1, now, m->actor };
	enum exit_code code = masa_query(m,
	    "UPDATE turunc.cimer_application SET keyed_version = greatest(keyed_version, "
	    "$2::integer), keyed_us = $3::bigint, keyed_by = $4::text WHERE reference = $1::text "
	    "RETURNING reference, ticket_id, keyed_version",
	    4, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
	if (json_array_size(rows) == 0)
		code = masa_fail(MASA_NOT_FOUND, "there is no application %s", reference);
	else
		json_array_extend(changed, rows);
	json_decref(rows);
	return code;
}

static enum exit_code
cimer_keyed(struct masa *m, int argc, char **argv)
{
	int positional;

	enum exit_code code = masa_options(m, argc, argv, NULL, 0, 1, ARGUMENTS_MAX, &positional);
	json_t *changed = code == MASA_OK ? json_array() : NULL;
	if (code == MASA_OK)
		code = masa_query(m, "BEGIN", 0, NULL, NULL);
	for (int i = 0; i < positional && code == MASA_OK; i++)
		code = key_one(m, argv[i], changed);
	return masa_finish_change(m, code, changed);
}
