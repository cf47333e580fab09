/* What an event on the bus is judged to be when there is no memory, and how large it may be. */
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "check.h"
#include "event_item.h"
#include "muratpasa.h"

#define NOW_US INT64_C(1772440000000000)

/* --- a malloc that fails when it is told to (the linker puts it in the place of the other) ------
 */

static long calls_left = -1; /* good calls; -1: all are good */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool
granted(void)
{
	if (calls_left == 0)
		return false;
	calls_left -= calls_left > 0;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return granted() ? __real_malloc(size) : NULL;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return granted() ? __real_calloc(count, size) : NULL;
}

/* --- events ------------------------------------------------------------------------------------
 */

static char id[] = "a-1", source[] = "pbx", call_type[] = "call.offered",
	    request_type[] = "ticket.request", sms_type[] = "sms.received",
	    foreign[] = "sensor.full", call_id[] = "c-1", words[] = "Çukur",
	    subject[] = "yol-cukur", question[] = "boyut", answer[] = "orta", not_one[] = "renk",
	    sender[] = "05321234567", disposition[] = "ticket";

struct published {
	Turunc__V1__InboundEvent event;
	Turunc__V1__Call call;
	Turunc__V1__TicketRequest request;
	Turunc__V1__Answer answer, *answers[1];
	char *values[1];
	Turunc__V1__SmsReceived sms;
	Turunc__V1__ForeignBody foreign;
};

static Turunc__V1__InboundEvent *
begin(struct published *p, char *type, Turunc__V1__InboundEvent__BodyCase body)
{
	turunc__v1__inbound_event__init(&p->event);
	p->event.id = id;
	p->event.source = source;
	p->event.type = type;
	p->event.time_us = NOW_US;
	p->event.body_case = body;
	return &p->event;
}

static void
make_call(struct published *p)
{
	turunc__v1__call__init(&p->call);
	p->call.call_id = call_id;
	begin(p, call_type, TURUNC__V1__INBOUND_EVENT__BODY_CALL)->call = &p->call;
}

static void
make_bad_call(struct published *p)
{
	make_call(p);
	p->call.disposition = disposition;
}

static void
make_request(struct published *p)
{
	turunc__v1__ticket_request__init(&p->request);
	turunc__v1__answer__init(&p->answer);
	p->values[0] = answer;
	p->answer.code = question;
	p->answer.n_values = 1;
	p->answer.values = p->values;
	p->answers[0] = &p->answer;
	p->request.description = words;
	p->request.subject_code = subject;
	p->request.n_answers = 1;
	p->request.answers = p->answers;
	begin(p, request_type, TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST)->ticket_request =
	    &p->request;
}

static void
make_bad_request(struct published *p)
{
	make_request(p);
	p->answer.code = not_one;
}

static void
make_sms(struct published *p)
{
	turunc__v1__sms_received__init(&p->sms);
	p->sms.sender = sender;
	p->sms.text = words;
	begin(p, sms_type, TURUNC__V1__INBOUND_EVENT__BODY_SMS)->sms = &p->sms;
}

static void
make_foreign(struct published *p)
{
	turunc__v1__foreign_body__init(&p->foreign);
	begin(p, foreign, TURUNC__V1__INBOUND_EVENT__BODY_FOREIGN)->foreign = &p->foreign;
}

static const struct {
	const char *name;
	void (*make)(struct published *p);
	enum event_verdict want; /* with memory enough */
	int allocations; /* it takes at least, when it is read */
} cases[] = {
	{ "a call", make_call, EVENT_READ, 2 },
	{ "a call that cannot be", make_bad_call, EVENT_REJECTED, 0 },
	{ "a request with answers", make_request, EVENT_READ, 2 },
	{ "an answer to no question", make_bad_request, EVENT_REJECTED, 0 },
	{ "a text message", make_sms, EVENT_READ, 1 },
	{ "another system's event", make_foreign, EVENT_READ, 1 },
};

struct scene {
	struct acl *acl;
	const struct acl_client *client;
	struct catalogue *cat;
	struct item_maker maker;
};

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static bool
scene_open_for(struct scene *s, unsigned verbs)
{
	static const uint8_t secret[32] = { 1, 2, 3 };
	static const char *const all[] = { "*" };
	const struct acl_row row = { .name = "pbx",
		.public_key = "0123456789012345678901234567890123456789",
		.verbs = verbs,
		.sources = { all, 1 },
		.types = { all, 1 },
		.departments = { all, 1 } };
	struct acl_complaint complaint;

	*s = (struct scene){ .acl = acl_create(), .cat = muratpasa_load() };
	s->maker = (struct item_maker){ .secret = secret, .secret_len = sizeof(secret) };
	if (s->acl == NULL || s->cat == NULL || !acl_replace(s->acl, &row, 1, &complaint))
		return false;
	s->client = acl_find_key(s->acl, row.public_key);
	return s->client != NULL;
}

