/* What failed and waits for a person: messages that could not be sent, records that could not be
 * acted on.  Operators see them, and decide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_form.h"
#include "desk_row.h"
#include "desk_visit.h"
#include "log.h"
#include "store.h"
#include "utf8.h"

enum { WHY_CHARS = 200, CONSUMER_BYTES = 32 };

#define OPERATORS ((unsigned)PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR)

/* --- the lists -------------------------------------------------------------------------------- */

/* Both decisions about one of them; id is the field's value. */
static void
decisions(struct html *h, const struct visit *v, const char *kind, const char *id)
{
	form_begin(h, v, "failed", "group");
	html_hidden(h, "kind", kind);
	html_hidden(h, "what", id);
	html_raw(h, "<button class=\"quiet\" name=\"do\" value=\"again\">");
	html_text(h, html_say(h, "Yeniden dene", "Try again"));
	html_raw(h, "</button>\n<label>");
	html_text(h, html_say(h, "Vazgeçme nedeni", "Reason to discard"));
	html_raw(h, "<input name=\"why\" maxlength=\"200\" autocomplete=\"off\"></label>"
		    "<button class=\"quiet\" name=\"do\" value=\"discard\">");
	html_text(h, html_say(h, "Vazgeç", "Discard"));
	html_raw(h, "</button></form>\n");
}

static void
error_of(struct html *h, const char *text)
{
	if (text[0] == '\0')
		return;
	html_raw(h, "<p class=\"said\">");
	html_text(h, text);
	html_raw(h, "</p>\n");
}

static void
messages(struct html *h, const struct visit *v, const struct pg_result *rows)
{
	char id[UUID_TEXT_SIZE];

	html_element(h, "h2", NULL,
	    html_say(h, "Gönderilemeyen iletiler", "Messages that could not be sent"));
	if (db_rows(rows) == 0)
		html_element(h, "p", "empty", html_say(h, "Yok.", "None."));
	html_raw(h, "<ul class=\"triage\">\n");
	for (int i = 0; i < db_rows(rows); i++) {
		struct uuid message = db_get_uuid(rows, i, FAILED_ID);
		uuid_format(&message, id);
		html_raw(h, "<li><p>");
		desk_ticket_link(h, db_get_int(rows, i, FAILED_TICKET));
		html_raw(h, " ");
		html_text(h, desk_message(db_get_text(rows, i, FAILED_ABOUT), h->language));
		html_raw(h, " <span class=\"mark\">");
		html_text(
		    h, desk_message_state((int)db_get_int(rows, i, FAILED_STATE), h->language));
		html_raw(h, "</span> <span class=\"second\">");
		html_time(h, db_get_int(rows, i, FAILED_AT), true);
		html_raw(h, "</span></p>\n");
		error_of(h, db_get_text(rows, i, FAILED_ERROR));
		decisions(h, v, "message", id);
		html_raw(h, "</li>\n");
	}
	html_raw(h, "</ul>\n");
}

static void
letters(struct html *h, const struct visit *v, const struct pg_result *rows)
{
	char text[120];

	html_element(h, "h2", NULL,
	    html_say(h, "İşlenemeyen kayıtlar", "Records that could not be acted on"));
	if (db_rows(rows) == 0)
		html_element(h, "p", "empty", html_say(h, "Yok.", "None."));
	html_raw(h, "<ul class=\"triage\">\n");
	for (int i = 0; i < db_rows(rows); i++) {
		(void)snprintf(text, sizeof(text), "%.30s:%lld",
		    db_get_text(rows, i, LETTER_CONSUMER),
		    (long long)db_get_int(rows, i, LETTER_SEQ));
		html_raw(h, "<li><p><b>");
		html_text(h, text);
		html_raw(h, "</b> ");
		html_text(h, db_get_text(rows, i, LETTER_TYPE));
		html_raw(h, " ");
		if (!db_is_null(rows, i, LETTER_TICKET))
			desk_ticket_link(h, db_get_int(rows, i, LETTER_TICKET));
		html_raw(h, " <span class=\"mark\">");
		html_text(h, db_get_int(rows, i, LETTER_STATE) == 1
				 ? html_say(h, "bekliyor", "waiting")
				 : html_say(h, "yeniden denenecek", "to be tried again"));
		html_raw(h, "</span> <span class=\"second\">");
		html_time(h, db_get_int(rows, i, LETTER_AT), true);
		html_raw(h, "</span></p>\n<p class=\"said\">");
		html_text(h, db_get_text(rows, i, LETTER_REASON));
		html_raw(h, " ");
		html_text(h, db_get_text(rows, i, LETTER_DETAIL));
		html_raw(h, "</p>\n");
		decisions(h, v, "letter", text);
		html_raw(h, "</li>\n");
	}
	html_raw(h, "</ul>\n");
}

