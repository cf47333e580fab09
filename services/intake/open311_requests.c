/* GET requests, requests/{id} and tokens/{id}: what the asker may see, read from the record. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "number.h"
#include "request_query.h"
#include "status_words.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"
#include "w3c_time.h"

enum { POSITION_DECIMALS = 6, POSITION_DECIMALS_ANONYMOUS = 3, NOTES_BYTES = 400 };

enum read_kind { READ_LIST, READ_ONE, READ_TOKEN };

/* One question to the record and its answer. */
struct read {
	struct intake *in;
	struct http_request *req;
	enum doc_format format;
	enum catalogue_language language;
	enum read_kind what;
	struct request_query query;
};

/* --- the question ----------------------------------------------------------------------------- */

/* $1 to $4: what the asker may see at all, and what they see whole.  Nobody is shown more of a
 * special category than its codes here: intake may not write down who looked, as the bus and the
 * desk do before. */
static void
add_rights(struct db_unit *unit, const struct catalogue *cat, const struct acl_client *client)
{
	bool reads = client != NULL && acl_allows_verb(client, ACL_SNAPSHOT);
	struct db_array *subjects = db_add_array(unit, DB_TEXT);

	for (size_t i = 0; i < cat->subject_count; i++)
		if (cat->subjects[i].is_public && !cat->subjects[i].special_category)
			db_array_text(subjects, cat->subjects[i].code);
	struct db_array *departments = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; reads && i < client->departments.count; i++)
		db_array_text(departments, client->departments.items[i]);
	db_add_bool(unit, reads && acl_allows_all_departments(client));
	struct db_array *harmless = db_add_array(unit, DB_TEXT);
	db_array_text(harmless, "");
	for (size_t i = 0; reads && i < cat->subject_count; i++)
		if (!cat->subjects[i].special_category)
			db_array_text(harmless, cat->subjects[i].code);
}

static void
add_filter(struct db_unit *unit, const struct request_query *q)
{
	db_add_int8(unit, q->from_us);
	db_add_int8(unit, q->to_us);
	struct db_array *codes = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < q->code_count; i++)
		db_array_text(codes, q->codes[i]);
	db_add_bool(unit, q->open);
	db_add_bool(unit, q->closed);
	db_add_int8(unit, q->updated_from_us);
	db_add_int8(unit, q->updated_to_us);
	db_add_int8(unit, q->limit);
	db_add_int8(unit, q->offset);
}

