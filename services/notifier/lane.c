/* The ways out: which there are, whether anybody is there, and where a message goes next. */
#include <string.h>

#include "backoff.h"
#include "clock.h"
#include "delivery_internal.h"
#include "log.h"
#include "notifier_stats.h"

enum {
	WORKERS_MAX = 4,
	PROBE_FIRST_MS = 250, /* between two tries at a server that is not there */
	PROBE_CAP_MS = 30000,
	HOUR_MS = 3600000,
};

bool
lane_is_sms(const struct lane *lane)
{
	return lane->which != LANE_EMAIL;
}

uint32_t
lane_route(const struct lane *lane)
{
	return lane_is_sms(lane) ? (uint32_t)(lane->which - LANE_SMS) : 0;
}

static bool
open_lane(struct lane *lane, channel_work_fn *work, const void *config, uint32_t per_minute,
    channel_done_fn *on_done)
{
	const struct delivery_world *w = &lane->delivery->world;
	const struct ratelimit_settings limit = {
		.keys = 4, .burst = w->in_flight, .per_minute = per_minute
	};
	const struct channel_options options = { .name = lane->key,
		.workers = w->in_flight < WORKERS_MAX ? w->in_flight : WORKERS_MAX,
		.work = work,
		.config = config,
		.on_done = on_done,
		.arg = lane->delivery };

	lane->limit = ratelimit_create(&limit);
	if (lane->limit != NULL)
		lane->channel = channel_open(w->loop, &options);
	return lane->channel != NULL;
}

bool
lanes_open(struct delivery *d, channel_done_fn *on_done)
{
	static const char *const keys[LANES] = { "email", "sms", "sms-second" };
	const struct delivery_world *w = &d->world;

	for (int i = 0; i < LANES; i++) {
		struct lane *lane = &d->lanes[i];
		lane->delivery = d;
		lane->which = (enum lane_id)i;
		lane->key = keys[i];
		if (i == LANE_EMAIL) {
			if (w->smtp.url != NULL
			    && !open_lane(
				lane, channel_smtp_work, &w->smtp, w->per_minute, on_done))
				return false;
			continue;
		}
		const struct gateway *g = &w->gateways[i - LANE_SMS];
		if (g->url == NULL)
			continue;
		lane->gateway = g;
		lane->sms = (struct sms_config){ g, w->gateway_timeout_ms };
		if (!open_lane(lane, channel_sms_work, &lane->sms,
			w->gateway_per_minute[i - LANE_SMS], on_done))
			return false;
	}
	return true;
}

void
lanes_close(struct delivery *d)
{
	for (size_t i = 0; i < LANES; i++) {
		channel_close(d->lanes[i].channel);
		ratelimit_destroy(d->lanes[i].limit);
	}
}

bool
lanes_can_ask(const struct delivery *d, const char *gateway)
{
	for (size_t i = LANE_SMS; i < LANES; i++) {
		const struct gateway *g = d->lanes[i].gateway;
		if (g != NULL && strcmp(g->profile->name, gateway) == 0)
			return g->profile->ask != NULL;
	}
	return false;
}

/* The other gateway, NULL: there is none. */
static struct lane *
other_gateway(struct lane *lane)
{
	struct lane *other =
	    !lane_is_sms(lane)
		? NULL
		: &lane->delivery->lanes[lane->which == LANE_SMS ? LANE_SMS_SECOND : LANE_SMS];

	return other != NULL && other->channel != NULL ? other : NULL;
}

void
lane_add_routes(struct lane *lane, struct db_array *routes)
{
	struct lane *other = other_gateway(lane);

	db_array_int2(routes, (int16_t)lane_route(lane));
	if (lane_is_sms(lane) && (other == NULL || other->unreachable > 0))
		db_array_int2(routes, (int16_t)(1 - lane_route(lane)));
}

bool
lanes_begin_first(struct delivery *d, uint64_t now_ms)
{
	if (now_ms >= d->first_until_ms) {
		d->first_until_ms = now_ms + HOUR_MS;
		d->first_begun = 0;
	}
	return d->world.first_mails == 0 || d->first_begun < d->world.first_mails;
}

/* Whether anybody is there, as far as this outcome tells. */
void
lane_judge(struct lane *lane, const struct job *job)
{
	const struct backoff backoff = { PROBE_FIRST_MS, PROBE_CAP_MS, 0 };

	if (lane->delivery->stopping || job->outcome == OUTCOME_UNKNOWN)
		return;
	if (job->outcome != OUTCOME_UNREACHABLE) {
		if (lane->unreachable > 0)
			log_info("channel answers again channel=%s", lane->key);
		lane->unreachable = 0;
		stats_set_at(lane->delivery->world.stats, NOTIFIER_STAT_AWAY, lane->which, 0);
		return;
	}
	if (lane->unreachable == 0)
		log_warn("channel away, its messages wait channel=%s why=%s", lane->key,
		    log_quoted(job->detail));
	/* Those that flew beside the first one met the same failure, not further ones: counted
	 * each, a moment's cut would keep everybody waiting for as long as a server that stays
	 * away. */
	uint64_t now_ms = clock_monotonic_ms();
	if (lane->unreachable > 0 && now_ms < lane->probe_at_ms)
		return;
	if (lane->unreachable < UINT32_MAX)
		lane->unreachable++;
	stats_set_at(lane->delivery->world.stats, NOTIFIER_STAT_AWAY, lane->which, 1);
	lane->probe_at_ms = now_ms + backoff_delay_ms(&backoff, lane->unreachable, 0);
}

/* The other gateway gets what this one has surely not taken, unless it has refused it already. */
void
lane_take_elsewhere(struct lane *lane, struct job *job)
{
	struct lane *other = other_gateway(lane);

	if (job->outcome == OUTCOME_REFUSED)
		job->refused_by |= 1u << lane_route(lane);
	else if (job->outcome != OUTCOME_UNREACHABLE)
		return;
	if (other == NULL || (job->refused_by & 1u << lane_route(other)) != 0
	    || (job->outcome == OUTCOME_UNREACHABLE && other->unreachable > 0))
		return;
	job->route = lane_route(other);
	job->elsewhere = true;
	other->more = true;
	stats_incr(lane->delivery->world.stats, NOTIFIER_STAT_ELSEWHERE);
}

void
lane_plan_question(const struct lane *lane, struct job *job)
{
	const struct delivery_world *w = &lane->delivery->world;

	if (lane->gateway == NULL || lane->gateway->profile->ask == NULL)
		return;
	if (job->outcome == OUTCOME_UNKNOWN)
		job->ask_us = clock_now_us() + w->ask_doubt_us;
	else if (job->outcome == OUTCOME_ACCEPTED)
		job->ask_us = clock_now_us() + w->ask_receipt_us;
}
