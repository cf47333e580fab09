/* Writes a month's open data, so many lines at a time. */
#include "open_data_files.h"

#include <assert.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "disclosure.h"
#include "istanbul.h"
#include "month.h"
#include "number.h"
#include "status_words.h"
#include "w3c_time.h"

enum { LINE_BYTES = 16 * 1024, TEXT_BYTES = 512, CELL_BYTES = 32, LIVE_MAX = 6, PRECISION = 7 };

static const struct {
	const char *name, *type;
} kinds[OPEN_DATA_FILES] = {
	[OPEN_DATA_REQUESTS_CSV] = { "requests.csv", "text/csv; charset=utf-8" },
	[OPEN_DATA_REQUESTS_JSON] = { "requests.json", "application/json; charset=utf-8" },
	[OPEN_DATA_COUNTS_CSV] = { "counts.csv", "text/csv; charset=utf-8" },
	[OPEN_DATA_COUNTS_JSON] = { "counts.json", "application/json; charset=utf-8" },
	[OPEN_DATA_DICTIONARY_CSV] = { "dictionary.csv", "text/csv; charset=utf-8" },
	[OPEN_DATA_DICTIONARY_JSON] = { "dictionary.json", "application/json; charset=utf-8" },
	[OPEN_DATA_SUMS] = { "SHA256SUMS", "text/plain; charset=utf-8" },
};

enum stage { STAGE_DECIDE, STAGE_REQUESTS, STAGE_COUNTS, STAGE_SUMS, STAGE_LAST };

struct open_data_build {
	struct open_data_month month; /* being made */
	struct open_data_row *rows;
	size_t count;
	struct disclosure *cells; /* subjects by neighbourhoods, the last of which is "not known" */
	size_t subjects, places;
	enum stage stage;
	size_t next; /* of the stage's lines */
	size_t coarse_number;
	bool failed;
};

const char *
open_data_file_name(enum open_data_file file)
{
	return kinds[file].name;
}

const char *
open_data_content_type(enum open_data_file file)
{
	return kinds[file].type;
}

bool
open_data_file_named(const char *name, enum open_data_file *ret_file)
{
	for (int i = 0; i < OPEN_DATA_FILES; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_file = (enum open_data_file)i;
			return true;
		}
	return false;
}

void
open_data_month_finish(struct open_data_month *m)
{
	for (int i = 0; i < OPEN_DATA_FILES; i++)
		if (m->files[i] != NULL)
			evbuffer_free(m->files[i]);
	*m = (struct open_data_month){ 0 };
}

/* --- what may be told ------------------------------------------------------------------------- */

static size_t
place_of(const struct open_data_build *b, const struct open_data_row *row)
{
	return row->neighbourhood < 0 ? b->places - 1 : (size_t)row->neighbourhood;
}

static bool
is_coarse(const struct open_data_build *b, const struct open_data_row *row)
{
	return disclosure_hides(b->cells, (size_t)row->subject, place_of(b, row));
}

/* Where the subject's total is hidden, no line may be counted towards it. */
static bool
hides_subject(const struct open_data_build *b, const struct open_data_row *row)
{
	return is_coarse(b, row) && disclosure_hides(b->cells, (size_t)row->subject, b->places);
}

static int64_t
day_of(int64_t at_us)
{
	return istanbul_day_start_us(istanbul_day(at_us));
}

/* A line that lost its place loses whatever could find it again among the live requests; and where
 * it stands in the file must not tell either. */
static void
coarsen(struct open_data_build *b, struct open_data_row *row)
{
	if (hides_subject(b, row)) {
		row->subject = -1;
		row->reason = -1;
	}
	row->ticket_id = 0;
	row->neighbourhood = row->department = -1;
	row->placed = false;
	row->arrived_us = day_of(row->arrived_us);
	row->updated_us = day_of(row->updated_us);
	row->ended_us = row->ended_us == 0 ? 0 : day_of(row->ended_us);
	b->month.coarse++;
}

static int
compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_place_in_file(const void *a, const void *b)
{
	const struct open_data_row *x = a, *y = b;
	const int64_t order[] = {
		compare(x->ticket_id == 0, y->ticket_id == 0),
		compare(x->arrived_us, y->arrived_us),
		compare(x->ticket_id, y->ticket_id),
		compare(x->subject, y->subject),
		compare(x->channel, y->channel),
		compare(x->status, y->status),
		compare(x->reason, y->reason),
		compare(x->updated_us, y->updated_us),
		compare(x->ended_us, y->ended_us),
	};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (order[i] != 0)
			return (int)order[i];
	return 0;
}

