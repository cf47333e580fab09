/*
 * photo_item - a photo in a list of a page: its picture, which leads to itself.
 */
#ifndef TURUNC_PHOTO_ITEM_H
#define TURUNC_PHOTO_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct attachments;
struct html;

/* A row of attachment as the record gives it. */
struct photo_item {
	const void *digest; /* of digest_len bytes */
	size_t digest_len;
	int64_t width, height;
};

/* Writes <li>, the link and the picture up to its alternative text, which the caller writes, and
 * then photo_item_end() and </li>.  The link works for half an hour.  False: nothing was written.
 */
MUST_CHECK bool photo_item_begin(
    struct html *h, struct attachments *store, const struct photo_item *photo, int64_t now_us);
void photo_item_end(struct html *h);

/* The same for a raw mail, which is saved and never shown: <li> and the link up to its words; the
 * caller writes them, </a> and </li>. */
MUST_CHECK bool photo_item_mail(
    struct html *h, struct attachments *store, const struct photo_item *mail, int64_t now_us);

#endif
