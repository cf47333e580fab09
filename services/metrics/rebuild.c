/* Reads the record as of one seq and fills a new generation with it. */
#include "rebuild.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "istanbul.h"
#include "log.h"
#include "store.h"

/* Calls of today may stand a little before midnight in the log, for an event may be dated ahead of
 * its commit; and a call that waits may have come so long ago (live.lua). */
#define CALLS_AHEAD_US (60 * US_PER_MIN)
/* The days that say what is usual (live.lua). */
#define USUAL_US (7 * US_PER_DAY)

/* Order of the statements in the one transaction. */
enum {
	READ_HEAD,
	READ_TICKETS,
	READ_TODAY,
	READ_HOUR,
	READ_CALLS,
	READ_PLACES,
	READ_PLACES_HOUR,
	READS
};

struct rebuild {
	struct db *db;
	struct live *live;
	rebuild_done_fn *done;
	void *arg;
	struct uuid_source ids;
	struct window window;
	struct live_position to;
	struct ops ops;
	size_t loaded;
	size_t tickets;
	bool running;
};

struct rebuild *
rebuild_create(struct db *db, struct live *live, rebuild_done_fn *done, void *arg)
{
	struct rebuild *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->db = db;
	r->live = live;
	r->done = done;
	r->arg = arg;
	return r;
}

void
rebuild_destroy(struct rebuild *r)
{
	if (r == NULL)
		return;
	ops_finish(&r->ops);
	free(r);
}

bool
rebuild_running(const struct rebuild *r)
{
	return r->running;
}

static void
finish(struct rebuild *r, const char *why)
{
	r->running = false;
	ops_finish(&r->ops);
	malloc_trim(0); /* what a whole rebuild takes is not needed again soon */
	r->done(r->arg, why == NULL ? &r->to : NULL, r->tickets, why == NULL ? "" : why);
}

/* --- the record, as ops ----------------------------------------------------------------------- */

static const char *
read_head(struct rebuild *r, const struct pg_result *rows)
{
	if (db_rows(rows) != 1)
		return "the log has no history";
	if (strcmp(db_get_text(rows, 0, 3), "repeatable read") != 0)
		return "the role's transactions are not repeatable read";
	struct uuid log_id = db_get_uuid(rows, 0, 0), generation;
	uuid_format(&log_id, r->to.log_id);
	uuid_next(&r->ids, clock_now_us(), &generation);
	uuid_format(&generation, r->to.generation);
	r->to.seq = (uint64_t)db_get_int(rows, 0, 1);
	r->to.committed_us = db_get_int(rows, 0, 2);
	return NULL;
}

static void
read_tickets(struct rebuild *r, const struct pg_result *rows)
{
	int count = db_rows(rows);

	for (int i = 0; i < count; i++)
		ops_add(&r->ops, "t %" PRId64 " %d %s %" PRId64 " %d %d %" PRId64 " %" PRId64,
		    db_get_int(rows, i, 0), (int)db_get_int(rows, i, 1),
		    ops_department(db_get_text(rows, i, 2)), db_get_int(rows, i, 3),
		    (int)db_get_int(rows, i, 4), db_get_bool(rows, i, 5), db_get_int(rows, i, 6),
		    db_get_int(rows, i, 7));
	r->tickets = (size_t)count;
}

static void
read_today(struct rebuild *r, const struct pg_result *rows)
{
	for (int i = 0; i < db_rows(rows); i++)
		ops_add(&r->ops, "d %" PRId32 " today.%d %" PRId64,
		    r->window.day + db_get_bool(rows, i, 1), (int)db_get_int(rows, i, 0),
		    db_get_int(rows, i, 2));
}

static void
read_hour(struct rebuild *r, const struct pg_result *rows)
{
	for (int i = 0; i < db_rows(rows); i++) {
		int64_t minute = db_get_int(rows, i, 0), count = db_get_int(rows, i, 3);
		const char *type = db_get_text(rows, i, 1), *flow = ops_flow(type);
		if (strcmp(type, "ticket.opened") == 0)
			ops_add(&r->ops, "m %" PRId64 " opened %" PRId64, minute, count);
		if (strcmp(flow, "-") == 0)
			continue;
		ops_add(&r->ops, "m %" PRId64 " %s.%s %" PRId64, minute, flow,
		    ops_department(db_get_text(rows, i, 2)), count);
		if (strcmp(flow, "out") == 0)
			ops_add(&r->ops, "m %" PRId64 " ended %" PRId64, minute, count);
	}
}

