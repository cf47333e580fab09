/* Reads what is due to be asked, asks it on a thread of its own, and writes the reports down. */
#include "asking.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "channel.h"
#include "clock.h"
#include "log.h"
#include "ratelimit.h"
#include "store.h"

enum { BATCH_MAX = 16, LOOK_MS = 1000, RETRY_MS = 500, AWAY_FIRST_MS = 1000, AWAY_CAP_MS = 60000 };

struct asked {
	struct known known;
	struct gateway_question question;
	char id[UUID_TEXT_SIZE], reference[JOB_REFERENCE_SIZE], to[32];
	struct gateway_report report;
};

struct asking {
	struct asking_world world;
	struct sms_config config;
	struct channel *channel;
	struct ratelimit *limit;
	struct asked asked[BATCH_MAX];
	struct receipt receipts[BATCH_MAX];
	size_t count, permits;
	size_t flying; /* questions without an answer */
	bool reading, writing, stopping;
	uint32_t away; /* batches in a row that nobody answered */
	bool answered; /* somebody did, in this batch */
	uint64_t look_at_ms;
};

static void on_done(void *arg, struct job *job);

struct asking *
asking_create(const struct asking_world *world)
{
	struct asking *a = calloc(1, sizeof(*a));
	const struct ratelimit_settings limit = {
		.keys = 1, .burst = 4, .per_minute = world->per_minute
	};

	if (a == NULL)
		return NULL;
	a->world = *world;
	a->config = (struct sms_config){ world->gateway, world->timeout_ms };
	const struct channel_options options = { .name = "asking",
		.workers = 1,
		.work = channel_sms_work,
		.config = &a->config,
		.on_done = on_done,
		.arg = a };
	a->limit = ratelimit_create(&limit);
	if (a->limit != NULL)
		a->channel = channel_open(world->loop, &options);
	if (a->channel == NULL) {
		asking_destroy(a);
		return NULL;
	}
	return a;
}

void
asking_destroy(struct asking *a)
{
	if (a == NULL)
		return;
	channel_close(a->channel);
	ratelimit_destroy(a->limit);
	free(a);
}

/* --- the reports ------------------------------------------------------------------------------ */

static void
rest(struct asking *a, uint64_t wait_ms)
{
	a->count = 0;
	a->look_at_ms = clock_monotonic_ms() + wait_ms;
	a->world.wake(a->world.arg);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct asking *a = arg;
	const struct backoff backoff = { AWAY_FIRST_MS, AWAY_CAP_MS, 0 };

	a->writing = false;
	receipts_count(&a->world.receipts, a->receipts, a->count, reply);
	if (reply->outcome != DB_COMMITTED) {
		log_warn("what a gateway said is not written down, it is asked again why=%s",
		    log_quoted(reply->message));
		rest(a, RETRY_MS);
		return;
	}
	a->world.on_answered(a->world.arg);
	rest(a, a->away > 0 ? backoff_delay_ms(&backoff, a->away, 0) : 0);
}

static void
write_down(struct asking *a)
{
	struct db_unit *unit = db_unit_create(a->world.receipts.db);

	if (a->answered)
		a->away = 0;
	else if (a->away < UINT32_MAX)
		a->away++;
	for (size_t i = 0; i < a->count; i++)
		a->receipts[i] = (struct receipt){ &a->asked[i].known, &a->asked[i].report };
	receipts_apply(&a->world.receipts, unit, a->receipts, a->count);
	a->writing = true;
	if (!db_submit(a->world.receipts.db, unit, on_written, a)) {
		db_unit_destroy(unit);
		a->writing = false;
		rest(a, RETRY_MS);
	}
}

static void
on_done(void *arg, struct job *job)
{
	struct asking *a = arg;
	struct asked *asked = NULL;

	for (size_t i = 0; i < a->count; i++)
		if (&a->asked[i].question == job->question)
			asked = &a->asked[i];
	assert(asked != NULL);
	if (job->outcome == OUTCOME_ACCEPTED) {
		a->answered = true;
		a->world.gateway->profile->told(
		    job->status, job->answer, job->answer_size, &asked->question, &asked->report);
	}
	job_destroy(job);
	if (--a->flying == 0 && !a->reading)
		write_down(a);
}

