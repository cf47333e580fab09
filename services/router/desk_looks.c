/* Writes down which person is shown tickets of a special category, before they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_visit.h"
#include "frame.h"
#include "log.h"
#include "number.h"
#include "store.h"
#include "turunc/v1/event.pb-c.h"

enum { EVENT_BYTES_MAX = 512 };

static void
add_event(struct desk *d, struct db_array *events, const char *actor, const char *door,
    const struct desk_look *look, int64_t now_us)
{
	Turunc__V1__TicketViewed viewed = TURUNC__V1__TICKET_VIEWED__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	char id_text[UUID_TEXT_SIZE], number[NUMBER_SIZE];
	uint8_t packed[EVENT_BYTES_MAX];
	struct uuid id;

	uuid_next(d->world.ids, now_us, &id);
	uuid_format(&id, id_text);
	if (!number_format(look->ticket_id, number))
		number[0] = '\0';
	viewed.door = frame_lend(door);
	viewed.subject_code = frame_lend(look->subject_code);
	viewed.department = frame_lend(look->department);
	viewed.version = look->version;
	event.id = id_text;
	event.source = frame_lend("router");
	event.type = frame_lend("ticket.viewed");
	event.time_us = now_us;
	event.subject = number;
	event.actor = frame_lend(actor);
	event.body_case = TURUNC__V1__EVENT__BODY_VIEWED;
	event.viewed = &viewed;
	/* A code is 64 bytes at most; a longer one is nobody's. */
	if (turunc__v1__event__get_packed_size(&event) > sizeof(packed))
		viewed.subject_code = frame_lend("");
	db_array_bytea(events, packed, turunc__v1__event__pack(&event, packed));
}

struct question {
	struct visit *visit;
	desk_noted_fn *noted;
	size_t count;
};

static void
on_noted(void *arg, const struct db_reply *reply)
{
	struct question *q = arg;
	struct desk *d = q->visit->desk;
	bool ok = reply->outcome == DB_COMMITTED;

	if (ok)
		stats_add(d->stats, DESK_STAT_LOOKS, q->count);
	else
		log_warn("a look could not be noted, so nothing is shown user=%s sqlstate=%s",
		    q->visit->who.name, reply->sqlstate);
	q->noted(q->visit, ok);
	free(q);
}

void
desk_note_looks(struct visit *v, const char *door, const struct desk_look looks[], size_t count,
    desk_noted_fn *noted)
{
	struct desk *d = v->desk;
	char actor[ASKER_ACTOR_BYTES];
	int64_t now_us = clock_now_us();

	if (count == 0) {
		noted(v, true);
		return;
	}
	struct question *q = malloc(sizeof(*q));
	if (q == NULL) {
		noted(v, false);
		return;
	}
	*q = (struct question){ v, noted, count };
	asker_actor(&v->who, actor);
	struct db_unit *unit = db_unit_create(d->world.writer);
	db_unit_add(unit, STORE_STREAM_NOTE);
	db_add_int8(unit, now_us);
	db_add_text(unit, actor);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < count; i++)
		db_array_int8(tickets, looks[i].ticket_id);
	struct db_array *departments = db_add_array(unit, DB_TEXT);
	for (size_t i = 0; i < count; i++)
		db_array_text(departments, looks[i].department);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < count; i++)
		add_event(d, events, actor, door, &looks[i], now_us);
	if (db_submit(d->world.writer, unit, on_noted, q))
		return;
	db_unit_destroy(unit);
	free(q);
	noted(v, false);
}
