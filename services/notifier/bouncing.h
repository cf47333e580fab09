/*
 * bouncing - what becomes of a message that was sent and did not arrive.
 *
 * intake writes down the reports that come to the addresses we signed, channel_smtp what the server
 * says of a recipient at once (turunc.bounce).  One at a time: a permanent failure makes the
 * message a failed one and says so in the log; when there is no such mailbox, the address is
 * marked, gets no mail for thirty days or until somebody writes from it, and the last news of the
 * ticket goes out by SMS where there is a number.  A report of a delay changes nothing, and one
 * that the record will not settle is set aside.  Each step may be done again: what was done stays
 * done once.
 */
#ifndef NOTIFIER_BOUNCING_H
#define NOTIFIER_BOUNCING_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "uuid.h"

struct bouncing;

/* Everything is lent for the life of the bouncing. */
struct bouncing_world {
	struct db *db;
	const struct registry *registry;
	struct stats *stats;
	struct uuid_source *ids;
	const struct reply_address_key *key;
	void (*on_queued)(void *arg); /* there may be new messages */
	void *arg;
};

/* NULL: no memory.  Destroy takes NULL; close the db first. */
struct bouncing *bouncing_create(const struct bouncing_world *world);
void bouncing_destroy(struct bouncing *b);

int64_t bouncing_tick(struct bouncing *b, uint64_t now_ms);
void bouncing_stop(struct bouncing *b);
bool bouncing_busy(const struct bouncing *b);

/* In place of a status: the message was not sent, for its address was marked already. */
#define BOUNCING_HELD "held"

/* Does a permanent failure of this status (RFC 3463, "" when none was given) say that there is no
 * such mailbox?  What a server on the way says of itself (5.4.x: a loop, no route) would mark
 * everybody on one bad evening.  Pure. */
bool bouncing_marks(const char *status);

#endif
