/* What frame_unpack() lets through and what it refuses. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A Publish of `count` call events with the given id in each. */
struct publish {
	Turunc__V1__ClientFrame frame;
	Turunc__V1__Publish publish;
	Turunc__V1__InboundEvent *events;
	Turunc__V1__Call *calls;
	Turunc__V1__InboundEvent **list;
};

static void
publish_make(struct publish *p, size_t count, char *id)
{
	*p = (struct publish){ TURUNC__V1__CLIENT_FRAME__INIT, TURUNC__V1__PUBLISH__INIT,
		calloc(count, sizeof(Turunc__V1__InboundEvent)),
		calloc(count, sizeof(Turunc__V1__Call)), calloc(count, sizeof(void *)) };
	p->frame.request = 300;
	p->frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH;
	p->frame.publish = &p->publish;
	p->publish.n_events = count;
	p->publish.events = p->list;
	for (size_t i = 0; i < count; i++) {
		p->list[i] = &p->events[i];
		turunc__v1__inbound_event__init(p->list[i]);
		turunc__v1__call__init(&p->calls[i]);
		p->events[i].id = id;
		p->events[i].body_case = TURUNC__V1__INBOUND_EVENT__BODY_CALL;
		p->events[i].call = &p->calls[i];
	}
}

static void
publish_free(struct publish *p)
{
	free(p->events);
	free(p->calls);
	free(p->list);
}

/* Encoded without any check, as a hostile client would. */
static uint8_t *
encode(const struct publish *p, size_t *ret_len)
{
	*ret_len = turunc__v1__client_frame__get_packed_size(&p->frame);
	uint8_t *data = malloc(*ret_len + 1);
	turunc__v1__client_frame__pack(&p->frame, data);
	return data;
}

/* The result; the frame is let go. */
static enum frame_result
try(const void *data, size_t len, char *where)
{
	struct frame *frame = NULL;
	enum frame_result result = frame_unpack(
	    &turunc__v1__client_frame__descriptor, data, len, &frame, where);

	CHECK_TRUE("a frame only when ok", (frame != NULL) == (result == FRAME_OK));
	frame_destroy(frame);
	return result;
}

TEST(test_frame_round_trip)
{
	char id[] = "kayıt-1", name[] = "Ayşe Çiğdem";
	char *values[] = { name, id };
	char where[FRAME_WHERE_BYTES];
	struct frame_buffer buffer = { 0 };
	struct frame *frame = NULL;
	struct publish p;
	Turunc__V1__TicketRequest request = TURUNC__V1__TICKET_REQUEST__INIT;
	Turunc__V1__Answer answer = TURUNC__V1__ANSWER__INIT;
	Turunc__V1__Answer *answers[] = { &answer };

	publish_make(&p, 3, id);
	answer.n_values = 2;
	answer.values = values;
	request.name = name;
	request.n_answers = 1;
	request.answers = answers;
	p.events[1].body_case = TURUNC__V1__INBOUND_EVENT__BODY_TICKET_REQUEST;
	p.events[1].ticket_request = &request;

	CHECK_U64("packs", frame_pack(&p.frame.base, &buffer, where), FRAME_OK);
	CHECK_U64("unpacks",
	    frame_unpack(
		&turunc__v1__client_frame__descriptor, buffer.data, buffer.len, &frame, where),
	    FRAME_OK);
	if (CHECK(frame != NULL)) {
		const Turunc__V1__ClientFrame *got = frame_client(frame);
		CHECK_U64("request", got->request, 300);
		CHECK_U64("events", got->publish->n_events, 3);
		CHECK_STR("id", got->publish->events[2]->id, id);
		const Turunc__V1__TicketRequest *r = got->publish->events[1]->ticket_request;
		CHECK_STR("name", r->name, name);
		CHECK_STR("a string that was not sent", r->phone, "");
		CHECK_STR("answer", r->answers[0]->values[1], id);
	}
	frame_destroy(frame);
	frame_buffer_finish(&buffer);
	publish_free(&p);
}