static void
decide(struct open_data_build *b)
{
	for (size_t i = 0; i < b->count; i++)
		disclosure_add(b->cells, (size_t)b->rows[i].subject, place_of(b, &b->rows[i]), 1);
	disclosure_protect(b->cells);
	b->month.withheld = disclosure_hides_all(b->cells);
	/* Too few to say anything: not even how many there are. */
	if (b->month.withheld)
		b->count = 0;
	b->month.tickets = b->count;
	for (size_t i = 0; i < b->count; i++)
		if (is_coarse(b, &b->rows[i]))
			coarsen(b, &b->rows[i]);
	qsort(b->rows, b->count, sizeof(*b->rows), by_place_in_file);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* A line of both forms: CSV and JSON have the same fields in the same order. */
struct line {
	struct csv_writer csv;
	char text[LINE_BYTES];
	json_t *json;
};

static void
begin_line(struct line *line)
{
	csv_start(&line->csv, line->text, sizeof(line->text), true);
	line->json = json_object();
}

/* "" is null in JSON. */
static void
add_text(struct line *line, const char *name, const char *text)
{
	csv_field(&line->csv, text);
	(void)json_object_set_new(
	    line->json, name, text[0] == '\0' ? json_null() : json_string(text));
}

static void
add_bool(struct line *line, const char *name, bool value)
{
	csv_field(&line->csv, value ? "true" : "false");
	(void)json_object_set_new(line->json, name, json_boolean(value));
}

static void
add_time(struct line *line, const char *name, int64_t at_us)
{
	char text[W3C_TIME_SIZE] = "";

	if (at_us != 0)
		w3c_time_format(at_us, text);
	add_text(line, name, text);
}

static void
add_degrees(struct line *line, const char *name, bool known, double degrees)
{
	char text[CELL_BYTES] = "";

	if (known)
		(void)snprintf(text, sizeof(text), "%.3f", degrees);
	csv_field(&line->csv, text);
	(void)json_object_set_new(
	    line->json, name, known ? json_real(strtod(text, NULL)) : json_null());
}

static void
add_bytes(struct open_data_build *b, enum open_data_file file, const char *text, size_t len)
{
	if (evbuffer_add(b->month.files[file], text, len) == -1)
		b->failed = true;
}

/* Ends the line in both files; the first one of a JSON list has no comma before it. */
static void
end_line(struct open_data_build *b, struct line *line, enum open_data_file csv, bool first)
{
	enum open_data_file json = (enum open_data_file)((int)csv + 1);
	char *text = json_dumps(line->json, JSON_COMPACT | JSON_REAL_PRECISION(PRECISION));

	json_decref(line->json);
	csv_end_row(&line->csv);
	if (text == NULL || !csv_finish(&line->csv)) {
		b->failed = true;
	} else {
		add_bytes(b, csv, line->text, line->csv.used);
		add_bytes(b, json, first ? "\n" : ",\n", first ? 1 : 2);
		add_bytes(b, json, text, strlen(text));
	}
	free(text);
}

static void
add_header(struct open_data_build *b, enum open_data_file csv, const char *of)
{
	struct csv_writer w;
	char text[LINE_BYTES];

	csv_start(&w, text, sizeof(text), true);
	for (size_t i = 0; i < open_data_field_count; i++)
		if (strcmp(open_data_fields[i].file, of) == 0)
			csv_field(&w, open_data_fields[i].name);
	csv_end_row(&w);
	if (!csv_finish(&w))
		b->failed = true;
	add_bytes(b, csv, text, w.used);
}

static const char *
name_or_empty(const struct catalogue_text *name)
{
	return name->in[CATALOGUE_TR];
}

static void
write_request(struct open_data_build *b, const struct catalogue *cat)
{
	const struct open_data_row *row = &b->rows[b->next];
	bool coarse = row->ticket_id == 0, live = row->status <= LIVE_MAX;
	char number[TEXT_BYTES] = "", notes[TEXT_BYTES], month[MONTH_TEXT_SIZE];
	const char *reason = row->reason < 0
				 ? ""
				 : name_or_empty(&cat->closure_reasons[row->reason].name);
	struct line line;

	month_format(b->month.month, month);
	if (coarse)
		(void)snprintf(number, sizeof(number), "g%s-%zu", month, ++b->coarse_number);
	else if (!number_format(row->ticket_id, number))
		b->failed = true;
	(void)snprintf(notes, sizeof(notes), "%s%s%s", status_word(row->status, CATALOGUE_TR),
	    reason[0] == '\0' ? "" : ": ", reason);
	begin_line(&line);
	add_text(&line, "service_request_id", number);
	add_time(&line, "requested_datetime", row->arrived_us);
	add_time(&line, "updated_datetime", live ? row->updated_us : row->ended_us);
	add_time(&line, "closed_date", live ? 0 : row->ended_us);
	add_text(&line, "status_description", live ? "open" : "closed");
	add_text(&line, "status_notes", notes);
	add_text(&line, "source", catalogue_channel_name(row->channel));
	add_text(&line, "service_code", row->subject < 0 ? "" : cat->subjects[row->subject].code);
	add_text(&line, "service_name",
	    row->subject < 0 ? "" : name_or_empty(&cat->subjects[row->subject].name));
	add_text(&line, "agency_responsible",
	    row->department < 0 ? "" : name_or_empty(&cat->departments[row->department].name));
	add_text(&line, "address",
	    row->neighbourhood < 0 ? "" : cat->neighbourhoods[row->neighbourhood].name);
	add_text(&line, "neighbourhood",
	    row->neighbourhood < 0 ? "" : cat->neighbourhoods[row->neighbourhood].code);
	add_degrees(&line, "lat", row->placed, row->latitude);
	add_degrees(&line, "long", row->placed, row->longitude);
	add_bool(&line, "coarse", coarse);
	end_line(b, &line, OPEN_DATA_REQUESTS_CSV, b->next == 0);
}

/* The row or column behind the last is the total. */
static void
write_count(struct open_data_build *b, const struct catalogue *cat)
{
	size_t subject = b->next / (b->places + 1), place = b->next % (b->places + 1);
	int64_t count = disclosure_count(b->cells, subject, place);
	bool hidden = disclosure_hides(b->cells, subject, place);
	bool all_subjects = subject == b->subjects, all_places = place == b->places;
	bool known = place + 1 < b->places;
	char text[CELL_BYTES] = "";
	struct line line;

	if (count == 0 || b->month.withheld)
		return;
	/* Nor do the lines name it: a row without a number would, and its neighbourhoods too. */
	if (hidden && !all_subjects && disclosure_hides(b->cells, subject, b->places))
		return;
	if (!hidden)
		(void)snprintf(text, sizeof(text), "%" PRId64, count);
	begin_line(&line);
	add_text(&line, "service_code", all_subjects ? "*" : cat->subjects[subject].code);
	add_text(
	    &line, "service_name", all_subjects ? "" : name_or_empty(&cat->subjects[subject].name));
	add_text(&line, "neighbourhood",
	    all_places ? "*"
	    : known    ? cat->neighbourhoods[place].code
		       : "");
	add_text(&line, "neighbourhood_name", known ? cat->neighbourhoods[place].name : "");
	csv_field(&line.csv, text);
	(void)json_object_set_new(
	    line.json, "requests", hidden ? json_null() : json_integer((json_int_t)count));
	add_bool(&line, "suppressed", hidden);
	end_line(b, &line, OPEN_DATA_COUNTS_CSV,
	    evbuffer_get_length(b->month.files[OPEN_DATA_COUNTS_JSON]) == 1);
}

/* --- the last files --------------------------------------------------------------------------- */

static void
write_dictionary(struct open_data_build *b)
{
	struct csv_writer w;
	char text[LINE_BYTES];
	json_t *list = json_array();

	csv_start(&w, text, sizeof(text), true);
	for (int i = 0; i < 5; i++)
		csv_field(&w, (const char *const[]){ "file", "field", "type", "tr", "en" }[i]);
	csv_end_row(&w);
	for (size_t i = 0; i < open_data_field_count; i++) {
		const struct open_data_field *f = &open_data_fields[i];
		csv_field(&w, f->file);
		csv_field(&w, f->name);
		csv_field(&w, f->type);
		csv_field(&w, f->words[CATALOGUE_TR]);
		csv_field(&w, f->words[CATALOGUE_EN]);
		csv_end_row(&w);
		(void)json_array_append_new(list,
		    json_pack("{s:s,s:s,s:s,s:s,s:s}", "file", f->file, "field", f->name, "type",
			f->type, "tr", f->words[CATALOGUE_TR], "en", f->words[CATALOGUE_EN]));
	}
	if (csv_finish(&w))
		add_bytes(b, OPEN_DATA_DICTIONARY_CSV, text, w.used);
	else
		b->failed = true;
	char *json = json_dumps(list, JSON_INDENT(1));
	if (json == NULL)
		b->failed = true;
	else
		add_bytes(b, OPEN_DATA_DICTIONARY_JSON, json, strlen(json));
	add_bytes(b, OPEN_DATA_DICTIONARY_JSON, "\n", 1);
	free(json);
	json_decref(list);
}

static void
write_sums(struct open_data_build *b)
{
	char hex[DIGEST_HEX_SIZE], line[TEXT_BYTES];

	for (int i = 0; i < OPEN_DATA_FILES; i++) {
		struct evbuffer *file = b->month.files[i];
		size_t len = evbuffer_get_length(file);
		const void *data = evbuffer_pullup(file, -1);
		if (data == NULL && len > 0) {
			b->failed = true;
			return;
		}
		digest_sha256(data, len, &b->month.digests[i]);
		if (i == OPEN_DATA_SUMS)
			continue;
		digest_format(&b->month.digests[i], hex);
		(void)snprintf(line, sizeof(line), "%s  %s\n", hex, kinds[i].name);
		add_bytes(b, OPEN_DATA_SUMS, line, strlen(line));
	}
}

/* --- building --------------------------------------------------------------------------------- */

struct open_data_build *
open_data_build_create(const struct catalogue *cat, int32_t month, int64_t read_us,
    struct open_data_row *rows, size_t count)
{
	struct open_data_build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->month.month = month;
	b->month.read_us = read_us;
	b->subjects = cat->subject_count;
	b->places = cat->neighbourhood_count + 1;
	b->cells = disclosure_create(b->subjects, b->places);
	for (int i = 0; i < OPEN_DATA_FILES; i++) {
		b->month.files[i] = evbuffer_new();
		b->failed = b->failed || b->month.files[i] == NULL;
	}
	if (b->cells == NULL || b->failed) {
		open_data_build_destroy(b);
		return NULL;
	}
	b->rows = rows;
	b->count = count;
	add_header(b, OPEN_DATA_REQUESTS_CSV, "requests");
	add_header(b, OPEN_DATA_COUNTS_CSV, "counts");
	add_bytes(b, OPEN_DATA_REQUESTS_JSON, "[", 1);
	add_bytes(b, OPEN_DATA_COUNTS_JSON, "[", 1);
	return b;
}

void
open_data_build_destroy(struct open_data_build *b)
{
	if (b == NULL)
		return;
	open_data_month_finish(&b->month);
	disclosure_destroy(b->cells);
	free(b->rows);
	free(b);
}

void
open_data_build_work(struct open_data_build *b)
{
	assert(b->stage == STAGE_DECIDE || b->stage == STAGE_SUMS);
	if (b->stage == STAGE_DECIDE) {
		decide(b);
	} else {
		write_dictionary(b);
		write_sums(b);
	}
	b->stage++;
}

static size_t
lines_of(const struct open_data_build *b)
{
	return b->stage == STAGE_REQUESTS ? b->count : (b->subjects + 1) * (b->places + 1);
}

static void
end_stage(struct open_data_build *b)
{
	add_bytes(b, b->stage == STAGE_REQUESTS ? OPEN_DATA_REQUESTS_JSON : OPEN_DATA_COUNTS_JSON,
	    "\n]\n", 3);
	b->stage++;
	b->next = 0;
}

enum open_data_progress
open_data_build_step(struct open_data_build *b, const struct catalogue *cat, size_t rows,
    struct open_data_month *ret_month)
{
	if (b->failed)
		return OPEN_DATA_FAILED;
	if (b->stage == STAGE_DECIDE || b->stage == STAGE_SUMS)
		return OPEN_DATA_WORK;
	if (b->stage != STAGE_LAST) {
		for (; rows > 0 && b->next < lines_of(b); rows--, b->next++)
			if (b->stage == STAGE_REQUESTS)
				write_request(b, cat);
			else
				write_count(b, cat);
		if (b->next == lines_of(b))
			end_stage(b);
		return OPEN_DATA_MORE;
	}
	*ret_month = b->month;
	b->month = (struct open_data_month){ 0 };
	return OPEN_DATA_DONE;
}
