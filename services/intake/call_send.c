/* What a call-taker sends: a ticket, a caller joined to one, the end of a call.  The ticket first,
 * then what it says of the call, which names it; a form sent twice is one of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "clock.h"
#include "door.h"
#include "fields.h"
#include "frame.h"
#include "istanbul.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"

enum { SEND_ITEMS = 3, NAME_SIZE = 2 * FIELD_ID_CHARS };

enum send_kind { SEND_TICKET, SEND_JOIN, SEND_END };

/* One event of the call on its way. */
struct told {
	struct item item; /* first: how accept gives it back */
	struct sending *sending;
	uint8_t *packed; /* owned */
};

struct sending {
	struct report report; /* first; its item is the ticket, or the contact of who was joined */
	struct intake *in;
	struct http_request *req;
	struct call_person person;
	enum send_kind kind;
	const char *disposition;
	struct http_pair pairs[REPORT_PAIRS_MAX];
	struct report_form form;
	char form_id[FORM_ID_SIZE];
	char call_id[NAME_SIZE], call_client[NAME_SIZE];
	bool own_call; /* no exchange told of it */
	int64_t now_us, call_us;
	int64_t taken_us; /* monotonic */
	int64_t ticket_id;
	bool spooled;
	bool untold; /* joined, and notifier will have nothing to send them */
	struct told told[2];
	size_t told_waiting;
	bool told_badly;
};

static void
sending_destroy(struct sending *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->told); i++) {
		item_finish(&s->told[i].item);
		free(s->told[i].packed);
	}
	report_finish(&s->report);
	free(s);
}

/* --- answers -------------------------------------------------------------------------------------
 */

/* The page again, with everything typed. */
static void
show_again(struct sending *s, unsigned status, enum call_word word, const struct problems *p)
{
	struct call_look *look = call_look_create(s->in, s->req, &s->person.who, CALL_VIEW_PAGE);

	stats_add_at(
	    s->in->stats, INTAKE_STAT_CALLS, status == 503 ? CALLS_AWAY : CALLS_REFUSED, 1);
	if (look != NULL) {
		look->status = status;
		look->word = word;
		if (p != NULL)
			look->problems = *p;
		call_look_again(look);
	}
	sending_destroy(s);
}

static void
reply_done(struct sending *s)
{
	static const char *const words[] = {
		[SEND_TICKET] = "ticket", [SEND_JOIN] = "joined", [SEND_END] = "ended"
	};
	char number[NUMBER_SIZE] = "", to[160];

	if (s->kind != SEND_END && !number_format(s->ticket_id, number))
		number[0] = '\0';
	(void)snprintf(to, sizeof(to), "/call/?lang=%s&done=%s%s%s",
	    catalogue_language_name(html_language(s->req)),
	    s->spooled && s->kind == SEND_TICKET ? "later"
	    : s->untold && s->kind == SEND_JOIN  ? "untold"
						 : words[s->kind],
	    number[0] == '\0' ? "" : "&no=", number);
	const struct http_field fields[] = { { "Location", to } };
	const struct http_response response = {
		.status = 303, .fields = fields, .field_count = ARRAY_LEN(fields)
	};
	stats_add_at(s->in->stats, INTAKE_STAT_CALLS,
	    s->kind == SEND_TICKET ? CALLS_TICKET
	    : s->kind == SEND_JOIN ? CALLS_JOINED
				   : CALLS_ENDED,
	    1);
	http_reply(s->req, &response);
	call_draft_drop(s->in, s->person.who.name, s->form_id);
	sending_destroy(s);
}

/* --- what is said of the call --------------------------------------------------------------------
 */

/* The ticket stands already, and the form is sent again for what is missing: it finds the first
 * ticket. */
