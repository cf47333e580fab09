/* Claims what is due, hands it to a channel, and settles outcomes in batches. */
#include "delivery.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backoff.h"
#include "clock.h"
#include "compose.h"
#include "log.h"
#include "mail.h"
#include "number.h"
#include "outcome_record.h"
#include "store.h"

enum { CLAIM_MAX = 64, SETTLE_MAX = 64, LOOK_MS = 1000, RETRY_MS = 500 };

#define BIT(state) (1u << (state))

static const unsigned may_follow[MESSAGE_STATES] = {
	[MESSAGE_QUEUED] = BIT(MESSAGE_SENDING) | BIT(MESSAGE_DISCARDED),
	[MESSAGE_SENDING] = BIT(MESSAGE_SENT) | BIT(MESSAGE_QUEUED) | BIT(MESSAGE_UNKNOWN)
			    | BIT(MESSAGE_DEAD),
	[MESSAGE_SENT] = BIT(MESSAGE_DELIVERED),
	[MESSAGE_UNKNOWN] = BIT(MESSAGE_QUEUED) | BIT(MESSAGE_DISCARDED) | BIT(MESSAGE_DELIVERED),
	[MESSAGE_DEAD] = BIT(MESSAGE_QUEUED) | BIT(MESSAGE_DISCARDED),
};

static const char *const channel_names[] = { [DELIVERY_EMAIL] = "email", [DELIVERY_SMS] = "sms" };
_Static_assert(ARRAY_LEN(channel_names) == DELIVERY_CHANNELS, "name every channel");

struct lane {
	struct delivery *delivery;
	enum delivery_channel which;
	struct channel *channel; /* NULL: not configured */
	bool claiming;
	uint64_t look_at_ms;
};

/* A job that has come back, waiting to be written down, with what the record needs of its row. */
struct ended {
	struct job *job;
	struct outcome_record row;
	struct ended *next;
};

struct flying {
	struct uuid id;
	struct outcome_record row;
	int64_t handed_us;
	struct flying *next;
};

struct delivery {
	struct delivery_world world;
	struct lane lanes[DELIVERY_CHANNELS];
	struct flying *flying; /* handed to a channel */
	struct ended *ended, **ended_last; /* not yet in a settling transaction */
	struct ended *settling; /* in the one under way */
	size_t flying_count;
	bool recovered; /* what a former process was sending is marked */
	bool recovering;
	bool stopping;
	uint64_t retry_at_ms;
};

static void on_job_done(void *arg, struct job *job);

bool
delivery_may_follow(enum message_state now, enum message_state next)
{
	return (may_follow[now] & BIT(next)) != 0;
}

enum message_state
delivery_after(enum outcome outcome, uint32_t attempts, uint32_t attempts_max)
{
	switch (outcome) {
	case OUTCOME_ACCEPTED:
		return MESSAGE_SENT;
	case OUTCOME_DEFERRED:
		return attempts < attempts_max ? MESSAGE_QUEUED : MESSAGE_DEAD;
	case OUTCOME_UNKNOWN:
		return MESSAGE_UNKNOWN;
	case OUTCOME_REFUSED:
	case OUTCOMES:
	default:
		return MESSAGE_DEAD;
	}
}

static bool
open_lane(struct delivery *d, enum delivery_channel which, channel_work_fn *work,
    const void *config, bool wanted)
{
	struct lane *lane = &d->lanes[which];
	const struct channel_options options = { .name = channel_names[which],
		.workers = 2,
		.work = work,
		.config = config,
		.on_done = on_job_done,
		.arg = d };

	lane->delivery = d;
	lane->which = which;
	if (wanted)
		lane->channel = channel_open(d->world.loop, &options);
	return !wanted || lane->channel != NULL;
}

struct delivery *
delivery_create(const struct delivery_world *world)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->world = *world;
	d->ended_last = &d->ended;
	if (!open_lane(
		d, DELIVERY_EMAIL, channel_smtp_work, &d->world.smtp, world->smtp.url != NULL)
	    || !open_lane(
		d, DELIVERY_SMS, channel_sms_http_work, &d->world.sms, world->sms.url != NULL)) {
		delivery_destroy(d);
		return NULL;
	}
	return d;
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
delivery_destroy(struct delivery *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < DELIVERY_CHANNELS; i++)
		channel_close(d->lanes[i].channel);
	while (d->flying != NULL) {
		struct flying *next = d->flying->next;
		free(d->flying);
		d->flying = next;
	}
	free_ended(d->ended);
	free_ended(d->settling);
	free(d);
}

/* --- what a former process left --------------------------------------------------------------- */