static const struct {
	const char *name;
	const char *bytes;
	enum frame_result want;
} texts[] = {
	{ "plain", "abcdef", FRAME_OK },
	{ "Turkish", "ab\xc4\x9f\xc5\x9f", FRAME_OK },
	{ "a byte no UTF-8 has",
	    "ab\xff"
	    "def",
	    FRAME_BAD_UTF8 },
	{ "cut character", "abcde\xc4", FRAME_BAD_UTF8 },
	{ "overlong",
	    "ab\xc0\xaf"
	    "ef",
	    FRAME_BAD_UTF8 },
	{ "surrogate", "abc\xed\xa0\x80", FRAME_BAD_UTF8 },
	{ "NUL in the middle", "ab\0def", FRAME_HAS_NUL },
	{ "NUL at the end", "abcde\0", FRAME_HAS_NUL },
	{ "NUL first", "\0bcdef", FRAME_HAS_NUL },
	{ "NUL hides bad bytes", "ab\0\xff\xff\xff", FRAME_HAS_NUL },
};

TEST(test_frame_text)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char id[] = "ok", marker[] = "@@@@@@", where[FRAME_WHERE_BYTES];
		struct publish p;
		size_t len;
		publish_make(&p, 5, id);
		p.calls[3].caller = marker;
		uint8_t *data = encode(&p, &len);
		uint8_t *at = memmem(data, len, marker, 6);
		if (CHECK(at != NULL)) {
			memcpy(at, texts[i].bytes, 6);
			CHECK_U64(texts[i].name, try(data, len, where), texts[i].want);
			CHECK_STR(texts[i].name, where,
			    texts[i].want == FRAME_OK ? "" : "publish.events[3].call.caller");
		}
		free(data);
		publish_free(&p);
	}
}

TEST(test_frame_repeated_text_is_looked_at)
{
	/* subscribe { types: "a" types: "\xff" } */
	static const uint8_t data[] = { 0x22, 6, 0x12, 1, 'a', 0x12, 1, 0xff };
	char where[FRAME_WHERE_BYTES];

	CHECK_U64("refused", try(data, sizeof(data), where), FRAME_BAD_UTF8);
	CHECK_STR("where", where, "subscribe.types[1]");
}

TEST(test_frame_merged_messages_are_looked_at)
{
	/* A Record whose view comes twice: the two are merged, the first one's number remains. */
	uint8_t data[] = { 0x22, 4, 0x0a, 2, 'a', 0, 0x22, 4, 0x1a, 2, 'b', 'c' };
	struct frame *frame = NULL;

	CHECK_U64("NUL in the first",
	    frame_unpack(&turunc__v1__record__descriptor, data, sizeof(data), &frame, NULL),
	    FRAME_HAS_NUL);
	data[5] = 'x';
	CHECK_U64("fine",
	    frame_unpack(&turunc__v1__record__descriptor, data, sizeof(data), &frame, NULL),
	    FRAME_OK);
	if (frame != NULL) {
		const Turunc__V1__Record *record =
		    (const Turunc__V1__Record *)(const void *)frame_message(frame);
		CHECK_STR("first", record->view->number, "ax");
		CHECK_STR("second", record->view->department, "bc");
	}
	frame_destroy(frame);
}

TEST(test_frame_sizes)
{
	size_t len, sizes[] = { 65000, 66000 };
	enum frame_result want[] = { FRAME_OK, FRAME_EVENT_TOO_BIG };
	char where[FRAME_WHERE_BYTES];
	struct frame_buffer buffer = { 0 };

	for (size_t i = 0; i < 2; i++) {
		struct publish p;
		char id[] = "x";
		char *text = calloc(1, sizes[i] + 1);
		memset(text, 'a', sizes[i]);
		publish_make(&p, 2, id);
		p.calls[1].caller = text;
		uint8_t *data = encode(&p, &len);
		CHECK_U64("one event does not spoil its frame", try(data, len, where), FRAME_OK);
		CHECK_U64(
		    "the same when sending", frame_pack(&p.frame.base, &buffer, where), want[i]);
		CHECK_STR("where", where, i == 0 ? "" : "publish.events[1]");
		free(data);
		free(text);
		publish_free(&p);
	}
	frame_buffer_finish(&buffer);
}

