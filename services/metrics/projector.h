/*
 * projector - keeps the projection where the log is.
 *
 * It asks Redis where the projection stands, follows the stream from there, and hands each
 * delivery to Redis in order.  Whatever does not fit (nothing there, another history, too far
 * behind, a refusal) sends it back to asking, or to a rebuild from the record.
 */
#ifndef METRICS_PROJECTOR_H
#define METRICS_PROJECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "live.h"
#include "uuid.h"

struct db;
struct event_base;
struct letters;
struct projector;
struct redis;
struct stats;

enum projector_state {
	PROJECTOR_SEEKING, /* waits for Redis to say where it stands */
	PROJECTOR_REBUILDING, /* the record is being read, a new generation filled */
	PROJECTOR_FOLLOWING, /* the figures in Redis count */
	PROJECTOR_STATES
};
const char *projector_state_name(enum projector_state state);

/* Strings and what is pointed to are lent. */
struct projector_options {
	struct redis *redis;
	struct live *live;
	struct db *db; /* for rebuilds */
	struct db *letters_db; /* for dead letters */
	struct letters *letters;
	const char *endpoint; /* router's stream door */
	const char *public_key, *secret_key, *server_key;
	uint64_t replay_max; /* records; further behind than this is rebuilt */
	uint32_t window; /* records delivered and not projected at most */
};

/* All are called from the loop.  why: lent, "" when there is nothing to say. */
struct projector_calls {
	void (*on_state)(void *arg, enum projector_state state, const char *why);
	void (*on_stream)(void *arg, bool up, const char *why);
	void (*on_applied)(void *arg); /* the projection has moved */
};

/* NULL: why says what is wrong.  Destroy takes NULL; close db and redis before. */
struct projector *projector_create(struct event_base *loop, const struct projector_options *options,
    const struct projector_calls *calls, void *arg, char *why, size_t why_size);
void projector_destroy(struct projector *p);

enum projector_state projector_state(const struct projector *p);
/* Where the projection stands; only while following. */
const struct live_position *projector_position(const struct projector *p);

/* Redis came or went. */
void projector_redis_changed(struct projector *p, bool ready);
/* Redis answered somebody that it is not as we believe: ask again. */
void projector_doubt(struct projector *p, enum live_outcome outcome);
/* The record says where the log is now. */
void projector_head_seen(struct projector *p, const char *log_id, uint64_t seq);
/* No new records are taken from the stream; what is on its way is finished. */
void projector_stop(struct projector *p);
bool projector_busy(const struct projector *p);

/* The greatest time from commit to projection of the last ten seconds and the time of the last
 * record projected; -1: none. */
int64_t projector_lag_ms(const struct projector *p);

/* Returns ms until the next call. */
int64_t projector_tick(struct projector *p, uint64_t now_ms);

/* turunc_metrics_*: records, batches by outcome, rebuilds, lag.  Lent. */
const struct stats *projector_stats(const struct projector *p);

#endif
