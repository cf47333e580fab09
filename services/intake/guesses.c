/* A token bucket of wrong keys by address, and which clients were known from where. */
#include "guesses.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ratelimit.h"

enum { ADDRESSES = 4096, KNOWN = 4096 };

struct guesses {
	struct ratelimit *wrong;
	unsigned char secret[crypto_shorthash_KEYBYTES];
	uint64_t known[KNOWN]; /* hashes of address and client, each at its own place */
};

struct guesses *
guesses_create(uint32_t burst, uint32_t per_minute)
{
	const struct ratelimit_settings settings = { ADDRESSES, burst, per_minute };
	struct guesses *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->wrong = ratelimit_create(&settings);
	if (g->wrong == NULL) {
		free(g);
		return NULL;
	}
	randombytes_buf(g->secret, sizeof(g->secret));
	return g;
}

void
guesses_destroy(struct guesses *g)
{
	if (g == NULL)
		return;
	ratelimit_destroy(g->wrong);
	free(g);
}

static uint64_t
hash_text(const struct guesses *g, const char *text, uint64_t seed)
{
	unsigned char key[crypto_shorthash_KEYBYTES];
	uint64_t hash;
	_Static_assert(crypto_shorthash_BYTES == sizeof(hash), "a hash fills a number");

	memcpy(key, g->secret, sizeof(key));
	for (size_t i = 0; i < sizeof(seed); i++)
		key[i] ^= (unsigned char)(seed >> (8 * i));
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)text, strlen(text), key);
	return hash;
}

bool
guesses_judge(struct guesses *g, const char *address, const char *client, uint64_t now_ms,
    uint64_t *ret_wait_ms)
{
	size_t len = strlen(address);

	if (client == NULL)
		return ratelimit_take(g->wrong, address, len, now_ms, ret_wait_ms);
	uint64_t pair = hash_text(g, client, hash_text(g, address, 0));
	if (g->known[pair % KNOWN] == pair)
		return true;
	/* A right key costs nothing, but it is a key to be judged like others. */
	if (!ratelimit_take(g->wrong, address, len, now_ms, ret_wait_ms))
		return false;
	ratelimit_give_back(g->wrong, address, len);
	g->known[pair % KNOWN] = pair;
	return true;
}
