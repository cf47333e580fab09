/*
 * attachment_draft - a file of the attachments' folder that is written piece by piece, while it
 * comes in: the raw mail.
 *
 * Like a photo it is whole and durable before it has its name, and named by salt and content.
 * Making it durable waits for the disk, for a large mail a tenth of a second:
 * attachment_draft_settle() may be called on a thread (worker.h), while nobody else touches the
 * draft.
 */
#ifndef TURUNC_ATTACHMENT_DRAFT_H
#define TURUNC_ATTACHMENT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "attachment.h"
#include "base.h"

struct attachment_draft;

/* NULL: errno, or out of memory.  a is lent until the draft is kept or dropped. */
struct attachment_draft *attachment_draft_begin(struct attachments *a);
/* False: no room, or the disk fails; what remains is to drop it. */
MUST_CHECK bool attachment_draft_add(struct attachment_draft *d, const void *data, size_t len);
/* Durable under its name, or not; what came of it attachment_draft_end() says. */
void attachment_draft_settle(struct attachment_draft *d, enum failpoint_step step);
/* ATTACHMENT_STORED: durable under its name; type, width and height are 0.  The draft is gone in
 * any case.  Otherwise, or when it was not settled: errno. */
MUST_CHECK enum attachments_result attachment_draft_end(
    struct attachment_draft *d, struct attachment *ret);
/* Takes NULL. */
void attachment_draft_drop(struct attachment_draft *d);

#endif
