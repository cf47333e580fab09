/*
 * photos - the photos that come with a form: checked, cleaned, stored, and told of to the record.
 *
 * Either all of them are stored or none: whoever does not pass an item on, or hears that it was not
 * taken, drops what was stored for it.
 */
#ifndef TURUNC_PHOTOS_H
#define TURUNC_PHOTOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attachment.h"
#include "base.h"
#include "catalogue.h"
#include "photo.h"

struct http_request;

enum {
	PHOTOS_MAX = 3,
	PHOTOS_EACH_BYTES_MAX = 10 * 1024 * 1024,
	/* Of a form with photos: a few too large ones still get a sentence, not a closed door. */
	PHOTOS_BODY_BYTES = 48 * 1024 * 1024,
	PHOTOS_JSON_BYTES = PHOTOS_MAX * 256,
	PHOTOS_WORDS_BYTES = 320,
};

struct photos_limits {
	uint64_t each_bytes;
	uint64_t pixels;
};

/* What is wrong; all fields but problem are of no account when it is PHOTOS_FINE. */
enum photos_problem {
	PHOTOS_FINE,
	PHOTOS_TOO_MANY,
	PHOTOS_TOO_LARGE,
	PHOTOS_REFUSED, /* result says why */
	PHOTOS_NOT_KEPT, /* no room for them, or the disk fails */
	PHOTOS_TOO_OFTEN, /* from one address; the caller's to find out */
};
struct photos_fault {
	enum photos_problem problem;
	size_t place; /* from 1 */
	enum photo_result result;
	struct photos_limits limits;
};

/* Zeroed is ready, and is "none". */
struct photos {
	struct attachments *store; /* lent */
	size_t count;
	struct photo clean[PHOTOS_MAX];
	size_t stored_count;
	struct attachment stored[PHOTOS_MAX];
	char json[PHOTOS_JSON_BYTES]; /* of those stored; "" when none */
};

/* Did any come? */
bool photos_sent(const struct http_request *req);
/* Reads the request's files of the field "photo".  Not fine: nothing is held. */
MUST_CHECK struct photos_fault photos_read(
    struct photos *p, const struct http_request *req, const struct photos_limits *limits);
/* Digest of the i-th cleaned photo, for the identity of what was sent. */
void photos_digest(const struct photos *p, size_t i, char ret_hex[DIGEST_HEX_SIZE]);
/* Durable when fine, and p->json says so; the pictures themselves are freed in any case. */
MUST_CHECK struct photos_fault photos_store(struct photos *p, struct attachments *store);
/* Frees and removes all there is. */
void photos_drop(struct photos *p);
/* Frees what memory is held; what is stored stays. */
void photos_finish(struct photos *p);

/* A sentence for who sent them. */
void photos_words(const struct photos_fault *fault, enum catalogue_language language,
    char ret_text[PHOTOS_WORDS_BYTES]);

#endif
