/* Looks at the clocks, closes tickets, makes room for the log. */
#include "sweeps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "clock.h"
#include "clocks.h"
#include "db_result.h"
#include "isolation.h"
#include "istanbul.h"
#include "log.h"
#include "router_stats.h"
#include "step.h"
#include "store.h"

enum {
	IDLE_MS = 1000,
	SIMULATED_MS = 50, /* a simulated clock may run fast */
	RETRY_MS = 50,
	ROOM_RETRY_MS = 60000,
	PARTITIONS_EVERY = 1000000, /* records */
	PARTITIONS_AHEAD = 15000000,
	ASIDE_MAX = 64,
	ASIDE_MS = 600000,
};

enum sweep { SWEEP_ALARMS, SWEEP_CLOSE, SWEEPS };

struct sweeps {
	struct sweeps_world world;
	bool busy;
	bool stopped;
	enum sweep at; /* the sweep under way */
	bool again; /* it found as many as it takes at once */
	uint64_t next_ms;
	uint64_t clock_seen;
	bool clock_was_set; /* a round begins at once */
	uint64_t room_asked; /* the head for which partitions were made */
	uint64_t room_at_ms; /* after a failure: not before; there is room for a long time */
	struct changes *changes;
	size_t counts[SWEPT_CLOSED + 1];
	struct isolation isolation; /* of the sweep under way */
	size_t limit; /* tickets it asked for */
	size_t tickets; /* and got */
	int64_t first; /* of them */
	struct aside {
		int64_t ticket_id;
		uint64_t until_ms;
	} aside[ASIDE_MAX]; /* left out, the oldest first */
	size_t aside_count;
};

struct sweeps *
sweeps_create(const struct sweeps_world *world)
{
	struct sweeps *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->world = *world;
	return s;
}

void
sweeps_destroy(struct sweeps *s)
{
	if (s == NULL)
		return;
	changes_destroy(s->changes);
	free(s);
}

void
sweeps_stop(struct sweeps *s)
{
	s->stopped = true;
}

bool
sweeps_busy(const struct sweeps *s)
{
	return s->busy;
}

/* --- deciding --------------------------------------------------------------------------------- */

static void
alarm(struct sweeps *s, const struct step_world *world, struct ticket *t, struct ticket_clock *c,
    Turunc__V1__Clock which)
{
	static char due_soon[] = "ticket.due_soon", overdue[] = "ticket.overdue";
	static char actor[] = "system";
	Turunc__V1__ClockAlarm body = TURUNC__V1__CLOCK_ALARM__INIT;
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;

	if (c->state != CLOCK_RUNNING || c->next_alarm_us == 0 || c->next_alarm_us > world->now_us)
		return;
	bool late = clocks_fall(c, world->now_us) == ALARM_OVERDUE;
	body.clock = which;
	body.due_us = c->due_us;
	body.version = (uint32_t)t->version;
	body.department = t->department;
	event.type = late ? overdue : due_soon;
	event.actor = actor;
	event.body_case = TURUNC__V1__EVENT__BODY_ALARM;
	event.alarm = &body;
	changes_record(world->changes, t, &event, "", world->ids, world->now_us);
	s->counts[late ? SWEPT_OVERDUE : SWEPT_DUE_SOON]++;
}

static void
close_ticket(struct sweeps *s, const struct step_world *world, struct ticket *t)
{
	char why[CHANGES_WHY_BYTES];
	const struct step step = step_none(VERB_CLOSE, ACTOR_SWEEP, "system");

	if (step_take(world, t, &step, why) == STEP_TAKEN)
		s->counts[SWEPT_CLOSED]++;
}

/* --- a sweep ---------------------------------------------------------------------------------- */

static void
finish(struct sweeps *s, uint64_t in_ms)
{
	changes_destroy(s->changes);
	s->changes = NULL;
	s->busy = false;
	if (!s->again) {
		s->at = (s->at + 1) % SWEEPS;
		s->isolation = (struct isolation){ 0 };
	}
	/* One round through all sweeps, then rest. */
	s->next_ms = clock_monotonic_ms() + (s->again || s->at != 0 ? 0 : in_ms);
	s->world.wake(s->world.arg);
}

