/* The page on which citizens look up their report by its number and four digits of their phone, and
 * say what else there is to say.  Works without JavaScript. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "fields.h"
#include "form_token.h"
#include "html.h"
#include "istanbul.h"
#include "log.h"
#include "number.h"
#include "status_words.h"
#include "store.h"
#include "track_page.h"
#include "utf8.h"

enum { DIGITS = 4, TOKEN_LIFE_MIN = 30, BODY_BYTES = 32 * 1024 };

/* --- who asks -----------------------------------------------------------------------------------
 */

/* A page that only says something. */
static void
reply_word(struct intake *in, struct http_request *req, unsigned status, enum track_word word)
{
	struct html h;
	enum catalogue_language language = html_language(req);

	(void)in;
	html_begin(&h, language, track_word(TRACK_TITLE, language), "/track");
	track_page_form(&h, "", track_word(word, language));
	html_reply(&h, req, status);
}

static void
reply_form(struct http_request *req, const char *number)
{
	struct html h;
	enum catalogue_language language = html_language(req);

	html_begin(&h, language, track_word(TRACK_TITLE, language), "/track");
	track_page_form(&h, number == NULL ? "" : number, NULL);
	html_reply(&h, req, 200);
}

static void
get_track(struct http_request *req, void *arg)
{
	(void)arg;
	reply_form(req, http_query(req, "no", NULL));
}

/* --- looking up ----------------------------------------------------------------------------------
 */

struct tracking {
	struct intake *in;
	struct http_request *req;
	int64_t ticket_id;
	char digits[DIGITS + 1];
	char address[64];
};

/* Every phone is compared, each in the same time. */
static bool
digits_fit(const struct tracking *t, const struct pg_result *rows)
{
	bool fit = false;
	struct db_elements phones = db_get_array(rows, 0, TRACK_PHONES);

	while (db_next_element(&phones))
		if (phones.data != NULL && phones.len >= DIGITS)
			fit |= sodium_memcmp((const char *)phones.data + phones.len - DIGITS,
				   t->digits, DIGITS)
			       == 0;
	return fit;
}

static void
show(struct tracking *t, const struct db_reply *reply)
{
	struct intake *in = t->in;
	const struct catalogue *cat = registry_catalogue(in->registry);
	const struct track_rows rows = { reply->results[0], reply->results[1], reply->results[2] };
	enum catalogue_language language = html_language(t->req);
	int64_t now_us = clock_now_us();
	char token[FORM_TOKEN_SIZE];
	struct html h;

	stats_add_at(in->stats, INTAKE_STAT_TRACKED, TRACKED_SHOWN, 1);
	ratelimit_give_back(in->track_per_address, t->address, strlen(t->address));
	ratelimit_give_back(in->track_per_ticket, &t->ticket_id, sizeof(t->ticket_id));
	form_token_make(in->secret, sizeof(in->secret), db_get_int(rows.ticket, 0, TRACK_TICKET_ID),
	    now_us + TOKEN_LIFE_MIN * US_PER_MIN, token);
	html_begin(&h, language, track_word(TRACK_TITLE, language), "/track");
	track_page_ticket(&h, cat, &rows, now_us, token);
	html_reply(&h, t->req, 200);
}

static void
on_tracked(void *arg, const struct db_reply *reply)
{
	struct tracking *t = arg;

	if (reply->outcome != DB_COMMITTED) {
		stats_add_at(t->in->stats, INTAKE_STAT_TRACKED, TRACKED_AWAY, 1);
		reply_word(t->in, t->req, 503, TRACK_AWAY);
	} else if (db_rows(reply->results[0]) == 0 || !digits_fit(t, reply->results[0])) {
		/* One answer for "no such number" and "not these digits". */
		stats_add_at(t->in->stats, INTAKE_STAT_TRACKED, TRACKED_WRONG, 1);
		reply_word(t->in, t->req, 404, TRACK_NOT_FOUND);
	} else {
		show(t, reply);
	}
	free(t);
}

/* Both buckets are charged now, and paid back when the digits were right. */
static bool
may_try(struct tracking *t)
{
	struct intake *in = t->in;
	uint64_t wait_ms, now_ms = clock_monotonic_ms();
	bool may = ratelimit_take(
		       in->track_per_address, t->address, strlen(t->address), now_ms, &wait_ms)
		   && ratelimit_take(
		       in->track_per_ticket, &t->ticket_id, sizeof(t->ticket_id), now_ms, &wait_ms);

	if (!may)
		stats_add_at(in->stats, INTAKE_STAT_TRACKED, TRACKED_LIMITED, 1);
	return may;
}

