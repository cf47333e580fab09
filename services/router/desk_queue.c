/* The list of a department's open tickets, and of those that no department has yet. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_form.h"
#include "desk_row.h"
#include "desk_suggest.h"
#include "desk_visit.h"
#include "number.h"
#include "status.h"
#include "status_words.h"
#include "turunc/v1/ticket.pb-c.h"

enum { CODE_BYTES = 72 };

static const char triage_code[] = "-"; /* in place of a department */

struct queue {
	struct visit v; /* first */
	bool triage;
	char department[CODE_BYTES]; /* "": all of the person's */
	char subject[CODE_BYTES];
	char neighbourhood[CODE_BYTES];
	int status; /* 0: all but triage */
	enum desk_order order;
	/* after this row */
	char key[CODE_BYTES];
	int64_t due_us, ticket_id;
};

/* --- what is asked for ------------------------------------------------------------------------ */

static void
take_code(const struct http_request *req, const char *name, char out[CODE_BYTES])
{
	const char *value = http_query(req, name, NULL);

	/* What is longer is no code, and half a character is no text. */
	(void)snprintf(
	    out, CODE_BYTES, "%s", value == NULL || strlen(value) >= CODE_BYTES ? "" : value);
}

static int64_t
take_number(const struct http_request *req, const char *name, int64_t otherwise)
{
	const char *value = http_query(req, name, NULL);
	char *end = NULL;

	if (value == NULL || value[0] == '\0')
		return otherwise;
	int64_t number = strtoll(value, &end, 10);
	return *end == '\0' ? number : otherwise;
}

static void
read_query(struct queue *q)
{
	const struct http_request *req = q->v.req;
	int64_t order = take_number(req, "order", DESK_BY_DEADLINE);
	int64_t status = take_number(req, "status", 0);

	take_code(req, "department", q->department);
	take_code(req, "subject", q->subject);
	take_code(req, "neighbourhood", q->neighbourhood);
	take_code(req, "k", q->key);
	q->due_us = take_number(req, "d", INT64_MIN);
	q->ticket_id = take_number(req, "i", 0);
	q->order = order == DESK_BY_NEIGHBOURHOOD || order == DESK_BY_SUBJECT
		       ? (enum desk_order)order
		       : DESK_BY_DEADLINE;
	q->status = status > 0 && status <= TURUNC__V1__STATUS__STATUS_WAITING ? (int)status : 0;
	/* Whoever has every department chooses one, and until then sees what has none. */
	q->triage = strcmp(q->department, triage_code) == 0
		    || (q->department[0] == '\0' && asker_is_operator(&q->v.who));
}

/* --- the page --------------------------------------------------------------------------------- */

static void
choose_department(struct html *h, const struct queue *q, const struct catalogue *cat)
{
	const struct asker *who = &q->v.who;

	if (!asker_has_all(who) && who->department_count < 2)
		return;
	form_select_begin(h, "department", html_say(h, "Birim", "Department"));
	if (asker_is_operator(who))
		html_option(h, triage_code, html_say(h, "Triyaj (birimi yok)", "Triage (none yet)"),
		    q->triage);
	else
		html_option(h, "",
		    asker_has_all(who) ? html_say(h, "Bir birim seçin", "Choose one")
				       : html_say(h, "Bütün birimlerim", "All of mine"),
		    q->department[0] == '\0');
	for (size_t i = 0; i < cat->department_count; i++) {
		const struct catalogue_department *d = &cat->departments[i];
		if (asker_covers(who, d->code))
			html_option(h, d->code, catalogue_say(&d->name, h->language),
			    strcmp(d->code, q->department) == 0);
	}
	form_select_end(h);
}

static void
choose_order(struct html *h, const struct queue *q)
{
	static const struct {
		const char *value, *turkish, *english;
	} orders[] = {
		{ "1", "Son tarihe göre", "Deadline" },
		{ "2", "Mahalleye göre", "Neighbourhood" },
		{ "3", "Konuya göre", "Subject" },
	};

	form_select_begin(h, "order", html_say(h, "Sıralama", "Order"));
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		html_option(h, orders[i].value, html_say(h, orders[i].turkish, orders[i].english),
		    (size_t)q->order == i + 1);
	form_select_end(h);
}

static void
choose_status(struct html *h, const struct queue *q)
{
	char value[8];

	form_select_begin(h, "status", html_say(h, "Durum", "Status"));
	html_option(h, "0", html_say(h, "Hepsi", "All"), q->status == 0);
	for (int s = TURUNC__V1__STATUS__STATUS_TRIAGE; s <= TURUNC__V1__STATUS__STATUS_WAITING;
	     s++) {
		(void)snprintf(value, sizeof(value), "%d", s);
		html_option(h, value, status_word(s, h->language), q->status == s);
	}
	form_select_end(h);
}

