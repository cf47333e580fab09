/* Sends items together, and finds by halves the one that cannot be sent. */
#include "db_batch.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "db_internal.h"

/* Every halving leaves at most one range behind, and 64 halvings reach a single item. */
enum { RANGES_MAX = 66 };

struct db_batch {
	struct db_batch_link link;
	struct db *db;
	const struct db_batch_rules *rules;
	void *arg;
	struct range {
		size_t from, to;
	} left[RANGES_MAX]; /* the next one to try is the last */
	size_t left_count;
	uint32_t failures; /* of the present range, passing ones */
	uint64_t failing_since_ms;
	struct event *retry;
};

static const struct backoff backoff = { .first_ms = 20, .cap_ms = 1000, .spread_percent = 50 };

static void on_reply(void *arg, const struct db_reply *reply);

enum db_fault
db_fault_of(const char *sqlstate)
{
	/* By class, the first two characters; whole states come first. */
	static const struct {
		const char *prefix;
		enum db_fault fault;
	} known[] = {
		{ "25006", DB_FAULT_PASSING }, /* the server became a standby */
		{ "26000", DB_FAULT_PASSING }, /* prepared statements gone: made again */
		{ "0A000", DB_FAULT_PASSING }, /* plan outdated by a migration: made again */
		{ "21", DB_FAULT_DATA },
		{ "22", DB_FAULT_DATA },
		{ "23", DB_FAULT_DATA },
		{ "44", DB_FAULT_DATA },
		{ "54", DB_FAULT_DATA },
		{ "08", DB_FAULT_PASSING },
		{ "40", DB_FAULT_PASSING },
		{ "53", DB_FAULT_PASSING },
		{ "55", DB_FAULT_PASSING },
		{ "57", DB_FAULT_PASSING },
		{ "58", DB_FAULT_PASSING },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strncmp(sqlstate, known[i].prefix, strlen(known[i].prefix)) == 0)
			return known[i].fault;
	return DB_FAULT_OTHER;
}

static void
destroy(struct db_batch *batch)
{
	db_batch_leave(batch->db, &batch->link);
	if (batch->retry != NULL)
		event_free(batch->retry);
	free(batch);
}

static void
settle(struct db_batch *batch, const struct db_reply *reply)
{
	const struct range range = batch->left[--batch->left_count];

	batch->failures = 0;
	batch->rules->settled(batch->arg, range.from, range.to, reply);
}

/* A reply that no server gave. */
static void
settle_not_sent(struct db_batch *batch, const char *why)
{
	const struct db_reply reply = { .outcome = DB_NOT_SENT,
		.sqlstate = "",
		.message = why,
		.detail = "",
		.constraint = "" };

	settle(batch, &reply);
}

/* Sends the next range, or ends the batch. */
static void
go_on(struct db_batch *batch)
{
	while (batch->left_count > 0) {
		const struct range range = batch->left[batch->left_count - 1];
		struct db_unit *unit = db_unit_create(batch->db);
		if (unit != NULL && !db_closing(batch->db)) {
			batch->rules->build(batch->arg, unit, range.from, range.to);
			db_submit_again(batch->db, unit, on_reply, batch);
			return;
		}
		db_unit_destroy(unit);
		settle_not_sent(batch, unit == NULL ? "out of memory" : "closing");
	}
	batch->rules->finished(batch->arg);
	destroy(batch);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

/* False: patience or memory is over. */
static bool
wait_and_retry(struct db_batch *batch)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint32_t random;

	if (db_closing(batch->db) || batch->rules->patience_ms == 0)
		return false;
	if (batch->failures == 0)
		batch->failing_since_ms = now_ms;
	if (now_ms - batch->failing_since_ms >= batch->rules->patience_ms)
		return false;
	if (batch->retry == NULL)
		batch->retry = evtimer_new(db_loop(batch->db), on_retry, batch);
	if (batch->retry == NULL)
		return false;
	if (batch->failures < UINT32_MAX)
		batch->failures++;
	evutil_secure_rng_get_bytes(&random, sizeof(random));
	uint64_t wait_ms = backoff_delay_ms(&backoff, batch->failures, random);
	const struct timeval wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
	return evtimer_add(batch->retry, &wait) == 0;
}

static void
halve(struct db_batch *batch)
{
	struct range *range = &batch->left[batch->left_count - 1];
	size_t middle = range->from + (range->to - range->from) / 2;
	const struct range first = { range->from, middle };

	assert(batch->left_count < RANGES_MAX);
	range->from = middle;
	batch->left[batch->left_count++] = first;
	batch->failures = 0;
}

static bool
passing(const struct db_batch *batch, const struct db_reply *reply)
{
	switch (reply->outcome) {
	case DB_NOT_SENT:
		return !batch->rules->unsent_at_once;
	case DB_UNKNOWN:
		return batch->rules->repeatable;
	case DB_FAILED:
		return db_fault_of(reply->sqlstate) == DB_FAULT_PASSING;
	default:
		return false;
	}
}

static void
on_reply(void *arg, const struct db_reply *reply)
{
	struct db_batch *batch = arg;
	const struct range range = batch->left[batch->left_count - 1];

	if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) == DB_FAULT_DATA
	    && range.to - range.from > 1)
		halve(batch);
	else if (passing(batch, reply) && wait_and_retry(batch))
		return;
	else
		settle(batch, reply);
	go_on(batch);
}

static void
abandon(struct db_batch_link *self)
{
	/* The link is the first member. */
	struct db_batch *batch = (struct db_batch *)self;

	while (batch->left_count > 0)
		settle_not_sent(batch, "closing");
	batch->rules->finished(batch->arg);
	destroy(batch);
}

bool
db_batch_start(struct db *db, const struct db_batch_rules *rules, void *arg, size_t count)
{
	assert(count > 0);
	struct db_batch *batch = calloc(1, sizeof(*batch));
	if (batch == NULL)
		return false;
	batch->link.abandon = abandon;
	batch->db = db;
	batch->rules = rules;
	batch->arg = arg;
	batch->left[batch->left_count++] = (struct range){ 0, count };
	if (!db_batch_enter(db, &batch->link)) {
		free(batch);
		return false;
	}
	go_on(batch);
	return true;
}
