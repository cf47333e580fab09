/* Writes outcomes down in batches, and again until the record has them. */
#include "settling.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "message_state.h"
#include "notifier_stats.h"
#include "store.h"

enum {
	BATCH_MAX = 64,
	/* Each commit holds the log for as long as the disk takes, from those who wait for an
	 * answer: one that comes alone is written at once, many are written together. */
	BREATH_MS = 20,
	RETRY_MS = 500,
	SPREAD_PERCENT = 30
};

struct ended {
	struct job *job;
	struct outcome_record row;
	bool interrupted;
	struct ended *next;
};

struct settling {
	struct settling_world world;
	struct ended *waiting, **waiting_last;
	uint64_t began_ms; /* the transaction before */
	struct ended *sent; /* in the transaction under way */
	size_t batch_max; /* 1 while something that cannot be stored is looked for */
	uint64_t retry_at_ms;
};

struct settling *
settling_create(const struct settling_world *world)
{
	struct settling *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->world = *world;
	s->waiting_last = &s->waiting;
	s->batch_max = BATCH_MAX;
	return s;
}

static void
free_ended(struct ended *e)
{
	while (e != NULL) {
		struct ended *next = e->next;
		job_destroy(e->job);
		free(e);
		e = next;
	}
}

void
settling_destroy(struct settling *s)
{
	if (s == NULL)
		return;
	free_ended(s->waiting);
	free_ended(s->sent);
	free(s);
}

struct ended *
settling_reserve(void)
{
	return calloc(1, sizeof(struct ended));
}

void
settling_release(struct ended *place)
{
	free(place);
}

static void
append(struct settling *s, struct ended *e)
{
	e->next = NULL;
	*s->waiting_last = e;
	s->waiting_last = &e->next;
}

void
settling_add(struct settling *s, struct ended *place, struct job *job,
    const struct outcome_record *row, bool interrupted)
{
	place->job = job;
	place->row = *row;
	place->interrupted = interrupted;
	append(s, place);
}

bool
settling_busy(const struct settling *s)
{
	return s->waiting != NULL || s->sent != NULL;
}

/* --- what a transaction says ------------------------------------------------------------------ */

static enum message_state
state_after(const struct settling *s, const struct job *job)
{
	/* Nothing was taken here; the other gateway has not had it yet. */
	enum message_state next = job->elsewhere ? MESSAGE_QUEUED
						 : message_after(job->outcome, job->deferrals,
						     s->world.attempts_max);

	assert(message_may_follow(MESSAGE_SENDING, next));
	return next;
}

static int64_t
next_attempt_us(const struct settling *s, const struct job *job)
{
	const struct backoff backoff = { s->world.retry_first_ms, s->world.retry_cap_ms,
		SPREAD_PERCENT };
	uint32_t random = 0;

	if (job->elsewhere)
		return clock_now_us();
	/* The channel itself waits while nobody is there; its messages need not wait longer. */
	uint32_t failures = job->outcome == OUTCOME_UNREACHABLE ? 1 : job->deferrals + 1;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = job->attempt * 2654435761u;
	return clock_now_us() + (int64_t)backoff_delay_ms(&backoff, failures, random) * 1000;
}

/* What is said in the log: a message that was sent, or that no machine will try again. */
static void
add_record(struct settling *s, const struct ended *e, bool last_word, int64_t now_us,
    struct db_array *types, struct db_array *events)
{
	uint8_t packed[OUTCOME_RECORD_MAX];

	if (!last_word) {
		db_array_null(types);
		db_array_null(events);
		return;
	}
	size_t size = outcome_record_pack(&e->row, e->job, s->world.ids, now_us, packed);
	db_array_text(types, outcome_record_type(e->job->outcome));
	db_array_bytea(events, packed, size);
}

/* Refusals that say that nobody has the address: bouncing deals with them. */
static void
add_bounces(struct settling *s, struct db_unit *unit, int64_t now_us)
{
	const struct ended *e = s->sent;

	while (e != NULL && e->job->address_status[0] == '\0')
		e = e->next;
	if (e == NULL)
		return;
	db_unit_add(unit, STORE_BOUNCE_ADD);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	struct db_array *messages = db_add_array(unit, DB_UUID);
	struct db_array *statuses = db_add_array(unit, DB_TEXT);
	db_add_int8(unit, now_us);
	for (; e != NULL; e = e->next) {
		struct uuid id;
		if (e->job->address_status[0] == '\0')
			continue;
		uuid_next(s->world.ids, now_us, &id);
		db_array_uuid(ids, &id);
		db_array_uuid(messages, &e->job->notification_id);
		db_array_text(statuses, e->job->address_status);
	}
}