/* By itself, and in what a door sends. */
TEST(test_frame_of_one_event_too_large)
{
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__ServerFrame server = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Deliver deliver = TURUNC__V1__DELIVER__INIT;
	Turunc__V1__Record record = TURUNC__V1__RECORD__INIT, *records[] = { &record };
	Turunc__V1__Event logged = TURUNC__V1__EVENT__INIT;
	static char text[66001];
	static uint8_t data[70000];
	char where[FRAME_WHERE_BYTES];
	struct frame *frame;

	memset(text, 'a', sizeof(text) - 1);
	event.id = text;
	size_t len = turunc__v1__inbound_event__pack(&event, data);
	CHECK_U64("inbound",
	    frame_unpack(&turunc__v1__inbound_event__descriptor, data, len, &frame, where),
	    FRAME_EVENT_TOO_BIG);
	logged.id = text;
	record.event = &logged;
	deliver.n_records = 1;
	deliver.records = records;
	server.body_case = TURUNC__V1__SERVER_FRAME__BODY_DELIVER;
	server.deliver = &deliver;
	len = turunc__v1__server_frame__pack(&server, data);
	CHECK_U64("delivered",
	    frame_unpack(&turunc__v1__server_frame__descriptor, data, len, &frame, where),
	    FRAME_EVENT_TOO_BIG);
	CHECK_STR("where", where, "deliver.records[0].event");
}

TEST(test_frame_whole_size)
{
	char id[1001], where[FRAME_WHERE_BYTES];
	struct frame_buffer buffer = { 0 };
	size_t len;
	struct publish p;

	memset(id, 'i', 1000);
	id[1000] = '\0';
	publish_make(&p, 243, id);
	uint8_t *data = encode(&p, &len);
	CHECK_TRUE("just below the limit", len < FRAME_MAX_BYTES && len > FRAME_MAX_BYTES - 2000);
	CHECK_U64("taken", try(data, len, NULL), FRAME_OK);
	CHECK_U64("packed", frame_pack(&p.frame.base, &buffer, where), FRAME_OK);
	size_t packed = buffer.len;
	free(data);
	publish_free(&p);

	publish_make(&p, 244, id);
	data = encode(&p, &len);
	CHECK_TRUE("just over the limit", len > FRAME_MAX_BYTES && len < FRAME_MAX_BYTES + 2000);
	CHECK_U64("refused", try(data, len, NULL), FRAME_TOO_BIG);
	CHECK_U64("not packed", frame_pack(&p.frame.base, &buffer, where), FRAME_TOO_BIG);
	CHECK_U64("the buffer is as before", buffer.len, packed);
	free(data);
	publish_free(&p);
	frame_buffer_finish(&buffer);
}

TEST(test_frame_event_by_itself)
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	struct frame_buffer buffer = { 0 };
	struct frame *frame = NULL;
	char id[] = "0192f0c4", *big = calloc(1, 70001);

	event.id = id;
	CHECK_U64("packs", frame_pack(&event.base, &buffer, NULL), FRAME_OK);
	CHECK_U64("unpacks",
	    frame_unpack(&turunc__v1__event__descriptor, buffer.data, buffer.len, &frame, NULL),
	    FRAME_OK);
	CHECK_TRUE("is an Event",
	    frame != NULL && frame_message(frame)->descriptor == &turunc__v1__event__descriptor);
	frame_destroy(frame);
	memset(big, 'b', 70000);
	event.actor = big;
	CHECK_U64("too big", frame_pack(&event.base, &buffer, NULL), FRAME_EVENT_TOO_BIG);
	free(big);
	frame_buffer_finish(&buffer);
}

/* What costs far more memory than bytes; each is repeated to fill a frame. */
static const struct {
	const char *name;
	uint8_t outer; /* tag of the body */
	uint8_t bytes[4];
	size_t len;
	enum frame_result want;
} floods[] = {
	{ "empty events", 0x1a, { 0x0a, 0 }, 2, FRAME_OVER_BUDGET },
	{ "empty types of a Subscribe", 0x22, { 0x12, 0 }, 2, FRAME_OVER_BUDGET },
	{ "unknown fields", 0x1a, { 0x78, 1 }, 2, FRAME_OVER_BUDGET },
};

TEST(test_frame_amplification)
{
	for (size_t f = 0; f < sizeof(floods) / sizeof(floods[0]); f++) {
		size_t inner = 200000 / floods[f].len * floods[f].len, len = inner + 4;
		uint8_t *data = malloc(len);
		data[0] = floods[f].outer;
		data[1] = (uint8_t)(0x80 | (inner & 0x7f));
		data[2] = (uint8_t)(0x80 | ((inner >> 7) & 0x7f));
		data[3] = (uint8_t)(inner >> 14);
		for (size_t i = 0; i < inner; i++)
			data[4 + i] = floods[f].bytes[i % floods[f].len];
		CHECK_U64(floods[f].name, try(data, len, NULL), floods[f].want);
		free(data);
	}
}