static void
on_told(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct told *told = (struct told *)item;
	struct sending *s = told->sending;

	(void)ticket_id;
	stats_add_at(s->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	bool kept = outcome == ITEM_ACCEPTED || outcome == ITEM_SPOOLED
		    || outcome == ITEM_DUPLICATE;
	s->spooled = s->spooled || outcome == ITEM_SPOOLED;
	s->told_badly = s->told_badly || !kept;
	if (--s->told_waiting > 0)
		return;
	if (!s->told_badly)
		reply_done(s);
	else if (outcome == ITEM_ID_REUSED)
		show_again(s, 409, CALL_WORD_OVER, NULL);
	else
		show_again(s, 503, s->kind == SEND_END ? CALL_WORD_BUSY : CALL_WORD_HALF, NULL);
}

/* The event as an exchange would have told it, which is kept and erased like theirs. */
static bool
pack(struct told *told)
{
	Turunc__V1__Call call = TURUNC__V1__CALL__INIT;
	struct item *item = &told->item;
	char number[NUMBER_SIZE];

	call.call_id = frame_lend(item->call_id);
	call.agent = frame_lend(item->call_agent);
	call.caller = frame_lend(item->call_caller);
	call.disposition = frame_lend(item->call_disposition);
	if (item->ticket_id != 0 && number_format(item->ticket_id, number))
		call.ticket = number;
	told->packed = malloc(protobuf_c_message_get_packed_size(&call.base) + 1);
	if (told->packed == NULL)
		return false;
	item->body_len = protobuf_c_message_pack(&call.base, told->packed);
	item->body = told->packed;
	item->content_type = "application/x-protobuf";
	return true;
}

/* Not of the ticket's number: sent twice, a form may have been given another one meanwhile. */
static void
identify(struct sending *s, struct item *item)
{
	const char *const parts[] = { item->type, s->call_client, s->call_id,
		item->call_disposition == NULL ? "" : item->call_disposition };
	struct digest_keyed d;

	item_identity_begin(&s->in->maker, &d);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		digest_keyed_add_part(&d, parts[i], strlen(parts[i]));
	digest_keyed_finish(&d, &item->identity);
}

static bool
prepare(struct sending *s, struct told *told, const char *type, int64_t at_us)
{
	struct item *item = &told->item;
	bool ends = strcmp(type, "call.ended") == 0;

	item->source = ends ? "call-ended" : "call-answered";
	item->id = s->form_id;
	item->user = s->person.who.name;
	item->type = type;
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_CALL;
	item->time_us = item->arrived_us = at_us;
	item->tells_call = true;
	item->call_client = s->call_client;
	item->call_id = s->call_id;
	item->call_agent = s->person.who.name;
	item->call_disposition = ends ? s->disposition : NULL;
	item->call_caller = s->own_call && s->report.phone.number[0] != '\0'
				? s->report.phone.number
				: NULL;
	item->ticket_id = ends ? s->ticket_id : 0;
	identify(s, item);
	return pack(told) && item_seal(item, &s->in->maker, s->now_us);
}

/* A call that no exchange told of was answered, too. */
static void
tell(struct sending *s)
{
	bool ready = prepare(s, &s->told[0], "call.ended", s->now_us);

	if (ready && s->own_call)
		ready = prepare(s, &s->told[1], "call.answered", s->call_us);
	if (!ready) {
		show_again(s, 503, s->kind == SEND_END ? CALL_WORD_BUSY : CALL_WORD_HALF, NULL);
		return;
	}
	s->told_waiting = s->own_call ? 2 : 1;
	for (size_t i = s->told_waiting; i-- > 0;)
		accept_add(s->in->accept, &s->told[i].item, clock_monotonic_ms());
}

/* --- the ticket, or who is joined to one
 * ----------------------------------------------------------- */

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct sending *s = (struct sending *)item;
	struct intake *in = s->in;

	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	stats_observe(in->stats, INTAKE_STAT_WAITED, clock_monotonic_us() - s->taken_us);
	switch (outcome) {
	case ITEM_ACCEPTED:
	case ITEM_SPOOLED:
	case ITEM_DUPLICATE:
		if (outcome == ITEM_ACCEPTED && item->opens)
			stats_incr(in->stats, INTAKE_STAT_OPENED);
		s->spooled = outcome == ITEM_SPOOLED;
		s->ticket_id = ticket_id != 0 ? ticket_id : item->ticket_id;
		tell(s);
		return;
	case ITEM_ID_REUSED:
		show_again(s, 409, CALL_WORD_OVER, NULL);
		return;
	case ITEM_REFUSED:
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		show_again(s, 503, CALL_WORD_BUSY, NULL);
		return;
	}
}

/* What is of the form and not of the matter. */
static bool
is_matter(const char *name)
{
	static const char *const others[] = { "token", "csrf", "q", "call", "call_client",
		"call_id", "call_at", "disposition" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(name, others[i]) == 0)
			return false;
	return true;
}