static void
on_recovered(void *arg, const struct db_reply *reply)
{
	struct delivery *d = arg;

	d->recovering = false;
	if (reply->outcome != DB_COMMITTED) {
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
		d->world.wake(d->world.arg);
		return;
	}
	int64_t cut = db_get_int(reply->results[0], 0, 0);
	stats_add(d->world.stats, NOTIFIER_STAT_INTERRUPTED, (uint64_t)cut);
	if (cut > 0)
		log_warn("messages of unknown outcome left by a former process, not sent again "
			 "count=%lld",
		    (long long)cut);
	d->recovered = true;
	delivery_look(d);
}

static void
recover(struct delivery *d)
{
	struct db_unit *unit = db_unit_create(d->world.db);

	db_unit_add(unit, STORE_INTERRUPTED);
	db_add_int8(unit, clock_now_us());
	d->recovering = true;
	if (!db_submit(d->world.db, unit, on_recovered, d)) {
		db_unit_destroy(unit);
		d->recovering = false;
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
	}
}

/* --- claiming --------------------------------------------------------------------------------- */

static struct job *
make_job(struct delivery *d, const struct lane *lane, const struct pg_result *rows, int row)
{
	const struct catalogue *catalogue = registry_catalogue(d->world.registry);
	char id[UUID_TEXT_SIZE], number[NUMBER_SIZE] = "";
	const char *why = "no catalogue";
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->notification_id = db_get_uuid(rows, row, CLAIM_ID);
	job->attempt = (uint32_t)db_get_int(rows, row, CLAIM_ATTEMPTS);
	uuid_format(&job->notification_id, id);
	if (db_is_null(rows, row, CLAIM_RECIPIENT) || db_is_null(rows, row, CLAIM_BODY)) {
		why = "the person was erased";
	} else if (catalogue != NULL
		   && number_format(db_get_int(rows, row, CLAIM_TICKET), number)) {
		job->sender = strdup(catalogue->municipality.email_from);
		job->recipient = strdup(db_get_text(rows, row, CLAIM_RECIPIENT));
		const struct mail mail = {
			.from = catalogue->municipality.email_from,
			.from_name = catalogue->municipality.name,
			.to = db_get_text(rows, row, CLAIM_RECIPIENT),
			.subject = db_is_null(rows, row, CLAIM_SUBJECT)
				       ? ""
				       : db_get_text(rows, row, CLAIM_SUBJECT),
			.body = db_get_text(rows, row, CLAIM_BODY),
			.message_id = id,
			.ticket = number,
			.language = db_get_text(rows, row, CLAIM_LANGUAGE),
			.date_us = clock_now_us(),
		};
		if (lane->which == DELIVERY_EMAIL)
			job->payload = mail_compose(&mail, &job->payload_size, &why);
		else
			job->payload = channel_sms_payload(mail.to,
			    catalogue->municipality.sms_sender, mail.body, id, &job->payload_size);
	}
	if (job->sender == NULL || job->recipient == NULL || job->payload == NULL) {
		job->outcome = OUTCOME_REFUSED;
		snprintf(job->detail, sizeof(job->detail), "not sent: %s", why);
	}
	return job;
}

static void
remember(struct delivery *d, const struct lane *lane, const struct pg_result *rows, int row,
    struct flying *f)
{
	f->id = db_get_uuid(rows, row, CLAIM_ID);
	f->row.ticket_id = db_get_int(rows, row, CLAIM_TICKET);
	f->row.about_seq = (uint64_t)db_get_int(rows, row, CLAIM_ABOUT_SEQ);
	snprintf(f->row.about_type, sizeof(f->row.about_type), "%s",
	    db_get_text(rows, row, CLAIM_ABOUT_TYPE));
	snprintf(
	    f->row.language, sizeof(f->row.language), "%s", db_get_text(rows, row, CLAIM_LANGUAGE));
	f->row.channel = channel_names[lane->which];
	f->handed_us = clock_monotonic_us();
	f->next = d->flying;
	d->flying = f;
	d->flying_count++;
}

