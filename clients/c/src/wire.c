/* Hand-written frames, text checks, checksums, time and chance: what every other file stands on. */
#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "turunc/client.h"

static const char *const outcomes[] = {
	[TURUNC_TAKEN] = "taken",
	[TURUNC_STORED] = "stored",
	[TURUNC_FULL] = "full",
	[TURUNC_TOO_LARGE] = "too large",
	[TURUNC_INVALID] = "invalid",
	[TURUNC_NOT_NOW] = "not now",
	[TURUNC_STORE_FAILED] = "store failed",
	[TURUNC_NO_MEMORY] = "no memory",
};
_Static_assert(sizeof(outcomes) / sizeof(outcomes[0]) == TURUNC_OUTCOMES, "name every outcome");

const char *
turunc_outcome_name(enum turunc_outcome outcome)
{
	return (unsigned)outcome < TURUNC_OUTCOMES ? outcomes[outcome] : "unknown";
}

const char *
turunc_state_name(enum turunc_state state)
{
	static const char *const names[] = { "down", "connecting", "greeting", "ready" };

	return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static size_t
put_varint(uint8_t *to, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

size_t
tc_wire_field(uint8_t *to, unsigned field, size_t len)
{
	to[0] = (uint8_t)(field << 3 | 2);
	return 1 + put_varint(to + 1, len);
}

size_t
tc_wire_head(uint8_t *to, uint64_t request, unsigned field, size_t len)
{
	size_t n = 0;

	to[n++] = 1 << 3; /* request, a varint */
	n += put_varint(to + n, request);
	return n + tc_wire_field(to + n, field, len);
}

/* Length of the well-formed sequence at p, 0 when there is none (overlong, surrogate, cut). */
static size_t
utf8_sequence(const unsigned char *p)
{
	static const struct {
		unsigned char first, last, second_low, second_high;
		size_t len;
	} forms[] = {
		{ 0x01, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (forms[i].len > 1 && (p[1] < forms[i].second_low || p[1] > forms[i].second_high))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

bool
tc_utf8_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p != '\0') {
		size_t len = utf8_sequence(p);
		if (len == 0)
			return false;
		p += len;
	}
	return true;
}

static bool
value_text_valid(const ProtobufCFieldDescriptor *field, const void *value)
{
	const void *pointer;

	if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	memcpy(&pointer, value, sizeof(pointer));
	if (pointer == NULL)
		return true;
	return field->type == PROTOBUF_C_TYPE_STRING ? tc_utf8_valid(pointer)
						     : tc_message_text_valid(pointer);
}

/* No message of this protocol contains itself, so the depth is that of the definitions. */
bool
tc_message_text_valid(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const char *base = (const char *)message;

	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t count;
			const void *const *list;
			if (field->type != PROTOBUF_C_TYPE_STRING
			    && field->type != PROTOBUF_C_TYPE_MESSAGE)
				continue;
			memcpy(&count, base + field->quantifier_offset, sizeof(count));
			memcpy(&list, base + field->offset, sizeof(list));
			for (size_t k = 0; k < count; k++)
				if (!value_text_valid(field, &list[k]))
					return false;
			continue;
		}
		if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
			uint32_t chosen;
			memcpy(&chosen, base + field->quantifier_offset, sizeof(chosen));
			if (chosen != field->id)
				continue;
		}
		if (!value_text_valid(field, base + field->offset))
			return false;
	}
	return true;
}

uint32_t
tc_crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;

	/* Four bits a step from a table of sixteen: small, and far faster than the disk. */
	static const uint32_t nibbles[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6,
		0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return ~crc;
}

uint64_t
tc_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The kernel's generator is ready long before any client starts; should it fail all the same,
 * the clock still keeps ids of one process apart. */
static void
random_bytes(void *to, size_t len)
{
	if (getrandom(to, len, 0) == (ssize_t)len)
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)((uint64_t)now.tv_nsec >> (i % 4 * 8));
}

uint32_t
tc_random_below(uint32_t bound)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return bound == 0 ? 0 : value % bound;
}

void
turunc_uuid(char ret[TURUNC_UUID_SIZE])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(ret, TURUNC_UUID_SIZE,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
}