static void
on_lists(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	const char *done = http_query(v->req, "done", NULL);
	struct html h;

	if (reply->outcome != DB_COMMITTED) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	page_open(&h, v, v->language == CATALOGUE_EN ? "What failed" : "Takılanlar");
	if (done != NULL) {
		html_raw(&h, "<p class=\"notice\" role=\"status\">");
		html_text(&h, strcmp(done, "again") == 0
				  ? html_say(&h, "Yeniden denenecek.", "It will be tried again.")
				  : html_say(&h, "Vazgeçildi.", "Discarded."));
		html_raw(&h, "</p>\n");
	}
	messages(&h, v, reply->results[0]);
	letters(&h, v, reply->results[1]);
	page_reply(&h, v, 200);
}

static void
known_lists(void *arg, struct http_request *req, const struct person *who)
{
	struct visit *v = visit_begin(arg, req, who, PAGE_OPERATOR, sizeof(*v), NULL);

	if (v == NULL)
		return;
	struct db *db = v->desk->world.reader;
	struct db_unit *unit = db_unit_create(db);
	db_unit_add(unit, DESK_FAILED);
	db_unit_add(unit, DESK_LETTERS);
	if (db_submit(db, unit, on_lists, v))
		return;
	db_unit_destroy(unit);
	page_say(v, 503, WORD_AWAY);
}

void
desk_get_failed(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, OPERATORS, known_lists, arg);
}

/* --- deciding --------------------------------------------------------------------------------- */

static void
on_decided(void *arg, const struct db_reply *reply)
{
	struct visit *v = arg;
	const char *what = http_form(v->req, "do", NULL);
	char path[DESK_PATH_BYTES];

	if (reply->outcome != DB_COMMITTED) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	if (!db_get_bool(reply->results[0], 0, 0)) {
		page_say(v, 409, WORD_DECIDED_ALREADY);
		return;
	}
	log_info(
	    "decided user=%s what=%s", v->who.name, log_quoted(http_form(v->req, "what", NULL)));
	(void)snprintf(path, sizeof(path), "/desk/failed?lang=%s&done=%s",
	    catalogue_language_name(v->language), strcmp(what, "again") == 0 ? "again" : "discard");
	page_go(v, path);
}

/* The statement and what it decides over.  False: not one of ours. */
static bool
add_what(struct db_unit *unit, const char *kind, const char *what)
{
	char consumer[CONSUMER_BYTES];
	const char *colon = strchr(what, ':');
	struct uuid id;

	if (strcmp(kind, "message") == 0) {
		if (!uuid_parse(what, strlen(what), &id))
			return false;
		db_unit_add(unit, STORE_DECIDE_MESSAGE);
		db_add_uuid(unit, &id);
		return true;
	}
	if (strcmp(kind, "letter") != 0 || colon == NULL || colon - what >= CONSUMER_BYTES
	    || strlen(colon + 1) > 18 || colon[1] == '\0'
	    || colon[1 + strspn(colon + 1, "0123456789")] != '\0')
		return false;
	(void)snprintf(consumer, sizeof(consumer), "%.*s", (int)(colon - what), what);
	db_unit_add(unit, STORE_DECIDE_LETTER);
	db_add_text(unit, consumer);
	db_add_int8(unit, strtoll(colon + 1, NULL, 10));
	return true;
}

static void
known_decision(void *arg, struct http_request *req, const struct person *who)
{
	struct visit *v = visit_begin(arg, req, who, PAGE_OPERATOR, sizeof(*v), NULL);
	const char *kind = http_form(req, "kind", NULL), *what = http_form(req, "what", NULL);
	const char *verb = http_form(req, "do", NULL), *why = http_form(req, "why", NULL);
	char actor[ASKER_ACTOR_BYTES];

	if (v == NULL)
		return;
	bool again = verb != NULL && strcmp(verb, "again") == 0;
	bool discard = verb != NULL && strcmp(verb, "discard") == 0;
	if (why == NULL)
		why = "";
	if ((!again && !discard) || kind == NULL || what == NULL
	    || (discard
		&& (why[strspn(why, " ")] == '\0' || strlen(why) > 4 * WHY_CHARS
		    || utf8_has_control(why, false)))) {
		page_say(v, 422, WORD_SAY_WHY);
		return;
	}
	struct db *db = v->desk->world.writer;
	struct db_unit *unit = db_unit_create(db);
	if (!add_what(unit, kind, what)) {
		db_unit_destroy(unit);
		page_say(v, 422, WORD_SAY_WHY);
		return;
	}
	asker_actor(&v->who, actor);
	db_add_bool(unit, again);
	db_add_text(unit, actor);
	db_add_text(unit, why);
	db_add_int8(unit, clock_now_us());
	if (db_submit(db, unit, on_decided, v))
		return;
	db_unit_destroy(unit);
	page_say(v, 503, WORD_AWAY);
}

void
desk_post_failed(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, OPERATORS, known_decision, arg);
}
