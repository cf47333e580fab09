/* Unpacks protobuf messages into an arena with a budget and checks every string in them. */
#include "frame.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum {
	/* Memory a message may take: honest small events need up to 15 times their size, hostile
	 * ones (empty texts or messages by the thousand) 33 to 69 times. */
	BUDGET_BASE_BYTES = 8 * 1024,
	BUDGET_FACTOR = 20,
	FIRST_CHUNK_BASE_BYTES = 512,
	FIRST_CHUNK_FACTOR = 3,
	CHUNK_MIN_BYTES = 4096,
};

struct chunk {
	struct chunk *next;
	size_t size, used;
	max_align_t data[];
};

/* Every block is preceded by its size, which is how a string with a NUL inside shows. */
struct block {
	size_t size;
};

struct frame {
	ProtobufCMessage *message;
	struct chunk *chunks;
	size_t memory; /* of all chunks */
	size_t taken, budget;
	bool over_budget, no_memory;
};

/* Where the checker is, for the complaint; a chain on the stack. */
struct place {
	const struct place *parent;
	const ProtobufCFieldDescriptor *field;
	size_t index;
	size_t depth;
};

struct check {
	bool from_arena; /* strings carry their true length */
	bool weigh_events; /* the whole is large enough for one of them to be too large */
	char *where;
};

static enum frame_result check_message(
    const struct check *c, const ProtobufCMessage *message, const struct place *at);

static const struct {
	const char *name;
	const char *text;
} results[] = {
	[FRAME_OK] = { "ok", "ok" },
	[FRAME_TOO_BIG] = { "too_big", "frame over 245760 bytes" },
	[FRAME_EVENT_TOO_BIG] = { "event_too_big", "event over 65536 bytes" },
	[FRAME_UNDECODABLE] = { "undecodable", "not a frame of this protocol" },
	[FRAME_OVER_BUDGET] = { "over_budget", "frame of too many small or empty parts" },
	[FRAME_TOO_DEEP] = { "too_deep", "messages nested too deep" },
	[FRAME_BAD_UTF8] = { "bad_utf8", "text is not valid UTF-8" },
	[FRAME_HAS_NUL] = { "has_nul", "text holds a NUL" },
	[FRAME_NO_MEMORY] = { "no_memory", "no memory, try again" },
};
_Static_assert(ARRAY_LEN(results) == FRAME_RESULTS, "describe every result");

const char *
frame_result_name(enum frame_result result)
{
	return results[result].name;
}

const char *
frame_result_text(enum frame_result result)
{
	return results[result].text;
}

/* --- the arena ------------------------------------------------------------------------------- */

static struct chunk *
chunk_add(struct frame *frame, size_t size)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + size);

	if (chunk == NULL)
		return NULL;
	*chunk = (struct chunk){ .next = frame->chunks, .size = size };
	frame->chunks = chunk;
	frame->memory += sizeof(*chunk) + size;
	return chunk;
}

static void *
arena_alloc(void *arg, size_t size)
{
	struct frame *frame = arg;
	size_t need = (sizeof(struct block) + size + 7) & ~(size_t)7;

	if (size > frame->budget || need > frame->budget - frame->taken) {
		frame->over_budget = true;
		return NULL;
	}
	struct chunk *chunk = frame->chunks;
	if (chunk == NULL || need > chunk->size - chunk->used) {
		size_t size_wanted = frame->memory < CHUNK_MIN_BYTES ? CHUNK_MIN_BYTES
								     : frame->memory;
		chunk = chunk_add(frame, need > size_wanted ? need : size_wanted);
		if (chunk == NULL) {
			frame->no_memory = true;
			return NULL;
		}
	}
	struct block *block = (struct block *)(void *)((char *)chunk->data + chunk->used);
	block->size = size;
	chunk->used += need;
	frame->taken += need;
	return block + 1;
}

/* Everything goes with the arena. */
static void
arena_free(void *arg, void *pointer)
{
	(void)arg;
	(void)pointer;
}

