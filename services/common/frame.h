/*
 * frame - messages of the bus as bytes and back, within limits.
 *
 * protobuf-c alone lets a peer make it allocate a hundred times what was sent and passes on
 * strings that are not UTF-8 or hide a NUL.  So a frame is unpacked into one arena with a budget
 * and every string in it is looked at before anybody sees the message.  Works for both directions
 * and for an Event by itself; depends on nothing but utf8 and the generated messages, so clients
 * use it too.
 */
#ifndef TURUNC_FRAME_H
#define TURUNC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "turunc/v1/bus.pb-c.h"

enum {
	FRAME_MAX_BYTES = 240 * 1024, /* encoded ClientFrame or ServerFrame */
	FRAME_EVENT_MAX_BYTES = 64 * 1024, /* encoded InboundEvent or Event */
	FRAME_MAX_DEPTH = 12, /* messages within messages; the contract's deepest is 6 */
	FRAME_WHERE_BYTES = 96,
};

enum frame_result {
	FRAME_OK,
	FRAME_TOO_BIG, /* encoded over FRAME_MAX_BYTES */
	FRAME_EVENT_TOO_BIG, /* one event over FRAME_EVENT_MAX_BYTES */
	FRAME_UNDECODABLE, /* not this message in protobuf */
	FRAME_OVER_BUDGET, /* would take far more memory than its size justifies */
	FRAME_TOO_DEEP,
	FRAME_BAD_UTF8,
	FRAME_HAS_NUL,
	FRAME_NO_MEMORY, /* ours, not the sender's fault */
	FRAME_RESULTS
};

/* Text lent to a field of a generated struct, which has no const; it is only read.  NULL is "". */
static inline char *
frame_lend(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

/* "ok", "too_big", ... : a metric's label and a log's word. */
const char *frame_result_name(enum frame_result result);
/* A sentence fit for the peer. */
const char *frame_result_text(enum frame_result result);

/* An unpacked message and the memory it stands on. */
struct frame;

/*
 * Unpacks and checks one message of the given type.  The frame is the caller's on FRAME_OK only.
 * The events of a ClientFrame are not weighed: one too large is one result of its Publish, by whom
 * takes them, and no reason to refuse the others.
 * where (may be NULL) receives the path of the field that was refused, e.g.
 * "publish.events[3].ticket_request.name", or "" when no field is to blame.
 */
MUST_CHECK enum frame_result frame_unpack(const ProtobufCMessageDescriptor *type, const void *data,
    size_t len, struct frame **ret_frame, char where[FRAME_WHERE_BYTES]);

/* The same question of an event, without unpacking it and so without memory: can every reader, in
 * whatever language, make this message of it?  At least as strict as frame_unpack(), but for the
 * budget. */
bool frame_readable(const ProtobufCMessageDescriptor *type, const void *data, size_t len);

/* Accepts NULL.  Everything the message points to goes with it. */
void frame_destroy(struct frame *frame);

/* The message; lives as long as the frame.  The typed ones assert that the type is right. */
const ProtobufCMessage *frame_message(const struct frame *frame);
const Turunc__V1__ClientFrame *frame_client(const struct frame *frame);
const Turunc__V1__ServerFrame *frame_server(const struct frame *frame);
/* Bytes of memory held by the frame. */
size_t frame_memory(const struct frame *frame);

/* The same checks on a message made here: depth, strings, size of the whole and of each event.
 * ret_len receives the encoded size on FRAME_OK. */
MUST_CHECK enum frame_result frame_check(
    const ProtobufCMessage *message, size_t *ret_len, char where[FRAME_WHERE_BYTES]);

/* Bytes that grow as needed and are used again.  Zeroed is ready. */
struct frame_buffer {
	uint8_t *data;
	size_t len;
	size_t size;
};

/* Checks and packs, replacing what the buffer held; the buffer is unchanged when refused. */
MUST_CHECK enum frame_result frame_pack(
    const ProtobufCMessage *message, struct frame_buffer *buffer, char where[FRAME_WHERE_BYTES]);
void frame_buffer_finish(struct frame_buffer *buffer);

#endif
