/*
 * stream_viewed - a ticket of a special category is shown to somebody outside only when the log
 * says so.
 *
 * Before such a ticket is sent whole, its number and the reader are committed
 * (turunc.ticket_viewer, and at the first time the record ticket.viewed); the frame or page ends in
 * front of it meanwhile, and the same question is asked again afterwards.  What was noted last is
 * remembered for each reader, so it goes on then; for what it was shown earlier the record is asked
 * again and has nothing to add.
 */
#ifndef ROUTER_STREAM_VIEWED_H
#define ROUTER_STREAM_VIEWED_H

#include "stream_internal.h"

enum { LOOKS_MAX = STREAM_TICKETS_MAX };

/* A ticket that is about to be shown; the texts are lent by its rows. */
struct look {
	int64_t ticket_id;
	uint32_t version;
	const char *department, *subject_code;
};

struct looks {
	size_t count;
	struct look at[LOOKS_MAX];
};

/* Must it be noted before this view is sent? */
bool stream_look_is_new(const struct reader *r, enum reader_door door,
    const struct acl_client *rights, const struct view_ticket *ticket, enum view_cut cut,
    bool special);
/* Adds it; what does not fit is noted the next time. */
void stream_looks_add(struct looks *looks, const struct view_ticket *ticket);

/* Asks the record to note them; afterwards the reader has its turn, or its snapshot its page.
 * False: not now, and stream_retry_soon() was called. */
bool stream_looks_note(struct reader *r, enum reader_door door, struct looks *looks);

/* When the reader goes. */
void stream_looks_forget(struct reader *r);

#endif
