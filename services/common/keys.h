/*
 * keys - CURVE key pairs and the files that hold the secret ones.
 *
 * Keys are z85 text (40 characters), as libzmq takes them.  A key file is that one line and is
 * readable by its owner only; the public key is computed from it.  What others need of it lies
 * beside it as another such line.
 */
#ifndef TURUNC_KEYS_H
#define TURUNC_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

enum { KEYS_TEXT_LEN = 40, KEYS_TEXT_SIZE = KEYS_TEXT_LEN + 1, KEYS_RAW_BYTES = 32 };

struct key_pair {
	char public_key[KEYS_TEXT_SIZE];
	char secret_key[KEYS_TEXT_SIZE];
};

enum keys_result {
	KEYS_OK,
	KEYS_MISSING, /* no such file */
	KEYS_EXISTS, /* keys_write never replaces a key */
	KEYS_OPEN_TO_OTHERS, /* group or others may read or write it, or it is somebody else's */
	KEYS_MALFORMED, /* not one z85 key, or not a regular file */
	KEYS_IO, /* errno says why */
};

/* A sentence fit for an operator. */
const char *keys_result_text(enum keys_result result);

/* From the kernel's random source.  False: libzmq was built without CURVE. */
MUST_CHECK bool keys_generate(struct key_pair *ret_keys);

/* Reads a secret key file: regular, mode 0600 or 0400, owned by this user or root. */
MUST_CHECK enum keys_result keys_read(const char *path, struct key_pair *ret_keys);
/* The public key of a peer, a file that anybody may read: one line of z85. */
MUST_CHECK enum keys_result keys_read_public(const char *path, char ret_key[KEYS_TEXT_SIZE]);
/* Makes the file (0600), complete or not at all, and on disk when this returns. */
MUST_CHECK enum keys_result keys_write(const char *path, const struct key_pair *keys);
/* Reads it, or makes one when it is missing. */
MUST_CHECK enum keys_result keys_read_or_make(const char *path, struct key_pair *ret_keys);

/* Overwrites the secret. */
void keys_wipe(struct key_pair *keys);

/* Exactly 40 characters of z85 that stand for 32 bytes. */
bool keys_text_valid(const char *text);
MUST_CHECK bool keys_text_from_raw(
    const uint8_t raw[KEYS_RAW_BYTES], char ret_text[KEYS_TEXT_SIZE]);

#endif
