/* Finds tickets by what was said and by whom.  Among the newest first, where frequent words are
 * found at once; then among all, where rare words are. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_row.h"
#include "desk_visit.h"
#include "log.h"
#include "number.h"
#include "search_store.h"
#include "search_words.h"

enum { NEWEST = 10000, FOUND_MAX = 51 };

struct search {
	struct visit v; /* first */
	char query[SEARCH_QUERY_BYTES];
	struct html page; /* written, and kept until the looks were noted */
};

static void
finish(struct visit *v)
{
	struct search *s = (struct search *)v;

	if (s->page.out != NULL)
		evbuffer_free(s->page.out);
}

static const char *
typed(const struct search *s)
{
	const char *q = http_query(s->v.req, "q", NULL);

	return q == NULL ? "" : q;
}

static void
heading(struct html *h, const struct search *s)
{
	page_open(h, &s->v, s->v.language == CATALOGUE_EN ? "Search" : "Arama");
	html_raw(h, "<p class=\"counts\">");
	html_text(h, html_say(h, "Aranan: ", "Looked for: "));
	html_raw(h, "<b>");
	html_text(h, typed(s));
	html_raw(h, "</b></p>\n");
}

/* --- the answer ------------------------------------------------------------------------------- */

static void
on_noted(struct visit *v, bool noted)
{
	struct search *s = (struct search *)v;

	if (!noted) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	struct html page = s->page;
	s->page.out = NULL;
	page_reply(&page, v, 200);
}

/* To find a ticket by who told it is to learn whose it is. */
static void
on_rows(void *arg, const struct db_reply *reply)
{
	struct search *s = arg;
	const struct catalogue *cat = visit_catalogue(&s->v);
	struct desk_look looks[FOUND_MAX];
	size_t look_at = FOUND_MAX, shown = 0;
	int64_t now_us = clock_now_us();
	struct html *h = &s->page;

	if (reply->outcome != DB_COMMITTED || cat == NULL) {
		page_say(&s->v, 503, WORD_AWAY);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	heading(h, s);
	html_raw(h, "<table class=\"queue\"><tbody>\n");
	/* The newest first; the rows come the other way round. */
	for (int i = db_rows(rows) - 1; i >= 0 && shown < FOUND_MAX - 1; i--) {
		const char *department = db_get_text(rows, i, ROW_DEPARTMENT);
		if (!asker_covers(&s->v.who, department))
			continue;
		const char *subject = db_get_text(rows, i, ROW_SUBJECT);
		desk_row_write(h, cat, rows, i, now_us, false);
		shown++;
		/* From the end, which sorts them by ticket. */
		if (catalogue_is_special(cat, subject))
			looks[--look_at] = (struct desk_look){ .ticket_id = db_get_int(
								   rows, i, ROW_TICKET),
				.version = (uint32_t)db_get_int(rows, i, ROW_VERSION),
				.department = department,
				.subject_code = subject };
	}
	html_raw(h, "</tbody></table>\n");
	if (shown == 0)
		html_element(h, "p", "empty",
		    html_say(h, "Hiçbir başvuru bulunamadı.", "No ticket was found."));
	if (db_rows(rows) == FOUND_MAX)
		html_element(h, "p", "second",
		    html_say(h, "Yalnız en yeniler gösteriliyor; bir sözcük daha ekleyin.",
			"Only the newest are shown; add another word."));
	desk_note_looks(&s->v, "desk search", looks + look_at, FOUND_MAX - look_at, on_noted);
}

static void
show(struct search *s, const struct pg_result *found)
{
	struct db *db = s->v.desk->world.reader;
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, DESK_ROWS);
	struct db_array *ids = db_add_array(unit, DB_INT8);
	for (int i = 0; i < db_rows(found); i++)
		db_array_int8(ids, db_get_int(found, i, 0));
	if (db_submit(db, unit, on_rows, s))
		return;
	db_unit_destroy(unit);
	page_say(&s->v, 503, WORD_AWAY);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void
fail(struct search *s, const struct db_reply *reply)
{
	static const char timed_out[] = "57014";
	bool slow = strcmp(reply->sqlstate, timed_out) == 0;

	log_warn("a search was given up user=%s sqlstate=%s", s->v.who.name, reply->sqlstate);
	page_say(&s->v, 503, slow ? WORD_SLOW : WORD_AWAY);
}

static void
on_all(void *arg, const struct db_reply *reply)
{
	if (reply->outcome == DB_COMMITTED)
		show(arg, reply->results[0]);
	else
		fail(arg, reply);
}

static void
submit(struct search *s, struct db_unit *unit, db_done_fn *done)
{
	if (db_submit(s->v.desk->world.searcher, unit, done, s))
		return;
	db_unit_destroy(unit);
	page_say(&s->v, 503, WORD_AWAY);
}

static void
on_newest(void *arg, const struct db_reply *reply)
{
	struct search *s = arg;

	if (reply->outcome != DB_COMMITTED) {
		fail(s, reply);
		return;
	}
	if (db_rows(reply->results[0]) == FOUND_MAX) {
		show(s, reply->results[0]);
		return;
	}
	struct db_unit *unit = db_unit_create(s->v.desk->world.searcher);
	db_unit_add(unit, SEARCH_ALL);
	db_add_text(unit, s->query);
	db_add_int8(unit, FOUND_MAX);
	submit(s, unit, on_all);
}

/* False: there is nothing to look for. */
static bool
make_query(struct search *s)
{
	char words[SEARCH_QUERY_BYTES];

	search_query(typed(s), words);
	if (words[0] == '\0')
		return false;
	if (asker_has_all(&s->v.who)) {
		memcpy(s->query, words, sizeof(words));
		return true;
	}
	return search_query_within(
	    words, (const char *const *)s->v.who.departments, s->v.who.department_count, s->query);
}

static void
known_search(void *arg, struct http_request *req, const struct person *who)
{
	struct search *s = visit_begin(arg, req, who, PAGE_SEARCH, sizeof(*s), finish);
	char path[DESK_PATH_BYTES], number[NUMBER_SIZE];
	int64_t ticket_id;

	if (s == NULL)
		return;
	enum number_result as_number = number_parse_typed(typed(s), &ticket_id);
	if (as_number == NUMBER_OK && number_format(ticket_id, number)) {
		(void)snprintf(path, sizeof(path), "/desk/ticket/%s?lang=%s", number,
		    catalogue_language_name(s->v.language));
		page_go(&s->v, path);
		return;
	}
	if (!make_query(s)) {
		page_say(&s->v, 400, WORD_NOTHING_TYPED);
		return;
	}
	struct db_unit *unit = db_unit_create(s->v.desk->world.searcher);
	db_unit_add(unit, SEARCH_NEWEST);
	db_add_text(unit, s->query);
	db_add_int8(unit, NEWEST);
	db_add_int8(unit, FOUND_MAX);
	submit(s, unit, on_newest);
}

void
desk_get_search(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, DESK_WORKERS, known_search, arg);
}
