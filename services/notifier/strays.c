/* Compares what the record says is being sent with what is. */
#include "strays.h"

#include <stdlib.h>

#include "base.h"
#include "clock.h"
#include "store.h"

enum { LOOK_MS = 5000 };

struct strays {
	struct db *db;
	int64_t sent_within_us;
	struct strays_calls calls;
	bool asking, has_suspect;
	struct uuid suspect; /* the first that the last look found with nobody */
	uint64_t look_at_ms;
};

struct strays *
strays_create(struct db *db, int64_t sent_within_us, const struct strays_calls *calls)
{
	struct strays *s = calloc(1, sizeof(*s));

	if (s != NULL)
		*s = (struct strays){ db, sent_within_us, .calls = *calls };
	return s;
}

void
strays_destroy(struct strays *s)
{
	free(s);
}

/* One that was claimed, or settled, while the record answered is somebody's at the next look. */
static void
on_sending(void *arg, const struct db_reply *reply)
{
	struct strays *s = arg;
	struct uuid before = s->suspect;
	bool suspected = s->has_suspect;

	s->asking = false;
	if (reply->outcome != DB_COMMITTED)
		return;
	s->has_suspect = false;
	for (int row = 0; row < db_rows(reply->results[0]) && !s->has_suspect; row++) {
		s->suspect = db_get_uuid(reply->results[0], row, 0);
		s->has_suspect = !s->calls.is_held(s->calls.arg, &s->suspect);
	}
	if (suspected && s->has_suspect && uuid_compare(&before, &s->suspect) == 0) {
		s->has_suspect = false;
		s->calls.on_found(s->calls.arg, &s->suspect);
	}
}

void
strays_look(struct strays *s, uint64_t now_ms)
{
	if (s->asking || now_ms < s->look_at_ms)
		return;
	s->look_at_ms = now_ms + LOOK_MS;
	struct db_unit *unit = db_unit_create(s->db);
	int64_t now_us = clock_now_us();
	db_unit_add(unit, STORE_SENDING);
	db_add_int8(unit, now_us - s->sent_within_us);
	db_add_int8(unit, now_us + s->sent_within_us);
	s->asking = db_submit(s->db, unit, on_sending, s);
	if (!s->asking)
		db_unit_destroy(unit);
}
