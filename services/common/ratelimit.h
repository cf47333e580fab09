/*
 * ratelimit - a token bucket per key, in a table of fixed size.
 *
 * Each key may act `burst` times at once and `per_minute` times a minute in the long run.  The
 * table remembers the keys used last; a key that was forgotten starts with a full bucket, so the
 * table should be much larger than the number of honest keys.  Keys are kept as keyed hashes.
 * Times are monotonic milliseconds and are passed in.
 */
#ifndef TURUNC_RATELIMIT_H
#define TURUNC_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct ratelimit;

struct ratelimit_settings {
	uint32_t keys; /* remembered at one time; 1 or more */
	uint32_t burst; /* 1 or more */
	uint32_t per_minute; /* 1 or more */
};

/* NULL: out of memory.  Everything is reserved here; destroy accepts NULL. */
struct ratelimit *ratelimit_create(const struct ratelimit_settings *settings);
void ratelimit_destroy(struct ratelimit *limit);

/* True: the key may act, and one token is taken.  False: not before *ret_wait_ms (1 or more) have
 * passed, nothing is taken. */
MUST_CHECK bool ratelimit_take(struct ratelimit *limit, const void *key, size_t key_len,
    uint64_t now_ms, uint64_t *ret_wait_ms);

/* Takes a token back that should not have counted; a forgotten key is left alone. */
void ratelimit_give_back(struct ratelimit *limit, const void *key, size_t key_len);

/* Keys forgotten while their bucket was not full: the table is too small or under attack. */
uint64_t ratelimit_forgotten(const struct ratelimit *limit);

#endif
