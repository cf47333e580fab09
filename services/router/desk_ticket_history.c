/* Writes what happened to a ticket, each step with the words that were written with it. */
#include <stdio.h>
#include <string.h>

#include "db_result.h"
#include "desk_ticket.h"
#include "istanbul.h"
#include "number.h"
#include "turunc/v1/event.pb-c.h"

static void
say_actor(struct html *h, const char *actor)
{
	char text[CHANGES_ACTOR_BYTES + 16];

	desk_actor(actor, h->language, text, sizeof(text));
	html_text(h, text);
}

static void
words(struct html *h, const struct pg_result *texts, int64_t version)
{
	for (int i = 0; i < db_rows(texts); i++) {
		if (db_get_int(texts, i, TEXT_VERSION) != version)
			continue;
		const char *body = db_get_text(texts, i, TEXT_BODY);
		if (body[0] == '\0')
			body = html_say(h, "(silindi)", "(erased)");
		html_element(h, "p", "words", body);
	}
}

static void
step_details(struct html *h, const struct catalogue *cat, const Turunc__V1__TicketStep *step)
{
	int64_t related;

	if (step->previous_department[0] != '\0') {
		html_raw(h, " · ");
		html_text(h, desk_department(cat, step->previous_department, h->language));
		html_raw(h, " →");
	}
	if (step->department[0] != '\0') {
		html_raw(h, step->previous_department[0] != '\0' ? " " : " · ");
		html_text(h, desk_department(cat, step->department, h->language));
	}
	if (step->reason_code[0] != '\0') {
		html_raw(h, " · ");
		html_text(h, desk_reason_name(cat, step->reason_code, h->language));
	}
	if (step->institution[0] != '\0') {
		const struct catalogue_institution *to = catalogue_institution(
		    cat, step->institution);
		html_raw(h, " · ");
		html_text(
		    h, to == NULL ? step->institution : catalogue_say(&to->name, h->language));
	}
	if (step->reference[0] != '\0') {
		html_raw(h, " · ");
		html_text(h, step->reference);
	}
	if (step->until_us != 0) {
		html_raw(h, " · ");
		html_time(h, step->until_us - 1, false);
	}
	if (step->related[0] != '\0' && number_parse(step->related, &related) == NUMBER_OK) {
		html_raw(h, " · ");
		html_text(h, step->related);
	}
}

static void
one(struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows, int i)
{
	size_t len;
	const void *bytes = db_get_bytea(rows->history, i, EVENT_BYTES, &len);
	/* Not ours to read means: shown without details. */
	Turunc__V1__Event *event = turunc__v1__event__unpack(NULL, len, bytes);
	const Turunc__V1__TicketStep *step =
	    event == NULL || event->body_case != TURUNC__V1__EVENT__BODY_STEP ? NULL : event->step;
	bool is_new = t->attempt.made && step != NULL && step->version > t->attempt.seen_version;

	html_raw(h, is_new ? "<li class=\"new\"><b>" : "<li><b>");
	html_text(h, desk_event(db_get_text(rows->history, i, EVENT_TYPE), h->language));
	html_raw(h, "</b>");
	if (is_new) {
		html_raw(h, " <span class=\"mark\">");
		html_text(h, html_say(h, "yeni", "new"));
		html_raw(h, "</span>");
	}
	html_raw(h, "<span class=\"second\">");
	html_time(h, db_get_int(rows->history, i, EVENT_AT), true);
	html_raw(h, " · ");
	say_actor(h, db_get_text(rows->history, i, EVENT_ACTOR));
	if (step != NULL)
		step_details(h, visit_catalogue(&t->v), step);
	html_raw(h, "</span>");
	if (step != NULL
	    && (asker_sees_people(&t->v.who)
		|| !catalogue_is_special(
		    visit_catalogue(&t->v), db_get_text(rows->ticket, 0, ONE_SUBJECT))))
		words(h, rows->texts, step->version);
	html_raw(h, "</li>\n");
	turunc__v1__event__free_unpacked(event, NULL);
}

static void
hops(struct html *h, const struct catalogue *cat, const struct pg_result *rows)
{
	if (db_rows(rows) < 2)
		return;
	html_element(h, "h2", NULL, html_say(h, "Gezdiği birimler", "Departments it went through"));
	html_raw(h, "<ol class=\"hops\">\n");
	for (int i = 0; i < db_rows(rows); i++) {
		const char *reason = db_get_text(rows, i, HOP_REASON);
		html_raw(h, "<li>");
		html_text(h, desk_department(cat, db_get_text(rows, i, HOP_TO), h->language));
		html_raw(h, "<span class=\"second\">");
		html_time(h, db_get_int(rows, i, HOP_AT), true);
		html_raw(h, " · ");
		say_actor(h, db_get_text(rows, i, HOP_ACTOR));
		if (reason[0] != '\0') {
			html_raw(h, " · ");
			html_text(h, desk_reason_name(cat, reason, h->language));
		}
		html_raw(h, "</span></li>\n");
	}
	html_raw(h, "</ol>\n");
}

void
ticket_history_write(struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows)
{
	html_element(h, "h2", NULL, html_say(h, "Geçmiş", "History"));
	html_raw(h, "<ol class=\"history\">\n");
	for (int i = 0; i < db_rows(rows->history); i++)
		one(h, t, rows, i);
	html_raw(h, "</ol>\n");
	hops(h, visit_catalogue(&t->v), rows->hops);
}