/* Seals and hands over; false: no memory. */
static bool
hand_over(struct sending *s, const char *source)
{
	struct http_pair pairs[REPORT_PAIRS_MAX];
	struct item *item = &s->report.item;
	size_t count = 0;

	for (size_t i = 0; i < s->form.count; i++)
		if (is_matter(s->pairs[i].name))
			pairs[count++] = s->pairs[i];
	report_identify(item, &s->in->maker, pairs, count);
	item->source = source;
	item->id = s->form_id;
	item->user = s->person.who.name;
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_CALL;
	item->call_id = s->call_id;
	item->time_us = s->now_us;
	item->arrived_us = s->call_us;
	item->language = "tr";
	item_set_information_version(
	    item, registry_catalogue(s->in->registry)->municipality.information_text_version);
	item->traceparent = http_header(s->req, "traceparent");
	if (!item_seal(item, &s->in->maker, s->now_us))
		return false;
	accept_add(s->in->accept, item, clock_monotonic_ms());
	return true;
}

static void
send_ticket(struct sending *s)
{
	const struct catalogue *cat = registry_catalogue(s->in->registry);
	struct problems p = { 0 };

	s->report.some_answers = true; /* not everything may have been asked */
	if (!report_read(&s->report, &s->form, cat, s->call_us, &p)) {
		show_again(s, p.at[0].status == 503 ? 503 : 400, CALL_WORD_NONE, &p);
	} else if (!numbers_take(
		       s->in->numbers, number_year(s->call_us), &s->report.item.ticket_id)) {
		stats_incr(s->in->stats, INTAKE_STAT_NO_NUMBER);
		show_again(s, 503, CALL_WORD_BUSY, NULL);
	} else if (!hand_over(s, "call")) {
		show_again(s, 503, CALL_WORD_BUSY, NULL);
	}
}

/* Who they are and what they said, beside the ticket that somebody else opened. */
static bool
read_joined(struct sending *s, struct problems *p)
{
	struct item *item = &s->report.item;
	const char *phone = report_field(&s->form, "phone");

	item->name = report_field(&s->form, "first_name");
	item->description = report_field(&s->form, "description");
	(void)field_check_text(p, "first_name", item->name, FIELD_LINE, FIELD_NAME_CHARS);
	(void)field_check_text(
	    p, "description", item->description, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
	if (field_check_phone(p, "phone", phone, &s->report.phone) && phone != NULL)
		item->phone = s->report.phone.number;
	item->kind = "joined";
	item->type = "contact.recorded";
	return p->count == 0;
}

/* The ticket is there; what was joined to another one is that one's matter. */
static void
on_target(void *arg, const struct db_reply *reply)
{
	struct sending *s = arg;
	struct problems p = { 0 };

	if (reply->outcome != DB_COMMITTED) {
		show_again(s, 503, CALL_WORD_AWAY, NULL);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	if (db_rows(rows) == 0) {
		show_again(s, 404, CALL_WORD_NOT_FOUND, NULL);
		return;
	}
	s->report.item.ticket_id = db_get_int(rows, 0, TARGET_TICKET);
	bool read = read_joined(s, &p);
	/* They are told when it ends, by SMS. */
	s->untold = !db_is_null(rows, 0, TARGET_ENDED) || s->report.item.phone == NULL
		    || !s->report.phone.mobile;
	if (!read)
		show_again(s, 400, CALL_WORD_NONE, &p);
	else if (registry_catalogue(s->in->registry) == NULL || !hand_over(s, "call-join"))
		show_again(s, 503, CALL_WORD_BUSY, NULL);
}

static void
send_join(struct sending *s)
{
	const char *number = report_field(&s->form, "join");
	int64_t ticket_id;

	if (number == NULL || number_parse(number, &ticket_id) != NUMBER_OK) {
		show_again(s, 400, CALL_WORD_WHICH, NULL);
		return;
	}
	bool reached = s->in->lookup != NULL && db_state_now(s->in->lookup) == DB_READY;
	struct db_unit *unit = reached ? db_unit_create(s->in->lookup) : NULL;
	db_unit_add(unit, STORE_CALL_TARGET);
	db_add_int8(unit, ticket_id);
	if (unit != NULL && db_submit(s->in->lookup, unit, on_target, s))
		return;
	db_unit_destroy(unit);
	show_again(s, 503, CALL_WORD_AWAY, NULL);
}

static void
send_end(struct sending *s)
{
	static const char *const known[] = { "information", "transferred", "nuisance" };
	const char *asked = report_field(&s->form, "disposition");
	const char *phone = report_field(&s->form, "phone");

	for (size_t i = 0; asked != NULL && i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], asked) == 0)
			s->disposition = known[i];
	if (phone != NULL && phone_parse(phone, &s->report.phone) != PHONE_OK)
		s->report.phone.number[0] = '\0';
	if (s->disposition == NULL)
		show_again(s, 400, CALL_WORD_OVER, NULL);
	else
		tell(s);
}

