/* A month's open data: what stands in the files, what does not, and that their sums are right. */
#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "csv.h"
#include "month.h"
#include "muratpasa.h"
#include "number.h"
#include "open_data_files.h"

enum { MONTH = 202603, READ_US = 1000, RESOLVED = 7, ROUTED = 3, ODD_SECONDS = 4271 };

static int16_t
subject_at(const struct catalogue *cat, const char *code)
{
	return (int16_t)(catalogue_subject(cat, code) - cat->subjects);
}

static int16_t
place_at(const struct catalogue *cat, const char *code)
{
	return (int16_t)(catalogue_neighbourhood(cat, code) - cat->neighbourhoods);
}

/* Tickets of one subject in one neighbourhood, each at a moment of its own. */
struct world {
	struct catalogue *cat;
	struct open_data_row *rows;
	size_t count;
};

static void
add_tickets(struct world *w, const char *subject, const char *place, int how_many)
{
	w->rows = realloc(w->rows, (w->count + (size_t)how_many) * sizeof(*w->rows));
	if (w->rows == NULL)
		abort();
	for (int i = 0; i < how_many; i++, w->count++)
		w->rows[w->count] = (struct open_data_row){
			.ticket_id = number_make(26, (int64_t)w->count + 1),
			.arrived_us = month_start_us(MONTH)
				      + (int64_t)(w->count + 1) * ODD_SECONDS * 1000000,
			.updated_us = month_start_us(MONTH)
				      + (int64_t)(w->count + 2) * ODD_SECONDS * 1000000,
			.latitude = 36.88512345,
			.longitude = 30.70498765,
			.placed = true,
			.status = ROUTED,
			.channel = 2,
			.subject = subject_at(w->cat, subject),
			.neighbourhood = place[0] == '\0' ? -1 : place_at(w->cat, place),
			.department = 0,
			.reason = -1,
		};
}

/* One cell of 2, of which the totals would tell; the rest is large. */
static void
make_tickets(struct world *w)
{
	w->cat = muratpasa_load();
	if (w->cat == NULL)
		abort();
	add_tickets(w, "cop-alinmadi", "fener", 20);
	add_tickets(w, "cop-alinmadi", "guzeloba", 2);
	add_tickets(w, "cop-alinmadi", "caglayan", 12);
	add_tickets(w, "cadde-supurme", "fener", 8);
	add_tickets(w, "cadde-supurme", "guzeloba", 9);
	add_tickets(w, "konteyner-hasar", "fener", 30);
	w->rows[0].status = RESOLVED;
	w->rows[0].ended_us = w->rows[0].arrived_us + 86400LL * 1000000;
	w->rows[0].reason = 0;
}

static bool
make_files(struct world *w, struct open_data_month *ret_month)
{
	struct open_data_build *b = open_data_build_create(
	    w->cat, MONTH, READ_US, w->rows, w->count);
	enum open_data_progress progress = OPEN_DATA_MORE;

	if (b == NULL)
		return false;
	w->rows = NULL;
	for (int steps = 0, work = 0; progress <= OPEN_DATA_WORK && steps < 10000; steps++) {
		progress = open_data_build_step(b, w->cat, 7, ret_month);
		/* Nothing is written before what may be told is decided. */
		CHECK_TRUE(
		    "decided first", (progress == OPEN_DATA_WORK) == (steps == 0) || work == 1);
		if (progress == OPEN_DATA_WORK && ++work <= 2)
			open_data_build_work(b);
	}
	open_data_build_destroy(b);
	catalogue_destroy(w->cat);
	return progress == OPEN_DATA_DONE;
}

static json_t *
json_of(const struct open_data_month *m, enum open_data_file file)
{
	size_t len = evbuffer_get_length(m->files[file]);

	return json_loadb((const char *)evbuffer_pullup(m->files[file], -1), len, 0, NULL);
}

static const char *
text_of(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "" : text;
}