static void
ask(struct tracking *t)
{
	struct db_unit *unit = db_unit_create(t->in->reader);

	for (size_t s = STORE_TRACK; s <= STORE_TRACK_TEXTS; s++) {
		db_unit_add(unit, s);
		db_add_int8(unit, t->ticket_id);
	}
	if (db_submit(t->in->reader, unit, on_tracked, t))
		return;
	db_unit_destroy(unit);
	stats_add_at(t->in->stats, INTAKE_STAT_TRACKED, TRACKED_AWAY, 1);
	reply_word(t->in, t->req, 503, TRACK_AWAY);
	free(t);
}

static bool
are_digits(const char *text)
{
	return strlen(text) == DIGITS && strspn(text, "0123456789") == DIGITS;
}

static void
post_track(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const char *number = http_form(req, "no", NULL), *digits = http_form(req, "digits", NULL);
	struct tracking *t = calloc(1, sizeof(*t));

	if (t == NULL || registry_catalogue(in->registry) == NULL) {
		free(t);
		reply_word(in, req, 503, TRACK_AWAY);
		return;
	}
	t->in = in;
	t->req = req;
	(void)snprintf(t->address, sizeof(t->address), "%s", http_client_address(req));
	bool fits = number != NULL && digits != NULL && are_digits(digits)
		    && number_parse_typed(number, &t->ticket_id) == NUMBER_OK;
	if (fits && !may_try(t)) {
		free(t);
		reply_word(in, req, 429, TRACK_TOO_MANY);
	} else if (fits) {
		memcpy(t->digits, digits, DIGITS);
		ask(t);
	} else {
		free(t);
		stats_add_at(in->stats, INTAKE_STAT_TRACKED, TRACKED_WRONG, 1);
		reply_word(in, req, 404, TRACK_NOT_FOUND);
	}
}

/* --- saying something ----------------------------------------------------------------------------
 */

static const struct saying {
	const char *kind;
	unsigned may; /* of enum track_say */
	size_t stat;
	bool wordless; /* nothing need be written */
} sayings[] = {
	{ "follow_up", TRACK_NOTE, SAID_FOLLOW_UP, false },
	{ "withdraw", TRACK_WITHDRAW, SAID_WITHDRAW, true },
	{ "not_solved", TRACK_NOT_SOLVED, SAID_NOT_SOLVED, true },
};
static const char say_source[] = "page";

/* One form from its request to its answer. */
struct words {
	struct item item; /* first: how accept gives it back */
	struct intake *in;
	struct http_request *req;
	const struct saying *saying;
	char form_id[FORM_ID_SIZE];
	char text[4 * FIELD_DESCRIPTION_CHARS + 1];
};

static void
words_destroy(struct words *w)
{
	item_finish(&w->item);
	free(w);
}

static void
refuse(struct words *w, unsigned status, enum track_word word)
{
	stats_add_at(w->in->stats, INTAKE_STAT_SAID, SAID_REFUSED, 1);
	reply_word(w->in, w->req, status, word);
	words_destroy(w);
}

static void
reply_recorded(const struct words *w)
{
	struct html h;
	enum catalogue_language language = html_language(w->req);
	char number[NUMBER_SIZE];

	if (!number_format(w->item.ticket_id, number))
		number[0] = '\0';
	html_begin(&h, language, track_word(TRACK_RECORDED, language), "/track");
	html_raw(&h, "<p><a class=\"button\" href=\"/track?no=");
	html_text(&h, number);
	html_raw(&h, language == CATALOGUE_EN ? "&amp;lang=en\">" : "&amp;lang=tr\">");
	html_text(&h, track_word(TRACK_BACK, language));
	html_raw(&h, "</a></p>\n");
	html_reply(&h, w->req, 200);
}

