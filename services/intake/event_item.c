/* Checks what other systems publish and makes items of it. */
#include "event_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "fields.h"
#include "frame.h"
#include "istanbul.h"
#include "number.h"
#include "turunc/v1/ticket.pb-c.h"

enum { STATUS_BAD = 400, STATUS_OURS = 503 };

typedef bool read_fn(struct event_item *e, const Turunc__V1__InboundEvent *event,
    const struct catalogue *cat, struct problems *p);
static read_fn read_call, read_call_ended, read_ticket_request, read_sms, read_foreign;

/* What each type's body must be.  Any other type is foreign. */
static const struct event_type {
	const char *type;
	Turunc__V1__InboundEvent__BodyCase body;
	read_fn *read;
} event_types[] = {
	{ "call.offered", TURUNC__V1__INBOUND_EVENT__BODY_CALL, read_call },
	{ "call.answered", TURUNC__V1__INBOUND_EVENT__BODY_CALL, read_call },
	{ "call.abandoned", TURUNC__V1__INBOUND_EVENT__BODY_CALL, read_call },
	{ "call.ended", TURUNC__V1__INBOUND_EVENT__BODY_CALL, read_call_ended },
	{ "ticket.request", TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST, read_ticket_request },
	{ "sms.received", TURUNC__V1__INBOUND_EVENT__BODY_SMS, read_sms },
};
static const struct event_type foreign_type = { "foreign", TURUNC__V1__INBOUND_EVENT__BODY_FOREIGN,
	read_foreign };

static const char *const dispositions[] = { "ticket", "information", "joined", "transferred",
	"nuisance" };

void
event_item_init(struct event_item *e, item_done_fn *done)
{
	item_init(&e->item, done);
	e->answers = NULL;
	e->packed = NULL;
}

void
event_item_finish(struct event_item *e)
{
	item_finish(&e->item);
	free(e->answers);
	free(e->packed);
	e->answers = NULL;
	e->packed = NULL;
}

/* Protobuf's absent text is "". */
static const char *
given(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

/* --- envelopes ---------------------------------------------------------------------------------
 */

static bool
check_word(struct problems *p, const char *field, const char *text, size_t max_bytes)
{
	size_t len = strlen(text);

	if (len >= 1 && len <= max_bytes)
		return field_check_text(p, field, text, FIELD_LINE, max_bytes);
	problems_add(p, STATUS_BAD, "%s: must have 1 to %zu bytes", field, max_bytes);
	return false;
}

static const struct event_type *
find_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(event_types); i++)
		if (strcmp(event_types[i].type, type) == 0)
			return &event_types[i];
	return &foreign_type;
}

/* The digest of the event as it came, len bytes without its traceparent: a retry may carry another.
 */
static bool
digest_event(struct item *item, const Turunc__V1__InboundEvent *plain, size_t len,
    const struct item_maker *maker)
{
	struct digest_keyed d;
	uint8_t *bytes = malloc(len + 1);

	if (bytes == NULL)
		return false;
	(void)protobuf_c_message_pack(&plain->base, bytes);
	item_identity_begin(maker, &d);
	digest_keyed_add_part(&d, bytes, len);
	digest_keyed_finish(&d, &item->identity);
	free(bytes);
	return true;
}

/* The same for what is the event and not how it came.  A text's moment is when its gateway called
 * the notifier, which looks up the ticket as well: both are others when the gateway calls again. */
static bool
identify(struct item *item, const Turunc__V1__InboundEvent *plain, size_t len,
    const struct acl_client *client, const struct item_maker *maker)
{
	Turunc__V1__InboundEvent said = *plain;
	Turunc__V1__SmsReceived sms;
	char none[] = "";

	if (plain->body_case != TURUNC__V1__INBOUND_EVENT__BODY_SMS
	    || (client->verbs & ACL_INTERNAL) == 0)
		return digest_event(item, plain, len, maker);
	sms = *plain->sms;
	sms.ticket = none;
	said.sms = &sms;
	said.time_us = 0;
	return digest_event(item, &said, protobuf_c_message_get_packed_size(&said.base), maker);
}

static bool
refuse(char error[EVENT_ERROR_BYTES], const char *code, const char *why)
{
	(void)snprintf(error, EVENT_ERROR_BYTES, "%.20s: %.200s", code, why);
	return false;
}

