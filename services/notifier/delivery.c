/* Claims what is due, hands it to a channel, and gives what became of it to be settled. */
#include "delivery.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "compose.h"
#include "letter.h"
#include "log.h"
#include "notifier_stats.h"
#include "outcome_record.h"
#include "ratelimit.h"
#include "settling.h"
#include "store.h"

enum {
	LOOK_MS = 1000,
	RETRY_MS = 500,
	BACKLOG_MS = 5000, /* between two looks at how much is waiting */
	AHEAD = 64, /* messages looked at beside those there is room for */
	WORKERS_MAX = 4,
	PROBE_FIRST_MS = 250, /* between two tries at a server that is not there */
	PROBE_CAP_MS = 30000,
	STEP_US = 1000000 /* a clock that is set back by less is not looked at */
};

static const char *const channel_names[] = { [DELIVERY_EMAIL] = "email", [DELIVERY_SMS] = "sms" };
_Static_assert(ARRAY_LEN(channel_names) == DELIVERY_CHANNELS, "name every channel");

struct lane {
	struct delivery *delivery;
	enum delivery_channel which;
	struct channel *channel; /* NULL: not configured */
	bool claiming;
	size_t flying;
	size_t permits; /* taken from the rate limit for the claim under way */
	uint32_t unreachable; /* in a row */
	uint64_t look_at_ms;
	uint64_t probe_at_ms; /* while nobody is there */
};

/* Handed to a channel, and what the record needs of its row. */
struct flying {
	struct uuid id;
	struct outcome_record row;
	struct lane *lane;
	struct ended *place; /* for its outcome: reserved before anything leaves */
	int64_t handed_us;
	struct flying *next;
};

struct delivery {
	struct delivery_world world;
	struct lane lanes[DELIVERY_CHANNELS];
	struct ratelimit *limit;
	struct settling *settling;
	struct flying *flying;
	char mark[64]; /* on the attempts this process began */
	bool recovered; /* nothing in the record says "being sent" but what is flying */
	bool recovering;
	bool counting;
	bool stopping;
	uint64_t retry_at_ms, count_at_ms;
	int64_t wall_us; /* what the clock said last, 0: not yet */
	int64_t beyond_us; /* nothing can be due later than so far from now */
	bool hasten, hastening;
};

static void on_job_done(void *arg, struct job *job);
static void land(struct delivery *d, struct job *job, bool was_sent);

