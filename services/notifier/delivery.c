/* Claims what is due, hands it to a channel, and gives what became of it to be settled. */
#include "delivery.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backlog.h"
#include "backoff.h"
#include "clock.h"
#include "compose.h"
#include "delivery_internal.h"
#include "letter.h"
#include "log.h"
#include "notifier_stats.h"
#include "number.h"
#include "outcome_record.h"
#include "ratelimit.h"
#include "settling.h"
#include "store.h"
#include "strays.h"

enum {
	LOOK_MS = 1000,
	RETRY_MS = 500,
	QUIET_LOOK_MS = 5000, /* for what is urgent, while others wait for the morning */
	/* Between two claims, when the first has taken all that there was, or that the rate allows.
	 */
	BREATH_MS = 20,
	HELD_MS = 500, /* how long the claim puts off what is behind another message */
	SETTLED_MS = 5000, /* after it landed, what became of a message is in the record */
	AHEAD = 64, /* messages looked at beside those there is room for */
};

static void on_job_done(void *arg, struct job *job);
static void land(struct delivery *d, struct job *job, bool was_sent);
static bool is_claiming(const struct delivery *d);

/* What waited behind a message that has landed becomes due half a second after the claim that saw
 * it (STORE_CLAIM), so a lane that left nothing else is not looked at before: each look is a
 * transaction.  While somebody is away, outcomes decide who may send. */
static void
on_settled(void *arg)
{
	struct delivery *d = arg;
	bool away = false;

	for (size_t i = 0; i < LANES; i++)
		away = away || d->lanes[i].unreachable > 0;
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &d->lanes[i];
		uint64_t freed_ms = lane->claimed_at_ms + HELD_MS;
		if (away || lane->more)
			lane->look_at_ms = 0;
		else if (freed_ms < lane->look_at_ms)
			lane->look_at_ms = freed_ms;
	}
	d->world.wake(d->world.arg);
}

static void
on_hastened(void *arg)
{
	delivery_look(arg);
}

static struct flying *
flying_of(const struct delivery *d, const struct uuid *message)
{
	struct flying *f = d->flying;

	while (f != NULL && uuid_compare(&f->id, message) != 0)
		f = f->next;
	return f;
}

static bool
is_held(void *arg, const struct uuid *message)
{
	const struct delivery *d = arg;

	return flying_of(d, message) != NULL || settling_holds(d->settling, message);
}

/* Nothing else is begun until all that flies has landed, and what was left is settled. */
static void
on_stray(void *arg, const struct uuid *message)
{
	struct delivery *d = arg;
	char id[UUID_TEXT_SIZE];

	uuid_format(message, id);
	log_warn("a message that is marked as being sent is sent by nobody, all such are looked "
		 "for msg=%s",
	    id);
	stats_incr(d->world.stats, NOTIFIER_STAT_STRAYS);
	d->recovered = false;
	d->world.wake(d->world.arg);
}

static bool
make_parts(struct delivery *d)
{
	const struct delivery_world *w = &d->world;
	const struct settling_world settling = { .db = w->db,
		.stats = w->stats,
		.ids = w->ids,
		.attempts_max = w->attempts_max,
		.crowd = w->in_flight,
		.retry_first_ms = w->retry_first_ms,
		.retry_cap_ms = w->retry_cap_ms,
		.on_settled = on_settled,
		.arg = d };

	d->settling = settling_create(&settling);
	d->backlog = backlog_create(w->db, w->stats, w->retry_cap_ms, on_hastened, d);
	long longest_ms = w->smtp.timeout_ms > w->gateway_timeout_ms ? w->smtp.timeout_ms
								     : w->gateway_timeout_ms;
	d->strays = strays_create(w->db, (int64_t)(longest_ms + SETTLED_MS) * 1000,
	    &(struct strays_calls){ is_held, on_stray, d });
	return d->settling != NULL && d->backlog != NULL && d->strays != NULL
	       && lanes_open(d, on_job_done);
}

struct delivery *
delivery_create(const struct delivery_world *world)
{
	struct delivery *d = calloc(1, sizeof(*d));
	struct uuid mark;
	char text[UUID_TEXT_SIZE];

	if (d == NULL)
		return NULL;
	d->world = *world;
	uuid_next(world->ids, clock_now_us(), &mark);
	uuid_format(&mark, text);
	snprintf(d->mark, sizeof(d->mark), "begun by %s", text);
	if (!make_parts(d)) {
		delivery_destroy(d);
		return NULL;
	}
	return d;
}

void
delivery_destroy(struct delivery *d)
{
	if (d == NULL)
		return;
	lanes_close(d);
	while (d->flying != NULL) {
		struct flying *next = d->flying->next;
		settling_release(d->flying->place);
		free(d->flying);
		d->flying = next;
	}
	settling_destroy(d->settling);
	backlog_destroy(d->backlog);
	strays_destroy(d->strays);
	free(d);
}