static struct db_unit *
unit_of(struct settling *s)
{
	struct db_unit *unit = db_unit_create(s->world.db);
	int64_t now_us = clock_now_us();

	add_bounces(s, unit, now_us);
	db_unit_add(unit, STORE_SETTLE);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	struct db_array *attempts = db_add_array(unit, DB_INT4);
	struct db_array *states = db_add_array(unit, DB_INT2);
	struct db_array *next_us = db_add_array(unit, DB_INT8);
	struct db_array *details = db_add_array(unit, DB_TEXT);
	struct db_array *references = db_add_array(unit, DB_TEXT);
	struct db_array *outcomes = db_add_array(unit, DB_TEXT);
	struct db_array *types = db_add_array(unit, DB_TEXT);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	db_add_int8(unit, now_us);
	struct db_array *routes = db_add_array(unit, DB_INT2);
	struct db_array *refused_by = db_add_array(unit, DB_INT2);
	struct db_array *ask_us = db_add_array(unit, DB_INT8);
	for (const struct ended *e = s->sent; e != NULL; e = e->next) {
		enum message_state next = state_after(s, e->job);
		db_array_uuid(ids, &e->job->notification_id);
		db_array_int4(attempts, (int32_t)e->job->attempt);
		db_array_int2(states, (int16_t)next);
		if (next == MESSAGE_QUEUED)
			db_array_int8(next_us, next_attempt_us(s, e->job));
		else
			db_array_null(next_us);
		db_array_text(details, e->job->detail);
		db_array_text(references, e->job->reference);
		db_array_text(outcomes, outcome_name(e->job->outcome));
		db_array_int8(tickets, e->row.ticket_id);
		db_array_int2(routes, (int16_t)e->job->route);
		db_array_int2(refused_by, (int16_t)e->job->refused_by);
		if (e->job->ask_us != 0)
			db_array_int8(ask_us, e->job->ask_us);
		else
			db_array_null(ask_us);
		add_record(s, e, next != MESSAGE_QUEUED, now_us, types, events);
	}
	return unit;
}

/* --- how it went ------------------------------------------------------------------------------ */

static void
report(struct settling *s)
{
	for (const struct ended *e = s->sent; e != NULL; e = e->next) {
		enum message_state next = state_after(s, e->job);
		char id[UUID_TEXT_SIZE];
		if (e->interrupted)
			stats_incr(s->world.stats, NOTIFIER_STAT_INTERRUPTED);
		if (next != MESSAGE_DEAD && next != MESSAGE_UNKNOWN)
			continue;
		uuid_format(&e->job->notification_id, id);
		log_warn("message %s msg=%s channel=%s attempt=%u why=%s, see masa message list",
		    next == MESSAGE_DEAD ? "given up" : "of unknown outcome, not sent again", id,
		    e->row.channel, e->job->attempt, log_quoted(e->job->detail));
	}
}

static void
put_back(struct settling *s)
{
	struct ended **last = &s->sent;

	while (*last != NULL)
		last = &(*last)->next;
	*last = s->waiting;
	if (s->waiting == NULL)
		s->waiting_last = last;
	s->waiting = s->sent;
	s->sent = NULL;
	s->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

/* One alone that cannot be stored: again without the other side's words, behind the others. */
static void
on_unstorable(struct settling *s)
{
	struct ended *e = s->sent;

	log_error("an outcome cannot be written down, again without its words");
	e->job->detail[0] = e->job->reference[0] = '\0';
	s->sent = NULL;
	append(s, e);
	s->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct settling *s = arg;

	if (reply->outcome == DB_COMMITTED) {
		report(s);
		free_ended(s->sent);
		s->sent = NULL;
		if (s->waiting == NULL)
			s->batch_max = BATCH_MAX;
		s->world.on_settled(s->world.arg);
		return;
	}
	log_warn("outcomes not written down yet, again soon outcome=%d why=%s", (int)reply->outcome,
	    log_quoted(reply->message));
	if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) == DB_FAULT_DATA) {
		s->batch_max = 1;
		if (s->sent->next == NULL)
			on_unstorable(s);
	}
	if (s->sent != NULL)
		put_back(s);
	s->world.on_settled(s->world.arg);
}

static size_t
count_of(const struct ended *e, bool sms)
{
	size_t count = 0;

	for (; e != NULL; e = e->next)
		count += (strcmp(e->row.channel, "sms") == 0) == sms;
	return count;
}

size_t
settling_count(const struct settling *s, bool sms)
{
	return count_of(s->waiting, sms) + count_of(s->sent, sms);
}

static bool
holds(const struct ended *e, const struct uuid *message)
{
	while (e != NULL && uuid_compare(&e->job->notification_id, message) != 0)
		e = e->next;
	return e != NULL;
}

bool
settling_holds(const struct settling *s, const struct uuid *message)
{
	return holds(s->waiting, message) || holds(s->sent, message);
}

static bool
is_crowd(const struct settling *s)
{
	size_t most = s->world.crowd < s->batch_max ? s->world.crowd : s->batch_max, count = 0;

	for (const struct ended *e = s->waiting; e != NULL && count < most; e = e->next)
		count++;
	return count == most;
}

int64_t
settling_tick(struct settling *s, uint64_t now_ms)
{
	struct ended *last = s->waiting;

	if (last == NULL || s->sent != NULL)
		return -1;
	if (now_ms < s->retry_at_ms)
		return (int64_t)(s->retry_at_ms - now_ms);
	if (now_ms < s->began_ms + BREATH_MS && !is_crowd(s))
		return (int64_t)(s->began_ms + BREATH_MS - now_ms);
	s->began_ms = now_ms;
	for (size_t n = 1; n < s->batch_max && last->next != NULL; n++)
		last = last->next;
	s->sent = s->waiting;
	s->waiting = last->next;
	last->next = NULL;
	if (s->waiting == NULL)
		s->waiting_last = &s->waiting;
	struct db_unit *unit = unit_of(s);
	if (!db_submit(s->world.db, unit, on_settled, s)) {
		db_unit_destroy(unit);
		put_back(s);
		return RETRY_MS;
	}
	return -1;
}