static void
filters(struct html *h, const struct queue *q, const struct catalogue *cat)
{
	html_raw(h,
	    "<form class=\"filters\" action=\"/desk/\"><input type=\"hidden\" name=\"lang\" "
	    "value=\"");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n");
	choose_department(h, q, cat);
	if (!q->triage) {
		choose_order(h, q);
		choose_status(h, q);
		form_subjects(h, cat, "subject", q->subject, html_say(h, "Hepsi", "All"));
		form_neighbourhoods(
		    h, cat, "neighbourhood", q->neighbourhood, html_say(h, "Hepsi", "All"));
	}
	html_raw(h, "<button>");
	html_text(h, html_say(h, "Göster", "Show"));
	html_raw(h, "</button></form>\n");
}

static void
counts(struct html *h, const struct pg_result *rows)
{
	int64_t open = 0, late = 0;
	char text[120];

	for (int i = 0; i < db_rows(rows); i++) {
		if (db_get_int(rows, i, 0) == TURUNC__V1__STATUS__STATUS_TRIAGE)
			continue;
		open += db_get_int(rows, i, 1);
		late += db_get_int(rows, i, 2);
	}
	if (h->language == CATALOGUE_EN)
		(void)snprintf(text, sizeof(text),
		    "%" PRId64 " open tickets, %" PRId64 " of them late.", open, late);
	else if (late > 0)
		(void)snprintf(text, sizeof(text),
		    "%" PRId64 " açık başvuru, %" PRId64 " tanesinin süresi geçti.", open, late);
	else
		(void)snprintf(
		    text, sizeof(text), "%" PRId64 " açık başvuru, süresi geçen yok.", open);
	html_element(h, "p", "counts", text);
}

static void
table_head(struct html *h, bool choosable)
{
	html_raw(h, "<table class=\"queue\"><thead><tr>");
	if (choosable) {
		html_raw(h, "<th class=\"pick\" scope=\"col\"><span class=\"unseen\">");
		html_text(h, html_say(h, "Seçim", "Choice"));
		html_raw(h, "</span></th>");
	}
	const char *const heads[][2] = {
		{ "Başvuru", "Ticket" },
		{ "Konu", "Subject" },
		{ "Yer", "Place" },
		{ "Son tarih", "Deadline" },
	};
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		html_raw(h, "<th scope=\"col\">");
		html_text(h, html_say(h, heads[i][0], heads[i][1]));
		html_raw(h, "</th>");
	}
	html_raw(h, "</tr></thead>\n<tbody>\n");
}

/* The rows after these, when there are more. */
static void
next_page(struct html *h, const struct queue *q, const struct pg_result *rows, int last)
{
	char path[DESK_PATH_BYTES];

	if (q->triage)
		(void)snprintf(path, sizeof(path), "?department=-&i=%" PRId64,
		    db_get_int(rows, last, ROW_TICKET));
	else
		(void)snprintf(path, sizeof(path),
		    "?department=%.70s&order=%d&status=%d&subject=%.70s&neighbourhood=%.70s&k=%."
		    "70s&"
		    "d=%" PRId64 "&i=%" PRId64,
		    q->department, (int)q->order, q->status, q->subject, q->neighbourhood,
		    db_get_text(rows, last, ROW_KEY), db_get_int(rows, last, ROW_DUE),
		    db_get_int(rows, last, ROW_TICKET));
	html_raw(h, "<p class=\"more\">");
	page_link(h, "button", path, html_say(h, "Sonraki sayfa", "Next page"));
	html_raw(h, "</p>\n");
}

static void
bulk_actions(struct html *h, const struct queue *q, const struct catalogue *cat)
{
	html_raw(h, "<fieldset class=\"bulk\"><legend>");
	html_text(h, html_say(h, "Seçilenlerle", "With those chosen"));
	html_raw(h, "</legend>\n<button name=\"verb\" value=\"accept\">");
	html_text(h, desk_verb(VERB_ACCEPT, h->language));
	html_raw(h, "</button>\n<span class=\"group\">");
	form_departments(h, cat, q->department, "");
	form_reasons(h, cat, VERB_TRANSFER, "");
	html_raw(h, "<button class=\"quiet\" name=\"verb\" value=\"transfer\">");
	html_text(h, desk_verb(VERB_TRANSFER, h->language));
	html_raw(h, "</button></span></fieldset>\n");
}

