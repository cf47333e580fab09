/* Writes Deliver frames in protobuf's encoding, by hand around the events' own bytes. */
#include "stream_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Field numbers of bus.proto; test_router_stream_frame decodes what is written here. */
enum { SERVER_FRAME_DELIVER = 7 };
enum { DELIVER_LOG_ID = 1, DELIVER_EPOCH, DELIVER_AFTER, DELIVER_THROUGH, DELIVER_RECORDS };
enum { RECORD_SEQ = 1, RECORD_COMMITTED, RECORD_EVENT, RECORD_VIEW };
enum { VARINT = 0, BYTES = 2, VARINT_MAX = 10, FIRST_SIZE = 4096 };

static size_t
varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

static uint8_t *
put_varint(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

/* proto3 leaves out zeros; every tag here is one byte. */
static size_t
number_size(uint64_t value)
{
	return value == 0 ? 0 : 1 + varint_size(value);
}

static uint8_t *
put_number(uint8_t *at, unsigned field, uint64_t value)
{
	if (value == 0)
		return at;
	*at++ = (uint8_t)(field << 3 | VARINT);
	return put_varint(at, value);
}

static size_t
bytes_size(size_t len)
{
	return 1 + varint_size(len) + len;
}

static uint8_t *
put_bytes_head(uint8_t *at, unsigned field, size_t len)
{
	*at++ = (uint8_t)(field << 3 | BYTES);
	return put_varint(at, len);
}

void
stream_frame_begin(struct stream_frame *f)
{
	f->body_len = 0;
	f->records = 0;
}

void
stream_frame_finish(struct stream_frame *f)
{
	free(f->data);
	*f = (struct stream_frame){ 0 };
}

static bool
make_room(struct stream_frame *f, size_t body_len)
{
	size_t size = f->size == 0 ? FIRST_SIZE : f->size;

	while (size < STREAM_FRAME_HEAD + body_len)
		size *= 2;
	if (size == f->size)
		return true;
	uint8_t *data = realloc(f->data, size);
	if (data == NULL)
		return false;
	f->data = data;
	f->size = size;
	return true;
}

enum stream_frame_result
stream_frame_add(struct stream_frame *f, const struct stream_record *r)
{
	size_t view_len = r->view == NULL ? 0 : turunc__v1__ticket_view__get_packed_size(r->view);
	size_t len = number_size(r->seq) + number_size((uint64_t)r->committed_at_us)
		     + (r->event == NULL ? 0 : bytes_size(r->event_len))
		     + (r->view == NULL ? 0 : bytes_size(view_len));
	size_t total = f->body_len + bytes_size(len);

	if (total > STREAM_FRAME_BODY_MAX)
		return STREAM_FRAME_FULL;
	if (!make_room(f, total))
		return STREAM_FRAME_NO_MEMORY;
	uint8_t *at = f->data + STREAM_FRAME_HEAD + f->body_len;
	at = put_bytes_head(at, DELIVER_RECORDS, len);
	at = put_number(at, RECORD_SEQ, r->seq);
	at = put_number(at, RECORD_COMMITTED, (uint64_t)r->committed_at_us);
	if (r->event != NULL) {
		at = put_bytes_head(at, RECORD_EVENT, r->event_len);
		if (r->event_len > 0)
			memcpy(at, r->event, r->event_len);
		at += r->event_len;
	}
	if (r->view != NULL) {
		at = put_bytes_head(at, RECORD_VIEW, view_len);
		at += turunc__v1__ticket_view__pack(r->view, at);
	}
	f->body_len = total;
	assert(at == f->data + STREAM_FRAME_HEAD + total);
	f->records++;
	return STREAM_FRAME_ADDED;
}

const uint8_t *
stream_frame_close(struct stream_frame *f, const struct stream_frame_head *head, size_t *ret_len)
{
	uint8_t written[STREAM_FRAME_HEAD];
	uint8_t fields[STREAM_FRAME_HEAD - 1 - VARINT_MAX];
	size_t log_id_len = strlen(head->log_id);
	uint8_t *at = fields;

	assert(bytes_size(log_id_len) + 3 * (1 + VARINT_MAX) <= sizeof(fields));
	if (!make_room(f, f->body_len))
		return NULL;
	at = put_bytes_head(at, DELIVER_LOG_ID, log_id_len);
	memcpy(at, head->log_id, log_id_len);
	at += log_id_len;
	at = put_number(at, DELIVER_EPOCH, head->epoch);
	at = put_number(at, DELIVER_AFTER, head->after_seq);
	at = put_number(at, DELIVER_THROUGH, head->through_seq);
	size_t fields_len = (size_t)(at - fields);
	uint8_t *end = put_bytes_head(written, SERVER_FRAME_DELIVER, fields_len + f->body_len);
	memcpy(end, fields, fields_len);
	size_t head_len = (size_t)(end - written) + fields_len;
	uint8_t *start = f->data + STREAM_FRAME_HEAD - head_len;
	memcpy(start, written, head_len);
	*ret_len = head_len + f->body_len;
	return start;
}
