/* delivery_internal - what delivery.c and lane.c share: the ways out and what flies on them. */
#ifndef NOTIFIER_DELIVERY_INTERNAL_H
#define NOTIFIER_DELIVERY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "backlog.h"
#include "delivery.h"
#include "outcome_record.h"
#include "ratelimit.h"
#include "settling.h"
#include "strays.h"

/* The ways out; a gateway's route is its place from LANE_SMS on. */
enum lane_id { LANE_EMAIL, LANE_SMS, LANE_SMS_SECOND, LANES };

struct lane {
	struct delivery *delivery;
	enum lane_id which;
	const char *key; /* of its rate, and for the log */
	struct channel *channel; /* NULL: not configured */
	const struct gateway *gateway; /* NULL: e-mail */
	struct sms_config sms;
	struct ratelimit *limit;
	bool claiming;
	size_t flying;
	size_t permits; /* taken from the rate limit for the claim under way */
	size_t asked; /* so many it may take */
	uint32_t unreachable; /* in a row */
	bool limited; /* the rate allowed it fewer than there was room for */
	bool quiet; /* only what is urgent goes out */
	bool more; /* the last claim left something that is due, or it has come here since */
	uint64_t claimed_at_ms;
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
	int64_t created_us; /* written down, by the service's clock */
	struct flying *next;
};

struct delivery {
	struct delivery_world world;
	struct lane lanes[LANES];
	struct settling *settling;
	struct backlog *backlog;
	struct strays *strays;
	struct flying *flying;
	uint64_t first_until_ms; /* the hour in which first mails are counted */
	uint32_t first_begun;
	char mark[64]; /* on the attempts this process began */
	bool recovered; /* nothing in the record says "being sent" but what is flying */
	bool recovering;
	bool stopping;
	uint64_t retry_at_ms;
	uint64_t clock_seen;
};

/* False with errno: some could not be opened. */
MUST_CHECK bool lanes_open(struct delivery *d, channel_done_fn *on_done);
void lanes_close(struct delivery *d);
/* One of the gateways has this name and can be asked. */
bool lanes_can_ask(const struct delivery *d, const char *gateway);

bool lane_is_sms(const struct lane *lane);
uint32_t lane_route(const struct lane *lane);
/* The routes whose messages it may take: its own, and those of a gateway that is not there. */
void lane_add_routes(struct lane *lane, struct db_array *routes);
/* May mails to addresses that have had none be begun?  A claim may go over it by what flies. */
bool lanes_begin_first(struct delivery *d, uint64_t now_ms);
/* After an attempt: whether anybody is there, where the message goes, when it is asked about. */
void lane_judge(struct lane *lane, const struct job *job);
void lane_take_elsewhere(struct lane *lane, struct job *job);
void lane_plan_question(const struct lane *lane, struct job *job);

#endif
