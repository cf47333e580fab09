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
#include "linked.h"
#include "log.h"
#include "number.h"
#include "status_words.h"
#include "store.h"
#include "track_page.h"
#include "utf8.h"

enum { DIGITS = 4, TOKEN_LIFE_MIN = 30, BODY_BYTES = 32 * 1024, BYTES_PER_MB = 1024 * 1024 };

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

static unsigned
photo_mb(const struct intake *in)
{
	return (unsigned)(in->config.photo_bytes / BYTES_PER_MB);
}

struct tracking {
	struct intake *in;
	struct http_request *req;
	int64_t ticket_id; /* as it was asked for */
	int64_t first_id; /* the ticket that this may be another name of */
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
	const struct track_rows rows = { reply->results[0], reply->results[1], reply->results[2],
		reply->results[3], reply->results[4], reply->results[5] };
	enum catalogue_language language = html_language(t->req);
	int64_t now_us = clock_now_us();
	char token[FORM_TOKEN_SIZE];
	struct html h;

	stats_add_at(in->stats, INTAKE_STAT_TRACKED, TRACKED_SHOWN, 1);
	ratelimit_give_back(in->track_per_address, t->address, strlen(t->address));
	ratelimit_give_back(in->track_per_ticket, &t->ticket_id, sizeof(t->ticket_id));
	if (t->first_id != t->ticket_id)
		ratelimit_give_back(in->track_per_ticket, &t->first_id, sizeof(t->first_id));
	form_token_make(in->secret, sizeof(in->secret), db_get_int(rows.ticket, 0, TRACK_TICKET_ID),
	    now_us + TOKEN_LIFE_MIN * US_PER_MIN, token);
	html_begin(&h, language, track_word(TRACK_TITLE, language), "/track");
	track_page_ticket(&h, cat, &rows, in->attachments, now_us,
	    &(struct track_form){ .token = token, .photo_mb = photo_mb(in) });
	html_reply(&h, t->req, 200);
}

/* By whatever name it was asked for, it is one ticket whose digits are tried. */
static bool
may_try_first(struct tracking *t, const struct pg_result *rows)
{
	uint64_t wait_ms;

	t->first_id = db_get_int(rows, 0, TRACK_TICKET_ID);
	if (t->first_id == t->ticket_id
	    || ratelimit_take(t->in->track_per_ticket, &t->first_id, sizeof(t->first_id),
		clock_monotonic_ms(), &wait_ms))
		return true;
	stats_add_at(t->in->stats, INTAKE_STAT_TRACKED, TRACKED_LIMITED, 1);
	return false;
}