static bool
check_envelope(const Turunc__V1__InboundEvent *event, const struct acl_client *client,
    int64_t now_us, char error[EVENT_ERROR_BYTES])
{
	struct problems p = { 0 };
	bool words = check_word(&p, "id", event->id, FIELD_ID_CHARS)
		     && check_word(&p, "source", event->source, FIELD_ID_CHARS)
		     && check_word(&p, "type", event->type, FIELD_ID_CHARS);

	if (!words)
		return refuse(error, "BAD_FIELD", p.at[0].text);
	if (!acl_allows_source(client, event->source))
		return refuse(error, "FORBIDDEN", "the key may not publish under this source");
	if (!acl_allows_type(client, event->type))
		return refuse(error, "FORBIDDEN", "the key may not publish this type");
	/* Whom it is about is not for a publisher to say: the sender might be anybody. */
	if (event->body_case == TURUNC__V1__INBOUND_EVENT__BODY_SMS && event->sms->ticket[0] != '\0'
	    && (client->verbs & ACL_INTERNAL) == 0)
		return refuse(
		    error, "FORBIDDEN", "the key may not say which ticket a text is about");
	if (event->time_us < now_us - EVENT_MAX_AGE_DAYS * US_PER_DAY)
		return refuse(error, "TOO_OLD", "time_us is more than 400 days ago");
	if (event->time_us > now_us + EVENT_MAX_AHEAD_MIN * US_PER_MIN)
		return refuse(error, "IN_FUTURE", "time_us is more than 5 minutes ahead");
	return true;
}

/* Room for the traceparent's tag and length. */
enum { FIELD_HEAD_BYTES = 16 };

/* len: without its traceparent, which is weighed only when it may matter. */
static bool
check_size(const Turunc__V1__InboundEvent *event, size_t len, char error[EVENT_ERROR_BYTES])
{
	if (len + strlen(event->traceparent) + FIELD_HEAD_BYTES <= FRAME_EVENT_MAX_BYTES)
		return true;
	size_t whole = protobuf_c_message_get_packed_size(&event->base);
	if (whole <= FRAME_EVENT_MAX_BYTES)
		return true;
	(void)snprintf(error, EVENT_ERROR_BYTES, "TOO_LARGE: %zu bytes; an event has at most %d",
	    whole, FRAME_EVENT_MAX_BYTES);
	return false;
}

/* What is wrong with it comes first: with memory enough it would be just as wrong. */
static enum event_verdict
judge(const struct problems *p, char error[EVENT_ERROR_BYTES])
{
	if (p->count == 0 || p->at[0].status == STATUS_OURS)
		return EVENT_NO_MEMORY;
	(void)refuse(error, "BAD_FIELD", p->at[0].text);
	return EVENT_REJECTED;
}

enum event_verdict
event_item_read(struct event_item *e, const Turunc__V1__InboundEvent *event,
    const struct acl_client *client, const struct catalogue *cat, const struct item_maker *maker,
    int64_t now_us, char error[EVENT_ERROR_BYTES])
{
	Turunc__V1__InboundEvent plain = *event;
	struct item *item = &e->item;
	struct problems p = { 0 };
	char none[] = "";

	plain.traceparent = none;
	size_t len = protobuf_c_message_get_packed_size(&plain.base);
	if (!check_size(event, len, error) || !check_envelope(event, client, now_us, error))
		return EVENT_REJECTED;
	const struct event_type *type = find_type(event->type);
	if (event->body_case != type->body) {
		(void)refuse(error, "BAD_FIELD", "body: not the one that this type has");
		return EVENT_REJECTED;
	}
	item->source = event->source;
	item->id = event->id;
	item->type = event->type;
	item->time_us = event->time_us;
	item->arrived_us = event->time_us;
	item->traceparent = event->traceparent;
	if (!type->read(e, event, cat, &p) || p.count > 0)
		return judge(&p, error);
	return identify(item, &plain, len, client, maker) ? EVENT_READ : EVENT_NO_MEMORY;
}

/* --- calls -------------------------------------------------------------------------------------
 */

/* The whole message is kept, for it has the caller's number, which no record may hold. */
static bool
keep_body(struct event_item *e, const ProtobufCMessage *message, struct problems *p)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	e->packed = malloc(len + 1);
	if (e->packed == NULL) {
		problems_add(p, STATUS_OURS, "out of memory");
		return false;
	}
	(void)protobuf_c_message_pack(message, e->packed);
	e->item.content_type = "application/x-protobuf";
	e->item.body = e->packed;
	e->item.body_len = len;
	return true;
}

