/*
 * digest - SHA-256 and keyed BLAKE2b by libsodium, and hexadecimal.
 *
 * SHA-256 names what others may want to check (the chain of log batches, attachments); keyed
 * BLAKE2b stands for content that must not be guessed from its digest (salted digests of inbound
 * items).  Several parts that must not run into each other are added with digest_add_part(),
 * which puts each one's length in front of it.
 */
#ifndef TURUNC_DIGEST_H
#define TURUNC_DIGEST_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX_SIZE = 2 * DIGEST_BYTES + 1 };

struct digest {
	uint8_t bytes[DIGEST_BYTES];
};

struct digest_sha256 {
	crypto_hash_sha256_state state;
};

struct digest_keyed {
	crypto_generichash_state state;
};

void digest_sha256(const void *data, size_t len, struct digest *ret_digest);

void digest_sha256_init(struct digest_sha256 *d);
void digest_sha256_add(struct digest_sha256 *d, const void *data, size_t len);
void digest_sha256_add_part(struct digest_sha256 *d, const void *data, size_t len);
void digest_sha256_finish(struct digest_sha256 *d, struct digest *ret_digest);

/* key_len between 16 and 64 bytes (asserted): it comes from a secret, not from a peer. */
void digest_keyed_init(struct digest_keyed *d, const void *key, size_t key_len);
void digest_keyed_add(struct digest_keyed *d, const void *data, size_t len);
void digest_keyed_add_part(struct digest_keyed *d, const void *data, size_t len);
void digest_keyed_finish(struct digest_keyed *d, struct digest *ret_digest);

/* Takes the same time whether or where they differ. */
bool digest_equal(const struct digest *a, const struct digest *b);

/* Lower case, terminated. */
void digest_format(const struct digest *d, char text[DIGEST_HEX_SIZE]);
/* Exactly 64 hexadecimal digits of either case. */
MUST_CHECK bool digest_parse(const char *text, size_t len, struct digest *ret_digest);

#endif