TEST(test_small_cells_lose_their_place)
{
	struct world w = { 0 };
	struct open_data_month m;
	size_t i, coarse = 0, fine = 0;
	json_t *line;

	make_tickets(&w);
	if (!CHECK(make_files(&w, &m)))
		return;
	json_t *list = json_of(&m, OPEN_DATA_REQUESTS_JSON);
	CHECK_U64("lines", json_array_size(list), 81);
	json_array_foreach(list, i, line)
	{
		bool is_coarse = json_is_true(json_object_get(line, "coarse"));
		CHECK_TRUE("coarse ones last", is_coarse || coarse == 0);
		coarse += is_coarse;
		fine += !is_coarse;
		if (!is_coarse) {
			CHECK_STR(
			    "address", text_of(line, "address")[0] == '\0' ? "" : "told", "told");
			double lat = json_real_value(json_object_get(line, "lat"));
			CHECK_TRUE("rounded", lat > 36.8849999 && lat < 36.8850001);
			continue;
		}
		CHECK_STR("neighbourhood", text_of(line, "neighbourhood"), "");
		CHECK_STR("address", text_of(line, "address"), "");
		CHECK_STR("agency", text_of(line, "agency_responsible"), "");
		CHECK_TRUE("lat", json_is_null(json_object_get(line, "lat")));
		CHECK_TRUE("number", text_of(line, "service_request_id")[0] == 'g');
		CHECK_TRUE("day alone",
		    strstr(text_of(line, "requested_datetime"), "T00:00:00+03:00") != NULL);
		CHECK_TRUE("day alone",
		    strstr(text_of(line, "updated_datetime"), "T00:00:00+03:00") != NULL);
	}
	/* The two, one more of their subject and one more of their neighbourhood, and the one where
	 * those cross: the smallest that closes the circle. */
	CHECK_U64("coarse", coarse, m.coarse);
	CHECK_U64("coarse", coarse, 2 + 9 + 20 + 8);
	CHECK_U64("fine", fine, 81 - coarse);
	json_decref(list);
	open_data_month_finish(&m);
}

TEST(test_counts_agree_with_the_lines)
{
	struct world w = { 0 };
	struct open_data_month m;
	size_t i, k, suppressed = 0;
	json_t *cell, *line;

	make_tickets(&w);
	if (!CHECK(make_files(&w, &m)))
		return;
	json_t *counts = json_of(&m, OPEN_DATA_COUNTS_JSON);
	json_t *lines = json_of(&m, OPEN_DATA_REQUESTS_JSON);
	json_array_foreach(counts, i, cell)
	{
		const char *subject = text_of(cell, "service_code");
		const char *place = text_of(cell, "neighbourhood");
		int64_t found = 0;
		suppressed += json_is_true(json_object_get(cell, "suppressed"));
		json_array_foreach(lines, k, line)
		    found += (strcmp(subject, "*") == 0
				 || strcmp(subject, text_of(line, "service_code")) == 0)
			     && (strcmp(place, "*") == 0
				 || strcmp(place, text_of(line, "neighbourhood")) == 0);
		if (json_is_true(json_object_get(cell, "suppressed")))
			CHECK_TRUE("no count", json_is_null(json_object_get(cell, "requests")));
		else if (strcmp(place, "*") == 0 || strcmp(subject, "*") != 0)
			CHECK_I64(
			    place, json_integer_value(json_object_get(cell, "requests")), found);
	}
	CHECK_U64("suppressed", suppressed, 4);
	CHECK_U64("cells and totals", json_array_size(counts), 6 + 3 + 3 + 1);
	json_decref(counts);
	json_decref(lines);
	open_data_month_finish(&m);
}

/* A subject of three in the whole month: no line may say which it is. */
TEST(test_a_rare_subject_is_not_named)
{
	struct world w = { 0 };
	struct open_data_month m;
	size_t i, unnamed = 0;
	json_t *line;

	make_tickets(&w);
	add_tickets(&w, "konteyner-yikama", "", 3);
	if (!CHECK(make_files(&w, &m)))
		return;
	json_t *list = json_of(&m, OPEN_DATA_REQUESTS_JSON);
	json_array_foreach(list, i, line)
	{
		CHECK_FALSE(
		    "named", strcmp(text_of(line, "service_code"), "konteyner-yikama") == 0);
		unnamed += json_is_null(json_object_get(line, "service_code"));
	}
	/* With those of another subject, or the whole would tell how many they are. */
	CHECK_TRUE("among others", unnamed > 3 + 4);
	json_decref(list);
	for (int file = 0; file < OPEN_DATA_FILES; file++) {
		(void)evbuffer_add(m.files[file], "", 1);
		const char *text = (const char *)evbuffer_pullup(m.files[file], -1);
		CHECK_TRUE(open_data_file_name((enum open_data_file)file),
		    strstr(text, "konteyner-yikama") == NULL);
	}
	open_data_month_finish(&m);
}