/* --- what was left marked as being sent ------------------------------------------------------- */

/* Another process's may have been taken by the other side.  One of our own was claimed by a
 * transaction whose commit we did not hear of, or there was no memory: it surely was not sent. */
static void
settle_left(struct delivery *d, const struct pg_result *rows, int row)
{
	bool ours = db_get_bool(rows, row, LEFT_OURS);
	const char *channel = db_get_text(rows, row, LEFT_CHANNEL);
	struct outcome_record about = { .ticket_id = db_get_int(rows, row, LEFT_TICKET),
		.about_seq = outcome_record_about(db_get_int(rows, row, LEFT_ABOUT_SEQ)),
		.channel = strcmp(channel, "sms") == 0 ? "sms" : "email" };
	struct job *job = calloc(1, sizeof(*job));

	struct ended *place = settling_reserve();
	if (job == NULL || place == NULL) {
		job_destroy(job); /* looked for again: there are rows left */
		settling_release(place);
		return;
	}
	snprintf(about.about_type, sizeof(about.about_type), "%s",
	    db_get_text(rows, row, LEFT_ABOUT_TYPE));
	snprintf(
	    about.language, sizeof(about.language), "%s", db_get_text(rows, row, LEFT_LANGUAGE));
	outcome_record_follow(&about, rows, row, LEFT_EVENT);
	job->notification_id = db_get_uuid(rows, row, LEFT_ID);
	job->attempt = (uint32_t)db_get_int(rows, row, LEFT_ATTEMPTS);
	job->outcome = ours ? OUTCOME_UNREACHABLE : OUTCOME_UNKNOWN;
	job->route = (uint32_t)db_get_int(rows, row, LEFT_ROUTE);
	job->refused_by = (uint32_t)db_get_int(rows, row, LEFT_REFUSED_BY);
	if (!ours && lanes_can_ask(d, db_get_text(rows, row, LEFT_GATEWAY)))
		job->ask_us = clock_now_us() + d->world.ask_doubt_us;
	job_say(job, ours ? "not sent: the record was lost before"
			  : "the notifier ended while it was being sent");
	settling_add(d->settling, place, job, &about, !ours);
}

static void
on_left(void *arg, const struct db_reply *reply)
{
	struct delivery *d = arg;

	d->recovering = false;
	if (reply->outcome != DB_COMMITTED) {
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
	} else if (db_rows(reply->results[0]) == 0) {
		d->recovered = true;
	} else {
		for (int row = 0; row < db_rows(reply->results[0]); row++)
			settle_left(d, reply->results[0], row);
		if (!settling_busy(d->settling))
			d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
	}
	delivery_look(d);
}

static void
recover(struct delivery *d)
{
	struct db_unit *unit = db_unit_create(d->world.db);

	db_unit_add(unit, STORE_LEFT);
	db_add_text(unit, d->mark);
	d->recovering = true;
	if (!db_submit(d->world.db, unit, on_left, d)) {
		db_unit_destroy(unit);
		d->recovering = false;
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
	}
}

/* --- claiming --------------------------------------------------------------------------------- */

static struct flying *
take_off(struct lane *lane, const struct pg_result *rows, int row)
{
	struct delivery *d = lane->delivery;
	struct flying *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->place = settling_reserve()) == NULL) {
		free(f);
		return NULL;
	}
	f->id = db_get_uuid(rows, row, CLAIM_ID);
	f->row.ticket_id = db_get_int(rows, row, CLAIM_TICKET);
	f->row.about_seq = outcome_record_about(db_get_int(rows, row, CLAIM_ABOUT_SEQ));
	snprintf(f->row.about_type, sizeof(f->row.about_type), "%s",
	    db_get_text(rows, row, CLAIM_ABOUT_TYPE));
	snprintf(
	    f->row.language, sizeof(f->row.language), "%s", db_get_text(rows, row, CLAIM_LANGUAGE));
	outcome_record_follow(&f->row, rows, row, CLAIM_EVENT);
	f->row.channel = lane_is_sms(lane) ? "sms" : "email";
	f->lane = lane;
	f->handed_us = clock_monotonic_us();
	f->created_us = db_get_int(rows, row, CLAIM_CREATED);
	f->next = d->flying;
	d->flying = f;
	lane->flying++;
	return f;
}

