/* Turns a sealed item into a message of the spool, and a message back into the item. */
#include "spooled_item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SPOOLED_EVENT_MIN = 1 };

/* The texts of both sides.  The message has "" where the item has no text. */
static const struct {
	size_t in_item;
	size_t in_message;
	bool always; /* the item's is never NULL */
} texts[] = {
#define TEXT(member, always)                                                                     \
	{                                                                                        \
		offsetof(struct item, member), offsetof(Turunc__V1__SpooledItem, member), always \
	}
	TEXT(client, true),
	TEXT(source, true),
	TEXT(id, false),
	TEXT(kind, false),
	TEXT(language, true),
	TEXT(name, false),
	TEXT(phone, false),
	TEXT(email, false),
	TEXT(description, false),
	TEXT(address, false),
	TEXT(media_url, false),
	TEXT(answers, false),
	TEXT(account_id, false),
	TEXT(device_id, false),
	TEXT(photos, false),
	TEXT(subject_code, true),
	TEXT(call_id, false),
	TEXT(type, true),
	TEXT(call_client, false),
	TEXT(call_queue, false),
	TEXT(call_agent, false),
	TEXT(call_caller, false),
	TEXT(call_disposition, false),
#undef TEXT
};

static char no_text[] = "";

/* Protobuf-c's members are not const, but packing only reads them. */
static ProtobufCBinaryData
lend(const void *bytes, size_t len)
{
	union {
		const void *in;
		uint8_t *out;
	} as = { .in = bytes };
	return (ProtobufCBinaryData){ .len = len, .data = as.out };
}

static void
copy_texts(const struct item *item, Turunc__V1__SpooledItem *message)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text;
		memcpy(&text, (const char *)item + texts[i].in_item, sizeof(text));
		if (text == NULL)
			text = no_text;
		memcpy((char *)message + texts[i].in_message, &text, sizeof(text));
	}
}

uint8_t *
spooled_item_encode(const struct item *item, size_t *ret_len)
{
	Turunc__V1__SpooledItem m = TURUNC__V1__SPOOLED_ITEM__INIT;

	copy_texts(item, &m);
	m.identity = lend(item->identity.bytes, DIGEST_BYTES);
	m.channel = item->channel;
	m.arrived_us = item->arrived_us;
	m.has_position = item->has_position;
	m.latitude = item->latitude;
	m.longitude = item->longitude;
	m.ticket_id = item->ticket_id;
	m.opens = item->opens;
	m.earlier_id = item->earlier_id;
	m.neighbourhood = (char *)lend(item->neighbourhood, 0).data;
	m.information_version = (char *)lend(item->information_version, 0).data;
	m.legal_basis = item->legal_basis;
	m.is_public = item->is_public;
	m.has_body = item->content_type != NULL;
	m.content_type = (char *)lend(m.has_body ? item->content_type : no_text, 0).data;
	m.body = lend(item->body, m.has_body ? item->body_len : 0);
	m.time_us = item->time_us;
	m.item_id = lend(item->item_id.bytes, UUID_BYTES);
	m.citizen_id = lend(item->citizen_id.bytes, UUID_BYTES);
	m.contact_key = (char *)lend(item->contact_key, 0).data;
	m.actor = (char *)lend(item->actor, 0).data;
	m.salt = lend(item->salt, ITEM_SALT_BYTES);
	m.event = lend(item->event, item->event_len);
	m.tells_call = item->tells_call;
	uint8_t *bytes = malloc(turunc__v1__spooled_item__get_packed_size(&m));
	if (bytes != NULL)
		*ret_len = turunc__v1__spooled_item__pack(&m, bytes);
	return bytes;
}

/* --- back --------------------------------------------------------------------------------------
 */

const Turunc__V1__SpooledItem *
spooled_item_message(const struct frame *frame)
{
	const ProtobufCMessage *message = frame_message(frame);

	assert(message->descriptor == &turunc__v1__spooled_item__descriptor);
	return (const Turunc__V1__SpooledItem *)message;
}

static bool
take_bytes(void *to, size_t size, const ProtobufCBinaryData *from)
{
	if (from->len != size)
		return false;
	memcpy(to, from->data, size);
	return true;
}

static bool
take_text(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

static void
take_texts(struct item *item, const Turunc__V1__SpooledItem *message)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text;
		memcpy(&text, (const char *)message + texts[i].in_message, sizeof(text));
		if (text[0] == '\0' && !texts[i].always)
			text = NULL;
		memcpy((char *)item + texts[i].in_item, &text, sizeof(text));
	}
}

static bool
take_sealed(struct item *item, const Turunc__V1__SpooledItem *m)
{
	if (!take_bytes(item->identity.bytes, DIGEST_BYTES, &m->identity)
	    || !take_bytes(item->item_id.bytes, UUID_BYTES, &m->item_id)
	    || !take_bytes(item->citizen_id.bytes, UUID_BYTES, &m->citizen_id)
	    || !take_bytes(item->salt, ITEM_SALT_BYTES, &m->salt)
	    || !take_text(item->neighbourhood, sizeof(item->neighbourhood), m->neighbourhood)
	    || !take_text(item->contact_key, sizeof(item->contact_key), m->contact_key)
	    || !take_text(item->actor, sizeof(item->actor), m->actor)
	    || m->event.len < SPOOLED_EVENT_MIN)
		return false;
	item->event = malloc(m->event.len);
	if (item->event == NULL)
		return false;
	memcpy(item->event, m->event.data, m->event.len);
	item->event_len = m->event.len;
	return true;
}

bool
spooled_item_decode(struct item *item, const Turunc__V1__SpooledItem *m, item_done_fn *done)
{
	item_init(item, done);
	take_texts(item, m);
	item->channel = (int16_t)m->channel;
	item->arrived_us = m->arrived_us;
	item->has_position = m->has_position;
	item->latitude = m->latitude;
	item->longitude = m->longitude;
	item->ticket_id = m->ticket_id;
	item->opens = m->opens;
	item->earlier_id = m->earlier_id;
	item_set_information_version(item, m->information_version);
	item->legal_basis = (int16_t)m->legal_basis;
	item->is_public = m->is_public;
	item->content_type = m->has_body ? m->content_type : NULL;
	item->body = m->body.data;
	item->body_len = m->body.len;
	item->time_us = m->time_us;
	item->tells_call = m->tells_call;
	if (!take_sealed(item, m)) {
		item_finish(item);
		return false;
	}
	item->bytes = item_weight(item);
	return true;
}
