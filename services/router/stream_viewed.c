/* Notes who is shown tickets of a special category, before they are. */
#include "stream_viewed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "log.h"

enum { EVENT_BYTES_MAX = 512 };

/* Sorted ids. */
struct noted {
	size_t count;
	int64_t ids[];
};

static int
compare_ids(const void *a, const void *b)
{
	int64_t left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left < right ? -1 : left > right;
}

bool
stream_look_is_new(const struct reader *r, enum reader_door door, const struct acl_client *rights,
    const struct view_ticket *ticket, enum view_cut cut, bool special)
{
	const struct noted *noted = r->noted[door];

	if (!special || cut != VIEW_WHOLE || (rights->verbs & ACL_INTERNAL) != 0)
		return false;
	return noted == NULL
	       || bsearch(&ticket->ticket_id, noted->ids, noted->count, sizeof(noted->ids[0]),
		      compare_ids)
		      == NULL;
}

void
stream_looks_add(struct looks *looks, const struct view_ticket *ticket)
{
	if (looks->count == LOOKS_MAX)
		return;
	looks->at[looks->count++] = (struct look){ .ticket_id = ticket->ticket_id,
		.version = ticket->version,
		.department = ticket->department,
		.subject_code = ticket->subject_code };
}

void
stream_looks_forget(struct reader *r)
{
	for (size_t door = 0; door < READER_DOORS; door++) {
		free(r->noted[door]);
		r->noted[door] = NULL;
	}
}

/* --- the question ----------------------------------------------------------------------------- */

struct looks_question {
	struct stream *stream;
	struct reader *reader;
	enum reader_door door;
	struct noted *noted;
};

static void
on_noted(void *arg, const struct db_reply *reply)
{
	struct looks_question *q = arg;
	struct stream *s = q->stream;
	struct reader *r = q->reader;
	bool ok = reply->outcome == DB_COMMITTED;

	stream_unit_done(s, reply);
	if (ok) {
		stats_add(s->stats, STREAM_STAT_LOOKS, q->noted->count);
		free(r->noted[q->door]);
		r->noted[q->door] = q->noted;
	} else {
		free(q->noted);
		stream_retry_soon(s);
	}
	if (q->door == READER_DOOR_SNAPSHOT)
		snapshot_noted(r, ok);
	else if (r->state == READER_LIVE && r->place == READER_NOTING)
		reader_enter(r, ok ? READER_READY : READER_RESTING);
	reader_release(r);
	free(q);
	stream_run(s);
}

static void
add_event(struct stream *s, struct db_array *events, const struct reader *r,
    const struct look *look, enum reader_door door)
{
	static const Turunc__V1__TicketViewed no_view = TURUNC__V1__TICKET_VIEWED__INIT;
	static const Turunc__V1__Event empty = TURUNC__V1__EVENT__INIT;
	Turunc__V1__TicketViewed viewed = no_view;
	Turunc__V1__Event event = empty;
	char id_text[UUID_TEXT_SIZE], number[NUMBER_SIZE] = "", actor[ACL_NAME_BYTES + 8];
	uint8_t packed[EVENT_BYTES_MAX];
	struct uuid id;
	int64_t now_us = clock_now_us();

	uuid_next(&s->ids, now_us, &id);
	uuid_format(&id, id_text);
	if (!number_format(look->ticket_id, number))
		number[0] = '\0';
	(void)snprintf(actor, sizeof(actor), "client:%s", r->client);
	viewed.door = frame_lend(door == READER_DOOR_SNAPSHOT ? "snapshot" : "stream");
	viewed.subject_code = frame_lend(look->subject_code);
	viewed.department = frame_lend(look->department);
	viewed.version = look->version;
	event.id = id_text;
	event.source = frame_lend("router");
	event.type = frame_lend("ticket.viewed");
	event.time_us = now_us;
	event.subject = number;
	event.actor = actor;
	event.body_case = TURUNC__V1__EVENT__BODY_VIEWED;
	event.viewed = &viewed;
	/* A code is 64 bytes at most; a longer one is nobody's. */
	if (turunc__v1__event__get_packed_size(&event) > sizeof(packed))
		viewed.subject_code = frame_lend("");
	size_t len = turunc__v1__event__pack(&event, packed);
	db_array_bytea(events, packed, len);
}

static int
compare_looks(const void *a, const void *b)
{
	const struct look *left = a, *right = b;

	return left->ticket_id < right->ticket_id ? -1 : left->ticket_id > right->ticket_id;
}

/* By ticket, each once. */
static void
sort_looks(struct looks *looks)
{
	size_t kept = 0;

	qsort(looks->at, looks->count, sizeof(looks->at[0]), compare_looks);
	for (size_t i = 0; i < looks->count; i++)
		if (kept == 0 || looks->at[kept - 1].ticket_id != looks->at[i].ticket_id)
			looks->at[kept++] = looks->at[i];
	looks->count = kept;
}

static struct db_unit *
make_unit(struct reader *r, enum reader_door door, const struct looks *looks)
{
	struct stream *s = r->stream;
	struct db_unit *unit = db_unit_create(s->in.writer);

	db_unit_add(unit, STORE_STREAM_NOTE);
	db_add_int8(unit, clock_now_us());
	db_add_text(unit, r->client);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < looks->count; i++)
		db_array_int8(tickets, looks->at[i].ticket_id);
	struct db_array *departments = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < looks->count; i++)
		db_array_text(departments, looks->at[i].department);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < looks->count; i++)
		add_event(s, events, r, &looks->at[i], door);
	return unit;
}

bool
stream_looks_note(struct reader *r, enum reader_door door, struct looks *looks)
{
	struct stream *s = r->stream;
	struct looks_question *q = calloc(1, sizeof(*q));
	struct noted *noted = malloc(sizeof(*noted) + looks->count * sizeof(noted->ids[0]));

	if (q == NULL || noted == NULL) {
		free(q);
		free(noted);
		stream_retry_soon(s);
		return false;
	}
	sort_looks(looks);
	noted->count = looks->count;
	for (size_t i = 0; i < looks->count; i++)
		noted->ids[i] = looks->at[i].ticket_id;
	*q = (struct looks_question){ s, r, door, noted };
	if (!stream_submit_to(s, s->in.writer, make_unit(r, door, looks), on_noted, q)) {
		free(noted);
		free(q);
		stream_retry_soon(s);
		return false;
	}
	reader_hold(r);
	return true;
}