static bool
read_call_body(struct event_item *e, const Turunc__V1__Call *call, struct problems *p)
{
	struct item *item = &e->item;

	(void)check_word(p, "call_id", call->call_id, FIELD_ID_CHARS);
	(void)field_check_text(p, "queue", call->queue, FIELD_LINE, FIELD_ID_CHARS);
	(void)field_check_text(p, "agent", call->agent, FIELD_LINE, FIELD_ID_CHARS);
	(void)field_check_text(p, "caller", call->caller, FIELD_LINE, FIELD_ID_CHARS);
	if (call->ticket[0] != '\0' && number_parse(call->ticket, &item->ticket_id) != NUMBER_OK)
		problems_add(p, STATUS_BAD, "ticket: not a ticket's number");
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_CALL;
	item->tells_call = true;
	item->call_id = call->call_id;
	item->call_queue = given(call->queue);
	item->call_agent = given(call->agent);
	item->call_disposition = given(call->disposition);
	/* What is no phone (an extension, "anonymous") is kept as the exchange saw it. */
	if (phone_parse(call->caller, &e->phone) == PHONE_OK)
		item->call_caller = e->phone.number;
	else
		item->call_caller = given(call->caller);
	return p->count == 0 && keep_body(e, &call->base, p);
}

static bool
read_call(struct event_item *e, const Turunc__V1__InboundEvent *event, const struct catalogue *cat,
    struct problems *p)
{
	(void)cat;
	if (event->call->disposition[0] != '\0')
		problems_add(p, STATUS_BAD, "disposition: only an ended call has one");
	return read_call_body(e, event->call, p);
}

static bool
read_call_ended(struct event_item *e, const Turunc__V1__InboundEvent *event,
    const struct catalogue *cat, struct problems *p)
{
	/* Without one the line was hung up, and the call-taker's word is still to come. */
	bool known = event->call->disposition[0] == '\0';

	(void)cat;
	for (size_t i = 0; i < ARRAY_LEN(dispositions); i++)
		known = known || strcmp(dispositions[i], event->call->disposition) == 0;
	if (!known)
		problems_add(p, STATUS_BAD,
		    "disposition: ticket, information, joined, transferred or nuisance");
	return read_call_body(e, event->call, p);
}

/* --- tickets -----------------------------------------------------------------------------------
 */

static void
read_neighbourhood(
    struct item *item, const Turunc__V1__TicketRequest *r, const struct catalogue *cat)
{
	const struct catalogue_neighbourhood *n = NULL;

	if (r->neighbourhood[0] != '\0') {
		n = catalogue_neighbourhood(cat, r->neighbourhood);
		if (n == NULL)
			n = catalogue_neighbourhood_named(cat, r->neighbourhood);
	}
	if (n != NULL)
		item_set_neighbourhood(item, n->code);
	else if (item->has_position)
		item_set_neighbourhood(
		    item, field_neighbourhood_of_position(cat, item->latitude, item->longitude));
	else
		item_set_neighbourhood(item, field_neighbourhood_of_address(cat, r->address));
}

static bool
read_answers(struct event_item *e, const Turunc__V1__TicketRequest *r,
    const struct catalogue_subject *subject, struct problems *p)
{
	struct answer flat[ANSWERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < r->n_answers; i++)
		for (size_t v = 0; v < r->answers[i]->n_values; v++) {
			if (count == ANSWERS_MAX) {
				problems_add(p, STATUS_BAD, "answers: too many");
				return false;
			}
			flat[count++] = (struct answer){ r->answers[i]->code,
				r->answers[i]->values[v] };
		}
	/* A call-taker may not have asked everything, and a report must not be lost for it. */
	return answers_check(subject, flat, count, false, p, &e->answers);
}

static void
read_person(struct event_item *e, const Turunc__V1__TicketRequest *r, struct problems *p)
{
	struct item *item = &e->item;

	item->name = given(r->name);
	item->email = given(r->email);
	(void)field_check_text(p, "name", item->name, FIELD_LINE, FIELD_NAME_CHARS);
	(void)field_check_email(p, "email", item->email);
	if (given(r->phone) != NULL && field_check_phone(p, "phone", r->phone, &e->phone))
		item->phone = e->phone.number;
}

static void
read_dates(struct item *item, const Turunc__V1__TicketRequest *r, struct problems *p)
{
	if (r->arrived_us != 0)
		item->arrived_us = r->arrived_us;
	if (item->arrived_us > item->time_us + EVENT_MAX_AHEAD_MIN * US_PER_MIN
	    || number_year(item->arrived_us) < 0)
		problems_add(p, STATUS_BAD, "arrived_us: later than time_us, or not of our age");
}

