/*
 * redis - Redis on the loop: one connection, bounded, with deadlines of its own.
 *
 * hiredis has no timeouts for asynchronous work and an output buffer without a bound; here an
 * attempt to connect and the oldest command each have a deadline, commands on their way are
 * counted and refused beyond a limit, and a lost connection is made again by itself with backoff.
 * What was on its way then is REDIS_LOST: done or not, nobody knows.
 *
 * Commands are given as separate arguments, so nothing in a value can become a command.  One
 * thread; callbacks come from the loop and may send commands but not close the redis.
 */
#ifndef TURUNC_REDIS_H
#define TURUNC_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct event_base;
struct redis;
struct redisReply;
struct stats;

/* Zero means the standard value in brackets.  Strings are copied. */
struct redis_settings {
	const char *address; /* "/path/of/socket", "host:port" or "[v6]:port" */
	const char *password; /* NULL or empty: none */
	unsigned database; /* [0] */
	unsigned in_flight_max; /* [1024] commands; a transaction has two more than its own */
	size_t bytes_max; /* [8 MiB] of commands on their way */
	uint64_t connect_ms; /* [3000] until the connection has answered a PING */
	uint64_t command_ms; /* [5000] for the oldest command; then the connection is cut */
};

/* Called from the loop.  why: what the last failure said (lent), NULL when ready. */
typedef void redis_state_fn(void *arg, bool ready, const char *why);

/* Resolves the host (this blocks; it is for start-up) and begins to connect; never waits for the
 * server.  NULL: a wrong address, one without a host, or no memory; complaint says which. */
MUST_CHECK struct redis *redis_open(struct event_base *loop, const struct redis_settings *settings,
    redis_state_fn *on_state, void *arg, char *complaint, size_t complaint_size);
/* Commands on their way get REDIS_LOST from inside this call.  Takes NULL. */
void redis_close(struct redis *r);
bool redis_ready(const struct redis *r);

enum redis_outcome {
	REDIS_DONE,
	REDIS_REFUSED, /* the server answered with an error: reply->str */
	REDIS_LOST, /* no answer: it was done or not */
};
/* reply is lent, NULL when REDIS_LOST; <hiredis/hiredis.h> describes it. */
typedef void redis_done_fn(void *arg, enum redis_outcome outcome, const struct redisReply *reply);

/* --- sending: false when not ready or too much is on its way (nothing is sent, done not called).
 * done may be NULL. --- */

/* Text arguments, at most 32, ended with NULL: redis_send(r, NULL, NULL, "SET", key, value, NULL).
 */
MUST_CHECK bool redis_send(struct redis *r, redis_done_fn *done, void *arg, ...)
    __attribute__((sentinel));
/* Any bytes.  lens NULL: all are text. */
MUST_CHECK bool redis_send_args(struct redis *r, redis_done_fn *done, void *arg, size_t count,
    const char *const *args, const size_t *lens);

/* --- several commands as one MULTI ... EXEC, sent in one piece --- */

struct redis_transaction;
/* NULL: no memory.  Destroy (takes NULL) only what was not executed. */
struct redis_transaction *redis_transaction_create(void);
void redis_transaction_destroy(struct redis_transaction *t);
/* No memory is remembered and makes redis_transaction_exec() return false. */
void redis_transaction_add(struct redis_transaction *t, ...) __attribute__((sentinel));
void redis_transaction_add_args(
    struct redis_transaction *t, size_t count, const char *const *args, const size_t *lens);
size_t redis_transaction_commands(const struct redis_transaction *t);
/* done gets EXEC's reply: an array with one reply per command, or an error when one was refused as
 * it was queued.  Any error in it makes the outcome REDIS_REFUSED; Redis does not undo the others.
 * True: t is gone. */
MUST_CHECK bool redis_transaction_exec(
    struct redis *r, struct redis_transaction *t, redis_done_fn *done, void *arg);

/* --- Lua (numbers there are doubles: pass what may pass 2^53 as text and compare it as text) ---
 */

/* args: first key_count keys, then the others.  The text is sent each time (the server compiles it
 * once): there is no second path for a server that has forgotten a digest. */
MUST_CHECK bool redis_eval(struct redis *r, redis_done_fn *done, void *arg, const char *text,
    size_t key_count, size_t count, const char *const *args, const size_t *lens);

/* turunc_redis_*: commands by outcome, round trip, on their way, losses, refusals.  Lent. */
const struct stats *redis_stats(struct redis *r);

#endif