/* The attempts are in the record now; only now may anything leave. */
static void
on_claimed(void *arg, const struct db_reply *reply)
{
	struct lane *lane = arg;
	struct delivery *d = lane->delivery;

	lane->claiming = false;
	if (reply->outcome != DB_COMMITTED) {
		/* Rows that were claimed all the same will be found interrupted. */
		if (reply->outcome == DB_UNKNOWN)
			d->recovered = false;
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
		d->world.wake(d->world.arg);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	for (int row = 0; row < db_rows(rows); row++) {
		struct flying *f = calloc(1, sizeof(*f));
		struct job *job = f != NULL ? make_job(d, lane, rows, row) : NULL;
		if (job == NULL) {
			/* No memory: nothing was sent, and the next process or renewal says so. */
			log_error("out of memory, a message stays marked as being sent");
			free(f);
			continue;
		}
		remember(d, lane, rows, row, f);
		if (job->detail[0] == '\0')
			channel_send(lane->channel, job);
		else
			on_job_done(d, job);
	}
	if (db_rows(rows) > 0)
		delivery_look(d);
}

static size_t
lane_flying(const struct delivery *d, const struct lane *lane)
{
	size_t count = 0;

	for (const struct flying *f = d->flying; f != NULL; f = f->next)
		count += f->row.channel == channel_names[lane->which];
	return count;
}

static void
claim(struct delivery *d, struct lane *lane, uint64_t now_ms)
{
	const struct catalogue *catalogue = registry_catalogue(d->world.registry);
	size_t flying = lane_flying(d, lane);
	int64_t now_us = clock_now_us(), until_us;

	if (lane->channel == NULL || lane->claiming || flying >= d->world.in_flight
	    || catalogue == NULL)
		return;
	if (lane->which == DELIVERY_SMS
	    && !compose_sms_hours(&catalogue->municipality, now_us, &until_us)) {
		lane->look_at_ms = now_ms + (uint64_t)clock_ms_until(until_us);
		return;
	}
	struct db_unit *unit = db_unit_create(d->world.db);
	size_t room = d->world.in_flight - flying;
	db_unit_add(unit, STORE_CLAIM);
	db_add_text(unit, channel_names[lane->which]);
	db_add_int8(unit, now_us);
	db_add_int4(unit, (int32_t)(room < CLAIM_MAX ? room : CLAIM_MAX));
	lane->claiming = true;
	lane->look_at_ms = now_ms + LOOK_MS;
	if (!db_submit(d->world.db, unit, on_claimed, lane)) {
		db_unit_destroy(unit);
		lane->claiming = false;
	}
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void
on_job_done(void *arg, struct job *job)
{
	struct delivery *d = arg;
	struct flying **at = &d->flying;
	struct ended *e = calloc(1, sizeof(*e));

	while (*at != NULL && uuid_compare(&(*at)->id, &job->notification_id) != 0)
		at = &(*at)->next;
	struct flying *f = *at;
	assert(f != NULL);
	*at = f->next;
	d->flying_count--;
	stats_add_at(d->world.stats, NOTIFIER_STAT_ATTEMPTS, job->outcome, 1);
	stats_observe(d->world.stats, NOTIFIER_STAT_SECONDS, clock_monotonic_us() - f->handed_us);
	if (e == NULL) {
		log_error("out of memory, an outcome is not written down and becomes unknown");
		job_destroy(job);
	} else {
		e->job = job;
		e->row = f->row;
		*d->ended_last = e;
		d->ended_last = &e->next;
	}
	free(f);
	d->world.wake(d->world.arg);
}

static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct delivery *d = arg;

	if (reply->outcome == DB_COMMITTED) {
		free_ended(d->settling);
		d->settling = NULL;
		delivery_look(d);
		return;
	}
	/* Saying it again is safe: it moves only rows that are still being sent. */
	log_warn("outcomes not written down yet, again soon why=%s", log_quoted(reply->message));
	struct ended **last = &d->settling;
	while (*last != NULL)
		last = &(*last)->next;
	*last = d->ended;
	if (d->ended == NULL)
		d->ended_last = last;
	d->ended = d->settling;
	d->settling = NULL;
	d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
	d->world.wake(d->world.arg);
}

static int64_t
next_attempt_us(const struct delivery *d, const struct job *job)
{
	const struct backoff backoff = { .first_ms = d->world.retry_first_ms,
		.cap_ms = d->world.retry_cap_ms,
		.spread_percent = 30 };
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = job->attempt * 2654435761u;
	return clock_now_us() + (int64_t)backoff_delay_ms(&backoff, job->attempt, random) * 1000;
}

static void
add_settled(struct delivery *d, struct db_unit *unit)
{
	int64_t now_us = clock_now_us();
	struct db_array *a[6];

	db_unit_add(unit, STORE_SETTLE);
	a[0] = db_add_array(unit, DB_UUID);
	a[1] = db_add_array(unit, DB_INT4);
	a[2] = db_add_array(unit, DB_INT2);
	a[3] = db_add_array(unit, DB_INT8);
	a[4] = db_add_array(unit, DB_TEXT);
	a[5] = db_add_array(unit, DB_TEXT);
	db_add_int8(unit, now_us);
	for (const struct ended *e = d->settling; e != NULL; e = e->next) {
		enum message_state next = delivery_after(
		    e->job->outcome, e->job->attempt, d->world.attempts_max);
		assert(delivery_may_follow(MESSAGE_SENDING, next));
		db_array_uuid(a[0], &e->job->notification_id);
		db_array_int4(a[1], (int32_t)e->job->attempt);
		db_array_int2(a[2], (int16_t)next);
		if (next == MESSAGE_QUEUED)
			db_array_int8(a[3], next_attempt_us(d, e->job));
		else
			db_array_null(a[3]);
		db_array_text(a[4], e->job->detail);
		db_array_text(a[5], e->job->reference);
	}
	db_unit_add(unit, STORE_SETTLE_ATTEMPTS);
	a[0] = db_add_array(unit, DB_UUID);
	a[1] = db_add_array(unit, DB_INT4);
	a[2] = db_add_array(unit, DB_TEXT);
	a[3] = db_add_array(unit, DB_TEXT);
	db_add_int8(unit, now_us);
	for (const struct ended *e = d->settling; e != NULL; e = e->next) {
		db_array_uuid(a[0], &e->job->notification_id);
		db_array_int4(a[1], (int32_t)e->job->attempt);
		db_array_text(a[2], outcome_name(e->job->outcome));
		db_array_text(a[3], e->job->detail);
	}
}

/* What is said in the log: a message that was sent, or that no machine will try again. */
static void
add_records(struct delivery *d, struct db_unit *unit)
{
	int64_t now_us = clock_now_us();
	struct outcome_columns columns;

	db_unit_add(unit, STORE_APPEND);
	db_add_int8(unit, now_us);
	outcome_columns_begin(&columns, unit);
	for (const struct ended *e = d->settling; e != NULL; e = e->next) {
		enum message_state next = delivery_after(
		    e->job->outcome, e->job->attempt, d->world.attempts_max);
		if (next != MESSAGE_QUEUED)
			outcome_columns_add(&columns, &e->row, e->job, d->world.ids, now_us);
	}
}

static void
settle(struct delivery *d)
{
	struct ended *last = d->ended;

	for (int n = 1; n < SETTLE_MAX && last->next != NULL; n++)
		last = last->next;
	d->settling = d->ended;
	d->ended = last->next;
	last->next = NULL;
	if (d->ended == NULL)
		d->ended_last = &d->ended;

	struct db_unit *unit = db_unit_create(d->world.db);
	add_settled(d, unit);
	add_records(d, unit);
	if (!db_submit(d->world.db, unit, on_settled, d)) {
		const struct db_reply refused = { .outcome = DB_NOT_SENT, .message = "no room" };
		db_unit_destroy(unit);
		on_settled(d, &refused);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

void
delivery_look(struct delivery *d)
{
	for (size_t i = 0; i < DELIVERY_CHANNELS; i++)
		d->lanes[i].look_at_ms = 0;
	d->world.wake(d->world.arg);
}

void
delivery_renew(struct delivery *d)
{
	d->retry_at_ms = 0;
	delivery_look(d);
}

int64_t
delivery_tick(struct delivery *d, uint64_t now_ms)
{
	int64_t wait_ms = LOOK_MS;

	if (db_state_now(d->world.db) != DB_READY)
		return -1;
	if (now_ms < d->retry_at_ms)
		return (int64_t)(d->retry_at_ms - now_ms);
	if (d->ended != NULL && d->settling == NULL)
		settle(d);
	if (d->stopping)
		return -1;
	/* Nothing of ours may be on its way when what others left is marked. */
	if (!d->recovered && !d->recovering) {
		if (d->flying_count == 0 && d->ended == NULL && d->settling == NULL)
			recover(d);
		return LOOK_MS;
	}
	for (size_t i = 0; d->recovered && i < DELIVERY_CHANNELS; i++) {
		struct lane *lane = &d->lanes[i];
		if (now_ms >= lane->look_at_ms)
			claim(d, lane, now_ms);
		if (lane->look_at_ms > now_ms && (int64_t)(lane->look_at_ms - now_ms) < wait_ms)
			wait_ms = (int64_t)(lane->look_at_ms - now_ms);
	}
	stats_set(d->world.stats, NOTIFIER_STAT_SENDING, (int64_t)d->flying_count);
	return wait_ms;
}

void
delivery_stop(struct delivery *d)
{
	d->stopping = true;
}

bool
delivery_busy(const struct delivery *d)
{
	return d->flying_count > 0 || d->ended != NULL || d->settling != NULL || d->recovering
	       || d->lanes[DELIVERY_EMAIL].claiming || d->lanes[DELIVERY_SMS].claiming;
}