static void
on_said(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct words *w = (struct words *)item;

	(void)ticket_id;
	stats_add_at(w->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	switch (outcome) {
	case ITEM_ACCEPTED:
	case ITEM_SPOOLED:
		stats_add_at(w->in->stats, INTAKE_STAT_SAID, w->saying->stat, 1);
		reply_recorded(w);
		break;
	case ITEM_DUPLICATE: /* the form was sent twice */
		reply_recorded(w);
		break;
	case ITEM_ID_REUSED: /* once more with other words: they have to open it again */
		refuse(w, 409, TRACK_OVER);
		return;
	case ITEM_REFUSED:
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		refuse(w, 503, TRACK_AWAY);
		return;
	}
	words_destroy(w);
}

static void
identify(struct words *w)
{
	struct digest_keyed d;

	item_identity_begin(&w->in->maker, &d);
	digest_keyed_add_part(&d, w->item.kind, strlen(w->item.kind));
	digest_keyed_add_part(&d, w->text, strlen(w->text));
	digest_keyed_finish(&d, &w->item.identity);
}

static void
record(struct words *w)
{
	struct item *item = &w->item;
	int64_t now_us = clock_now_us();

	item->source = say_source;
	item->id = w->form_id;
	item->kind = w->saying->kind;
	item->type = "contact.recorded";
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
	item->time_us = item->arrived_us = now_us;
	item->language = catalogue_language_name(html_language(w->req));
	item->description = w->text[0] == '\0' ? NULL : w->text;
	identify(w);
	if (!item_seal(item, &w->in->maker, now_us))
		refuse(w, 503, TRACK_AWAY);
	else
		accept_add(w->in->accept, item, clock_monotonic_ms());
}

/* Whether it may still be said; the table of steps decides again when it is taken. */
static void
on_status(void *arg, const struct db_reply *reply)
{
	struct words *w = arg;
	const struct catalogue *cat = registry_catalogue(w->in->registry);

	if (reply->outcome != DB_COMMITTED || cat == NULL || db_rows(reply->results[0]) == 0) {
		refuse(w, 503, TRACK_AWAY);
		return;
	}
	const struct pg_result *t = reply->results[0];
	int64_t ended_us = db_is_null(t, 0, TRACK_ENDED) ? 0 : db_get_int(t, 0, TRACK_ENDED);
	unsigned may = track_may_say(cat, db_get_int(t, 0, TRACK_STATUS), ended_us, clock_now_us());
	if ((may & w->saying->may) == 0)
		refuse(w, 409, TRACK_NOT_NOW);
	else
		record(w);
}

static const struct saying *
saying_of(const char *kind)
{
	for (size_t i = 0; kind != NULL && i < ARRAY_LEN(sayings); i++)
		if (strcmp(sayings[i].kind, kind) == 0)
			return &sayings[i];
	return NULL;
}

/* Browsers send line ends as CR LF.  False: word says what is wrong. */
static bool
take_text(struct words *w, const char *text, enum track_word *ret_word)
{
	struct problems p = { 0 };
	size_t len = 0;

	*ret_word = TRACK_TOO_LONG;
	for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
		if (*c == '\r')
			continue;
		if (len + 1 >= sizeof(w->text))
			return false;
		w->text[len++] = *c;
	}
	w->text[len] = '\0';
	if (!field_check_text(&p, "text", w->text, FIELD_LINES, FIELD_DESCRIPTION_CHARS))
		return false;
	*ret_word = TRACK_EMPTY;
	return w->saying->wordless || strspn(w->text, " \n\t") < len;
}

static void
post_say(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const char *token = http_form(req, "token", NULL), *why;
	struct words *w = calloc(1, sizeof(*w));
	enum track_word wrong = TRACK_OVER;

	if (w == NULL || !intake_takes(in, 1, BODY_BYTES, &why)) {
		free(w);
		reply_word(in, req, 503, TRACK_AWAY);
		return;
	}
	item_init(&w->item, on_said);
	w->in = in;
	w->req = req;
	w->saying = saying_of(http_form(req, "kind", NULL));
	if (w->saying == NULL || token == NULL
	    || !form_token_read(in->secret, sizeof(in->secret), token, clock_now_us(),
		&w->item.ticket_id, w->form_id)
	    || !take_text(w, http_form(req, "text", NULL), &wrong)) {
		refuse(w, 400, wrong);
		return;
	}
	struct db_unit *unit = db_unit_create(in->reader);
	db_unit_add(unit, STORE_TRACK);
	db_add_int8(unit, w->item.ticket_id);
	if (db_submit(in->reader, unit, on_status, w))
		return;
	db_unit_destroy(unit);
	refuse(w, 503, TRACK_AWAY);
}

const struct http_route door_track_routes[] = {
	{ HTTP_GET, "/track", get_track, 0 },
	{ HTTP_POST, "/track", post_track, 4096 },
	{ HTTP_POST, "/track/say", post_say, BODY_BYTES },
};
const size_t door_track_route_count = ARRAY_LEN(door_track_routes);