static bool
read_place_and_words(struct item *item, const Turunc__V1__TicketRequest *r, struct problems *p)
{
	item->description = given(r->description);
	item->address = given(r->address);
	item->media_url = given(r->media_url);
	item->call_id = given(r->call_id);
	(void)field_check_text(
	    p, "description", item->description, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
	(void)field_check_text(p, "address", item->address, FIELD_LINES, FIELD_ADDRESS_CHARS);
	(void)field_check_text(p, "neighbourhood", r->neighbourhood, FIELD_LINE, FIELD_ID_CHARS);
	(void)field_check_text(p, "call_id", item->call_id, FIELD_LINE, FIELD_ID_CHARS);
	(void)field_check_url(p, "media_url", item->media_url);
	if (r->position == NULL)
		return p->count == 0;
	item->latitude = r->position->latitude;
	item->longitude = r->position->longitude;
	item->has_position = field_check_position(p, item->latitude, item->longitude);
	return p->count == 0;
}

static bool
read_ticket_request(struct event_item *e, const Turunc__V1__InboundEvent *event,
    const struct catalogue *cat, struct problems *p)
{
	const Turunc__V1__TicketRequest *r = event->ticket_request;
	const struct catalogue_subject *subject = r->subject_code[0] == '\0'
						      ? NULL
						      : catalogue_subject(cat, r->subject_code);
	enum catalogue_language language = CATALOGUE_TR;
	struct item *item = &e->item;

	if (subject == NULL && r->subject_code[0] != '\0')
		problems_add(p, STATUS_BAD, "subject_code: no such subject");
	if (r->language[0] != '\0' && !catalogue_language_parse(r->language, &language))
		problems_add(p, STATUS_BAD, "language: tr or en");
	if (r->channel > TURUNC__V1__CHANNEL__CHANNEL_SMS)
		problems_add(p, STATUS_BAD, "channel: not one of ours");
	if (r->legal_basis > TURUNC__V1__LEGAL_BASIS__LEGAL_BASIS_KVKK_13)
		problems_add(p, STATUS_BAD, "legal_basis: not one of ours");
	read_person(e, r, p);
	read_dates(item, r, p);
	if (!read_place_and_words(item, r, p) || !read_answers(e, r, subject, p))
		return false;

	read_neighbourhood(item, r, cat);
	item->kind = "report";
	item->opens = true;
	item->type = "ticket.opened";
	item->answers = e->answers;
	item->channel = (int16_t)(r->channel == 0 ? TURUNC__V1__CHANNEL__CHANNEL_BUS : r->channel);
	item->language = catalogue_language_name(language);
	item->subject_code = r->subject_code;
	item->legal_basis = (int16_t)(r->legal_basis != 0 ? (int)r->legal_basis
				      : subject == NULL   ? 0
							  : (int)subject->legal_basis);
	item->is_public = subject != NULL && subject->is_public && !subject->special_category;
	return true;
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static bool
read_sms(struct event_item *e, const Turunc__V1__InboundEvent *event, const struct catalogue *cat,
    struct problems *p)
{
	const Turunc__V1__SmsReceived *sms = event->sms;
	struct item *item = &e->item;

	(void)cat;
	(void)check_word(p, "sender", sms->sender, FIELD_ID_CHARS);
	(void)field_check_text(p, "text", sms->text, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
	(void)field_check_text(p, "gateway", sms->gateway, FIELD_LINE, FIELD_ID_CHARS);
	if (sms->ticket[0] != '\0' && number_parse(sms->ticket, &item->ticket_id) != NUMBER_OK)
		problems_add(p, STATUS_BAD, "ticket: not a ticket number");
	item->kind = "sms";
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_SMS;
	item->description = given(sms->text);
	item->device_id = given(sms->gateway);
	/* A sender that is no number is a title, such as a bank's. */
	if (phone_parse(sms->sender, &e->phone) == PHONE_OK)
		item->phone = e->phone.number;
	else
		item->name = sms->sender;
	return p->count == 0;
}

static bool
read_foreign(struct event_item *e, const Turunc__V1__InboundEvent *event,
    const struct catalogue *cat, struct problems *p)
{
	const Turunc__V1__ForeignBody *body = event->foreign;
	const char *content_type = given(body->content_type);

	(void)cat;
	(void)field_check_text(p, "content_type", content_type, FIELD_LINE, FIELD_ID_CHARS);
	e->item.content_type = content_type == NULL ? "application/octet-stream" : content_type;
	e->item.body = body->data.data;
	e->item.body_len = body->data.len;
	return p->count == 0;
}
