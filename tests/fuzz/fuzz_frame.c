/* Frames of the bus: unpacked within their budget, and packed again as they were understood. */
#include "frame.h"
#include "fuzz.h"
#include "turunc/v1/event.pb-c.h"
#include "utf8.h"

static const ProtobufCMessageDescriptor *const types[] = {
	&turunc__v1__client_frame__descriptor, &turunc__v1__server_frame__descriptor,
	&turunc__v1__event__descriptor, &turunc__v1__pong__descriptor, /* a ring of the doorbell */
};

enum { LEAST_BYTES = 64 * 1024, TIMES = 32 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const ProtobufCMessageDescriptor *type = types[take_byte(&in) % ARRAY_LEN(types)];
	struct frame *frame = NULL, *again = NULL;
	struct frame_buffer buffer = { 0 };
	char where[FRAME_WHERE_BYTES] = "";

	enum frame_result result = frame_unpack(type, in.at, in.left, &frame, where);
	HOLDS(result < FRAME_RESULTS && frame_result_text(result)[0] != '\0');
	HOLDS(memchr(where, 0, sizeof(where)) != NULL);
	/* What is said to be readable is: the stream sends it to every reader. */
	if (frame_readable(type, in.at, in.left))
		HOLDS(result == FRAME_OK || result == FRAME_OVER_BUDGET);
	if (result != FRAME_OK)
		return 0;
	HOLDS(in.left <= FRAME_MAX_BYTES);
	HOLDS(frame_memory(frame) <= LEAST_BYTES + TIMES * in.left);
	if (frame_pack(frame_message(frame), &buffer, where) == FRAME_OK) {
		/* Numbers may have been written longer than need be: the budget shrinks with them.
		 */
		result = frame_unpack(type, buffer.data, buffer.len, &again, where);
		HOLDS(result == FRAME_OK || result == FRAME_OVER_BUDGET);
		struct frame_buffer second = { 0 };
		if (result == FRAME_OK) {
			HOLDS(frame_pack(frame_message(again), &second, where) == FRAME_OK);
			HOLDS(second.len == buffer.len);
			HOLDS(buffer.len == 0 || memcmp(second.data, buffer.data, buffer.len) == 0);
		}
		frame_buffer_finish(&second);
	}
	frame_destroy(again);
	frame_destroy(frame);
	frame_buffer_finish(&buffer);
	return 0;
}
