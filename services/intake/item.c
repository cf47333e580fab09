/* Seals inbound items: identifiers, salted digest of what was said, and the record of the log. */
#include "item.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "number.h"
#include "turunc/v1/event.pb-c.h"

enum { ITEM_FIXED_BYTES = 300 }; /* what every item weighs in a batch beside its texts */

void
item_init(struct item *item, item_done_fn *done)
{
	*item = (struct item){
		.done = done, .client = "", .source = "", .subject_code = "", .language = "tr"
	};
}

bool
item_keeps_files(const struct item *item, enum item_outcome outcome)
{
	return outcome == ITEM_ACCEPTED || outcome == ITEM_SPOOLED || item->perhaps_kept;
}

static void
set_code(char to[ITEM_CODE_BYTES], const char *code)
{
	size_t len = code == NULL ? 0 : strlen(code);

	if (len >= ITEM_CODE_BYTES)
		len = 0;
	if (len > 0)
		memcpy(to, code, len);
	to[len] = '\0';
}

void
item_set_neighbourhood(struct item *item, const char *code)
{
	set_code(item->neighbourhood, code);
}

void
item_set_information_version(struct item *item, const char *version)
{
	set_code(item->information_version, version);
}

void
item_finish(struct item *item)
{
	free(item->event);
	item->event = NULL;
}

void
item_identity_begin(const struct item_maker *maker, struct digest_keyed *d)
{
	digest_keyed_init(d, maker->secret, maker->secret_len);
}

