/* Token buckets by key: a hash table of fixed size that forgets the key unused for longest. */
#include "ratelimit.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { MS_PER_MINUTE = 60000 };

/* A bucket counts in shares of a token, MS_PER_MINUTE of them to one, so that per_minute shares
 * come in each millisecond and no fraction is lost. */
struct bucket {
	uint64_t hash;
	uint64_t shares;
	uint64_t filled_ms; /* when shares was right */
	LIST_ENTRY(bucket) in_slot;
	TAILQ_ENTRY(bucket) by_use;
};

LIST_HEAD(slot, bucket);
TAILQ_HEAD(bucket_list, bucket);

struct ratelimit {
	struct ratelimit_settings settings;
	uint64_t full; /* shares */
	unsigned char secret[crypto_shorthash_KEYBYTES];
	size_t used;
	uint64_t forgotten;
	struct slot *slots; /* as many as buckets */
	struct bucket *buckets;
	struct bucket_list by_use; /* the one used last comes last */
};

struct ratelimit *
ratelimit_create(const struct ratelimit_settings *settings)
{
	assert(settings->keys > 0 && settings->burst > 0 && settings->per_minute > 0);
	struct ratelimit *limit = calloc(1, sizeof(*limit));

	if (limit == NULL || sodium_init() == -1) {
		free(limit);
		return NULL;
	}
	limit->settings = *settings;
	limit->full = (uint64_t)settings->burst * MS_PER_MINUTE;
	limit->slots = calloc(settings->keys, sizeof(*limit->slots));
	limit->buckets = calloc(settings->keys, sizeof(*limit->buckets));
	TAILQ_INIT(&limit->by_use);
	if (limit->slots == NULL || limit->buckets == NULL) {
		ratelimit_destroy(limit);
		return NULL;
	}
	randombytes_buf(limit->secret, sizeof(limit->secret));
	return limit;
}

void
ratelimit_destroy(struct ratelimit *limit)
{
	if (limit == NULL)
		return;
	free(limit->slots);
	free(limit->buckets);
	free(limit);
}

static uint64_t
hash_key(const struct ratelimit *limit, const void *key, size_t len)
{
	union {
		unsigned char bytes[crypto_shorthash_BYTES];
		uint64_t number;
	} hash;
	_Static_assert(sizeof(hash) == sizeof(uint64_t), "a hash fills a number");

	crypto_shorthash(hash.bytes, key, len, limit->secret);
	return hash.number;
}

static struct bucket *
find_bucket(struct ratelimit *limit, uint64_t hash)
{
	struct bucket *b;

	LIST_FOREACH (b, &limit->slots[hash % limit->settings.keys], in_slot) {
		if (b->hash == hash)
			return b;
	}
	return NULL;
}

static void
fill_bucket(const struct ratelimit *limit, struct bucket *b, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms > b->filled_ms ? now_ms - b->filled_ms : 0;
	uint64_t to_full_ms = (limit->full - b->shares) / limit->settings.per_minute + 1;

	if (passed_ms >= to_full_ms)
		b->shares = limit->full;
	else
		b->shares += passed_ms * limit->settings.per_minute;
	if (b->shares > limit->full)
		b->shares = limit->full;
	b->filled_ms += passed_ms;
}

/* A bucket never used, or the one unused for longest; it is full and in no list. */
static struct bucket *
fresh_bucket(struct ratelimit *limit, uint64_t now_ms)
{
	struct bucket *b;

	if (limit->used < limit->settings.keys) {
		b = &limit->buckets[limit->used++];
	} else {
		b = TAILQ_FIRST(&limit->by_use);
		fill_bucket(limit, b, now_ms);
		limit->forgotten += b->shares < limit->full;
		LIST_REMOVE(b, in_slot);
		TAILQ_REMOVE(&limit->by_use, b, by_use);
	}
	b->shares = limit->full;
	b->filled_ms = now_ms;
	return b;
}

bool
ratelimit_take(struct ratelimit *limit, const void *key, size_t key_len, uint64_t now_ms,
    uint64_t *ret_wait_ms)
{
	uint64_t hash = hash_key(limit, key, key_len);
	struct bucket *b = find_bucket(limit, hash);

	if (b == NULL) {
		b = fresh_bucket(limit, now_ms);
		b->hash = hash;
		LIST_INSERT_HEAD(&limit->slots[hash % limit->settings.keys], b, in_slot);
	} else {
		fill_bucket(limit, b, now_ms);
		TAILQ_REMOVE(&limit->by_use, b, by_use);
	}
	TAILQ_INSERT_TAIL(&limit->by_use, b, by_use);

	if (b->shares >= MS_PER_MINUTE) {
		b->shares -= MS_PER_MINUTE;
		return true;
	}
	uint64_t missing = MS_PER_MINUTE - b->shares, rate = limit->settings.per_minute;
	*ret_wait_ms = (missing + rate - 1) / rate;
	return false;
}

void
ratelimit_give_back(struct ratelimit *limit, const void *key, size_t key_len)
{
	struct bucket *b = find_bucket(limit, hash_key(limit, key, key_len));

	if (b == NULL)
		return;
	b->shares += MS_PER_MINUTE;
	if (b->shares > limit->full)
		b->shares = limit->full;
}

uint64_t
ratelimit_forgotten(const struct ratelimit *limit)
{
	return limit->forgotten;
}
