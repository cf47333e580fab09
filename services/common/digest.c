/* Digests by libsodium, in the two ways the project needs. */
#include "digest.h"

#include <assert.h>

_Static_assert(crypto_hash_sha256_BYTES == DIGEST_BYTES, "SHA-256");
_Static_assert(
    DIGEST_BYTES >= crypto_generichash_BYTES_MIN && DIGEST_BYTES <= crypto_generichash_BYTES_MAX,
    "BLAKE2b");

/* Eight bytes, the largest first, whatever the machine's own order is. */
static void
put_length(uint8_t to[8], size_t len)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
}

void
digest_sha256(const void *data, size_t len, struct digest *ret_digest)
{
	crypto_hash_sha256(ret_digest->bytes, data, len);
}

void
digest_sha256_init(struct digest_sha256 *d)
{
	crypto_hash_sha256_init(&d->state);
}

void
digest_sha256_add(struct digest_sha256 *d, const void *data, size_t len)
{
	if (len > 0)
		crypto_hash_sha256_update(&d->state, data, len);
}

void
digest_sha256_add_part(struct digest_sha256 *d, const void *data, size_t len)
{
	uint8_t length[8];

	put_length(length, len);
	digest_sha256_add(d, length, sizeof(length));
	digest_sha256_add(d, data, len);
}

void
digest_sha256_finish(struct digest_sha256 *d, struct digest *ret_digest)
{
	crypto_hash_sha256_final(&d->state, ret_digest->bytes);
}

void
digest_keyed_init(struct digest_keyed *d, const void *key, size_t key_len)
{
	assert(key_len >= crypto_generichash_KEYBYTES_MIN
	       && key_len <= crypto_generichash_KEYBYTES_MAX);
	crypto_generichash_init(&d->state, key, key_len, DIGEST_BYTES);
}

void
digest_keyed_add(struct digest_keyed *d, const void *data, size_t len)
{
	if (len > 0)
		crypto_generichash_update(&d->state, data, len);
}

void
digest_keyed_add_part(struct digest_keyed *d, const void *data, size_t len)
{
	uint8_t length[8];

	put_length(length, len);
	digest_keyed_add(d, length, sizeof(length));
	digest_keyed_add(d, data, len);
}

void
digest_keyed_finish(struct digest_keyed *d, struct digest *ret_digest)
{
	crypto_generichash_final(&d->state, ret_digest->bytes, DIGEST_BYTES);
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return sodium_memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

void
digest_format(const struct digest *d, char text[DIGEST_HEX_SIZE])
{
	sodium_bin2hex(text, DIGEST_HEX_SIZE, d->bytes, DIGEST_BYTES);
}

bool
digest_parse(const char *text, size_t len, struct digest *ret_digest)
{
	struct digest d;
	const char *end;
	size_t parsed;

	if (len != DIGEST_HEX_SIZE - 1
	    || sodium_hex2bin(d.bytes, DIGEST_BYTES, text, len, NULL, &parsed, &end) != 0
	    || parsed != DIGEST_BYTES || end != text + len)
		return false;
	*ret_digest = d;
	return true;
}