/* Asking the kernel for every salt costs more than the digest it is for. */
static void
draw_random(struct item_maker *maker, uint8_t *to, size_t len)
{
	if (maker->random_left < len) {
		randombytes_buf(maker->random, sizeof(maker->random));
		maker->random_left = sizeof(maker->random);
	}
	maker->random_left -= len;
	memcpy(to, maker->random + maker->random_left, len);
	sodium_memzero(maker->random + maker->random_left, len);
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* The person's texts, in the order they are digested and weighed. */
enum { SAID_TEXTS = 10, SAID_FIRST_TEXTS = 9 };
static void
said(const struct item *item, const char *ret_texts[SAID_TEXTS])
{
	ret_texts[0] = or_empty(item->name);
	ret_texts[1] = or_empty(item->phone);
	ret_texts[2] = or_empty(item->email);
	ret_texts[3] = or_empty(item->description);
	ret_texts[4] = or_empty(item->address);
	ret_texts[5] = or_empty(item->media_url);
	ret_texts[6] = or_empty(item->answers);
	ret_texts[7] = or_empty(item->account_id);
	ret_texts[8] = or_empty(item->device_id);
	ret_texts[9] = or_empty(item->photos);
}

/*
 * BLAKE2b-256 keyed with the row's salt over what stands in the erasable rows, each part with its
 * length: the first nine texts as above, the position as two little-endian doubles (or nothing),
 * the body, and the photos when there are any.
 */
static void
digest_content(const struct item *item, struct digest *ret_digest)
{
	struct digest_keyed d;
	const char *texts[SAID_TEXTS];
	double position[2] = { item->latitude, item->longitude };

	digest_keyed_init(&d, item->salt, sizeof(item->salt));
	said(item, texts);
	for (size_t i = 0; i < SAID_FIRST_TEXTS; i++)
		digest_keyed_add_part(&d, texts[i], strlen(texts[i]));
	digest_keyed_add_part(&d, position, item->has_position ? sizeof(position) : 0);
	digest_keyed_add_part(&d, item->body_len == 0 ? "" : item->body, item->body_len);
	if (item->photos != NULL)
		digest_keyed_add_part(&d, item->photos, strlen(item->photos));
	digest_keyed_finish(&d, ret_digest);
}

size_t
item_weight(const struct item *item)
{
	const char *texts[SAID_TEXTS];
	size_t bytes = ITEM_FIXED_BYTES + item->body_len + item->event_len
		       + strlen(item->contact_key) + strlen(or_empty(item->id))
		       + strlen(item->source);

	said(item, texts);
	for (size_t i = 0; i < SAID_TEXTS; i++)
		bytes += strlen(texts[i]);
	return bytes;
}

static bool
pack(struct item *item, Turunc__V1__Event *event)
{
	char event_id[UUID_TEXT_SIZE], number[NUMBER_SIZE], traceparent[TRACE_SIZE];

	uuid_format(&item->item_id, event_id);
	trace_parent(item->traceparent, item->trace_random, traceparent);
	event->id = event_id;
	event->source = frame_lend("intake");
	event->type = frame_lend(item->type);
	event->time_us = item->time_us;
	event->actor = item->actor;
	event->traceparent = traceparent;
	event->subject = item->ticket_id != 0 && number_format(item->ticket_id, number)
			     ? number
			     : frame_lend(NULL);
	size_t len = turunc__v1__event__get_packed_size(event);
	item->event = malloc(len);
	if (item->event == NULL)
		return false;
	item->event_len = turunc__v1__event__pack(event, item->event);
	return true;
}

static bool
pack_opened(
    struct item *item, Turunc__V1__Event *event, ProtobufCBinaryData digest, char *contact_id)
{
	Turunc__V1__TicketOpened opened = TURUNC__V1__TICKET_OPENED__INIT;
	char earlier[NUMBER_SIZE];

	opened.channel = (Turunc__V1__Channel)item->channel;
	opened.subject_code = frame_lend(item->subject_code);
	opened.neighbourhood = frame_lend(item->neighbourhood);
	opened.contact_id = contact_id;
	opened.legal_basis = (Turunc__V1__LegalBasis)item->legal_basis;
	opened.arrived_us = item->arrived_us;
	opened.language = frame_lend(item->language);
	opened.content_digest = digest;
	opened.client = frame_lend(item->client);
	opened.inbound_id = frame_lend(item->id);
	opened.version = 1;
	opened.call_id = frame_lend(item->call_id);
	opened.department = frame_lend(item->department);
	opened.told_before = item->told_before;
	if (item->earlier_id != 0 && number_format(item->earlier_id, earlier))
		opened.follows = earlier;
	event->body_case = TURUNC__V1__EVENT__BODY_OPENED;
	event->opened = &opened;
	return pack(item, event);
}

static bool
pack_call(struct item *item, Turunc__V1__Event *event)
{
	Turunc__V1__CallStep step = TURUNC__V1__CALL_STEP__INIT;
	char number[NUMBER_SIZE];

	step.call_id = frame_lend(item->call_id);
	step.queue = frame_lend(item->call_queue);
	step.agent = frame_lend(item->call_agent);
	step.at_us = item->time_us;
	step.disposition = frame_lend(item->call_disposition);
	if (item->ticket_id != 0 && number_format(item->ticket_id, number))
		step.ticket = number;
	event->body_case = TURUNC__V1__EVENT__BODY_CALL;
	event->call = &step;
	return pack(item, event);
}

static bool
pack_survey(struct item *item, Turunc__V1__Event *event)
{
	Turunc__V1__SurveyStep step = TURUNC__V1__SURVEY_STEP__INIT;

	step.survey_id = frame_lend(item->survey_id);
	step.score = (uint32_t)item->survey_score;
	step.solved = item->survey_solved;
	step.not_solved = item->survey_not_solved;
	step.channel = (Turunc__V1__Channel)item->channel;
	event->body_case = TURUNC__V1__EVENT__BODY_SURVEY;
	event->survey = &step;
	return pack(item, event);
}

static bool
pack_contact(
    struct item *item, Turunc__V1__Event *event, ProtobufCBinaryData digest, char *contact_id)
{
	Turunc__V1__ContactRecorded contact = TURUNC__V1__CONTACT_RECORDED__INIT;

	contact.contact_id = contact_id;
	contact.channel = (Turunc__V1__Channel)item->channel;
	contact.kind = frame_lend(item->kind);
	contact.content_digest = digest;
	contact.client = frame_lend(item->client);
	event->body_case = TURUNC__V1__EVENT__BODY_CONTACT;
	event->contact = &contact;
	return pack(item, event);
}

static bool
pack_foreign(struct item *item, Turunc__V1__Event *event, ProtobufCBinaryData digest)
{
	Turunc__V1__Foreign foreign = TURUNC__V1__FOREIGN__INIT;

	foreign.client = frame_lend(item->client);
	foreign.event_source = frame_lend(item->source);
	foreign.event_type = frame_lend(item->type);
	foreign.event_id = frame_lend(item->id);
	foreign.content_type = frame_lend(item->content_type);
	foreign.content_digest = digest;
	foreign.size_bytes = item->body_len;
	event->body_case = TURUNC__V1__EVENT__BODY_FOREIGN;
	event->foreign = &foreign;
	item->type = "foreign";
	return pack(item, event);
}

static void
make_contact_key(struct item *item, struct uuid_source *uuids, int64_t now_us)
{
	const char *scheme = item->phone != NULL ? "tel:" : "mailto:";
	const char *address = item->phone != NULL ? item->phone : item->email;

	item->contact_key[0] = '\0';
	if (item->kind == NULL || address == NULL)
		return;
	int len = snprintf(item->contact_key, sizeof(item->contact_key), "%s%s", scheme, address);
	assert(len > 0 && (size_t)len < sizeof(item->contact_key));
	if (item->phone == NULL) /* one mailbox, however its address was typed */
		for (char *c = item->contact_key; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
	uuid_next(uuids, now_us, &item->citizen_id);
}

bool
item_seal(struct item *item, struct item_maker *maker, int64_t now_us)
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	struct digest digest;
	char contact_id[UUID_TEXT_SIZE];
	bool packed;

	assert(item->done != NULL && item->type != NULL && item->time_us > 0);
	if (uuid_is_nil(&item->item_id))
		uuid_next(&maker->uuids, now_us, &item->item_id);
	uuid_format(&item->item_id, contact_id);
	draw_random(maker, item->salt, sizeof(item->salt));
	draw_random(maker, item->trace_random, sizeof(item->trace_random));
	make_contact_key(item, &maker->uuids, now_us);
	if (item->user != NULL)
		(void)snprintf(item->actor, sizeof(item->actor), "user:%s", item->user);
	else
		(void)snprintf(item->actor, sizeof(item->actor), "%s%s",
		    item->client[0] == '\0' ? "citizen" : "client:", item->client);
	digest_content(item, &digest);
	ProtobufCBinaryData content_digest = { .len = DIGEST_BYTES, .data = digest.bytes };

	if (item->opens)
		packed = pack_opened(item, &event, content_digest, contact_id);
	else if (item->tells_call)
		packed = pack_call(item, &event);
	else if (item->survey_id != NULL)
		packed = pack_survey(item, &event);
	else if (item->kind != NULL)
		packed = pack_contact(item, &event, content_digest, contact_id);
	else
		packed = pack_foreign(item, &event, content_digest);
	item->bytes = item_weight(item);
	return packed;
}