static void
send_row(struct lane *lane, const struct pg_result *rows, int row)
{
	struct delivery *d = lane->delivery;
	struct job *job = calloc(1, sizeof(*job));
	const struct flying *f = job == NULL ? NULL : take_off(lane, rows, row);

	if (f == NULL) {
		log_error("out of memory, a message waits until it is looked for");
		job_destroy(job);
		d->recovered = false;
		return;
	}
	job->notification_id = db_get_uuid(rows, row, CLAIM_ID);
	job->attempt = (uint32_t)db_get_int(rows, row, CLAIM_ATTEMPTS);
	job->deferrals = (uint32_t)db_get_int(rows, row, CLAIM_DEFERRALS);
	job->refused_by = (uint32_t)db_get_int(rows, row, CLAIM_REFUSED_BY);
	job->repeated = db_get_bool(rows, row, CLAIM_REPEATED);
	job->route = lane_route(lane);
	memcpy(job->trace, f->row.trace, sizeof(job->trace));
	letter_write(job, rows, row, &registry_catalogue(d->world.registry)->municipality,
	    lane->gateway, d->world.mail_key);
	if (job->detail[0] == '\0' && d->stopping)
		letter_refuse(job, OUTCOME_UNREACHABLE, "the notifier was stopped");
	if (job->detail[0] == '\0')
		channel_send(lane->channel, job);
	else
		land(d, job, false);
}

static void
give_permits_back(struct lane *lane, size_t used)
{
	for (; lane->permits > used; lane->permits--)
		ratelimit_give_back(lane->limit, lane->key, strlen(lane->key));
	lane->permits = 0;
}

/* The attempts are in the record now; only now may anything leave. */
static void
on_claimed(void *arg, const struct db_reply *reply)
{
	struct lane *lane = arg;
	struct delivery *d = lane->delivery;

	lane->claiming = false;
	if (reply->outcome != DB_COMMITTED) {
		give_permits_back(lane, 0);
		/* What was claimed all the same is found by our mark, and was not sent. */
		if (reply->outcome == DB_UNKNOWN)
			d->recovered = false;
		else
			log_warn(
			    "no messages claimed, again soon why=%s", log_quoted(reply->message));
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
		d->world.wake(d->world.arg);
		return;
	}
	int rows = db_rows(reply->results[0]);
	give_permits_back(lane, (size_t)rows);
	for (int row = 0; row < rows; row++) {
		if (db_get_bool(reply->results[0], row, CLAIM_FIRST)) {
			d->first_begun++;
			stats_incr(d->world.stats, NOTIFIER_STAT_FIRST);
		}
		send_row(lane, reply->results[0], row);
	}
	lane->more = rows > 0
		     && ((size_t)rows == lane->asked
			 || db_get_int(reply->results[0], 0, CLAIM_SEEN)
				>= (int64_t)lane->asked + AHEAD);
	if (lane->more)
		lane->look_at_ms = 0;
	d->world.wake(d->world.arg); /* a look may have been asked for meanwhile */
}

/* How many may be begun now; 0: *ret_look_at_ms says when to look again. */
static size_t
room_of(struct lane *lane, uint64_t now_ms)
{
	const struct delivery *d = lane->delivery;
	const struct catalogue *catalogue = registry_catalogue(d->world.registry);
	int64_t until_us, until_ms;

	lane->look_at_ms = now_ms + LOOK_MS;
	if (catalogue == NULL)
		return 0;
	/* What has landed and is not written down is in doubt as well, when we die. */
	size_t doubted = lane->flying + settling_count(d->settling, lane_is_sms(lane));
	if (doubted >= d->world.in_flight) {
		lane->more = true;
		return 0;
	}
	lane->quiet = lane_is_sms(lane)
		      && !compose_sms_hours(&catalogue->municipality, clock_now_us(), &until_us);
	if (lane->quiet) {
		until_ms = clock_ms_until(until_us);
		lane->look_at_ms =
		    now_ms + (uint64_t)(until_ms < QUIET_LOOK_MS ? until_ms : QUIET_LOOK_MS);
	}
	size_t room = d->world.in_flight - doubted;
	if (lane->unreachable > 0) {
		lane->look_at_ms = lane->probe_at_ms > now_ms ? lane->probe_at_ms
							      : lane->look_at_ms;
		room = now_ms < lane->probe_at_ms || lane->flying > 0 ? 0 : 1;
	}
	uint64_t wait_ms = 0;
	while (lane->permits < room
	       && ratelimit_take(lane->limit, lane->key, strlen(lane->key), now_ms, &wait_ms))
		lane->permits++;
	lane->limited = lane->permits < room;
	if (room > 0 && lane->permits == 0)
		lane->look_at_ms = now_ms + wait_ms;
	return lane->permits;
}