TEST(test_frame_honest_small_events_fit_the_budget)
{
	char id[] = "1";
	size_t len, counts[] = { 1, 256, 4096, 15000 };

	for (size_t i = 0; i < 4; i++) {
		struct publish p;
		struct frame *frame = NULL;
		publish_make(&p, counts[i], id);
		for (size_t e = 0; e < counts[i]; e++) {
			p.events[e].type = id;
			p.events[e].time_us = 1764000000000000;
		}
		uint8_t *data = encode(&p, &len);
		CHECK_U64("the least an event can be",
		    frame_unpack(&turunc__v1__client_frame__descriptor, data, len, &frame, NULL),
		    len > FRAME_MAX_BYTES ? FRAME_TOO_BIG : FRAME_OK);
		if (frame != NULL)
			CHECK_TRUE("bounded", frame_memory(frame) < 40 * len + 65536);
		frame_destroy(frame);
		free(data);
		publish_free(&p);
	}
}

/* protobuf-c unpacks recursively without a limit, so no type may contain itself. */
static size_t
depth_of(const ProtobufCMessageDescriptor *type, size_t depth)
{
	size_t deepest = depth;

	if (depth > FRAME_MAX_DEPTH)
		return depth;
	for (unsigned i = 0; i < type->n_fields; i++) {
		if (type->fields[i].type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		size_t d = depth_of(type->fields[i].descriptor, depth + 1);
		if (d > deepest)
			deepest = d;
	}
	return deepest;
}

TEST(test_frame_types_are_not_recursive)
{
	CHECK_TRUE("client", depth_of(&turunc__v1__client_frame__descriptor, 1) <= 8);
	CHECK_TRUE("server", depth_of(&turunc__v1__server_frame__descriptor, 1) <= 8);
}

TEST(test_frame_odd_inputs)
{
	static const uint8_t no_field[] = { 0x80, 0x80, 0x00, 0x00 };
	static const uint8_t unknown[] = { 0x08, 7, 0xfa, 0x01, 1, 'x' }; /* request 7, field 31 */
	static const uint8_t group[] = { 0x0b, 0x0c };
	static const uint8_t overrun[] = { 0x12, 0x7f, 1 };
	struct frame *frame = NULL;

	CHECK_U64("nothing at all is an empty frame", try("", 0, NULL), FRAME_OK);
	CHECK_U64(
	    "field 0 in too many bytes", try(no_field, sizeof(no_field), NULL), FRAME_UNDECODABLE);
	CHECK_U64("groups", try(group, sizeof(group), NULL), FRAME_UNDECODABLE);
	CHECK_U64("length past the end", try(overrun, sizeof(overrun), NULL), FRAME_UNDECODABLE);
	CHECK_U64("a kind of a later version",
	    frame_unpack(
		&turunc__v1__client_frame__descriptor, unknown, sizeof(unknown), &frame, NULL),
	    FRAME_OK);
	if (frame != NULL) {
		CHECK_U64("has no body here", frame_client(frame)->body_case, 0);
		CHECK_U64("and its request", frame_client(frame)->request, 7);
	}
	frame_destroy(frame);
	for (int i = 0; i < FRAME_RESULTS; i++)
		CHECK_TRUE("named", frame_result_name((enum frame_result)i) != NULL
					&& frame_result_text((enum frame_result)i) != NULL);
}

/* Bytes of a real frame changed at random: any answer will do, a crash will not. */
TEST(test_frame_survives_random_changes)
{
	char id[] = "0192f0c4-1111", marker[] = "metin";
	size_t len;
	struct publish p;
	unsigned seed = 4711, ok = 0, refused = 0;

	publish_make(&p, 20, id);
	for (size_t i = 0; i < 20; i++)
		p.calls[i].caller = marker;
	uint8_t *data = encode(&p, &len), *copy = malloc(len);
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, data, len);
		size_t cut = (size_t)rand_r(&seed) % len + 1;
		for (int change = 0; change < 1 + round % 4; change++)
			copy[(size_t)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
		struct frame *frame = NULL;
		enum frame_result result = frame_unpack(&turunc__v1__client_frame__descriptor, copy,
		    round % 3 == 0 ? cut : len, &frame, NULL);
		ok += result == FRAME_OK;
		refused += result != FRAME_OK;
		frame_destroy(frame);
	}
	CHECK_TRUE("both happened", ok > 100 && refused > 100);
	free(copy);
	free(data);
	publish_free(&p);
}
