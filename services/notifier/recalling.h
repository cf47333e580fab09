/*
 * recalling - takes up records that were set aside, when somebody has requeued them: tells what is
 * to be told, and ends the letter in the same transaction.
 */
#ifndef NOTIFIER_RECALLING_H
#define NOTIFIER_RECALLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "uuid.h"

struct recalling;

/* Everything is lent. */
struct recalling_world {
	struct db *db;
	struct registry *registry;
	struct letters *letters;
	struct stats *stats;
	struct uuid_source *ids;
	const struct reply_address_key *key; /* of links to surveys */
	void (*on_queued)(void *arg); /* there are new messages to send */
	void *arg;
};

/* NULL: no memory.  Destroy takes NULL; close the db first. */
struct recalling *recalling_create(const struct recalling_world *world);
void recalling_destroy(struct recalling *r);

int64_t recalling_tick(struct recalling *r, uint64_t now_ms);
void recalling_stop(struct recalling *r);
bool recalling_busy(const struct recalling *r);

#endif
