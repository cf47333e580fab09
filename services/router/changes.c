/* Collects what a transaction writes. */
#include "changes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "changes_internal.h"
#include "db_result.h"
#include "store.h"
#include "trace.h"

struct changes *
changes_create(void)
{
	return calloc(1, sizeof(struct changes));
}

void
changes_destroy(struct changes *ch)
{
	if (ch == NULL)
		return;
	for (size_t i = 0; i < ch->record_count; i++)
		free(ch->records[i].event);
	for (size_t i = 0; i < ch->text_count; i++)
		free(ch->texts[i].body);
	free(ch->tickets);
	free(ch->names);
	free(ch->records);
	free(ch->hops);
	free(ch->texts);
	free(ch->photos);
	free(ch->answers);
	free(ch);
}

bool
changes_ok(const struct changes *ch)
{
	return !ch->failed;
}

/* --- tickets ---------------------------------------------------------------------------------- */

static int
by_id(const void *a, const void *b)
{
	const struct changes_name *x = a, *y = b;
	return x->asked_id < y->asked_id ? -1 : x->asked_id > y->asked_id;
}

static int
by_ticket(const void *a, const void *b)
{
	const struct ticket *x = a, *y = b;
	return x->ticket_id < y->ticket_id ? -1 : x->ticket_id > y->ticket_id;
}

/* The same ticket may stand in several rows, and is read from each: they say the same. */
void
changes_load(struct changes *ch, const struct pg_result *rows)
{
	size_t count = (size_t)db_rows(rows), found = 0;

	ch->tickets = calloc(count + 1, sizeof(*ch->tickets));
	ch->names = calloc(count + 1, sizeof(*ch->names));
	if (ch->tickets == NULL || ch->names == NULL) {
		ch->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (db_is_null(rows, (int)i, TICKET_ID))
			continue;
		ticket_read(&ch->tickets[found], rows, (int)i);
		ch->names[found] = (struct changes_name){
			.asked_id = db_get_int(rows, (int)i, TICKET_ASKED),
			.ticket_id = ch->tickets[found].ticket_id,
		};
		found++;
	}
	ch->name_count = found;
	qsort(ch->names, found, sizeof(*ch->names), by_id);
	qsort(ch->tickets, found, sizeof(*ch->tickets), by_ticket);
	for (size_t i = 0; i < found; i++)
		if (i == 0
		    || ch->tickets[i].ticket_id != ch->tickets[ch->ticket_count - 1].ticket_id)
			ch->tickets[ch->ticket_count++] = ch->tickets[i];
}

struct ticket *
changes_ticket(struct changes *ch, int64_t asked_id)
{
	const struct changes_name asked = { .asked_id = asked_id };
	const struct changes_name *name = ch->names == NULL
					      ? NULL
					      : bsearch(&asked, ch->names, ch->name_count,
						  sizeof(asked), by_id);

	if (name == NULL)
		return NULL;
	const struct ticket key = { .ticket_id = name->ticket_id };
	return bsearch(&key, ch->tickets, ch->ticket_count, sizeof(key), by_ticket);
}

size_t
changes_ticket_count(const struct changes *ch)
{
	return ch->ticket_count;
}

/* --- what goes with them ---------------------------------------------------------------------- */

/* The array with room for one more, zeroed, at count; NULL: out of memory, remembered. */
static void *
room_for(struct changes *ch, void *items, size_t count, size_t *room, size_t size)
{
	enum { FIRST_ROOM = 16 };

	if (count == *room) {
		size_t wanted = *room == 0 ? FIRST_ROOM : *room * 2;
		items = reallocarray(items, wanted, size);
		if (items == NULL) {
			ch->failed = true;
			return NULL;
		}
		*room = wanted;
	}
	memset((char *)items + size * count, 0, size);
	return items;
}

static struct changes_record *
add_record(struct changes *ch)
{
	struct changes_record *all = room_for(
	    ch, ch->records, ch->record_count, &ch->record_room, sizeof(*all));
	if (all == NULL)
		return NULL;
	ch->records = all;
	return &all[ch->record_count++];
}

static struct changes_hop *
add_hop(struct changes *ch)
{
	struct changes_hop *all = room_for(
	    ch, ch->hops, ch->hop_count, &ch->hop_room, sizeof(*all));
	if (all == NULL)
		return NULL;
	ch->hops = all;
	return &all[ch->hop_count++];
}

static struct changes_text *
add_text(struct changes *ch)
{
	struct changes_text *all = room_for(
	    ch, ch->texts, ch->text_count, &ch->text_room, sizeof(*all));
	if (all == NULL)
		return NULL;
	ch->texts = all;
	return &all[ch->text_count++];
}