static uint64_t
rest_ms(const struct sweeps *s)
{
	return clock_is_simulated() && s->world.every_ms > SIMULATED_MS ? SIMULATED_MS
									: s->world.every_ms;
}

/* One of the tickets is to blame: smaller sweeps find it, and then it is left out.  False: too many
 * are. */
static bool
isolate(struct sweeps *s, const struct db_reply *reply)
{
	isolation_failed(&s->isolation, s->tickets);
	if (!s->isolation.found)
		return true;
	s->isolation = (struct isolation){ 0 };
	if (s->aside_count == ASIDE_MAX)
		return false;
	s->aside[s->aside_count++] = (struct aside){ s->first, clock_monotonic_ms() + ASIDE_MS };
	stats_incr(s->world.stats, ROUTER_STAT_SWEEPS_REFUSED);
	log_error("the record refuses what is due of a ticket, left out for now ticket=%" PRId64
		  " sqlstate=%s constraint=%s",
	    s->first, reply->sqlstate, log_quoted(reply->constraint));
	return true;
}

static void
forget_aside(struct sweeps *s, uint64_t now_ms)
{
	size_t over = 0;

	while (over < s->aside_count && s->aside[over].until_ms <= now_ms)
		over++;
	s->aside_count -= over;
	memmove(s->aside, s->aside + over, s->aside_count * sizeof(s->aside[0]));
}

static void
on_failure(struct sweeps *s, const struct db_reply *reply)
{
	bool data = reply->outcome == DB_FAILED && s->tickets > 0
		    && db_fault_of(reply->sqlstate) == DB_FAULT_DATA;

	if (data && isolate(s, reply)) {
		s->again = true;
		finish(s, 0);
		return;
	}
	if (strncmp(reply->sqlstate, "TU00", 4) == 0)
		stats_incr(s->world.stats, ROUTER_STAT_SWEEPS_LOST);
	else if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) != DB_FAULT_PASSING)
		log_error("the record refuses a sweep, trying again sqlstate=%s why=%s",
		    reply->sqlstate, log_quoted(reply->message));
	changes_destroy(s->changes);
	s->changes = NULL;
	s->busy = false;
	s->next_ms = clock_monotonic_ms() + RETRY_MS + rest_ms(s);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct sweeps *s = arg;

	if (reply->outcome != DB_COMMITTED) {
		on_failure(s, reply);
		return;
	}
	uint64_t last = (uint64_t)db_get_int(reply->results[reply->result_count - 1], 0, 0);
	changes_trace(s->changes, "swept");
	for (size_t i = 0; i < ARRAY_LEN(s->counts); i++)
		stats_add_at(s->world.stats, ROUTER_STAT_SWEPT, i, s->counts[i]);
	isolation_passed(&s->isolation, s->tickets);
	s->world.on_append(s->world.arg, last);
	finish(s, rest_ms(s));
}