TEST(test_too_few_tickets_are_withheld)
{
	struct world w = { .cat = muratpasa_load() };
	struct open_data_month m;

	if (!CHECK(w.cat != NULL))
		return;
	add_tickets(&w, "cop-alinmadi", "fener", 4);
	if (!CHECK(make_files(&w, &m)))
		return;
	CHECK_TRUE("withheld", m.withheld);
	CHECK_U64("tickets", m.tickets, 0);
	for (int i = OPEN_DATA_REQUESTS_JSON; i <= OPEN_DATA_COUNTS_JSON; i += 2) {
		json_t *list = json_of(&m, (enum open_data_file)i);
		CHECK_TRUE("an empty list", json_is_array(list) && json_array_size(list) == 0);
		json_decref(list);
	}
	open_data_month_finish(&m);
}

/* Both forms have the fields of the dictionary in its order, and the same lines. */
TEST(test_forms_agree)
{
	struct world w = { 0 };
	struct open_data_month m;
	struct csv_reader *r = malloc(sizeof(*r));
	size_t line = 0;

	make_tickets(&w);
	if (!CHECK(make_files(&w, &m)) || r == NULL)
		return;
	json_t *list = json_of(&m, OPEN_DATA_REQUESTS_JSON);
	csv_open(r, evbuffer_pullup(m.files[OPEN_DATA_REQUESTS_CSV], -1),
	    evbuffer_get_length(m.files[OPEN_DATA_REQUESTS_CSV]));
	CHECK(csv_read(r) == CSV_ROW);
	char names[CSV_FIELDS_MAX][64];
	size_t fields = r->field_count, known = 0;
	for (size_t i = 0; i < open_data_field_count; i++)
		if (strcmp(open_data_fields[i].file, "requests") == 0 && known < fields)
			CHECK_STR("header", r->fields[known++], open_data_fields[i].name);
	CHECK_U64("fields", known, fields);
	for (size_t i = 0; i < fields; i++)
		(void)snprintf(names[i], sizeof(names[i]), "%s", r->fields[i]);
	while (csv_read(r) == CSV_ROW) {
		json_t *object = json_array_get(list, line++);
		CHECK_U64("fields", json_object_size(object), fields);
		for (size_t i = 0; i < fields; i++) {
			json_t *value = json_object_get(object, names[i]);
			if (json_is_string(value))
				CHECK_STR(names[i], r->fields[i], json_string_value(value));
			else if (json_is_null(value))
				CHECK_STR(names[i], r->fields[i], "");
			else
				CHECK_TRUE(names[i], r->fields[i][0] != '\0');
		}
	}
	CHECK_U64("lines", line, json_array_size(list));
	json_decref(list);
	free(r);
	open_data_month_finish(&m);
}

TEST(test_sums_are_those_of_the_files)
{
	struct world w = { 0 };
	struct open_data_month m;
	char hex[DIGEST_HEX_SIZE], want[200];
	struct digest digest;

	make_tickets(&w);
	if (!CHECK(make_files(&w, &m)))
		return;
	CHECK(evbuffer_add(m.files[OPEN_DATA_SUMS], "", 1) == 0);
	const char *sums = (const char *)evbuffer_pullup(m.files[OPEN_DATA_SUMS], -1);
	for (int i = 0; i < OPEN_DATA_SUMS; i++) {
		digest_sha256(
		    evbuffer_pullup(m.files[i], -1), evbuffer_get_length(m.files[i]), &digest);
		digest_format(&digest, hex);
		(void)snprintf(want, sizeof(want), "%s  %s\n", hex,
		    open_data_file_name((enum open_data_file)i));
		CHECK_TRUE(want, strstr(sums, want) != NULL);
		CHECK_TRUE("as told", digest_equal(&digest, &m.digests[i]));
		CHECK_TRUE("not empty", evbuffer_get_length(m.files[i]) > 50);
	}
	open_data_month_finish(&m);
}

/* In whatever order the tickets are read, the files are the same. */
TEST(test_the_same_tickets_give_the_same_bytes)
{
	struct world a = { 0 }, b = { 0 };
	struct open_data_month first, second;

	make_tickets(&a);
	make_tickets(&b);
	for (size_t i = 0; i < b.count / 2; i++) {
		struct open_data_row row = b.rows[i];
		b.rows[i] = b.rows[b.count - 1 - i];
		b.rows[b.count - 1 - i] = row;
	}
	if (!CHECK(make_files(&a, &first)) || !CHECK(make_files(&b, &second)))
		return;
	for (int i = 0; i < OPEN_DATA_FILES; i++)
		CHECK_TRUE(open_data_file_name((enum open_data_file)i),
		    digest_equal(&first.digests[i], &second.digests[i]));
	open_data_month_finish(&first);
	open_data_month_finish(&second);
}