static void
read_calls(struct rebuild *r, const struct pg_result *rows)
{
	for (int i = 0; i < db_rows(rows); i++) {
		size_t len;
		const void *bytes = db_get_bytea(rows, i, 1, &len);
		Turunc__V1__Event *event = turunc__v1__event__unpack(NULL, len, bytes);
		if (event == NULL || event->body_case != TURUNC__V1__EVENT__BODY_CALL
		    || !ops_add_call(
			&r->ops, db_get_text(rows, i, 0), event->call, db_get_int(rows, i, 2)))
			log_warn("call of the log not understood, left out");
		if (event != NULL)
			turunc__v1__event__free_unpacked(event, NULL);
	}
}

/* Tickets opened, by day or minute and by place. */
static void
read_places(struct rebuild *r, const struct pg_result *rows, bool days)
{
	char place[OPS_PLACE_SIZE];

	for (int i = 0; i < db_rows(rows); i++) {
		ops_place(db_get_text(rows, i, 1), db_get_text(rows, i, 2), place);
		if (strcmp(place, "-") == 0)
			continue;
		int64_t when = db_get_int(rows, i, 0), count = db_get_int(rows, i, 3);
		if (days)
			ops_add(&r->ops, "p %" PRId64 " %s %" PRId64, when, place, count);
		else
			ops_add(&r->ops, "n %" PRId64 " %s %" PRId64, when, place, count);
	}
}

/* --- filling ---------------------------------------------------------------------------------- */

static void
on_switched(void *arg, enum live_outcome outcome)
{
	finish(arg, outcome == LIVE_OK ? NULL : live_outcome_name(outcome));
}

static void
on_loaded(void *arg, enum live_outcome outcome)
{
	struct rebuild *r = arg;
	bool sent;

	if (outcome != LIVE_OK) {
		finish(r, live_outcome_name(outcome));
		return;
	}
	if (r->loaded == r->ops.count) {
		sent = live_switch(r->live, &r->to, on_switched, r);
	} else {
		size_t from = r->loaded;
		size_t left = r->ops.count - from;
		r->loaded = from + (left < LIVE_OPS_MAX ? left : LIVE_OPS_MAX);
		sent = live_load(r->live, r->to.generation, &r->ops, from, r->loaded, on_loaded, r);
	}
	if (!sent)
		finish(r, "Redis takes no commands");
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct rebuild *r = arg;
	const char *why = NULL;

	if (reply->outcome != DB_COMMITTED)
		why = reply->message[0] == '\0' ? "the record did not answer" : reply->message;
	else
		why = read_head(r, reply->results[READ_HEAD]);
	if (why == NULL) {
		read_tickets(r, reply->results[READ_TICKETS]);
		read_today(r, reply->results[READ_TODAY]);
		read_hour(r, reply->results[READ_HOUR]);
		read_calls(r, reply->results[READ_CALLS]);
		read_places(r, reply->results[READ_PLACES], true);
		read_places(r, reply->results[READ_PLACES_HOUR], false);
		if (r->ops.failed)
			why = "out of memory";
		else if (!live_begin(r->live, r->to.generation, r->window.minute, on_loaded, r))
			why = "Redis takes no commands";
	}
	if (why != NULL)
		finish(r, why);
}

bool
rebuild_start(struct rebuild *r)
{
	if (r->running)
		return false;
	r->window = window_at(clock_now_us());
	r->loaded = 0;
	r->tickets = 0;
	ops_clear(&r->ops);

	struct db_unit *unit = db_unit_create(r->db);
	db_unit_add(unit, STORE_HEAD);
	db_unit_add(unit, STORE_TICKETS);
	db_unit_add(unit, STORE_TODAY);
	db_add_int8(unit, r->window.day_start_us);
	db_add_int8(unit, r->window.next_day_us);
	db_unit_add(unit, STORE_HOUR);
	db_add_int8(unit, r->window.hour_start_us);
	db_unit_add(unit, STORE_CALLS);
	db_add_int8(unit, r->window.day_start_us - CALLS_AHEAD_US);
	db_unit_add(unit, STORE_PLACES);
	db_add_int8(unit, r->window.day_start_us - USUAL_US);
	db_unit_add(unit, STORE_PLACES_HOUR);
	db_add_int8(unit, r->window.hour_start_us);
	r->running = db_submit(r->db, unit, on_read, r);
	if (!r->running)
		db_unit_destroy(unit);
	return r->running;
}