static bool
open_lane(struct delivery *d, enum delivery_channel which, channel_work_fn *work,
    const void *config, bool wanted)
{
	struct lane *lane = &d->lanes[which];
	const struct channel_options options = { .name = channel_names[which],
		.workers = d->world.in_flight < WORKERS_MAX ? d->world.in_flight : WORKERS_MAX,
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

static void
on_settled(void *arg)
{
	delivery_look(arg);
}

static bool
make_parts(struct delivery *d)
{
	const struct delivery_world *w = &d->world;
	const struct ratelimit_settings limit = {
		.keys = DELIVERY_CHANNELS * 4, .burst = w->in_flight, .per_minute = w->per_minute
	};
	const struct settling_world settling = { .db = w->db,
		.stats = w->stats,
		.ids = w->ids,
		.attempts_max = w->attempts_max,
		.retry_first_ms = w->retry_first_ms,
		.retry_cap_ms = w->retry_cap_ms,
		.on_settled = on_settled,
		.arg = d };

	d->limit = ratelimit_create(&limit);
	d->settling = settling_create(&settling);
	return d->limit != NULL && d->settling != NULL
	       && open_lane(
		   d, DELIVERY_EMAIL, channel_smtp_work, &d->world.smtp, w->smtp.url != NULL)
	       && open_lane(
		   d, DELIVERY_SMS, channel_sms_http_work, &d->world.sms, w->sms.url != NULL);
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
	/* What is due later than any backoff says was written by a clock that ran ahead. */
	d->beyond_us = (int64_t)world->retry_cap_ms * 1000;
	d->hasten = true;
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
	for (size_t i = 0; i < DELIVERY_CHANNELS; i++)
		channel_close(d->lanes[i].channel);
	while (d->flying != NULL) {
		struct flying *next = d->flying->next;
		settling_release(d->flying->place);
		free(d->flying);
		d->flying = next;
	}
	settling_destroy(d->settling);
	ratelimit_destroy(d->limit);
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
		.about_seq = (uint64_t)db_get_int(rows, row, LEFT_ABOUT_SEQ),
		.channel = channel_names[strcmp(channel, channel_names[DELIVERY_SMS]) == 0] };
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
	job->notification_id = db_get_uuid(rows, row, LEFT_ID);
	job->attempt = (uint32_t)db_get_int(rows, row, LEFT_ATTEMPTS);
	job->outcome = ours ? OUTCOME_UNREACHABLE : OUTCOME_UNKNOWN;
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
	f->row.about_seq = (uint64_t)db_get_int(rows, row, CLAIM_ABOUT_SEQ);
	snprintf(f->row.about_type, sizeof(f->row.about_type), "%s",
	    db_get_text(rows, row, CLAIM_ABOUT_TYPE));
	snprintf(
	    f->row.language, sizeof(f->row.language), "%s", db_get_text(rows, row, CLAIM_LANGUAGE));
	f->row.channel = channel_names[lane->which];
	f->lane = lane;
	f->handed_us = clock_monotonic_us();
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

	if (job == NULL || take_off(lane, rows, row) == NULL) {
		log_error("out of memory, a message waits until it is looked for");
		job_destroy(job);
		d->recovered = false;
		return;
	}
	job->notification_id = db_get_uuid(rows, row, CLAIM_ID);
	job->attempt = (uint32_t)db_get_int(rows, row, CLAIM_ATTEMPTS);
	job->deferrals = (uint32_t)db_get_int(rows, row, CLAIM_DEFERRALS);
	letter_write(job, rows, row, &registry_catalogue(d->world.registry)->municipality,
	    lane->which == DELIVERY_SMS, &d->world.sms.fields, d->world.mail_key);
	if (job->detail[0] == '\0' && d->stopping)
		letter_refuse(job, OUTCOME_UNREACHABLE, "the notifier was stopped");
	if (job->detail[0] == '\0')
		channel_send(lane->channel, job);
	else
		land(d, job, false);
}

static const char *
lane_key(const struct lane *lane)
{
	return channel_names[lane->which];
}

static void
give_permits_back(struct lane *lane, size_t used)
{
	for (; lane->permits > used; lane->permits--)
		ratelimit_give_back(lane->delivery->limit, lane_key(lane), strlen(lane_key(lane)));
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
	for (int row = 0; row < rows; row++)
		send_row(lane, reply->results[0], row);
	if (rows > 0)
		delivery_look(d);
}

/* How many may be begun now; 0: *ret_look_at_ms says when to look again. */
static size_t
room_of(struct lane *lane, uint64_t now_ms)
{
	const struct delivery *d = lane->delivery;
	const struct catalogue *catalogue = registry_catalogue(d->world.registry);
	int64_t until_us;

	lane->look_at_ms = now_ms + LOOK_MS;
	if (catalogue == NULL || lane->claiming || lane->flying >= d->world.in_flight)
		return 0;
	if (lane->which == DELIVERY_SMS
	    && !compose_sms_hours(&catalogue->municipality, clock_now_us(), &until_us)) {
		lane->look_at_ms = now_ms + (uint64_t)clock_ms_until(until_us);
		return 0;
	}
	size_t room = d->world.in_flight - lane->flying;
	if (lane->unreachable > 0) {
		lane->look_at_ms = lane->probe_at_ms > now_ms ? lane->probe_at_ms
							      : lane->look_at_ms;
		room = now_ms < lane->probe_at_ms || lane->flying > 0 ? 0 : 1;
	}
	uint64_t wait_ms = 0;
	while (
	    lane->permits < room
	    && ratelimit_take(d->limit, lane_key(lane), strlen(lane_key(lane)), now_ms, &wait_ms))
		lane->permits++;
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
	db_add_text(unit, channel_names[lane->which]);
	db_add_int8(unit, clock_now_us());
	db_add_int4(unit, (int32_t)room);
	db_add_int4(unit, (int32_t)room + AHEAD);
	db_add_text(unit, d->mark);
	lane->claiming = true;
	if (!db_submit(d->world.db, unit, on_claimed, lane)) {
		db_unit_destroy(unit);
		give_permits_back(lane, 0);
		lane->claiming = false;
	}
}

/* --- outcomes --------------------------------------------------------------------------------- */

/* Whether anybody is there, as far as this outcome tells. */
static void
judge_lane(struct lane *lane, const struct job *job)
{
	const struct backoff backoff = { PROBE_FIRST_MS, PROBE_CAP_MS, 0 };

	if (lane->delivery->stopping || job->outcome == OUTCOME_UNKNOWN)
		return;
	if (job->outcome != OUTCOME_UNREACHABLE) {
		if (lane->unreachable > 0)
			log_info("channel answers again channel=%s", lane_key(lane));
		lane->unreachable = 0;
		return;
	}
	if (lane->unreachable == 0)
		log_warn("channel away, its messages wait channel=%s why=%s", lane_key(lane),
		    log_quoted(job->detail));
	/* Those that flew beside the first one met the same failure, not further ones: counted
	 * each, a moment's cut would keep everybody waiting for as long as a server that stays
	 * away. */
	uint64_t now_ms = clock_monotonic_ms();
	if (lane->unreachable > 0 && now_ms < lane->probe_at_ms)
		return;
	if (lane->unreachable < UINT32_MAX)
		lane->unreachable++;
	lane->probe_at_ms = now_ms + backoff_delay_ms(&backoff, lane->unreachable, 0);
}

static void
land(struct delivery *d, struct job *job, bool was_sent)
{
	struct flying **at = &d->flying;

	while (*at != NULL && uuid_compare(&(*at)->id, &job->notification_id) != 0)
		at = &(*at)->next;
	struct flying *f = *at;
	assert(f != NULL);
	*at = f->next;
	f->lane->flying--;
	if (was_sent)
		judge_lane(f->lane, job);
	stats_add_at(d->world.stats, NOTIFIER_STAT_ATTEMPTS, job->outcome, 1);
	stats_observe(d->world.stats, NOTIFIER_STAT_SECONDS, clock_monotonic_us() - f->handed_us);
	settling_add(d->settling, f->place, job, &f->row, false);
	free(f);
	d->world.wake(d->world.arg);
}

static void
on_job_done(void *arg, struct job *job)
{
	land(arg, job, true);
}

/* --- how much is waiting ---------------------------------------------------------------------- */

static void
on_counted(void *arg, const struct db_reply *reply)
{
	struct delivery *d = arg;

	d->counting = false;
	if (reply->outcome != DB_COMMITTED)
		return;
	const struct pg_result *r = reply->results[0];
	int64_t oldest_us = db_get_int(r, 0, BACKLOG_OLDEST_US);
	int64_t age_us = oldest_us != 0 ? clock_now_us() - oldest_us : 0;
	stats_set(d->world.stats, NOTIFIER_STAT_OPEN, db_get_int(r, 0, BACKLOG_WAITING));
	stats_set(d->world.stats, NOTIFIER_STAT_IN_DOUBT, db_get_int(r, 0, BACKLOG_UNKNOWN));
	stats_set(d->world.stats, NOTIFIER_STAT_GIVEN_UP, db_get_int(r, 0, BACKLOG_DEAD));
	stats_set(d->world.stats, NOTIFIER_STAT_OLDEST, age_us > 0 ? age_us / 1000000 : 0);
}

static void
count_backlog(struct delivery *d, uint64_t now_ms)
{
	if (d->counting || now_ms < d->count_at_ms)
		return;
	d->count_at_ms = now_ms + BACKLOG_MS;
	struct db_unit *unit = db_unit_create(d->world.db);
	db_unit_add(unit, STORE_BACKLOG);
	d->counting = true;
	if (!db_submit(d->world.db, unit, on_counted, d)) {
		db_unit_destroy(unit);
		d->counting = false;
	}
}

/* --- a clock that was set back ---------------------------------------------------------------- */

/* The times in the record are those of the clock that wrote them: after an hour back, what was
 * queued just before would wait for an hour. */
static void
watch_clock(struct delivery *d)
{
	int64_t now_us = clock_now_us();

	if (d->wall_us != 0 && now_us < d->wall_us - STEP_US) {
		log_warn("clock set back, what waits for later is due now back_ms=%lld",
		    (long long)((d->wall_us - now_us) / 1000));
		d->hasten = true;
		d->beyond_us = 0;
	}
	d->wall_us = now_us;
}

static void
on_hastened(void *arg, const struct db_reply *reply)
{
	struct delivery *d = arg;

	d->hastening = false;
	if (reply->outcome != DB_COMMITTED) {
		d->hasten = true;
		d->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
		return;
	}
	stats_add(
	    d->world.stats, NOTIFIER_STAT_HASTENED, (uint64_t)db_get_int(reply->results[0], 0, 0));
	delivery_look(d);
}

static void
hasten(struct delivery *d)
{
	if (!d->hasten || d->hastening)
		return;
	struct db_unit *unit = db_unit_create(d->world.db);
	db_unit_add(unit, STORE_HASTEN);
	db_add_int8(unit, d->wall_us);
	db_add_int8(unit, d->wall_us + d->beyond_us);
	if (!db_submit(d->world.db, unit, on_hastened, d)) {
		db_unit_destroy(unit);
		return;
	}
	d->hasten = false;
	d->hastening = true;
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

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int64_t
delivery_tick(struct delivery *d, uint64_t now_ms)
{
	int64_t wait_ms = LOOK_MS;

	watch_clock(d);
	if (db_state_now(d->world.db) != DB_READY)
		return -1;
	wait_ms = sooner(wait_ms, settling_tick(d->settling, now_ms));
	if (d->stopping)
		return wait_ms;
	if (now_ms < d->retry_at_ms)
		return sooner(wait_ms, (int64_t)(d->retry_at_ms - now_ms));
	/* Nothing of ours may be on its way while what is marked as being sent is looked at. */
	if (!d->recovered) {
		bool claiming = d->lanes[DELIVERY_EMAIL].claiming
				|| d->lanes[DELIVERY_SMS].claiming;
		if (!d->recovering && !claiming && d->flying == NULL && !settling_busy(d->settling))
			recover(d);
		return wait_ms;
	}
	for (size_t i = 0; i < DELIVERY_CHANNELS; i++) {
		struct lane *lane = &d->lanes[i];
		if (lane->channel == NULL)
			continue;
		if (now_ms >= lane->look_at_ms)
			claim(lane, now_ms);
		if (lane->look_at_ms > now_ms)
			wait_ms = sooner(wait_ms, (int64_t)(lane->look_at_ms - now_ms));
	}
	hasten(d);
	count_backlog(d, now_ms);
	stats_set(d->world.stats, NOTIFIER_STAT_SENDING,
	    (int64_t)(d->lanes[DELIVERY_EMAIL].flying + d->lanes[DELIVERY_SMS].flying));
	return wait_ms;
}

void
delivery_stop(struct delivery *d)
{
	d->stopping = true;
	for (size_t i = 0; i < DELIVERY_CHANNELS; i++)
		channel_stop(d->lanes[i].channel);
}

bool
delivery_busy(const struct delivery *d)
{
	return d->flying != NULL || settling_busy(d->settling) || d->recovering || d->hastening
	       || d->lanes[DELIVERY_EMAIL].claiming || d->lanes[DELIVERY_SMS].claiming;
}
