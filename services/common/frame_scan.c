/* Walks over encoded messages without unpacking them. */
#include "frame.h"
#include "utf8.h"

enum wire { WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_GROUP_BEGIN, WIRE_GROUP_END, WIRE_FIXED32 };
enum { VARINT_BITS = 7, NUMBER_BYTES_MAX = 10, TAG_SHIFT = 3, TAG_MAX = (1 << 29) - 1 };
/* Of a tag and of a length, however small their value: readers take no longer ones. */
enum { HEAD_BYTES_MAX = 5 };

struct span {
	const uint8_t *at, *end;
};

static bool scan_message(const ProtobufCMessageDescriptor *type, struct span span, int depth);

static bool
take_varint(struct span *span, int bytes_max, uint64_t *ret_value)
{
	*ret_value = 0;
	for (int i = 0; i < bytes_max && span->at < span->end; i++) {
		uint8_t byte = *span->at++;
		*ret_value |= (uint64_t)(byte & 0x7f) << (VARINT_BITS * i);
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool
take_bytes(struct span *span, uint64_t len, struct span *ret_part)
{
	if (len > (uint64_t)(span->end - span->at))
		return false;
	*ret_part = (struct span){ span->at, span->at + len };
	span->at += len;
	return true;
}

static enum wire
wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_FIXED32;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:
		return WIRE_VARINT;
	}
}

/* Numbers one behind another. */
static bool
scan_packed(enum wire wire, struct span part)
{
	size_t width = wire == WIRE_FIXED64 ? 8 : 4;
	uint64_t value;

	if (wire != WIRE_VARINT)
		return (size_t)(part.end - part.at) % width == 0;
	while (part.at < part.end)
		if (!take_varint(&part, NUMBER_BYTES_MAX, &value))
			return false;
	return true;
}

/* ASCII, as nearly every text is: looked at without a branch a byte. */
static bool
is_plain(struct span part)
{
	unsigned odd = 0;

	for (; part.at < part.end; part.at++)
		odd |= (unsigned)(*part.at == 0) | (*part.at & 0x80u);
	return odd == 0;
}

static bool
scan_part(const ProtobufCFieldDescriptor *field, struct span part, int depth)
{
	size_t len = (size_t)(part.end - part.at);

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return is_plain(part) || utf8_valid((const char *)part.at, len);
	case PROTOBUF_C_TYPE_BYTES:
		return true;
	case PROTOBUF_C_TYPE_MESSAGE:
		return scan_message(field->descriptor, part, depth + 1);
	default:
		return field->label == PROTOBUF_C_LABEL_REPEATED
		       && scan_packed(wire_of(field->type), part);
	}
}

static bool
scan_field(const ProtobufCMessageDescriptor *type, struct span *span, int depth)
{
	struct span part;
	uint64_t tag, value;

	if (!take_varint(span, HEAD_BYTES_MAX, &tag) || tag >> TAG_SHIFT == 0
	    || tag >> TAG_SHIFT > TAG_MAX)
		return false;
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
	    type, (unsigned)(tag >> TAG_SHIFT));
	enum wire wire = (enum wire)(tag & 7);
	if (field != NULL && wire != WIRE_BYTES && wire != wire_of(field->type))
		return false;
	switch (wire) {
	case WIRE_VARINT:
		return take_varint(span, NUMBER_BYTES_MAX, &value);
	case WIRE_FIXED64:
		return take_bytes(span, 8, &part);
	case WIRE_FIXED32:
		return take_bytes(span, 4, &part);
	case WIRE_BYTES:
		return take_varint(span, HEAD_BYTES_MAX, &value) && take_bytes(span, value, &part)
		       && (field == NULL || scan_part(field, part, depth));
	default:
		return false;
	}
}

static bool
scan_message(const ProtobufCMessageDescriptor *type, struct span span, int depth)
{
	if (depth > FRAME_MAX_DEPTH)
		return false;
	while (span.at < span.end)
		if (!scan_field(type, &span, depth))
			return false;
	return true;
}

bool
frame_readable(const ProtobufCMessageDescriptor *type, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	return len == 0
	       || (len <= FRAME_EVENT_MAX_BYTES
		   && scan_message(type, (struct span){ bytes, bytes + len }, 1));
}
