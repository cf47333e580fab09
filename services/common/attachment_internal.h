/* attachment_internal - what the files of the attachment module share; nobody else includes it. */
#ifndef TURUNC_ATTACHMENT_INTERNAL_H
#define TURUNC_ATTACHMENT_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attachment.h"

enum { ATTACHMENT_KEY_BYTES = 32 };

struct attachments {
	char *folder;
	uint64_t max_bytes; /* 0: only reads */
	uint64_t draft_bytes;
	bool guest;
	enum failpoint_step step;
	uint64_t bytes, count;
	bool has_key;
	uint8_t key[ATTACHMENT_KEY_BYTES];
};

/* Reads the key of the links if it was not read yet; who writes makes it. */
bool attachments_read_key(struct attachments *a);
/* Where a file of that name lies; a path of its own below the drafts. */
bool attachments_path(
    const struct attachments *a, const struct digest *digest, char path[PATH_MAX]);
bool attachments_draft_path(const struct attachments *a, char path[PATH_MAX]);

#endif
