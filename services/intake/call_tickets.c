/* Writes lists of tickets, and finds those that may be about the same. */
#include "call_tickets.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "fields.h"
#include "istanbul.h"
#include "status_words.h"
#include "store.h"

enum { SHOWN_MAX = 15 };

static void
write_status(struct html *h, const struct pg_result *rows, int row)
{
	html_raw(h, "<b class=\"status\">");
	html_text(h, status_word(db_get_int(rows, row, TICKET_STATUS), h->language));
	html_raw(h, "</b> ");
	if (!db_is_null(rows, row, TICKET_ENDED)) {
		html_raw(h, "<span>");
		html_time(h, db_get_int(rows, row, TICKET_ENDED), false);
		html_raw(h, "</span> ");
	}
}

static void
write_where(struct html *h, const struct catalogue *cat, const struct pg_result *rows, int row)
{
	const struct catalogue_neighbourhood *n = catalogue_neighbourhood(
	    cat, db_get_text(rows, row, TICKET_NEIGHBOURHOOD));
	const char *address = db_get_text_or_null(rows, row, TICKET_ADDRESS);

	html_raw(h, "<span class=\"where\">");
	html_text(h, n == NULL ? "" : n->name);
	if (n != NULL && address != NULL)
		html_raw(h, ", ");
	html_text(h, address);
	html_raw(h, "</span>\n");
}

static void
write_one(struct html *h, const struct catalogue *cat, const struct pg_result *rows, int row)
{
	const char *code = db_get_text(rows, row, TICKET_SUBJECT);
	const struct catalogue_subject *subject = catalogue_subject(cat, code);
	const char *description = db_get_text_or_null(rows, row, TICKET_DESCRIPTION);
	char number[NUMBER_SIZE] = "";
	bool special = catalogue_is_special(cat, code);

	(void)!number_format(db_get_int(rows, row, TICKET_ID), number);
	html_raw(h, "<p><span class=\"no\">");
	html_text(h, number);
	html_raw(h, "</span> ");
	write_status(h, rows, row);
	html_raw(h, "<span>");
	html_time(h, db_get_int(rows, row, TICKET_ARRIVED), false);
	html_raw(h, "</span></p>\n");
	if (special) {
		html_element(h, "p", "hint",
		    html_say(h, "Özel nitelikli konu: ayrıntısı burada gösterilmez.",
			"A special category: no detail is shown here."));
		return;
	}
	html_raw(h, "<p><strong>");
	html_text(h, subject == NULL ? code : catalogue_say(&subject->name, h->language));
	html_raw(h, "</strong> ");
	write_where(h, cat, rows, row);
	html_raw(h, "</p>\n");
	if (description != NULL)
		html_element(h, "p", "said", description);
}

static void
write_join(struct html *h, const struct pg_result *rows, int row, bool first)
{
	char number[NUMBER_SIZE];

	/* What was joined to another ticket is that one's matter. */
	int64_t ticket_id = db_get_int(
	    rows, row, db_is_null(rows, row, TICKET_PRIMARY) ? TICKET_ID : TICKET_PRIMARY);
	if (!number_format(ticket_id, number))
		return;
	html_raw(h, "<button class=\"second\" formaction=\"/call/join");
	html_raw(h, h->language == CATALOGUE_EN ? "?lang=en" : "?lang=tr");
	html_raw(h, "\" name=\"join\" value=\"");
	html_text(h, number);
	html_raw(h, first ? "\" data-key=\"b\">" : "\">");
	html_text(h, html_say(h, "Arayanı buna ekle", "Join the caller to it"));
	html_raw(h, "</button>\n");
	if (!db_is_null(rows, row, TICKET_ENDED))
		html_element(h, "p", "hint",
		    html_say(h, "Sonuçlandı: arayana sonucu şimdi siz söyleyin.",
			"It has ended: tell the caller how, now."));
}

/* Whoever is found by a name or a house must not be found to have asked for something special; and
 * of an address only the very house is meant. */
static bool
belongs(const struct call_look *look, const struct catalogue *cat, enum call_ask ask,
    const struct pg_result *rows, int row)
{
	const char *address = db_get_text_or_null(rows, row, TICKET_ADDRESS);
	const char *told = call_field(look, "address_id");
	const char *there = db_get_text(rows, row, TICKET_NEIGHBOURHOOD);
	struct street street;

	if (ask != CALL_ASK_SEARCH && ask != CALL_ASK_ADDRESS)
		return true;
	if (catalogue_is_special(cat, db_get_text(rows, row, TICKET_SUBJECT)))
		return false;
	if (ask == CALL_ASK_SEARCH)
		return true;
	return address != NULL && street_of_address(address, &street)
	       && strcmp(street.name, look->street.name) == 0
	       && strcmp(street.number, look->street.number) == 0
	       && (told[0] == '\0' || there[0] == '\0' || strcmp(told, there) == 0);
}

void
call_tickets_write(struct html *h, const struct call_look *look, enum call_ask ask,
    const char *title, const char *none)
{
	const struct catalogue *cat = registry_catalogue(look->in->registry);
	const struct pg_result *rows = call_rows(look, ask);
	int shown = 0;

	html_element(h, "h3", NULL, title);
	for (int row = 0; rows != NULL && cat != NULL && row < db_rows(rows) && shown < SHOWN_MAX;
	     row++) {
		if (!belongs(look, cat, ask, rows, row))
			continue;
		html_raw(h, shown++ == 0 ? "<ul class=\"tickets\">\n<li>\n" : "<li>\n");
		write_one(h, cat, rows, row);
		if (ask != CALL_ASK_PERSON
		    && !catalogue_is_special(cat, db_get_text(rows, row, TICKET_SUBJECT)))
			write_join(h, rows, row, false);
		html_raw(h, "</li>\n");
	}
	if (shown > 0)
		html_raw(h, "</ul>\n");
	else
		html_element(h, "p", "hint", none);
}