static void
on_found(void *arg, const struct db_reply *reply)
{
	struct sweeps *s = arg;
	const struct catalogue *cat = registry_catalogue(s->world.registry);
	int64_t now_us = clock_now_us();

	s->tickets = 0;
	if (reply->outcome != DB_COMMITTED || cat == NULL) {
		on_failure(s, reply);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	s->tickets = (size_t)db_rows(rows);
	s->first = s->tickets > 0 ? db_get_int(rows, 0, TICKET_ID) : 0;
	/* The limit is of clocks, and a ticket has two: while one is looked for, a sweep goes on.
	 */
	s->again = s->tickets > 0 && (s->tickets >= s->limit || s->isolation.suspects > 0);
	s->changes = changes_create();
	if (db_rows(rows) == 0 || s->changes == NULL) {
		finish(s, rest_ms(s));
		return;
	}
	memset(s->counts, 0, sizeof(s->counts));
	changes_load(s->changes, rows);
	const struct step_world world = { cat, now_us, s->world.ids, s->changes };
	for (int row = 0; row < db_rows(rows); row++) {
		struct ticket *t = changes_ticket(s->changes, db_get_int(rows, row, TICKET_ID));
		if (t == NULL)
			continue;
		if (s->at == SWEEP_CLOSE) {
			close_ticket(s, &world, t);
			continue;
		}
		alarm(s, &world, t, &t->legal, TURUNC__V1__CLOCK__CLOCK_LEGAL);
		alarm(s, &world, t, &t->service, TURUNC__V1__CLOCK__CLOCK_SERVICE);
	}
	if (changes_records(s->changes) == 0) {
		s->again = false;
		finish(s, rest_ms(s));
		return;
	}
	struct db_unit *unit = db_unit_create(s->world.db);
	db_unit_step(unit, FAILPOINT_ROUTER_SWEEP);
	changes_add(s->changes, unit, now_us);
	changes_add_log(s->changes, unit, now_us);
	if (changes_ok(s->changes) && db_submit(s->world.db, unit, on_written, s))
		return;
	db_unit_destroy(unit);
	finish(s, rest_ms(s));
}

static void
look(struct sweeps *s, const struct catalogue *cat)
{
	struct db_unit *unit = db_unit_create(s->world.db);
	int64_t before_us = clock_now_us();

	if (s->at == SWEEP_CLOSE)
		before_us -= cat->municipality.reopen_window_days * US_PER_DAY;
	db_unit_add(unit, s->at == SWEEP_CLOSE ? STORE_CLOSABLE : STORE_DUE);
	s->limit = isolation_size(&s->isolation, SWEEPS_BATCH);
	db_add_int8(unit, before_us);
	db_add_int8(unit, (int64_t)s->limit);
	struct db_array *aside = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < s->aside_count; i++)
		db_array_int8(aside, s->aside[i].ticket_id);
	s->busy = db_submit(s->world.db, unit, on_found, s);
	if (!s->busy) {
		db_unit_destroy(unit);
		s->next_ms = clock_monotonic_ms() + RETRY_MS;
	}
}

/* --- room for the log ------------------------------------------------------------------------- */

static void
on_room_made(void *arg, const struct db_reply *reply)
{
	struct sweeps *s = arg;

	s->busy = false;
	if (reply->outcome == DB_COMMITTED) {
		stats_add_at(s->world.stats, ROUTER_STAT_SWEPT, SWEPT_PARTITIONS,
		    (uint64_t)db_get_int(reply->results[0], 0, 0));
	} else {
		s->room_asked = 0;
		s->room_at_ms = clock_monotonic_ms() + ROOM_RETRY_MS;
		if (reply->outcome == DB_FAILED)
			log_error("no room made for the log, trying again sqlstate=%s why=%s",
			    reply->sqlstate, log_quoted(reply->message));
	}
	s->next_ms = clock_monotonic_ms() + RETRY_MS;
}

static bool
make_room(struct sweeps *s, uint64_t now_ms)
{
	uint64_t head = registry_head(s->world.registry)->seq;

	if (head / PARTITIONS_EVERY + 1 == s->room_asked || now_ms < s->room_at_ms)
		return false;
	s->room_asked = head / PARTITIONS_EVERY + 1;
	struct db_unit *unit = db_unit_create(s->world.db);
	db_unit_add(unit, STORE_PARTITIONS);
	db_add_int8(unit, (int64_t)head + PARTITIONS_AHEAD);
	s->busy = db_submit(s->world.db, unit, on_room_made, s);
	if (!s->busy) {
		db_unit_destroy(unit);
		s->room_asked = 0;
	}
	return s->busy;
}

int64_t
sweeps_tick(struct sweeps *s, uint64_t now_ms)
{
	const struct catalogue *cat = registry_catalogue(s->world.registry);

	if (clock_was_set(&s->clock_seen))
		s->clock_was_set = true;
	if (s->busy || s->stopped || db_state_now(s->world.db) != DB_READY || cat == NULL)
		return IDLE_MS;
	if (now_ms < s->next_ms && !(s->clock_was_set && s->at == SWEEP_ALARMS))
		return (int64_t)(s->next_ms - now_ms);
	if (s->at == SWEEP_ALARMS)
		s->clock_was_set = false;
	forget_aside(s, now_ms);
	if (!make_room(s, now_ms))
		look(s, cat);
	return IDLE_MS;
}
