/* Consumes the log: routes what was opened, takes the steps citizens ask for. */
#include "routing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "changes.h"
#include "clock.h"
#include "db_result.h"
#include "frame.h"
#include "isolation.h"
#include "log.h"
#include "router_stats.h"
#include "step.h"
#include "store.h"

/* At most so many records are scanned at once; a place without effects is stored that seldom. */
enum { SCAN_RECORDS = 20000, STORE_EVERY = 10000, STORE_MS = 5000, IDLE_MS = 1000 };

/* After a batch that took all there was, so long for more to come.  Intake waits for the same lock
 * of the log: a router that is back at once makes both write twice as many batches, half as large
 * (docs/performance.md). */
enum { REST_MS = 1 };

static const struct backoff retry = { .first_ms = 10, .cap_ms = 2000, .spread_percent = 50 };

struct routing {
	struct routing_world world;
	uint64_t head; /* the log reaches at least to here */
	uint64_t head_asked; /* the same when the place was asked for */
	struct uuid history; /* of the log that the place is one of */
	bool placed; /* stored and read are known */
	uint64_t stored; /* as the cursor's row says */
	char row[24]; /* where that lies, as PostgreSQL writes a tid */
	uint64_t read; /* everything up to here was looked at */
	uint64_t stored_ms;
	bool busy; /* a unit of ours is on its way */
	bool stopped;
	struct isolation isolation;
	uint64_t suspect; /* isolation.found: the record that was refused alone, and why */
	char detail[LETTER_DETAIL_BYTES];
	uint32_t failures; /* in a row */
	uint64_t wait_until_ms; /* after a failure, or a rest */
	/* the batch in hand */
	uint64_t letter; /* it is this requeued record; 0: it follows the place */
	struct changes *changes;
	struct uuid log_id;
	uint64_t through;
	size_t limit; /* it asked for so many records */
	uint64_t first; /* seq of its first record */
	size_t records;
	int64_t began_us;
	int64_t *opened_us; /* commits of what it routes, batch_records of them */
	size_t opened;
};

struct routing *
routing_create(const struct routing_world *world)
{
	struct routing *g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->world = *world;
	g->opened_us = calloc(world->batch_records, sizeof(*g->opened_us));
	if (g->opened_us == NULL) {
		free(g);
		return NULL;
	}
	return g;
}

void
routing_destroy(struct routing *g)
{
	if (g == NULL)
		return;
	changes_destroy(g->changes);
	free(g->opened_us);
	free(g);
}

void
routing_log_grew(struct routing *g, uint64_t seq)
{
	if (seq > g->head)
		g->head = seq;
}

void
routing_renew(struct routing *g, uint64_t head)
{
	g->placed = false;
	g->head = head;
}

void
routing_stop(struct routing *g)
{
	g->stopped = true;
}

bool
routing_busy(const struct routing *g)
{
	return g->busy;
}

uint64_t
routing_place(const struct routing *g)
{
	return g->read;
}

/* --- failing ---------------------------------------------------------------------------------- */

static void
wait_a_little(struct routing *g)
{
	/* The delays of two routers differ by their own ids' randomness. */
	uint32_t random = (uint32_t)(clock_monotonic_us() * 2654435761u);

	g->wait_until_ms = clock_monotonic_ms() + backoff_delay_ms(&retry, ++g->failures, random);
}

static void
drop_batch(struct routing *g)
{
	changes_destroy(g->changes);
	g->changes = NULL;
	g->letter = 0;
	g->opened = 0;
	g->busy = false;
}

static void
end_letter(struct routing *g, const struct db_reply *reply)
{
	uint64_t seq = g->letter;

	drop_batch(g);
	letters_ended(g->world.letters, seq, reply);
	g->world.wake(g->world.arg);
}

/* One of them is to blame: smaller batches find it, at once. */
static void
isolate(struct routing *g, const struct db_reply *reply)
{
	isolation_failed(&g->isolation, g->records);
	g->suspect = g->first;
	letters_detail(reply, g->detail);
	g->failures = 0;
	g->wait_until_ms = 0;
	log_warn(
	    "routing batch refused, trying a smaller one records=%zu %s", g->records, g->detail);
	g->world.wake(g->world.arg);
}