static void
list(struct html *h, const struct queue *q, const struct pg_result *rows)
{
	const struct catalogue *cat = visit_catalogue(&q->v);
	int count = db_rows(rows) < DESK_PAGE_ROWS ? db_rows(rows) : DESK_PAGE_ROWS;
	/* Call-takers do something, but nothing of what is done to many at once. */
	unsigned deciders = ACTOR_DEPARTMENT | ACTOR_OPERATOR;
	bool acts = (asker_actors(&q->v.who, q->department) & deciders) != 0
		    || (q->v.who.roles & PEOPLE_CLERK) != 0;
	int64_t now_us = clock_now_us();

	if (count == 0) {
		html_element(h, "p", "empty",
		    html_say(h, "Bu listede bekleyen başvuru yok.", "No ticket waits here."));
		return;
	}
	if (acts) {
		form_begin(h, &q->v, "bulk", NULL);
		form_id(h, &q->v);
	}
	table_head(h, acts);
	for (int i = 0; i < count; i++)
		desk_row_write(h, cat, rows, i, now_us, acts);
	html_raw(h, "</tbody></table>\n");
	if (acts) {
		bulk_actions(h, q, cat);
		html_raw(h, "</form>\n");
	}
	if (db_rows(rows) > count)
		next_page(h, q, rows, count - 1);
}

/* --- triage ----------------------------------------------------------------------------------- */

/* One button a guess: the subject, and the department that the rules give it here. */
static void
suggestion(struct html *h, const struct queue *q, const struct pg_result *rows, int row,
    const struct catalogue_subject *subject)
{
	const struct catalogue *cat = visit_catalogue(&q->v);
	const struct catalogue_rule *rule = catalogue_route(cat, subject->code,
	    db_get_text(rows, row, ROW_NEIGHBOURHOOD),
	    catalogue_channel_name((int)db_get_int(rows, row, ROW_CHANNEL)));
	char number[NUMBER_SIZE], path[NUMBER_SIZE + 16];

	if (rule == NULL || !rule->department->active
	    || !number_format(db_get_int(rows, row, ROW_TICKET), number))
		return;
	(void)snprintf(path, sizeof(path), "ticket/%s", number);
	form_begin(h, &q->v, path, "one");
	form_id(h, &q->v);
	form_version(h, db_get_int(rows, row, ROW_VERSION));
	html_hidden(h, "back", triage_code);
	html_hidden(h, "verb", "route");
	html_hidden(h, "subject", subject->code);
	html_hidden(h, "department", rule->department->code);
	html_raw(h, "<button class=\"quiet\">");
	html_text(h, catalogue_say(&subject->name, h->language));
	html_raw(h, " → ");
	html_text(h, catalogue_say(&rule->department->name, h->language));
	html_raw(h, "</button></form>\n");
}

static void
triage_row(struct html *h, const struct queue *q, const struct pg_result *rows, int row,
    const struct suggest *suggest)
{
	const struct catalogue *cat = visit_catalogue(&q->v);
	const struct catalogue_subject *guesses[DESK_SUGGESTIONS];
	const char *said = db_get_text_or_null(rows, row, ROW_DESCRIPTION);
	const char *subject = db_get_text(rows, row, ROW_SUBJECT);
	bool special = catalogue_is_special(cat, subject);
	size_t count = said == NULL || special || suggest == NULL
			   ? 0
			   : suggest_subjects(suggest, said, guesses);

	html_raw(h, "<li><p class=\"second\">");
	desk_ticket_link(h, db_get_int(rows, row, ROW_TICKET));
	html_raw(h, " · ");
	html_time(h, db_get_int(rows, row, ROW_ARRIVED), true);
	html_raw(h, " · ");
	html_text(h, desk_channel((int)db_get_int(rows, row, ROW_CHANNEL), h->language));
	html_raw(h, " · ");
	html_text(h, desk_neighbourhood(cat, db_get_text(rows, row, ROW_NEIGHBOURHOOD)));
	html_raw(h, "</p>\n<p><b>");
	html_text(h, subject[0] == '\0' ? html_say(h, "Konusu yok", "No subject")
					: desk_subject(cat, subject, h->language));
	html_raw(h, "</b> <span class=\"mark\">");
	html_text(h, desk_reason_name(cat, db_get_text(rows, row, ROW_REASON), h->language));
	html_raw(h, "</span></p>\n");
	if (said != NULL && !special) {
		html_raw(h, "<p class=\"said\">");
		desk_snippet(h, said, 300);
		html_raw(h, "</p>\n");
	}
	if (count > 0) {
		html_raw(h, "<div class=\"guesses\"><span class=\"second\">");
		html_text(h, html_say(h, "Sözcüklerine göre:", "By its words:"));
		html_raw(h, "</span>");
		for (size_t i = 0; i < count; i++)
			suggestion(h, q, rows, row, guesses[i]);
		html_raw(h, "</div>");
	}
	html_raw(h, "</li>\n");
}