/* --- the questions ---------------------------------------------------------------------------- */

static void
ask_one(struct asking *a, struct asked *q, const struct pg_result *rows, int row)
{
	struct gateway_request request = { 0 };
	struct job *job = calloc(1, sizeof(*job));

	memset(q, 0, sizeof(*q));
	known_read(rows, row, 0, &q->known);
	uuid_format(&q->known.id, q->id);
	snprintf(q->reference, sizeof(q->reference), "%s", db_get_text(rows, row, ASK_REFERENCE));
	snprintf(q->to, sizeof(q->to), "%s", db_get_text(rows, row, ASK_RECIPIENT));
	q->question = (struct gateway_question){ .id = q->id,
		.reference = q->reference,
		.to = q->to,
		.begun_us = db_is_null(rows, row, ASK_BEGUN_US)
				? 0
				: db_get_int(rows, row, ASK_BEGUN_US),
		.others = (uint32_t)db_get_int(rows, row, ASK_OTHERS) };
	if (job == NULL
	    || !a->world.gateway->profile->ask(a->world.gateway, &q->question, &request)) {
		gateway_request_finish(&request);
		free(job); /* it says nothing, and is asked again or not, as the record plans */
		return;
	}
	job->question = &q->question;
	job->url = request.url;
	job->payload = request.body;
	job->payload_size = request.body != NULL ? strlen(request.body) : 0;
	job->authorization = request.authorization;
	a->flying++;
	channel_send(a->channel, job);
}

static void
on_due(void *arg, const struct db_reply *reply)
{
	struct asking *a = arg;

	if (reply->outcome != DB_COMMITTED || a->stopping || db_rows(reply->results[0]) == 0) {
		a->reading = false;
		for (; a->permits > 0; a->permits--)
			ratelimit_give_back(a->limit, "", 0);
		rest(a, LOOK_MS);
		return;
	}
	a->count = (size_t)db_rows(reply->results[0]);
	a->answered = false;
	for (; a->permits > a->count; a->permits--)
		ratelimit_give_back(a->limit, "", 0);
	a->permits = 0;
	for (size_t i = 0; i < a->count; i++)
		ask_one(a, &a->asked[i], reply->results[0], (int)i);
	a->reading = false;
	if (a->flying == 0)
		write_down(a);
}

int64_t
asking_tick(struct asking *a, uint64_t now_ms)
{
	uint64_t wait_ms = 0;

	if (a->stopping || a->reading || a->writing || a->flying > 0
	    || db_state_now(a->world.receipts.db) != DB_READY)
		return -1;
	if (now_ms < a->look_at_ms)
		return (int64_t)(a->look_at_ms - now_ms);
	while (a->permits < BATCH_MAX && ratelimit_take(a->limit, "", 0, now_ms, &wait_ms))
		a->permits++;
	if (a->permits == 0) {
		a->look_at_ms = now_ms + wait_ms;
		return (int64_t)wait_ms;
	}
	struct db_unit *unit = db_unit_create(a->world.receipts.db);
	db_unit_add(unit, STORE_ASK);
	db_add_text(unit, a->world.gateway->profile->name);
	db_add_int8(unit, clock_now_us());
	db_add_int4(unit, (int32_t)a->permits);
	a->reading = true;
	if (!db_submit(a->world.receipts.db, unit, on_due, a)) {
		db_unit_destroy(unit);
		a->reading = false;
		a->look_at_ms = now_ms + RETRY_MS;
		return RETRY_MS;
	}
	return -1;
}

void
asking_stop(struct asking *a)
{
	a->stopping = true;
	channel_stop(a->channel);
}

bool
asking_busy(const struct asking *a)
{
	return a->reading || a->writing || a->flying > 0;
}
