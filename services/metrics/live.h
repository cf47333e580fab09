/*
 * live - the projection of the log in Redis, written and read by one versioned function.
 *
 * Every call runs live.lua, which refuses what does not follow (log_id, seq) of the generation
 * that counts.  Callbacks come from the loop; false means nothing was sent and none will come.
 */
#ifndef METRICS_LIVE_H
#define METRICS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "ops.h"
#include "uuid.h"
#include "window.h"

struct live;
struct redis;
struct redisReply;

enum { LIVE_OPS_MAX = 500 }; /* in one call */

enum live_outcome {
	LIVE_OK,
	LIVE_LOST, /* Redis holds no projection, or no more the one being filled */
	LIVE_OTHER_GENERATION, /* another one counts now */
	LIVE_OTHER_LOG, /* it is of another history */
	LIVE_STALE, /* all of it was there already; nothing changed */
	LIVE_OVERLAP, /* part of it was there already; nothing changed */
	LIVE_GAP, /* something before it is missing; nothing changed */
	LIVE_UNANSWERED, /* done or not, nobody knows */
	LIVE_FAILED, /* Redis refused */
	LIVE_OUTCOMES
};
const char *live_outcome_name(enum live_outcome outcome);
/* The names, ended with NULL, for counters. */
extern const char *const live_outcome_names[LIVE_OUTCOMES + 1];

struct live_position {
	char generation[UUID_TEXT_SIZE];
	char log_id[UUID_TEXT_SIZE];
	uint64_t seq;
	int64_t committed_us; /* of the last record with a time, 0 when there was none */
};

/* redis is lent.  NULL: no memory.  Close redis before, so that no answer is under way. */
struct live *live_create(struct redis *redis);
void live_destroy(struct live *live);

typedef void live_done_fn(void *arg, enum live_outcome outcome);

typedef void live_position_fn(
    void *arg, enum live_outcome outcome, const struct live_position *position);
MUST_CHECK bool live_seek(struct live *live, live_position_fn *done, void *arg);

/* The records (after, through] of the position's log, ops [from, to) of the list (at most
 * LIVE_OPS_MAX).  unknown: steps of tickets it has never heard of. */
struct live_batch {
	const struct live_position *position; /* generation and log_id */
	uint64_t after, through;
	int64_t committed_us; /* of the last record, 0: none */
	const struct ops *ops;
	size_t from, to;
};
typedef void live_applied_fn(void *arg, enum live_outcome outcome, uint64_t unknown);
MUST_CHECK bool live_apply(
    struct live *live, const struct live_batch *batch, live_applied_fn *done, void *arg);

/* A new generation: begun in the given minute, filled in any number of calls, then switched to. */
MUST_CHECK bool live_begin(
    struct live *live, const char *generation, int64_t minute, live_done_fn *done, void *arg);
MUST_CHECK bool live_load(struct live *live, const char *generation, const struct ops *ops,
    size_t from, size_t to, live_done_fn *done, void *arg);
MUST_CHECK bool live_switch(
    struct live *live, const struct live_position *to, live_done_fn *done, void *arg);

/* Names and values as text, alternating, from rows[0] to rows[count - 1]; lent. */
struct live_reading {
	uint64_t seq;
	int64_t committed_us;
	struct redisReply **rows;
	size_t count;
};
typedef void live_read_fn(void *arg, enum live_outcome outcome, const struct live_reading *reading);
/* What counts as quick, near and many. */
struct live_bounds {
	int64_t quick_s; /* a call answered sooner was answered quickly */
	int64_t soon_us; /* a legal deadline within it is near */
	int64_t surge; /* tickets of a place in the last hour, to be told at all */
};
MUST_CHECK bool live_read(struct live *live, const struct live_position *position,
    const struct window *window, const struct live_bounds *bounds, live_read_fn *done, void *arg);

#endif