static struct db_unit *
build_unit(const struct read *read, const struct catalogue *cat, const struct acl_client *client)
{
	const struct request_query *q = &read->query;
	struct db_unit *unit = db_unit_create(read->in->reader);

	db_unit_add(unit, q->by_id ? STORE_REQUESTS_BY_ID : STORE_REQUESTS);
	add_rights(unit, cat, client);
	if (q->by_id) {
		struct db_array *ids = db_add_array(unit, DB_INT8);
		for (size_t i = 0; i < q->id_count; i++)
			db_array_int8(ids, q->ids[i]);
	} else {
		add_filter(unit, q);
	}
	return unit;
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The status in words, and why: "Reddedildi: Görev alanı dışında". */
static void
write_notes(struct doc *doc, const struct catalogue *cat, enum catalogue_language language,
    int64_t status, const char *reason_code, const char *text)
{
	char notes[NOTES_BYTES];
	const char *word = status_word(status, language);
	const struct catalogue_reason *reason = catalogue_closure_reason(cat, reason_code);

	if (reason == NULL)
		reason = catalogue_wait_reason(cat, reason_code);
	(void)snprintf(notes, sizeof(notes), "%s%s%.300s", word, reason == NULL ? "" : ": ",
	    reason == NULL ? "" : catalogue_say(&reason->name, language));
	doc_text(doc, "status_notes", text == NULL ? notes : text);
}

static void
write_time(struct doc *doc, const char *name, int64_t at_us)
{
	char text[W3C_TIME_SIZE];

	w3c_time_format(at_us, text);
	doc_text(doc, name, at_us == 0 || text[0] == '\0' ? NULL : text);
}

/* The earlier of the two promises, 0 when there is none. */
static int64_t
earliest_due(const struct pg_result *rows, int row)
{
	int64_t due_us = 0;

	for (int column = REQUEST_LEGAL_DUE; column <= REQUEST_SERVICE_DUE; column++) {
		if (db_is_null(rows, row, column))
			continue;
		int64_t at_us = db_get_int(rows, row, column);
		if (at_us != 0 && (due_us == 0 || at_us < due_us))
			due_us = at_us;
	}
	return due_us;
}

static void
write_place(
    struct doc *doc, const struct catalogue *cat, const struct pg_result *rows, int row, bool whole)
{
	const char *code = db_get_text(rows, row, REQUEST_NEIGHBOURHOOD);
	const struct catalogue_neighbourhood *n = catalogue_neighbourhood(cat, code);
	const char *address = db_get_text_or_null(rows, row, REQUEST_ADDRESS);
	int decimals = whole ? POSITION_DECIMALS : POSITION_DECIMALS_ANONYMOUS;

	doc_text(doc, "address", address != NULL ? address : n != NULL ? n->name : NULL);
	doc_text(doc, "address_id", code[0] == '\0' ? NULL : code);
	doc_text(doc, "zipcode", NULL);
	if (db_is_null(rows, row, REQUEST_LATITUDE) || db_is_null(rows, row, REQUEST_LONGITUDE)) {
		doc_text(doc, "lat", NULL);
		doc_text(doc, "long", NULL);
		return;
	}
	doc_number(doc, "lat", db_get_float8(rows, row, REQUEST_LATITUDE), decimals);
	doc_number(doc, "long", db_get_float8(rows, row, REQUEST_LONGITUDE), decimals);
}

static void
write_request(struct doc *doc, const struct catalogue *cat, enum catalogue_language language,
    const struct pg_result *rows, int row)
{
	char number[NUMBER_SIZE];
	int64_t status = db_get_int(rows, row, REQUEST_STATUS);
	bool whole = db_get_bool(rows, row, REQUEST_WHOLE);
	const char *code = db_get_text(rows, row, REQUEST_SUBJECT);
	const struct catalogue_subject *subject = catalogue_subject(cat, code);
	const struct catalogue_department *department = catalogue_department(
	    cat, db_get_text(rows, row, REQUEST_DEPARTMENT));

	if (!number_format(db_get_int(rows, row, REQUEST_TICKET), number))
		number[0] = '\0';
	doc_entry_begin(doc, "request");
	doc_text(doc, "service_request_id", number);
	doc_text(doc, "status", status <= TURUNC__V1__STATUS__STATUS_WAITING ? "open" : "closed");
	write_notes(doc, cat, language, status, db_get_text(rows, row, REQUEST_REASON),
	    db_get_text_or_null(rows, row, REQUEST_TEXT));
	doc_text(
	    doc, "service_name", subject == NULL ? code : catalogue_say(&subject->name, language));
	doc_text(doc, "service_code", code);
	doc_text(doc, "description", db_get_text_or_null(rows, row, REQUEST_DESCRIPTION));
	doc_text(doc, "agency_responsible",
	    department == NULL ? NULL : catalogue_say(&department->name, language));
	doc_text(doc, "service_notice", NULL);
	write_time(doc, "requested_datetime", db_get_int(rows, row, REQUEST_RECORDED));
	write_time(doc, "updated_datetime", db_get_int(rows, row, REQUEST_UPDATED));
	write_time(doc, "expected_datetime", earliest_due(rows, row));
	write_place(doc, cat, rows, row, whole);
	doc_text(doc, "media_url", db_get_text_or_null(rows, row, REQUEST_MEDIA_URL));
	doc_entry_end(doc);
}

static void
write_token(struct doc *doc, const struct pg_result *rows, int row)
{
	char number[NUMBER_SIZE];

	if (!number_format(db_get_int(rows, row, REQUEST_TICKET), number))
		number[0] = '\0';
	doc_entry_begin(doc, "request");
	doc_text(doc, "service_request_id", number);
	doc_text(doc, "token", number);
	doc_entry_end(doc);
}

static void
reply_rows(struct read *read, const struct pg_result *rows)
{
	const struct catalogue *cat = registry_catalogue(read->in->registry);
	static const struct http_field fields[] = { { "Access-Control-Allow-Origin", "*" },
		{ "Vary", "Accept-Language" } };
	struct doc *doc;

	if (read->what != READ_LIST && db_rows(rows) == 0) {
		open311_reply_error(read->req, read->format, 404,
		    read->what == READ_TOKEN ? "token: no such token"
					     : "service_request_id: no such request");
		return;
	}
	doc = doc_create(read->format);
	if (doc != NULL) {
		doc_list_begin(doc, "service_requests");
		for (int row = 0; row < db_rows(rows); row++)
			if (read->what == READ_TOKEN)
				write_token(doc, rows, row);
			else
				write_request(doc, cat, read->language, rows, row);
		doc_list_end(doc);
	}
	open311_reply_doc(read->req, 200, doc, fields, ARRAY_LEN(fields));
}

static void
on_rows(void *arg, const struct db_reply *reply)
{
	struct read *read = arg;

	if (reply->outcome == DB_COMMITTED)
		reply_rows(read, reply->results[0]);
	else
		open311_reply_error(
		    read->req, read->format, 503, "The record cannot be reached; try again.");
	free(read);
}

/* --- the doors -------------------------------------------------------------------------------- */

static void
ask(struct read *read, const struct catalogue *cat, const struct acl_client *client)
{
	struct db_unit *unit = build_unit(read, cat, client);

	if (db_submit(read->in->reader, unit, on_rows, read))
		return;
	db_unit_destroy(unit);
	open311_reply_error(
	    read->req, read->format, 503, "The record cannot be reached; try again.");
	free(read);
}

/* Fills in the query; false: p says what is wrong. */
static bool
read_query(struct read *read, struct problems *p)
{
	struct http_pair pairs[REPORT_PAIRS_MAX];
	struct report_form form = { pairs, http_query_count(read->req) };
	const char *id;

	if (read->what != READ_LIST) {
		id = http_path_param(read->req, "id");
		read->query.by_id = true;
		read->query.id_count = request_query_number(id, &read->query.ids[0]);
		return true;
	}
	if (form.count > REPORT_PAIRS_MAX) {
		problems_add(p, 400, "more than %d parameters", REPORT_PAIRS_MAX);
		return false;
	}
	for (size_t i = 0; i < form.count; i++)
		pairs[i] = *http_query_at(read->req, i);
	return request_query_read(&read->query, &form, clock_now_us(), p);
}

static void
get(struct http_request *req, struct intake *in, enum read_kind what)
{
	enum doc_format format = open311_format(req);
	struct problems p = { 0 };
	bool given;
	const struct acl_client *client = open311_client(in, req, &given);

	if (!open311_knows_keys(in, req, format)
	    || !open311_within_rate(in, req, client, given, format))
		return;
	if (given && client == NULL) {
		stats_incr(in->stats, INTAKE_STAT_NO_KEY);
		open311_reply_error(req, format, 403, "api_key: not a valid key");
		return;
	}
	const struct catalogue *cat = open311_catalogue(in, req, format);
	if (cat == NULL)
		return;
	struct read *read = calloc(1, sizeof(*read));
	if (read == NULL) {
		open311_reply_error(req, format, 503, "Out of memory.");
		return;
	}
	read->in = in;
	read->req = req;
	read->format = format;
	read->what = what;
	read->language = strcmp(http_language(req), "en") == 0 ? CATALOGUE_EN : CATALOGUE_TR;
	if (read_query(read, &p)) {
		ask(read, cat, client);
		return;
	}
	stats_incr(in->stats, INTAKE_STAT_BAD_REQUESTS);
	open311_reply_problems(req, format, &p);
	free(read);
}

void
open311_get_requests(struct http_request *req, void *arg)
{
	get(req, arg, READ_LIST);
}

void
open311_get_request(struct http_request *req, void *arg)
{
	get(req, arg, READ_ONE);
}

void
open311_get_token(struct http_request *req, void *arg)
{
	get(req, arg, READ_TOKEN);
}
