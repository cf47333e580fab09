/*
 * stream_frame - builds a Deliver from rows as they stand in the log.
 *
 * A record's event is the writer's bytes: they are copied, never decoded and encoded again, so
 * fields that this version does not know reach the reader.  The frame grows record by record up to
 * the limit of the bus.
 */
#ifndef ROUTER_STREAM_FRAME_H
#define ROUTER_STREAM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "frame.h"
#include "turunc/v1/ticket.pb-c.h"

enum {
	STREAM_FRAME_HEAD = 128, /* room for everything but the records */
	STREAM_FRAME_BODY_MAX = FRAME_MAX_BYTES - STREAM_FRAME_HEAD,
};

/* Zeroed is ready; used again for frame after frame. */
struct stream_frame {
	uint8_t *data; /* the body begins after STREAM_FRAME_HEAD bytes */
	size_t body_len;
	size_t size;
	size_t records;
};

void stream_frame_begin(struct stream_frame *f);
void stream_frame_finish(struct stream_frame *f);

struct stream_record {
	uint64_t seq;
	int64_t committed_at_us;
	const uint8_t *event; /* NULL: it cannot be read, and the record goes without one */
	size_t event_len;
	const Turunc__V1__TicketView *view; /* NULL: none */
};

enum stream_frame_result {
	STREAM_FRAME_ADDED,
	STREAM_FRAME_FULL, /* it does not fit in any more, or ever when the frame is empty */
	STREAM_FRAME_NO_MEMORY,
};
MUST_CHECK enum stream_frame_result stream_frame_add(
    struct stream_frame *f, const struct stream_record *record);

struct stream_frame_head {
	const char *log_id; /* a UUID's text */
	uint64_t epoch, after_seq, through_seq;
};
/* The whole as an encoded ServerFrame, lent until the next begin; NULL: out of memory. */
const uint8_t *stream_frame_close(
    struct stream_frame *f, const struct stream_frame_head *head, size_t *ret_len);

#endif
