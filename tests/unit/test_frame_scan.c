/* What frame_readable() lets through, frame_unpack() unpacks: whatever is done to the bytes. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "frame.h"

enum { BYTES = 600, ROUNDS = 300000 };

static size_t
make_step(uint8_t to[BYTES])
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketStep step = TURUNC__V1__TICKET_STEP__INIT;
	char text[] = "çöp İıŞ", number[] = "26-0012345-4", type[] = "ticket.routed";

	event.id = event.subject = number;
	event.type = type;
	event.source = event.actor = event.traceparent = text;
	event.time_us = INT64_C(1767225600000000);
	event.body_case = TURUNC__V1__EVENT__BODY_STEP;
	event.step = &step;
	step.department = step.reason_code = step.institution = text;
	step.status = TURUNC__V1__STATUS__STATUS_ROUTED;
	step.version = 300;
	step.legal_due_us = -1;
	return turunc__v1__event__pack(&event, to);
}

static bool
unpacks(const uint8_t *bytes, size_t len, enum frame_result *ret_result)
{
	struct frame *frame = NULL;

	*ret_result = frame_unpack(&turunc__v1__event__descriptor, bytes, len, &frame, NULL);
	frame_destroy(frame);
	return *ret_result == FRAME_OK || *ret_result == FRAME_OVER_BUDGET;
}

static bool
readable(const void *bytes, size_t len)
{
	return frame_readable(&turunc__v1__event__descriptor, bytes, len);
}

TEST(test_cases)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		bool readable;
	} cases[] = {
		{ "empty", "", 0, true },
		{ "an unknown field of each kind",
		    "\xf8\x3f\x01\xf9\x3f\x01\x02\x03\x04\x05\x06\x07\x08\xfa\x3f\x02hi\xfd\x3f\x01"
		    "\x02\x03\x04",
		    24, true },
		{ "no tag at all", "\xff\xff", 2, false },
		{ "tag 0", "\x02\x01x", 3, false },
		{ "a group", "\xfb\x3f\xfc\x3f", 4, false },
		{ "cut in a text", "\x0a\x05hal", 5, false },
		{ "cut in a number", "\x20\x80", 2, false },
		{ "a number of eleven bytes",
		    "\xf8\x3f\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 13, false },
		{ "a text of no UTF-8", "\x0a\x02\xff\xfe", 4, false },
		{ "a text with a NUL", "\x0a\x02x\0", 4, false },
		{ "a number where a text stands", "\x08\x01", 2, false },
		{ "length 0 in six bytes", "\x0a\x80\x80\x80\x80\x80\0", 7, false },
		{ "length 0 in five bytes", "\x0a\x80\x80\x80\x80\0", 6, true },
		{ "a tag in six bytes", "\x88\x80\x80\x80\x80\0\x01", 7, false },
		{ "length of 2^63", "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_U64(cases[i].name, readable(cases[i].bytes, cases[i].len), cases[i].readable);
}

TEST(test_an_event_as_it_is_and_too_large)
{
	uint8_t bytes[BYTES];
	size_t len = make_step(bytes);
	uint8_t *large = calloc(1, FRAME_EVENT_MAX_BYTES + 1);

	CHECK_TRUE("as it is", readable(bytes, len));
	/* One unknown field, as long as may be and one byte longer. */
	const size_t head = 5;
	for (size_t over = 0; large != NULL && over < 2; over++) {
		size_t rest = FRAME_EVENT_MAX_BYTES + over - head;
		memcpy(large,
		    (const uint8_t[]){ 0xfa, 0x3f, (uint8_t)(rest | 0x80),
			(uint8_t)(rest >> 7 | 0x80), (uint8_t)(rest >> 14) },
		    head);
		CHECK_U64("its size", readable(large, head + rest), over == 0);
	}
	free(large);
}

/* Bytes changed, cut, doubled: the scan never lets through what a reader refuses, and is not much
 * stricter either (it looks at every occurrence of a field, unpacking at the last). */
TEST_WITHIN(test_never_laxer_than_unpacking, 120)
{
	uint8_t good[BYTES], bytes[BYTES];
	size_t good_len = make_step(good), passed = 0, refused = 0, stricter = 0;
	uint64_t dice = 88172645463325252u;

	for (int round = 0; round < ROUNDS; round++) {
		size_t len = good_len;
		memcpy(bytes, good, good_len);
		for (int change = 0; change < 1 + round % 3; change++) {
			dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
			size_t at = dice % len;
			if (dice >> 60 == 0)
				len = at + 1;
			else
				bytes[at] = dice >> 62 == 0
						? (uint8_t)(bytes[at] ^ 1 << (dice >> 40) % 8)
						: (uint8_t)(dice >> 32);
		}
		enum frame_result result;
		bool can = unpacks(bytes, len, &result), said = readable(bytes, len);
		if (said && !can)
			CHECK_STR("laxer", frame_result_name(result), "ok");
		passed += said;
		refused += !said && !can;
		stricter += !said && can;
	}
	CHECK_TRUE("some passed", passed > ROUNDS / 20);
	CHECK_TRUE("some were refused", refused > ROUNDS / 20);
	CHECK_TRUE("hardly stricter", stricter < ROUNDS / 100);
}