/* Nothing was written, or nobody knows.  The place is read again before anything else. */
static void
on_failure(struct routing *g, const struct db_reply *reply)
{
	enum db_fault fault = db_fault_of(reply->sqlstate);
	bool lost = strncmp(reply->sqlstate, "TU00", 4) == 0;

	if (g->letter != 0) {
		end_letter(g, reply);
		return;
	}
	drop_batch(g);
	g->placed = false;
	wait_a_little(g);
	if (reply->outcome == DB_UNKNOWN) {
		log_warn("outcome of a routing batch unknown, the place is read again");
	} else if (lost) {
		stats_incr(g->world.stats, ROUTER_STAT_ROUTING_LOST);
		log_debug("routing batch overtaken sqlstate=%s", reply->sqlstate);
	} else if (reply->outcome == DB_FAILED && fault == DB_FAULT_DATA && g->records > 0) {
		isolate(g, reply);
	} else if (reply->outcome == DB_FAILED && fault == DB_FAULT_OTHER) {
		log_error("the record refuses routing, trying again sqlstate=%s why=%s",
		    reply->sqlstate, log_quoted(reply->message));
		letters_blocked(g->world.letters, reply);
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct routing *g = arg;

	if (reply->outcome != DB_COMMITTED) {
		on_failure(g, reply);
		return;
	}
	size_t appended = changes_records(g->changes);
	changes_trace(g->changes, "routed");
	uint64_t last = appended == 0
			    ? 0
			    : (uint64_t)db_get_int(reply->results[reply->result_count - 1], 0, 0);

	for (size_t i = 0; i < g->opened; i++)
		stats_observe(
		    g->world.stats, ROUTER_STAT_ROUTED_IN, clock_now_us() - g->opened_us[i]);
	if (g->letter != 0) {
		end_letter(g, reply);
		if (last != 0)
			g->world.on_append(g->world.arg, last);
		return;
	}
	/* The step of the cursor comes last but for the log. */
	snprintf(g->row, sizeof(g->row), "%s",
	    db_get_text(reply->results[reply->result_count - (appended == 0 ? 1 : 2)], 0, 0));
	drop_batch(g);
	letters_committed(g->world.letters);
	g->stored = g->read = g->through;
	g->stored_ms = clock_monotonic_ms();
	g->failures = 0;
	isolation_passed(&g->isolation, g->records);
	if (g->records < g->limit)
		g->wait_until_ms = g->stored_ms + REST_MS;
	stats_observe(g->world.stats, ROUTER_STAT_ROUTING_BATCH, (int64_t)g->records);
	stats_observe(g->world.stats, ROUTER_STAT_ROUTING_TIME, clock_monotonic_us() - g->began_us);
	if (last != 0)
		g->world.on_append(g->world.arg, last);
	g->world.wake(g->world.arg);
}

static void
write_batch(struct routing *g)
{
	int64_t now_us = clock_now_us();
	struct db_unit *unit = db_unit_create(g->world.db);

	db_unit_step(unit, FAILPOINT_ROUTER_ROUTE);
	changes_add(g->changes, unit, now_us);
	if (g->letter != 0) {
		letters_end(g->world.letters, unit, g->letter, now_us);
	} else {
		letters_write(g->world.letters, unit, now_us);
		db_unit_add(unit, STORE_CURSOR_ADVANCE);
		db_add_text(unit, g->row);
		db_add_uuid(unit, &g->log_id);
		db_add_int8(unit, (int64_t)g->stored);
		db_add_int8(unit, (int64_t)g->through);
		db_add_int8(unit, now_us);
	}
	changes_add_log(g->changes, unit, now_us);
	if (changes_ok(g->changes) && db_submit(g->world.db, unit, on_written, g))
		return;
	db_unit_destroy(unit);
	drop_batch(g);
	wait_a_little(g);
}

/* --- deciding --------------------------------------------------------------------------------- */

static void
on_opened(struct routing *g, const struct step_world *world, struct ticket *t,
    const Turunc__V1__Event *event, int64_t committed_us)
{
	if (t->status != TURUNC__V1__STATUS__STATUS_OPENED)
		return; /* a person or the other router was here before */
	if (g->opened < g->world.batch_records)
		g->opened_us[g->opened++] = committed_us;
	step_route_by_rules(world, t, event != NULL ? event->opened->department : "",
	    event != NULL ? event->traceparent : "");
	stats_add_at(g->world.stats, ROUTER_STAT_ROUTED,
	    t->status == TURUNC__V1__STATUS__STATUS_ROUTED ? ROUTED_BY_RULE : ROUTED_TO_TRIAGE, 1);
}

/* What each type of record must say. */
static Turunc__V1__Event__BodyCase
body_of(const char *type)
{
	if (strcmp(type, "ticket.opened") == 0)
		return TURUNC__V1__EVENT__BODY_OPENED;
	return strcmp(type, "survey.answered") == 0 ? TURUNC__V1__EVENT__BODY_SURVEY
						    : TURUNC__V1__EVENT__BODY_CONTACT;
}

/* What the citizen said, as far as it is a step; whatever the table does not allow stays a contact
 * that people read. */
static void
on_contact(struct routing *g, const struct step_world *world, struct ticket *t,
    const Turunc__V1__Event *event)
{
	char why[CHANGES_WHY_BYTES];
	struct step step = step_none(VERB_WITHDRAW, ACTOR_CITIZEN, "citizen");

	if (event->body_case == TURUNC__V1__EVENT__BODY_SURVEY
		? event->survey->not_solved
		: strcmp(event->contact->kind, "not_solved") == 0) {
		step.verb = VERB_REOPEN;
		step.reason = "not_solved";
	} else if (event->body_case == TURUNC__V1__EVENT__BODY_SURVEY
		   || strcmp(event->contact->kind, "withdraw") != 0) {
		return;
	}
	step.traceparent = event->traceparent;
	bool taken = step_take(world, t, &step, why) == STEP_TAKEN;
	stats_add_at(
	    g->world.stats, ROUTER_STAT_CITIZEN, taken ? CITIZEN_TAKEN : CITIZEN_NOT_TAKEN, 1);
}

/* False: it cannot be acted on, for *ret_reason. */
static bool
decide(struct routing *g, const struct step_world *world, const struct pg_result *rows, int row,
    enum letter_reason *ret_reason)
{
	struct ticket *t = changes_ticket(world->changes, db_get_int(rows, row, TICKET_ASKED));
	bool opened = strcmp(db_get_text(rows, row, RECORD_TYPE), "ticket.opened") == 0;
	struct frame *frame = NULL;
	size_t len;
	const void *data = db_get_bytea(rows, row, RECORD_EVENT, &len);

	*ret_reason = LETTER_NO_TICKET;
	if (t == NULL)
		return false;
	enum frame_result result = frame_unpack(
	    &turunc__v1__event__descriptor, data, len, &frame, NULL);
	const Turunc__V1__Event *event = result == FRAME_OK
					     ? (const Turunc__V1__Event *)frame_message(frame)
					     : NULL;
	bool usable = event != NULL
		      && event->body_case == body_of(db_get_text(rows, row, RECORD_TYPE));
	/* The rows say all that routing needs: nobody's report is lost for a damaged record. */
	if (opened && !usable) {
		stats_incr(g->world.stats, ROUTER_STAT_RECORDS_DAMAGED);
		log_warn("record damaged, ticket routed by its rows seq=%" PRId64,
		    db_get_int(rows, row, RECORD_SEQ));
	}
	if (opened)
		on_opened(
		    g, world, t, usable ? event : NULL, db_get_int(rows, row, RECORD_COMMITTED));
	else if (usable)
		on_contact(g, world, t, event);
	*ret_reason = result != FRAME_OK ? LETTER_UNDECODABLE : LETTER_MISFIT;
	frame_destroy(frame);
	return opened || usable;
}

/* False: too much is set aside already, and the batch ends before what it could decide. */
static bool
decide_all(struct routing *g, const struct step_world *world, const struct pg_result *rows)
{
	letters_begin(g->world.letters);
	for (int row = 0; row < db_rows(rows); row++) {
		uint64_t seq = (uint64_t)db_get_int(rows, row, RECORD_SEQ);
		size_t before = changes_records(g->changes);
		enum letter_reason reason;
		if (decide(g, world, rows, row, &reason)) {
			if (changes_records(g->changes) > before)
				letters_acted(g->world.letters);
		} else if (!letters_add(g->world.letters, seq, reason, NULL)) {
			if (row == 0)
				letters_stop(g->world.letters, seq);
			g->records = (size_t)row;
			g->through = seq - 1;
			return row > 0;
		}
	}
	return true;
}

/* The record of a letter, alone. */
static void
decide_letter(struct routing *g, const struct step_world *world, const struct pg_result *rows)
{
	uint64_t seq = g->letter;
	enum letter_reason reason;

	if (db_rows(rows) == 0 || decide(g, world, rows, 0, &reason)) {
		write_batch(g);
		return;
	}
	drop_batch(g);
	letters_return(g->world.letters, seq, reason, NULL);
}

/* Rows of STORE_RECORDS. */
static void
on_read(void *arg, const struct db_reply *reply)
{
	struct routing *g = arg;
	const struct catalogue *cat = registry_catalogue(g->world.registry);

	if (reply->outcome != DB_COMMITTED || cat == NULL) {
		drop_batch(g); /* a letter is still requeued */
		wait_a_little(g);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	g->records = (size_t)db_rows(rows);
	g->first = g->records > 0 ? (uint64_t)db_get_int(rows, 0, RECORD_SEQ) : 0;
	if (g->records > 0 && g->records >= g->limit)
		g->through = (uint64_t)db_get_int(rows, db_rows(rows) - 1, RECORD_SEQ);
	g->changes = changes_create();
	if (g->changes == NULL) {
		drop_batch(g);
		wait_a_little(g);
		return;
	}
	changes_load(g->changes, rows);
	const struct step_world world = { cat, clock_now_us(), g->world.ids, g->changes };
	if (g->letter != 0) {
		decide_letter(g, &world, rows);
		return;
	}
	if (!decide_all(g, &world, rows)) {
		drop_batch(g);
		return;
	}
	bool store = g->records > 0 || g->through - g->stored >= STORE_EVERY
		     || clock_monotonic_ms() - g->stored_ms >= STORE_MS;
	if (store) {
		write_batch(g);
		return;
	}
	drop_batch(g);
	g->read = g->through;
	g->failures = 0;
	g->world.wake(g->world.arg);
}

/* A record that PostgreSQL refuses alone: the place moves past it, and its letter says why. */
static void
set_aside(struct routing *g)
{
	letters_begin(g->world.letters);
	if (!letters_add(g->world.letters, g->suspect, LETTER_REFUSED, g->detail)) {
		letters_stop(g->world.letters, g->suspect);
		g->isolation.found = false; /* tried again, alone, when it is time */
		return;
	}
	g->through = g->suspect;
	g->records = 1;
	g->log_id = registry_head(g->world.registry)->log_uuid;
	g->began_us = clock_monotonic_us();
	g->changes = changes_create();
	g->busy = g->changes != NULL;
	if (g->busy)
		write_batch(g);
}

/* What was looked at last had no effect, and nothing came since: others who ask where we stand
 * shall not take that for lag. */
static void
store_place(struct routing *g)
{
	letters_begin(g->world.letters);
	g->through = g->read;
	g->records = 0;
	g->began_us = clock_monotonic_us();
	g->changes = changes_create();
	g->busy = g->changes != NULL;
	if (g->busy)
		write_batch(g);
}

static void
read_records(struct routing *g, uint64_t after, uint64_t through)
{
	struct db_unit *unit = db_unit_create(g->world.db);

	g->limit = isolation_size(&g->isolation, g->world.batch_records);
	db_unit_add(unit, STORE_RECORDS);
	db_add_int8(unit, (int64_t)after);
	db_add_int8(unit, (int64_t)through);
	db_add_int8(unit, (int64_t)g->limit);
	g->through = through;
	g->log_id = registry_head(g->world.registry)->log_uuid;
	g->began_us = clock_monotonic_us();
	g->busy = db_submit(g->world.db, unit, on_read, g);
	if (!g->busy)
		db_unit_destroy(unit);
}

static void
read_batch(struct routing *g)
{
	read_records(
	    g, g->read, g->head - g->read > SCAN_RECORDS ? g->read + SCAN_RECORDS : g->head);
}

static void
read_letter(struct routing *g, uint64_t seq)
{
	g->letter = seq;
	read_records(g, seq - 1, seq);
	if (!g->busy)
		g->letter = 0;
}

/* --- the place -------------------------------------------------------------------------------- */

enum cursor_column { CURSOR_SEQ, CURSOR_ROW, CURSOR_LOG, CURSOR_LOG_LAST };

static void
on_place(void *arg, const struct db_reply *reply)
{
	struct routing *g = arg;

	g->busy = false;
	if (reply->outcome != DB_COMMITTED) {
		wait_a_little(g);
		return;
	}
	const struct pg_result *cursor = reply->results[2];
	const struct uuid history = db_get_uuid(cursor, 0, CURSOR_LOG);
	if (uuid_compare(&history, &registry_head(g->world.registry)->log_uuid) != 0) {
		/* The record is another one now; the registry is about to hear of it. */
		wait_a_little(g);
		return;
	}
	if (uuid_compare(&history, &g->history) != 0)
		g->isolation = (struct isolation){ 0 };
	g->history = history;
	uint64_t last = (uint64_t)db_get_int(cursor, 0, CURSOR_LOG_LAST);
	if (g->head == g->head_asked && g->head > last)
		g->head = last; /* of a record that is shorter than the one before */
	g->stored = g->read = (uint64_t)db_get_int(cursor, 0, CURSOR_SEQ);
	snprintf(g->row, sizeof(g->row), "%s", db_get_text(cursor, 0, CURSOR_ROW));
	g->stored_ms = clock_monotonic_ms();
	g->placed = true;
	letters_found_place(g->world.letters, g->read);
	/* Somebody else got past the record at fault. */
	if (g->isolation.found && g->suspect <= g->read)
		g->isolation = (struct isolation){ 0 };
	log_debug("routing place seq=%" PRIu64, g->read);
	g->world.wake(g->world.arg);
}

static void
read_place(struct routing *g)
{
	const struct registry_head *head = registry_head(g->world.registry);
	struct db_unit *unit = db_unit_create(g->world.db);

	db_unit_add(unit, STORE_CURSOR_MAKE);
	db_add_uuid(unit, &head->log_uuid);
	db_add_int8(unit, clock_now_us());
	db_unit_add(unit, STORE_CURSOR_ADOPT);
	db_add_uuid(unit, &head->log_uuid);
	db_unit_add(unit, STORE_CURSOR);
	g->head_asked = g->head;
	g->busy = db_submit(g->world.db, unit, on_place, g);
	if (!g->busy)
		db_unit_destroy(unit);
}

int64_t
routing_tick(struct routing *g, uint64_t now_ms)
{
	const struct registry_head *head = registry_head(g->world.registry);

	if (g->busy || g->stopped || db_state_now(g->world.db) != DB_READY
	    || head->log_id[0] == '\0' || registry_catalogue(g->world.registry) == NULL)
		return IDLE_MS;
	if (now_ms < g->wait_until_ms)
		return (int64_t)(g->wait_until_ms - now_ms);
	if (!g->placed)
		read_place(g);
	else if (letters_requeued(g->world.letters) != 0)
		read_letter(g, letters_requeued(g->world.letters));
	else if (g->head > g->read && !letters_may_go_on(g->world.letters, now_ms))
		return IDLE_MS;
	else if (g->isolation.found)
		set_aside(g);
	else if (g->head > g->read)
		read_batch(g);
	else if (g->read > g->stored && now_ms - g->stored_ms >= STORE_MS)
		store_place(g);
	return IDLE_MS;
}