static bool
scene_open(struct scene *s)
{
	return scene_open_for(s, ACL_PUBLISH);
}

static void
scene_close(struct scene *s)
{
	catalogue_destroy(s->cat);
	acl_destroy(s->acl);
}

/* One reading with so many good allocations. */
static enum event_verdict
read_with(
    struct scene *s, const struct published *p, long allocations, char error[EVENT_ERROR_BYTES])
{
	struct event_item e;

	event_item_init(&e, on_done);
	error[0] = '\0';
	calls_left = allocations;
	enum event_verdict verdict = event_item_read(
	    &e, &p->event, s->client, s->cat, &s->maker, NOW_US, error);
	calls_left = -1;
	event_item_finish(&e);
	return verdict;
}

/* Whichever allocation fails, nothing is refused for good that would be taken with more memory. */
TEST(test_no_memory_is_never_final)
{
	struct scene s;
	char error[EVENT_ERROR_BYTES];

	if (!CHECK(scene_open(&s)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct published p;
		int failed = 0;

		cases[i].make(&p);
		CHECK_U64(cases[i].name, read_with(&s, &p, -1, error), cases[i].want);
		CHECK_TRUE(cases[i].name, (cases[i].want == EVENT_REJECTED) == (error[0] != '\0'));
		while (failed < 100 && read_with(&s, &p, failed, error) == EVENT_NO_MEMORY) {
			CHECK_STR(cases[i].name, error, "");
			failed++;
		}
		CHECK_U64(cases[i].name, read_with(&s, &p, failed, error), cases[i].want);
		CHECK_TRUE(cases[i].name, failed >= cases[i].allocations && failed < 100);
	}
	scene_close(&s);
}

TEST(test_size_of_an_event)
{
	static const struct {
		const char *name;
		size_t bytes, traceparent_bytes;
		const char *want;
	} sizes[] = {
		{ "the largest", 65536, 0, "" },
		{ "one more", 65537, 0, "TOO_LARGE: 65537 bytes; an event has at most 65536" },
		{ "the largest with its traceparent", 65536, 55, "" },
		{ "one more with its traceparent", 65537, 55,
		    "TOO_LARGE: 65537 bytes; an event has at most 65536" },
	};
	static uint8_t data[65536];
	static char traceparent[64];
	char error[EVENT_ERROR_BYTES];
	struct scene s;

	if (!CHECK(scene_open(&s)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct published p;

		make_foreign(&p);
		memset(traceparent, 0, sizeof(traceparent));
		memset(traceparent, '0', sizes[i].traceparent_bytes);
		p.event.traceparent = traceparent;
		p.foreign.data = (ProtobufCBinaryData){ sizes[i].bytes - 300, data };
		p.foreign.data.len += sizes[i].bytes
				      - turunc__v1__inbound_event__get_packed_size(&p.event);
		if (!CHECK(turunc__v1__inbound_event__get_packed_size(&p.event) == sizes[i].bytes))
			break;
		bool refused = read_with(&s, &p, -1, error) == EVENT_REJECTED;
		CHECK_U64(sizes[i].name, refused, sizes[i].want[0] != '\0');
		CHECK_STR(sizes[i].name, error, sizes[i].want);
	}
	scene_close(&s);
}

/* By what it is known when it comes again. */
static struct digest
identity_of(struct scene *s, const struct published *p)
{
	struct event_item e;
	char error[EVENT_ERROR_BYTES];

	event_item_init(&e, on_done);
	CHECK_U64("it is read",
	    event_item_read(&e, &p->event, s->client, s->cat, &s->maker, NOW_US, error),
	    EVENT_READ);
	struct digest identity = e.item.identity;
	event_item_finish(&e);
	return identity;
}

/* A gateway that did not hear us calls again: later, and when the ticket may be another. */
TEST(test_a_text_that_comes_again_is_the_same)
{
	static char a_ticket[] = "26-0012345-4", others[] = "other words";
	struct scene own, outside;
	struct published p;

	if (!CHECK(scene_open_for(&own, ACL_PUBLISH | ACL_INTERNAL))
	    || !CHECK(scene_open(&outside)))
		return;
	make_sms(&p);
	struct digest first = identity_of(&own, &p), theirs = identity_of(&outside, &p);
	p.event.time_us = NOW_US - 1;
	struct digest theirs_later = identity_of(&outside, &p);
	CHECK_TRUE("who says the moment says it again", !digest_equal(&theirs, &theirs_later));
	p.sms.ticket = a_ticket;
	struct digest later = identity_of(&own, &p);
	CHECK_TRUE("another moment, another ticket", digest_equal(&first, &later));
	p.sms.text = others;
	struct digest reworded = identity_of(&own, &p);
	CHECK_TRUE("other words are another text", !digest_equal(&first, &reworded));
	scene_close(&own);
	scene_close(&outside);
}
