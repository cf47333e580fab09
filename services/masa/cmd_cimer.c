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
	{ "cimer", "keyed", "REFERENCE@RECORD...",
	    "these answers are in the portal now; as the list of answers has them", cimer_keyed },
	{ 0 },
};

enum { ARGUMENTS_MAX = 1000, DATE_BYTES = 24, RECORD_DIGITS_MAX = 18 };

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
	return masa_show(m,
	    "SELECT reference, ticket_id, department, kind, arrived_us AS dated_us, legal_due_us, "
	    "status, answer_seq IS NOT NULL AS answered, keyed_us FROM turunc.cimer_answer "
	    "WHERE waits AND ($1::bigint IS NULL OR legal_due_us < $1::bigint) "
	    "ORDER BY legal_due_us NULLS LAST, reference LIMIT $2::integer",
	    2, values);
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
enum { QUERY_RECORD = KEYED_AS };

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
	    PQgetvalue(rows, row, QUERY_RECORD));
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
	    "SELECT v.reference, v.ticket_id, v.kind, v.unit, v.arrived_us, v.legal_due_us, "
	    "v.status, v.answered_us, v.answer_seq, coalesce(x.body, ''), v.answer_ticket_id "
	    "FROM turunc.cimer_answer v LEFT JOIN LATERAL (SELECT x.body FROM turunc.ticket_text x "
	    "WHERE x.ticket_id = v.answer_ticket_id AND x.kind IN ('answer', 'closing') "
	    "ORDER BY x.version DESC LIMIT 1) x ON true "
	    "WHERE v.answer_seq IS NOT NULL AND ($1::boolean OR v.waits) "
	    "ORDER BY v.legal_due_us NULLS LAST, v.reference",
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

/* Does that record answer or end the application's ticket, or the one that it was joined to? */
static enum exit_code
check_record(struct masa *m, const char *argument, const char *reference, const char *record)
{
	const char *values[] = { reference, record };
	PGresult *result;
	enum exit_code code = masa_query(m,
	    "SELECT EXISTS (SELECT FROM turunc.event_log l WHERE l.seq = $2::bigint "
	    "AND l.ticket_id IN (v.ticket_id, v.answer_ticket_id) AND l.type IN "
	    "('ticket.answered', 'ticket.resolved', 'ticket.rejected', 'ticket.forwarded', "
	    "'ticket.withdrawn')) FROM turunc.cimer_answer v WHERE v.reference = $1::text",
	    2, values, &result);

	if (code != MASA_OK)
		return code;
	if (PQntuples(result) == 0)
		code = masa_fail(MASA_NOT_FOUND, "there is no application %s", reference);
	else if (PQgetvalue(result, 0, 0)[0] != 't')
		code = masa_fail(MASA_NOT_FOUND, "%s: no such answer was given", argument);
	PQclear(result);
	return code;
}

/* One of them, in the transaction that is open.  An older one does not take back the present. */
static enum exit_code
key_one(struct masa *m, const char *argument, json_t *changed)
{
	const char *at = strrchr(argument, '@');
	char reference[100], now[24];
	PGresult *result;

	if (at == NULL || at == argument || (size_t)(at - argument) >= sizeof(reference)
	    || strspn(at + 1, "0123456789") != strlen(at + 1) || at[1] == '\0'
	    || strlen(at + 1) > RECORD_DIGITS_MAX)
		return masa_fail(MASA_USAGE,
		    "%s is not REFERENCE@RECORD as the list of answers has it", argument);
	memcpy(reference, argument, (size_t)(at - argument));
	reference[at - argument] = '\0';
	enum exit_code code = check_record(m, argument, reference, at + 1);
	if (code != MASA_OK)
		return code;
	snprintf(now, sizeof(now), "%lld", (long long)clock_now_us());
	const char *values[] = { reference, at + 1, now, m->actor };
	code = masa_query(m,
	    "UPDATE turunc.cimer_application a SET keyed_seq = CASE WHEN a.keyed_seq = "
	    "v.answer_seq THEN a.keyed_seq ELSE $2::bigint END, keyed_us = $3::bigint, "
	    "keyed_by = $4::text FROM turunc.cimer_answer v WHERE v.ticket_id = a.ticket_id "
	    "AND a.reference = $1::text "
	    "RETURNING a.reference, a.ticket_id, a.keyed_seq AS keyed_record",
	    4, values, &result);
	if (code != MASA_OK)
		return code;
	json_t *rows = masa_rows(result);
	PQclear(result);
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
