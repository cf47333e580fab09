/* redis_internal - what the files of redis share; for redis*.c alone. */
#ifndef TURUNC_REDIS_INTERNAL_H
#define TURUNC_REDIS_INTERNAL_H

#include <stddef.h>
#include <sys/queue.h>

#include "address.h"
#include "redis.h"

/* One command: arguments that belong to somebody else. */
struct redis_command {
	size_t count;
	const char *const *args;
	const size_t *lens; /* NULL: all are text */
};

/* Sends the commands in one piece; done hears of the last one.  False: nothing is sent. */
bool redis_put(struct redis *r, const struct redis_command *commands, size_t count,
    redis_done_fn *done, void *arg);

/* --- between redis.c and redis_wire.c --- */

enum redis_state {
	REDIS_IDLE, /* until retry_at_ms, then the next attempt */
	REDIS_GREETING, /* connecting, then AUTH, SELECT and PING; until deadline_ms */
	REDIS_READY,
	REDIS_BROKEN, /* reclaimed by the next tick, for the context may be in use up the stack */
	REDIS_STATES
};

/* A command on its way. */
struct redis_pending {
	TAILQ_ENTRY(redis_pending) link;
	struct redis *redis;
	redis_done_fn *done;
	void *arg;
	size_t bytes;
	uint64_t sent_ms;
	int64_t sent_us;
	bool greeting;
};

struct redis {
	struct event_base *loop;
	struct redis_settings settings;
	redis_state_fn *on_state;
	void *arg;
	struct stats *stats;
	char *password, *socket_path;
	char *host; /* NULL: a socket */
	struct addresses addresses;
	struct address_lookup *lookup;
	int port;
	size_t address; /* of the next attempt, modulo their count */

	enum redis_state state;
	struct redisAsyncContext *context; /* hiredis frees it; then this is NULL */
	struct event *readable, *writable;
	TAILQ_HEAD(, redis_pending) sent; /* oldest first */
	size_t in_flight, bytes;
	struct event *timer;
	uint64_t timer_at_ms; /* UINT64_MAX: not set */
	uint64_t retry_at_ms, deadline_ms, heard_ms;
	uint32_t failures;
	bool was_ready, lost_told, closing;
	char why[200];
};

enum redis_stat {
	REDIS_STAT_COMMANDS,
	REDIS_STAT_SECONDS,
	REDIS_STAT_IN_FLIGHT,
	REDIS_STAT_TURNED_AWAY,
	REDIS_STAT_READY,
	REDIS_STAT_LOSSES
};

/* The timer fires at at_ms or earlier. */
void redis_wake(struct redis *r, uint64_t at_ms);
/* Gives the connection up; the next tick reclaims it.  The first reason given is kept. */
void redis_break(struct redis *r, const char *why);

/* One command past all bounds.  False: no memory, or hiredis is letting go of the context. */
bool redis_put_one(
    struct redis *r, const struct redis_command *command, redis_done_fn *done, void *arg);
/* Ties the context to the loop; false: no memory. */
bool redis_attach(struct redis *r);
void redis_unwatch(struct redis *r);

#endif