/* --- the request
 * ------------------------------------------------------------------------------------ */

/* The call it is about; when it began is believed within bounds. */
static void
read_call(struct sending *s)
{
	const char *id = report_field(&s->form, "call_id"), *at = report_field(&s->form, "call_at");
	const char *client = report_field(&s->form, "call_client");
	struct problems p = { 0 };
	double at_us = 0;

	s->call_us = s->now_us;
	if (at != NULL && field_check_number(&p, "call_at", at, 0, 9e15, &at_us)
	    && (int64_t)at_us <= s->now_us
	    && (int64_t)at_us > s->now_us - CALL_AGE_MAX_DAYS * US_PER_DAY)
		s->call_us = (int64_t)at_us;
	s->own_call = id == NULL || strlen(id) > FIELD_ID_CHARS
		      || (client != NULL && strlen(client) > FIELD_ID_CHARS);
	if (s->own_call) {
		(void)snprintf(s->call_id, sizeof(s->call_id), "page-%s", s->form_id);
		return;
	}
	(void)snprintf(s->call_id, sizeof(s->call_id), "%s", id);
	(void)snprintf(s->call_client, sizeof(s->call_client), "%s", client == NULL ? "" : client);
}

static bool
take_form(struct sending *s)
{
	size_t count = http_form_count(s->req);

	if (count == 0 || count > REPORT_PAIRS_MAX)
		return false;
	for (size_t i = 0; i < count; i++)
		s->pairs[i] = *http_form_at(s->req, i);
	s->form = (struct report_form){ s->pairs, count };
	return true;
}

static void
begin(struct intake *in, struct http_request *req, const struct person *who, enum send_kind kind)
{
	static void (*const send[])(struct sending *) = {
		[SEND_TICKET] = send_ticket, [SEND_JOIN] = send_join, [SEND_END] = send_end
	};
	struct sending *s = calloc(1, sizeof(*s));
	const char *why;
	int64_t nothing;

	if (s == NULL) {
		http_reply_error(req, 503, "Out of memory.");
		return;
	}
	report_init(&s->report, on_done);
	for (size_t i = 0; i < ARRAY_LEN(s->told); i++) {
		item_init(&s->told[i].item, on_told);
		s->told[i].sending = s;
	}
	s->in = in;
	s->req = req;
	s->kind = kind;
	s->disposition = kind == SEND_TICKET ? "ticket" : kind == SEND_JOIN ? "joined" : NULL;
	s->now_us = clock_now_us();
	s->taken_us = clock_monotonic_us();
	call_person_keep(&s->person, who);
	const char *token = http_form(req, "token", NULL);
	if (!intake_takes(in, SEND_ITEMS, CALL_BODY_BYTES, &why)) {
		show_again(s, 503, CALL_WORD_BUSY, NULL);
	} else if (!take_form(s) || token == NULL
		   || !form_token_read(
		       in->secret, sizeof(in->secret), token, s->now_us, &nothing, s->form_id)
		   || nothing != 0) {
		show_again(s, 400, CALL_WORD_OVER, NULL);
	} else {
		read_call(s);
		send[kind](s);
	}
}

static void
ticket_known(void *arg, struct http_request *req, const struct person *who)
{
	begin(arg, req, who, SEND_TICKET);
}

static void
join_known(void *arg, struct http_request *req, const struct person *who)
{
	begin(arg, req, who, SEND_JOIN);
}

static void
end_known(void *arg, struct http_request *req, const struct person *who)
{
	begin(arg, req, who, SEND_END);
}

void
call_post_ticket(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, ticket_known, in);
}

void
call_post_join(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, join_known, in);
}

void
call_post_end(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	people_ask_even_away(in->people, req, CALL_ROLES, end_known, in);
}