void
changes_record(struct changes *ch, const struct ticket *ticket, Turunc__V1__Event *event,
    const char *previous_department, struct uuid_source *ids, int64_t now_us)
{
	static char source[] = "router";
	struct changes_record *record = add_record(ch);
	char id_text[UUID_TEXT_SIZE], number[NUMBER_SIZE], trace[TRACE_SIZE];
	struct uuid id;

	if (record == NULL)
		return;
	uuid_next(ids, now_us, &id);
	uuid_format(&id, id_text);
	memcpy(number, ticket->number, sizeof(number));
	event->id = id_text;
	if (!trace_valid(event->traceparent)) {
		trace_begin(&id, trace);
		event->traceparent = trace;
	}
	event->source = source;
	event->time_us = now_us;
	event->subject = number;
	record->ticket_id = ticket->ticket_id;
	ticket_copy_code(record->department, ticket->department);
	ticket_copy_code(record->previous_department, previous_department);
	(void)snprintf(record->type, sizeof(record->type), "%s", event->type);
	(void)snprintf(record->actor, sizeof(record->actor), "%s", event->actor);
	record->event_len = turunc__v1__event__get_packed_size(event);
	record->event = malloc(record->event_len);
	if (record->event == NULL)
		ch->failed = true;
	else
		turunc__v1__event__pack(event, record->event);
}

void
changes_hop(struct changes *ch, const struct ticket *ticket, const char *from, const char *reason,
    const char *actor, int64_t now_us)
{
	struct changes_hop *hop = add_hop(ch);

	if (hop == NULL)
		return;
	hop->ticket_id = ticket->ticket_id;
	hop->version = ticket->version;
	ticket_copy_code(hop->from, from);
	ticket_copy_code(hop->to, ticket->department);
	ticket_copy_code(hop->reason, reason);
	(void)snprintf(hop->actor, sizeof(hop->actor), "%s", actor);
	hop->at_us = now_us;
}

void
changes_text(struct changes *ch, const struct ticket *ticket, const char *kind, const char *actor,
    const char *body, struct uuid_source *ids, int64_t now_us, struct uuid *ret_id,
    struct digest *ret_digest)
{
	struct changes_text *text = add_text(ch);
	struct digest_keyed keyed;

	uuid_next(ids, now_us, ret_id);
	if (text == NULL)
		return;
	text->id = *ret_id;
	text->ticket_id = ticket->ticket_id;
	text->version = ticket->version;
	text->kind = kind;
	(void)snprintf(text->actor, sizeof(text->actor), "%s", actor);
	text->body = strdup(body);
	if (text->body == NULL)
		ch->failed = true;
	randombytes_buf(text->salt, sizeof(text->salt));
	digest_keyed_init(&keyed, text->salt, sizeof(text->salt));
	digest_keyed_add_part(&keyed, body, strlen(body));
	digest_keyed_finish(&keyed, ret_digest);
	text->at_us = now_us;
}

void
changes_photos(struct changes *ch, const struct ticket *ticket, enum changes_photo_origin origin,
    const struct uuid *owner, const char *actor, const struct attachment photos[], size_t count,
    int64_t now_us)
{
	for (size_t i = 0; i < count; i++) {
		struct changes_photo *all = room_for(
		    ch, ch->photos, ch->photo_count, &ch->photo_room, sizeof(*all));
		if (all == NULL)
			return;
		ch->photos = all;
		struct changes_photo *photo = &all[ch->photo_count++];
		photo->owner = *owner;
		photo->place = (int)i + 1;
		photo->ticket_id = ticket->ticket_id;
		photo->origin = (int)origin;
		(void)snprintf(photo->actor, sizeof(photo->actor), "%s", actor);
		photo->file = photos[i];
		photo->type = (int)photos[i].type;
		photo->bytes = photos[i].bytes;
		photo->width = (int32_t)photos[i].width;
		photo->height = (int32_t)photos[i].height;
		photo->at_us = now_us;
	}
}

void
changes_answer(struct changes *ch, const struct changes_answer *answer)
{
	struct changes_answer *all = room_for(
	    ch, ch->answers, ch->answer_count, &ch->answer_room, sizeof(*all));
	if (all == NULL)
		return;
	ch->answers = all;
	all[ch->answer_count++] = *answer;
}

void
changes_trace(const struct changes *ch, const char *stage)
{
	for (size_t i = 0; i < ch->record_count; i++)
		trace_log_packed(stage, ch->records[i].event, ch->records[i].event_len,
		    "department=%s", ch->records[i].department);
}

size_t
changes_records(const struct changes *ch)
{
	return ch->record_count;
}

bool
changes_empty(const struct changes *ch)
{
	for (size_t i = 0; i < ch->ticket_count; i++)
		if (ch->tickets[i].changed || ch->tickets[i].legal.changed
		    || ch->tickets[i].service.changed)
			return false;
	return ch->record_count == 0 && ch->answer_count == 0;
}