/* --- what is being told
 * --------------------------------------------------------------------------- */

/* A position is given only where a map or another system knows one. */
static void
read_place(const struct call_look *look, const struct catalogue *cat, struct similar_place *ret)
{
	struct problems p = { 0 };
	const char *lat = report_field(&look->form, "lat"),
		   *lon = report_field(&look->form, "long");

	*ret = (struct similar_place){ .neighbourhood = call_field(look, "address_id"),
		.address = report_field(&look->form, "address_string") };
	if (ret->neighbourhood[0] == '\0' && ret->address != NULL)
		ret->neighbourhood = field_neighbourhood_of_address(cat, ret->address);
	ret->has_position = lat != NULL && lon != NULL
			    && field_check_number(&p, "lat", lat, -90, 90, &ret->latitude)
			    && field_check_number(&p, "long", lon, -180, 180, &ret->longitude);
}

void
call_tickets_write_competence(struct html *h, const struct call_look *look,
    const struct catalogue *cat, const struct catalogue_subject *subject)
{
	struct similar_place place;
	struct similar_spot spot;

	read_place(look, cat, &place);
	similar_read(&place, &spot);
	const struct catalogue_competence *c = catalogue_competence(
	    cat, subject->code, place.neighbourhood, spot.has_street ? spot.street.name : "");
	if (c == NULL)
		return;
	html_raw(h, c->institution == NULL ? "<p class=\"business ours\"><strong>"
					   : "<p class=\"business\"><strong>");
	html_text(h, c->institution == NULL ? html_say(h, "Bizim", "Ours")
					    : catalogue_say(&c->institution->name, h->language));
	html_raw(h, "</strong> ");
	if (c->institution != NULL && c->institution->phone[0] != '\0') {
		html_text(h, c->institution->phone);
		html_raw(h, " ");
	}
	html_text(h, catalogue_say(&c->note, h->language));
	html_raw(h, "</p>\n");
}

static void
find_similar(const struct call_look *look, const struct catalogue *cat,
    const struct pg_result *rows, struct similar_list *list)
{
	struct similar_place place;
	struct similar_spot wanted;
	int64_t window_us = cat->municipality.reopen_window_days * US_PER_DAY;
	int64_t now_us = clock_now_us();

	read_place(look, cat, &place);
	similar_read(&place, &wanted);
	for (int row = 0; row < db_rows(rows); row++) {
		const struct similar_place there = {
			.neighbourhood = db_get_text(rows, row, TICKET_NEIGHBOURHOOD),
			.address = db_get_text_or_null(rows, row, TICKET_ADDRESS),
			.has_position = !db_is_null(rows, row, TICKET_LATITUDE)
					&& !db_is_null(rows, row, TICKET_LONGITUDE),
			.latitude = db_is_null(rows, row, TICKET_LATITUDE)
					? 0
					: db_get_float8(rows, row, TICKET_LATITUDE),
			.longitude = db_is_null(rows, row, TICKET_LONGITUDE)
					 ? 0
					 : db_get_float8(rows, row, TICKET_LONGITUDE),
		};
		bool lately = db_is_null(rows, row, TICKET_ENDED)
			      || db_get_int(rows, row, TICKET_ENDED) > now_us - window_us;
		if (lately)
			similar_offer(list, &wanted, &there, (size_t)row);
	}
}

static void
write_nearness(struct html *h, const struct similar *s)
{
	char metres[24];

	html_raw(h, "<span class=\"near\">");
	if (s->metres >= 0) {
		(void)snprintf(metres, sizeof(metres), "%d m", s->metres);
		html_text(h, metres);
	}
	if (s->metres >= 0 && s->same_street)
		html_raw(h, ", ");
	if (s->same_street)
		html_text(h, s->same_house ? html_say(h, "aynı kapı", "same house")
					   : html_say(h, "aynı sokak", "same street"));
	html_raw(h, "</span>\n");
}

void
call_tickets_write_similar(struct html *h, const struct call_look *look,
    const struct catalogue *cat, const struct catalogue_subject *subject)
{
	const struct pg_result *rows = call_rows(look, CALL_ASK_SIMILAR);
	struct similar_list list = { 0 };

	html_element(h, "h3", NULL, html_say(h, "Benzer kayıtlar", "Similar tickets"));
	if (subject->special_category) {
		html_element(h, "p", "hint",
		    html_say(h, "Özel nitelikli konuda benzer kayıt önerilmez.",
			"None is suggested for a special category."));
		return;
	}
	if (rows == NULL) {
		html_element(h, "p", "hint",
		    html_say(h, "Kayıt sistemine ulaşılamıyor.", "The record is away."));
		return;
	}
	find_similar(look, cat, rows, &list);
	if (list.count == 0) {
		html_element(h, "p", "hint",
		    html_say(h, "Yakında aynı konuda açık ya da yeni bitmiş kayıt yok.",
			"No ticket of this subject is open or ended lately nearby."));
		return;
	}
	html_raw(h, "<ul class=\"tickets\">\n");
	for (size_t i = 0; i < list.count; i++) {
		html_raw(h, "<li>\n");
		write_nearness(h, &list.at[i]);
		write_one(h, cat, rows, (int)list.at[i].row);
		write_join(h, rows, (int)list.at[i].row, i == 0);
		html_raw(h, "</li>\n");
	}
	html_raw(h, "</ul>\n");
}