/* --- unpacking -------------------------------------------------------------------------------- */

/* The message, or NULL with the reason. */
static enum frame_result
unpack(struct frame *frame, const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
	ProtobufCAllocator allocator = { arena_alloc, arena_free, frame };

	frame->budget = BUDGET_BASE_BYTES + BUDGET_FACTOR * len;
	if (chunk_add(frame, FIRST_CHUNK_BASE_BYTES + FIRST_CHUNK_FACTOR * len) == NULL)
		return FRAME_NO_MEMORY;
	frame->message = protobuf_c_message_unpack(type, &allocator, len, data);
	if (frame->message != NULL)
		return FRAME_OK;
	if (frame->no_memory)
		return FRAME_NO_MEMORY;
	return frame->over_budget ? FRAME_OVER_BUDGET : FRAME_UNDECODABLE;
}

static bool
is_event(const ProtobufCMessageDescriptor *type)
{
	return type == &turunc__v1__inbound_event__descriptor
	       || type == &turunc__v1__event__descriptor;
}

enum frame_result
frame_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t len,
    struct frame **ret_frame, char where[FRAME_WHERE_BYTES])
{
	bool weigh = len > FRAME_EVENT_MAX_BYTES && type != &turunc__v1__client_frame__descriptor;
	struct check c = { true, weigh, where };

	if (where != NULL)
		where[0] = '\0';
	if (len > FRAME_MAX_BYTES)
		return FRAME_TOO_BIG;
	if (len > FRAME_EVENT_MAX_BYTES && is_event(type))
		return FRAME_EVENT_TOO_BIG;

	struct frame *frame = calloc(1, sizeof(*frame));
	if (frame == NULL)
		return FRAME_NO_MEMORY;
	enum frame_result result = unpack(frame, type, data, len);
	if (result == FRAME_OK)
		result = check_message(&c, frame->message, NULL);
	if (result != FRAME_OK) {
		frame_destroy(frame);
		return result;
	}
	*ret_frame = frame;
	return FRAME_OK;
}