static void
claim(struct lane *lane, uint64_t now_ms)
{
	struct delivery *d = lane->delivery;
	size_t room = room_of(lane, now_ms);

	if (room == 0)
		return;
	struct db_unit *unit = db_unit_create(d->world.db);
	db_unit_add(unit, STORE_CLAIM);
	db_add_text(unit, lane_is_sms(lane) ? "sms" : "email");
	db_add_int8(unit, clock_now_us());
	db_add_int4(unit, (int32_t)room);
	db_add_int4(unit, (int32_t)room + AHEAD);
	db_add_text(unit, d->mark);
	lane_add_routes(lane, db_add_array(unit, DB_INT2));
	db_add_text(unit, lane->gateway != NULL ? lane->gateway->profile->name : "");
	db_add_bool(unit, lane->quiet);
	db_add_bool(unit, lanes_begin_first(d, now_ms));
	lane->claiming = true;
	lane->asked = room;
	lane->claimed_at_ms = now_ms;
	if (!db_submit(d->world.db, unit, on_claimed, lane)) {
		db_unit_destroy(unit);
		give_permits_back(lane, 0);
		lane->claiming = false;
	}
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void
trace_outcome(struct flying *f, const struct job *job)
{
	Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
	char number[NUMBER_SIZE] = "";

	(void)!number_format(f->row.ticket_id, number);
	event.traceparent = f->row.trace;
	event.type = f->row.about_type;
	event.subject = number;
	trace_log("told", &event, "channel=%s attempt=%u outcome=%s", f->lane->key, job->attempt,
	    outcome_name(job->outcome));
}

static void
land(struct delivery *d, struct job *job, bool was_sent)
{
	struct flying *f = flying_of(d, &job->notification_id), **at = &d->flying;

	assert(f != NULL);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->lane->flying--;
	if (was_sent) {
		lane_judge(f->lane, job);
		lane_take_elsewhere(f->lane, job);
		lane_plan_question(f->lane, job);
	}
	stats_add_at(d->world.stats, NOTIFIER_STAT_ATTEMPTS, job->outcome, 1);
	stats_observe(d->world.stats, NOTIFIER_STAT_SECONDS, clock_monotonic_us() - f->handed_us);
	trace_outcome(f, job);
	if (job->outcome == OUTCOME_ACCEPTED)
		stats_observe(d->world.stats, NOTIFIER_STAT_STAGE, clock_now_us() - f->created_us);
	settling_add(d->settling, f->place, job, &f->row, false);
	free(f);
	d->world.wake(d->world.arg);
}

static void
on_job_done(void *arg, struct job *job)
{
	land(arg, job, true);
}

/* --- life ------------------------------------------------------------------------------------- */

void
delivery_look(struct delivery *d)
{
	for (size_t i = 0; i < LANES; i++)
		d->lanes[i].look_at_ms = 0;
	d->world.wake(d->world.arg);
}

void
delivery_renew(struct delivery *d)
{
	d->retry_at_ms = 0;
	delivery_look(d);
}

static bool
is_claiming(const struct delivery *d)
{
	bool claiming = false;

	for (size_t i = 0; i < LANES; i++)
		claiming = claiming || d->lanes[i].claiming;
	return claiming;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int64_t
delivery_tick(struct delivery *d, uint64_t now_ms)
{
	int64_t wait_ms = LOOK_MS;

	if (clock_was_set(&d->clock_seen))
		delivery_look(d);
	backlog_watch_clock(d->backlog);
	if (db_state_now(d->world.db) != DB_READY)
		return -1;
	wait_ms = sooner(wait_ms, settling_tick(d->settling, now_ms));
	if (d->stopping)
		return wait_ms;
	if (now_ms < d->retry_at_ms)
		return sooner(wait_ms, (int64_t)(d->retry_at_ms - now_ms));
	/* Nothing of ours may be on its way while what is marked as being sent is looked at. */
	if (!d->recovered) {
		if (!d->recovering && !is_claiming(d) && d->flying == NULL
		    && !settling_busy(d->settling))
			recover(d);
		return wait_ms;
	}
	size_t flying = 0;
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &d->lanes[i];
		flying += lane->flying;
		if (lane->channel == NULL)
			continue;
		if ((!lane->more || lane->limited)
		    && lane->look_at_ms < lane->claimed_at_ms + BREATH_MS)
			lane->look_at_ms = lane->claimed_at_ms + BREATH_MS;
		if (now_ms >= lane->look_at_ms && !lane->claiming)
			claim(lane, now_ms);
		if (lane->look_at_ms > now_ms)
			wait_ms = sooner(wait_ms, (int64_t)(lane->look_at_ms - now_ms));
	}
	backlog_look(d->backlog, now_ms);
	strays_look(d->strays, now_ms);
	stats_set(d->world.stats, NOTIFIER_STAT_SENDING, (int64_t)flying);
	return wait_ms;
}

void
delivery_stop(struct delivery *d)
{
	d->stopping = true;
	for (size_t i = 0; i < LANES; i++)
		channel_stop(d->lanes[i].channel);
}

bool
delivery_busy(const struct delivery *d)
{
	return d->flying != NULL || settling_busy(d->settling) || d->recovering
	       || backlog_busy(d->backlog) || is_claiming(d);
}
