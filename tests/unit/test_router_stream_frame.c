/* Deliver frames written by hand are what protobuf reads, and stay within the limit. */
#include "stream_frame.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "turunc/v1/bus.pb-c.h"

#define LOG_ID "0190f3e6-1111-7222-8333-444455556666"

static const struct stream_frame_head head = {
	.log_id = LOG_ID, .epoch = 7, .after_seq = 41, .through_seq = UINT64_MAX
};

/* An event as its writer packed it, with a field that no version knows. */
static size_t
pack_event(uint8_t *to, const char *type)
{
	static const uint8_t unknown[] = { 0xfa, 0x3f, 3, 'n', 'e', 'w' }; /* field 1023 */
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	memcpy(&event.type, &type, sizeof(type));
	size_t len = turunc__v1__event__pack(&event, to);
	memcpy(to + len, unknown, sizeof(unknown));
	return len + sizeof(unknown);
}

TEST(test_stream_frame_reads_back)
{
	struct stream_frame f = { 0 };
	uint8_t event[100];
	Turunc__V1__TicketView view = TURUNC__V1__TICKET_VIEW__INIT;
	char number[] = "26-0000001-1";
	size_t len;

	view.number = number;
	struct stream_record record = { .seq = 42,
		.committed_at_us = 1767225600000000,
		.event = event,
		.event_len = pack_event(event, "ticket.routed"),
		.view = &view };
	stream_frame_begin(&f);
	CHECK_U64("added", stream_frame_add(&f, &record), STREAM_FRAME_ADDED);
	record.seq = UINT64_MAX;
	record.view = NULL;
	CHECK_U64("added", stream_frame_add(&f, &record), STREAM_FRAME_ADDED);
	record.event = NULL;
	CHECK_U64("added", stream_frame_add(&f, &record), STREAM_FRAME_ADDED);
	record.event = event;
	record.event_len = 0;
	CHECK_U64("added", stream_frame_add(&f, &record), STREAM_FRAME_ADDED);
	const uint8_t *data = stream_frame_close(&f, &head, &len);
	Turunc__V1__ServerFrame *frame = turunc__v1__server_frame__unpack(NULL, len, data);
	if (!CHECK(frame != NULL)
	    || !CHECK(frame->body_case == TURUNC__V1__SERVER_FRAME__BODY_DELIVER))
		return;
	const Turunc__V1__Deliver *deliver = frame->deliver;
	CHECK_STR("log", deliver->log_id, LOG_ID);
	CHECK_U64("epoch", deliver->epoch, 7);
	CHECK_U64("after", deliver->after_seq, 41);
	CHECK_U64("through", deliver->through_seq, UINT64_MAX);
	if (!CHECK_U64("records", deliver->n_records, 4))
		return;
	CHECK_U64("seq", deliver->records[0]->seq, 42);
	CHECK_I64("time", deliver->records[0]->committed_at_us, 1767225600000000);
	CHECK_STR("type", deliver->records[0]->event->type, "ticket.routed");
	CHECK_U64(
	    "the unknown field is there", deliver->records[0]->event->base.n_unknown_fields, 1);
	CHECK_STR("view", deliver->records[0]->view->number, number);
	CHECK_U64("seq", deliver->records[1]->seq, UINT64_MAX);
	CHECK_TRUE("no view", deliver->records[1]->view == NULL);
	CHECK_TRUE("one that cannot be read", deliver->records[2]->event == NULL);
	CHECK_U64("has its place", deliver->records[2]->seq, UINT64_MAX);
	CHECK_TRUE("an empty one can", deliver->records[3]->event != NULL);
	turunc__v1__server_frame__free_unpacked(frame, NULL);
	stream_frame_finish(&f);
}

TEST(test_stream_frame_without_records)
{
	struct stream_frame f = { 0 };
	size_t len;

	stream_frame_begin(&f);
	const uint8_t *data = stream_frame_close(&f, &head, &len);
	Turunc__V1__ServerFrame *frame = turunc__v1__server_frame__unpack(NULL, len, data);
	if (CHECK(frame != NULL && frame->deliver != NULL)) {
		CHECK_U64("through", frame->deliver->through_seq, UINT64_MAX);
		CHECK_U64("records", frame->deliver->n_records, 0);
	}
	turunc__v1__server_frame__free_unpacked(frame, NULL);
	stream_frame_finish(&f);
}

static const struct {
	const char *name;
	size_t event_bytes;
	size_t fit; /* how many of them a frame takes */
} sizes[] = {
	{ "small ones", 100, 2274 },
	{ "of the largest size allowed", 64 * 1024, 3 },
	{ "one that fills it", STREAM_FRAME_BODY_MAX - 20, 1 },
	{ "one that never fits", STREAM_FRAME_BODY_MAX, 0 },
};

TEST(test_stream_frame_limit)
{
	uint8_t *event = calloc(1, FRAME_MAX_BYTES);
	struct stream_frame f = { 0 };
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct stream_record record = {
			.seq = 1000000, .event = event, .event_len = sizes[i].event_bytes
		};
		size_t fit = 0;

		stream_frame_begin(&f);
		while (stream_frame_add(&f, &record) == STREAM_FRAME_ADDED)
			fit++;
		CHECK_U64(sizes[i].name, fit, sizes[i].fit);
		CHECK(stream_frame_close(&f, &head, &len) != NULL);
		CHECK_TRUE(sizes[i].name, len <= FRAME_MAX_BYTES);
	}
	stream_frame_finish(&f);
	free(event);
}