void
frame_destroy(struct frame *frame)
{
	if (frame == NULL)
		return;
	for (struct chunk *chunk = frame->chunks, *next; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(frame);
}

const ProtobufCMessage *
frame_message(const struct frame *frame)
{
	return frame->message;
}

const Turunc__V1__ClientFrame *
frame_client(const struct frame *frame)
{
	assert(frame->message->descriptor == &turunc__v1__client_frame__descriptor);
	return (const Turunc__V1__ClientFrame *)(const void *)frame->message;
}

const Turunc__V1__ServerFrame *
frame_server(const struct frame *frame)
{
	assert(frame->message->descriptor == &turunc__v1__server_frame__descriptor);
	return (const Turunc__V1__ServerFrame *)(const void *)frame->message;
}

size_t
frame_memory(const struct frame *frame)
{
	return sizeof(*frame) + frame->memory;
}

/* --- checking --------------------------------------------------------------------------------- */

static size_t
write_place(const struct place *at, char *where)
{
	size_t used = at->parent == NULL ? 0 : write_place(at->parent, where);
	size_t left = FRAME_WHERE_BYTES - used;
	const char *dot = used > 0 ? "." : "";
	int n = at->field->label == PROTOBUF_C_LABEL_REPEATED
		    ? snprintf(where + used, left, "%s%s[%zu]", dot, at->field->name, at->index)
		    : snprintf(where + used, left, "%s%s", dot, at->field->name);

	/* A path too long is cut; the contract's own are far shorter. */
	return n < 0 || (size_t)n >= left ? FRAME_WHERE_BYTES - 1 : used + (size_t)n;
}

static enum frame_result
complain(const struct check *c, const struct place *at, enum frame_result result)
{
	if (c->where != NULL && at != NULL)
		write_place(at, c->where);
	return result;
}

static enum frame_result
check_text(const struct check *c, const char *text, const struct place *at)
{
	if (text == NULL || text == (const char *)protobuf_c_empty_string)
		return FRAME_OK;
	size_t visible = strlen(text);
	if (c->from_arena) {
		const struct block *block = (const struct block *)(const void *)text - 1;
		if (visible + 1 != block->size)
			return complain(c, at, FRAME_HAS_NUL);
	}
	return utf8_valid(text, visible) ? FRAME_OK : complain(c, at, FRAME_BAD_UTF8);
}

/* One value: a string or a message; other types have nothing to check. */
static enum frame_result
check_value(const struct check *c, const void *value, const struct place *at)
{
	if (at->field->type == PROTOBUF_C_TYPE_STRING)
		return check_text(c, *(char *const *)value, at);
	const ProtobufCMessage *inner = *(ProtobufCMessage *const *)value;
	return inner == NULL ? FRAME_OK : check_message(c, inner, at);
}

static enum frame_result
check_field(const struct check *c, const ProtobufCMessage *message, struct place *at)
{
	const char *base = (const char *)message;
	const ProtobufCFieldDescriptor *field = at->field;
	const char *member = base + field->offset;

	if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
		return FRAME_OK;
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0
	    && *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
		return FRAME_OK;
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return check_value(c, member, at);

	size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
	void *const *values = *(void *const *const *)(const void *)member;
	enum frame_result result = FRAME_OK;
	for (at->index = 0; at->index < count && result == FRAME_OK; at->index++) {
		struct place here = *at;
		result = check_value(c, &values[at->index], &here);
	}
	return result;
}

static enum frame_result
check_message(const struct check *c, const ProtobufCMessage *message, const struct place *at)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	size_t depth = at == NULL ? 1 : at->depth + 1;
	enum frame_result result = FRAME_OK;

	if (depth > FRAME_MAX_DEPTH)
		return complain(c, at, FRAME_TOO_DEEP);
	if (c->weigh_events && is_event(type)
	    && protobuf_c_message_get_packed_size(message) > FRAME_EVENT_MAX_BYTES)
		return complain(c, at, FRAME_EVENT_TOO_BIG);
	/* protobuf-c keeps a field numbered 0, which does not exist, and then refuses what it
	 * packs. */
	for (unsigned i = 0; i < message->n_unknown_fields; i++)
		if (message->unknown_fields[i].tag == 0)
			return complain(c, at, FRAME_UNDECODABLE);
	for (unsigned i = 0; i < type->n_fields && result == FRAME_OK; i++) {
		struct place here = { at, &type->fields[i], 0, depth };
		result = check_field(c, message, &here);
	}
	return result;
}

enum frame_result
frame_check(const ProtobufCMessage *message, size_t *ret_len, char where[FRAME_WHERE_BYTES])
{
	size_t len = protobuf_c_message_get_packed_size(message);
	struct check c = { false, len > FRAME_EVENT_MAX_BYTES, where };

	if (where != NULL)
		where[0] = '\0';
	enum frame_result result = check_message(&c, message, NULL);
	if (result != FRAME_OK)
		return result;
	if (len > FRAME_MAX_BYTES)
		return FRAME_TOO_BIG;
	*ret_len = len;
	return FRAME_OK;
}

/* --- packing ---------------------------------------------------------------------------------- */

static bool
reserve(struct frame_buffer *buffer, size_t len)
{
	if (len <= buffer->size)
		return true;
	size_t size = buffer->size == 0 ? CHUNK_MIN_BYTES : buffer->size;
	while (size < len)
		size *= 2;
	uint8_t *data = realloc(buffer->data, size);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->size = size;
	return true;
}

enum frame_result
frame_pack(
    const ProtobufCMessage *message, struct frame_buffer *buffer, char where[FRAME_WHERE_BYTES])
{
	size_t len;
	enum frame_result result = frame_check(message, &len, where);

	if (result != FRAME_OK)
		return result;
	if (!reserve(buffer, len))
		return FRAME_NO_MEMORY;
	buffer->len = protobuf_c_message_pack(message, buffer->data);
	return FRAME_OK;
}

void
frame_buffer_finish(struct frame_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct frame_buffer){ 0 };
}
