/* Reads one requeued record, the people it concerns, and writes what it missed. */
#include "recalling.h"

#include <stdlib.h>

#include "clock.h"
#include "compose.h"
#include "frame.h"
#include "store.h"
#include "surveying.h"
#include "telling.h"

enum { RETRY_MS = 500 };

struct recalling {
	struct recalling_world world;
	struct telling *telling;
	uint64_t seq; /* of the letter in hand, 0: none */
	struct news news;
	uint64_t retry_at_ms;
	bool stopping;
};

struct recalling *
recalling_create(const struct recalling_world *world)
{
	struct recalling *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->world = *world;
	r->telling = telling_create(world->registry, world->stats, world->ids, world->key);
	if (r->telling == NULL) {
		recalling_destroy(r);
		return NULL;
	}
	return r;
}

void
recalling_destroy(struct recalling *r)
{
	if (r == NULL)
		return;
	news_finish(&r->news);
	telling_destroy(r->telling);
	free(r);
}

/* The letter stays requeued, or somebody has taken care of it. */
static void
let_go(struct recalling *r)
{
	news_finish(&r->news);
	r->seq = 0;
	r->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

static void
give_back(struct recalling *r, enum letter_reason reason)
{
	uint64_t seq = r->seq;

	let_go(r);
	letters_return(r->world.letters, seq, reason, NULL);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct recalling *r = arg;
	uint64_t seq = r->seq;
	bool news = r->news.type != NULL;

	let_go(r);
	if (reply->outcome == DB_COMMITTED) {
		r->retry_at_ms = 0;
		if (news)
			telling_count(r->telling, db_affected(reply->results[0]));
		r->world.on_queued(r->world.arg);
	}
	letters_ended(r->world.letters, seq, reply);
}

/* people and texts are NULL when there is nothing to tell. */
static void
write_news(struct recalling *r, const struct pg_result *people, const struct pg_result *texts)
{
	struct db_unit *unit = db_unit_create(r->world.db);
	int64_t now_us = clock_now_us();

	if (people != NULL) {
		(void)telling_write(r->telling, unit, &r->news, 1, people, texts, NULL, now_us);
		surveying_note(unit, r->world.ids,
		    &registry_catalogue(r->world.registry)->municipality, &r->news, 1, people,
		    now_us);
	}
	letters_end(r->world.letters, unit, r->seq, now_us);
	if (!db_submit(r->world.db, unit, on_written, r)) {
		db_unit_destroy(unit);
		let_go(r);
	}
}

static void
on_people(void *arg, const struct db_reply *reply)
{
	struct recalling *r = arg;

	if (reply->outcome != DB_COMMITTED || registry_catalogue(r->world.registry) == NULL)
		let_go(r);
	else if (!telling_knows(&r->news, reply->results[0]))
		give_back(r, LETTER_NO_TICKET);
	else
		write_news(r, reply->results[0], reply->results[1]);
}

static void
ask_people(struct recalling *r)
{
	struct db_unit *unit = db_unit_create(r->world.db);

	telling_ask(unit, &r->news, 1);
	if (!db_submit(r->world.db, unit, on_people, r)) {
		db_unit_destroy(unit);
		let_go(r);
	}
}

static void
take_record(struct recalling *r, const void *data, size_t len)
{
	struct frame *frame = NULL;
	enum frame_result result = frame_unpack(
	    &turunc__v1__event__descriptor, data, len, &frame, NULL);

	if (result == FRAME_NO_MEMORY) {
		let_go(r);
		return;
	}
	if (result != FRAME_OK) {
		give_back(r, LETTER_UNDECODABLE);
		return;
	}
	enum news_kind kind = news_of(
	    (const Turunc__V1__Event *)frame_message(frame), r->seq, &r->news);
	frame_destroy(frame);
	switch (kind) {
	case NEWS_TOLD:
		ask_people(r);
		return;
	case NEWS_NONE:
		write_news(r, NULL, NULL);
		return;
	case NEWS_MISFIT:
		give_back(r, LETTER_MISFIT);
		return;
	case NEWS_NO_MEMORY:
		let_go(r);
		return;
	}
}

static void
on_record(void *arg, const struct db_reply *reply)
{
	struct recalling *r = arg;
	size_t len;

	if (reply->outcome != DB_COMMITTED) {
		let_go(r);
		return;
	}
	if (db_rows(reply->results[0]) == 0) {
		give_back(r, LETTER_UNDECODABLE);
		return;
	}
	const void *data = db_get_bytea(reply->results[0], 0, 0, &len);
	take_record(r, data, len);
}

int64_t
recalling_tick(struct recalling *r, uint64_t now_ms)
{
	uint64_t seq = letters_requeued(r->world.letters);

	if (r->stopping || r->seq != 0 || seq == 0 || db_state_now(r->world.db) != DB_READY
	    || registry_catalogue(r->world.registry) == NULL)
		return -1;
	if (now_ms < r->retry_at_ms)
		return (int64_t)(r->retry_at_ms - now_ms);
	struct db_unit *unit = db_unit_create(r->world.db);
	db_unit_add(unit, STORE_RECORD);
	db_add_int8(unit, (int64_t)seq);
	r->seq = seq;
	if (!db_submit(r->world.db, unit, on_record, r)) {
		db_unit_destroy(unit);
		let_go(r);
		return RETRY_MS;
	}
	return -1;
}

void
recalling_stop(struct recalling *r)
{
	r->stopping = true;
}

bool
recalling_busy(const struct recalling *r)
{
	return r->seq != 0;
}