static void
triage_list(struct html *h, const struct queue *q, const struct pg_result *rows)
{
	int count = db_rows(rows) < DESK_PAGE_ROWS ? db_rows(rows) : DESK_PAGE_ROWS;
	struct suggest *suggest = suggest_create(visit_catalogue(&q->v));

	if (count == 0)
		html_element(h, "p", "empty",
		    html_say(
			h, "Birimi belirlenmemiş başvuru yok.", "Every ticket has a department."));
	html_raw(h, "<ul class=\"triage\">\n");
	for (int i = 0; i < count; i++)
		triage_row(h, q, rows, i, suggest);
	html_raw(h, "</ul>\n");
	if (db_rows(rows) > count)
		next_page(h, q, rows, count - 1);
	suggest_destroy(suggest);
}

/* --- asking and answering --------------------------------------------------------------------- */

static const char *
title_of(const struct queue *q)
{
	bool english = q->v.language == CATALOGUE_EN;

	if (q->triage)
		return english ? "Triage" : "Triyaj";
	return q->department[0] == '\0'
		   ? english ? "Queue" : "Başvurular"
		   : desk_department(visit_catalogue(&q->v), q->department, q->v.language);
}

static void
on_rows(void *arg, const struct db_reply *reply)
{
	struct queue *q = arg;
	struct html h;

	if (reply->outcome != DB_COMMITTED || visit_catalogue(&q->v) == NULL) {
		page_say(&q->v, 503, WORD_AWAY);
		return;
	}
	page_open_list(&h, &q->v, title_of(q), q->triage ? triage_code : q->department);
	form_notice(&h, &q->v);
	filters(&h, q, visit_catalogue(&q->v));
	if (q->triage) {
		triage_list(&h, q, reply->results[0]);
	} else {
		counts(&h, reply->results[1]);
		list(&h, q, reply->results[0]);
	}
	page_reply(&h, &q->v, 200);
}

static void
add_departments(struct db_unit *unit, const struct queue *q)
{
	struct db_array *departments = db_add_array(unit, DB_TEXT);

	if (q->department[0] != '\0') {
		db_array_text(departments, q->department);
		return;
	}
	for (size_t i = 0; i < q->v.who.department_count; i++)
		db_array_text(departments, q->v.who.departments[i]);
}

static struct db_unit *
ask_queue(const struct queue *q)
{
	struct db_unit *unit = db_unit_create(q->v.desk->world.reader);

	bool by_place = q->neighbourhood[0] != '\0' || q->order == DESK_BY_NEIGHBOURHOOD;
	db_unit_add(unit, by_place ? DESK_QUEUE_PLACES : DESK_QUEUE);
	add_departments(unit, q);
	db_add_text(unit, q->subject);
	db_add_text(unit, q->neighbourhood);
	db_add_int2(unit, (int16_t)q->status);
	db_add_int2(unit, (int16_t)q->order);
	db_add_text(unit, q->key);
	db_add_int8(unit, q->due_us);
	db_add_int8(unit, q->ticket_id);
	db_add_int8(unit, DESK_PAGE_ROWS + 1);
	db_unit_add(unit, DESK_COUNTS);
	add_departments(unit, q);
	db_add_int8(unit, clock_now_us());
	return unit;
}

static struct db_unit *
ask_triage(const struct queue *q)
{
	struct db_unit *unit = db_unit_create(q->v.desk->world.reader);

	db_unit_add(unit, DESK_TRIAGE);
	db_add_int8(unit, q->ticket_id);
	db_add_int8(unit, DESK_PAGE_ROWS + 1);
	return unit;
}

static void
known_queue(void *arg, struct http_request *req, const struct person *who)
{
	struct queue *q = visit_begin(arg, req, who, PAGE_QUEUE, sizeof(*q), NULL);

	if (q == NULL)
		return;
	read_query(q);
	bool allowed = q->triage
			   ? asker_is_operator(&q->v.who)
			   : q->department[0] == '\0' || asker_covers(&q->v.who, q->department);
	if (!allowed) {
		page_say(&q->v, 403, WORD_NOT_YOURS);
		return;
	}
	struct db_unit *unit = q->triage ? ask_triage(q) : ask_queue(q);
	if (db_submit(q->v.desk->world.reader, unit, on_rows, q))
		return;
	db_unit_destroy(unit);
	page_say(&q->v, 503, WORD_AWAY);
}

void
desk_get_queue(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, DESK_READERS, known_queue, arg);
}