static void
on_tracked(void *arg, const struct db_reply *reply)
{
	struct tracking *t = arg;

	if (reply->outcome != DB_COMMITTED) {
		stats_add_at(t->in->stats, INTAKE_STAT_TRACKED, TRACKED_AWAY, 1);
		reply_word(t->in, t->req, 503, TRACK_AWAY);
	} else if (db_rows(reply->results[0]) > 0 && !may_try_first(t, reply->results[0])) {
		reply_word(t->in, t->req, 429, TRACK_TOO_MANY);
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

	for (size_t s = STORE_TRACK; s <= STORE_TRACK_LINKS; s++) {
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
	(void)snprintf(t->address, sizeof(t->address), "%s", http_client_network(req));
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
	{ "not_solved", TRACK_NOT_SOLVED | TRACK_FOLLOW, SAID_NOT_SOLVED, true },
};
static const char say_source[] = "page";

/* One form from its request to its answer. */
struct words {
	struct item item; /* first: how accept gives it back */
	struct intake *in;
	struct http_request *req;
	const struct saying *saying;
	enum track_say what; /* known with the ticket's status */
	int64_t ticket_id; /* of which it is said */
	struct photos photos;
	struct linked *linked; /* when another report opens */
	char form_id[FORM_ID_SIZE];
	char text[4 * FIELD_DESCRIPTION_CHARS + 1];
};

static void
words_destroy(struct words *w)
{
	item_finish(&w->item);
	photos_finish(&w->photos);
	linked_destroy(w->linked);
	free(w);
}

static void
refuse(struct words *w, unsigned status, enum track_word word)
{
	stats_add_at(w->in->stats, INTAKE_STAT_SAID, SAID_REFUSED, 1);
	reply_word(w->in, w->req, status, word);
	words_destroy(w);
}

/* The form again, with what was written; complaint says what is wrong. */
static void
ask_again(struct words *w, unsigned status, const char *complaint)
{
	struct html h;
	enum catalogue_language language = html_language(w->req);

	stats_add_at(w->in->stats, INTAKE_STAT_SAID, SAID_REFUSED, 1);
	html_begin(&h, language, track_word(TRACK_TITLE, language), "/track");
	html_complaint(&h, complaint);
	track_page_say(&h, w->what,
	    &(struct track_form){ http_form(w->req, "token", NULL), w->text, photo_mb(w->in) });
	html_reply(&h, w->req, status);
	words_destroy(w);
}

static void
reply_recorded(const struct words *w, int64_t ticket_id)
{
	struct html h;
	enum catalogue_language language = html_language(w->req);
	bool linked = w->what == TRACK_FOLLOW;
	char number[NUMBER_SIZE];

	if (!number_format(linked ? ticket_id : w->ticket_id, number))
		number[0] = '\0';
	html_begin(
	    &h, language, track_word(linked ? TRACK_LINKED : TRACK_RECORDED, language), "/track");
	if (linked)
		html_element(&h, "p", "number", number);
	html_raw(&h, "<p><a class=\"button\" href=\"/track?no=");
	html_text(&h, number);
	html_raw(&h, language == CATALOGUE_EN ? "&amp;lang=en\">" : "&amp;lang=tr\">");
	html_text(&h, track_word(TRACK_BACK, language));
	html_raw(&h, "</a></p>\n");
	html_reply(&h, w->req, linked ? 201 : 200);
}

static void
on_said(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct words *w = (struct words *)item;

	stats_add_at(w->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	intake_settle_photos(w->in, &w->photos, item, outcome);
	switch (outcome) {
	case ITEM_ACCEPTED:
		if (item->opens)
			stats_incr(w->in->stats, INTAKE_STAT_OPENED);
		stats_add_at(w->in->stats, INTAKE_STAT_SAID, w->saying->stat, 1);
		reply_recorded(w, ticket_id);
		break;
	case ITEM_SPOOLED:
		stats_add_at(w->in->stats, INTAKE_STAT_SAID, w->saying->stat, 1);
		reply_recorded(w, ticket_id);
		break;
	case ITEM_DUPLICATE: /* the form was sent twice */
		reply_recorded(w, ticket_id);
		break;
	case ITEM_ID_REUSED: /* once more with other words: they have to open it again */
		refuse(w, 409, TRACK_OVER);
		return;
	case ITEM_REFUSED: /* by the record: another form opened one that follows, just now */
		refuse(w, item->earlier_id != 0 ? 409 : 503,
		    item->earlier_id != 0 ? TRACK_NOT_NOW : TRACK_AWAY);
		return;
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
	char digest[DIGEST_HEX_SIZE];

	item_identity_begin(&w->in->maker, &d);
	digest_keyed_add_part(&d, w->saying->kind, strlen(w->saying->kind));
	digest_keyed_add_part(&d, w->text, strlen(w->text));
	for (size_t i = 0; i < w->photos.count; i++) {
		photos_digest(&w->photos, i, digest);
		digest_keyed_add_part(&d, digest, sizeof(digest) - 1);
	}
	digest_keyed_finish(&d, &w->item.identity);
}

/* The photos last: from here on they would have to be taken away again. */
static bool
keep_photos(struct words *w)
{
	struct photos_fault fault = photos_store(&w->photos, w->in->attachments);
	char complaint[PHOTOS_WORDS_BYTES];

	if (fault.problem == PHOTOS_FINE)
		return true;
	photos_words(&fault, html_language(w->req), complaint);
	ask_again(w, 503, complaint);
	return false;
}

static void
record(struct words *w)
{
	struct item *item = &w->item;
	int64_t now_us = clock_now_us();

	identify(w);
	if (!keep_photos(w))
		return;
	item->source = say_source;
	item->id = w->form_id;
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
	item->time_us = item->arrived_us = now_us;
	item->description = w->text[0] == '\0' ? NULL : w->text;
	item->photos = w->photos.json[0] == '\0' ? NULL : w->photos.json;
	if (w->linked == NULL) {
		item->ticket_id = w->ticket_id;
		item->kind = w->saying->kind;
		item->type = "contact.recorded";
		item->language = catalogue_language_name(html_language(w->req));
	} else {
		item->earlier_id = w->ticket_id;
	}
	if (item_seal(item, &w->in->maker, now_us)) {
		accept_add(w->in->accept, item, clock_monotonic_ms());
		return;
	}
	photos_drop(&w->photos);
	refuse(w, 503, TRACK_AWAY);
}

/* Words and photos as the form demands them; false: it was answered. */
static bool
check_said(struct words *w)
{
	const struct photos_limits limits = { (uint64_t)w->in->config.photo_bytes,
		(uint64_t)w->in->config.photo_pixels };
	enum catalogue_language language = html_language(w->req);
	struct photos_fault fault = { .problem = PHOTOS_TOO_OFTEN };
	char complaint[PHOTOS_WORDS_BYTES];
	bool wordless = w->saying->wordless && w->what != TRACK_FOLLOW;

	if (door_photos_within_rate(w->in, w->req))
		fault = photos_read(&w->photos, w->req, &limits);
	if (fault.problem != PHOTOS_FINE) {
		stats_add_at(w->in->stats, INTAKE_STAT_PHOTOS, PHOTOS_TURNED_DOWN, 1);
		photos_words(&fault, language, complaint);
		ask_again(w, fault.problem == PHOTOS_TOO_OFTEN ? 429 : 400, complaint);
		return false;
	}
	bool written = strspn(w->text, " \n\t") < strlen(w->text);
	if (written || wordless || (w->photos.count > 0 && w->what == TRACK_NOTE))
		return true;
	ask_again(w, 400, track_word(TRACK_EMPTY, language));
	return false;
}

/* False: it was answered. */
static bool
begin_linked(struct words *w, const struct pg_result *opener)
{
	w->linked = db_rows(opener) == 0 ? NULL : linked_begin(opener, &w->item);
	if (w->linked != NULL
	    && numbers_take(w->in->numbers, number_year(clock_now_us()), &w->item.ticket_id))
		return true;
	refuse(w, 503, TRACK_AWAY);
	return false;
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
	w->ticket_id = db_get_int(t, 0, TRACK_TICKET_ID);
	unsigned may = track_may_say(cat, t, reply->results[1], clock_now_us()) & w->saying->may;
	w->what = (enum track_say)may;
	int64_t follower = track_follower(reply->results[1]);
	if (may == 0 && follower != 0 && (w->saying->may & TRACK_FOLLOW) != 0) {
		/* The same form again, or another tab's: what was to open is open. */
		w->what = TRACK_FOLLOW;
		reply_recorded(w, follower);
		words_destroy(w);
	} else if (may == 0)
		refuse(w, 409, TRACK_NOT_NOW);
	else if (check_said(w) && (w->what != TRACK_FOLLOW || begin_linked(w, reply->results[2])))
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

/* Browsers send line ends as CR LF.  False: it is too long, or no text. */
static bool
take_text(struct words *w, const char *text)
{
	struct problems p = { 0 };
	size_t len = 0;

	for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
		if (*c == '\r')
			continue;
		if (len + 1 >= sizeof(w->text))
			return false;
		w->text[len++] = *c;
	}
	w->text[len] = '\0';
	return field_check_text(&p, "text", w->text, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
}

static void
post_say(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	const char *token = http_form(req, "token", NULL), *why;
	struct words *w = calloc(1, sizeof(*w));
	static const size_t statements[] = { STORE_TRACK, STORE_TRACK_LINKS, STORE_TRACK_OPENER };

	if (w == NULL || !intake_takes(in, 1, BODY_BYTES, &why)) {
		free(w);
		reply_word(in, req, 503, TRACK_AWAY);
		return;
	}
	item_init(&w->item, on_said);
	w->in = in;
	w->req = req;
	w->saying = saying_of(http_form(req, "kind", NULL));
	if (!door_within_rate(in, req)) {
		refuse(w, 429, TRACK_TOO_MANY);
		return;
	}
	/* The form of /report has a token of ours too, but of no ticket. */
	if (w->saying == NULL || token == NULL
	    || !form_token_read(
		in->secret, sizeof(in->secret), token, clock_now_us(), &w->ticket_id, w->form_id)
	    || w->ticket_id == 0) {
		refuse(w, 400, TRACK_OVER);
		return;
	}
	if (!take_text(w, http_form(req, "text", NULL))) {
		refuse(w, 400, TRACK_TOO_LONG);
		return;
	}
	struct db_unit *unit = db_unit_create(in->reader);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		db_unit_add(unit, statements[i]);
		db_add_int8(unit, w->ticket_id);
	}
	if (db_submit(in->reader, unit, on_status, w))
		return;
	db_unit_destroy(unit);
	refuse(w, 503, TRACK_AWAY);
}

const struct http_route door_track_routes[] = {
	{ HTTP_GET, "/track", get_track, 0 },
	{ HTTP_POST, "/track", post_track, 4096 },
	{ HTTP_POST, "/track/say", post_say, PHOTOS_BODY_BYTES },
};
const size_t door_track_route_count = ARRAY_LEN(door_track_routes);
