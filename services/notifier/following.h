/*
 * following - the notifier as a reader of the log: records in, messages queued, cursor moved.
 *
 * A batch is one transaction: the messages of its records and the cursor's move, which raises when
 * another notifier was there first.  Only then is the stream acknowledged.  Whatever is delivered
 * again before that is recognised by its seq.
 */
#ifndef NOTIFIER_FOLLOWING_H
#define NOTIFIER_FOLLOWING_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "turunc/client.h"
#include "uuid.h"

struct following;

/* Everything is lent for the life of the following. */
struct following_world {
	struct db *db;
	struct registry *registry;
	struct letters *letters; /* of the consumer "notifier" */
	struct stats *stats;
	struct uuid_source *ids;
	const struct reply_address_key *key; /* of links to surveys */
	void (*on_queued)(void *arg); /* there are new messages to send */
	void (*wake)(void *arg);
	void *arg;
};

/* NULL: no memory.  Destroy takes NULL; close the db and the client first. */
struct following *following_create(const struct following_world *world);
void following_destroy(struct following *f);
/* Before the first tick; lent. */
void following_set_client(struct following *f, struct turunc_client *client);

/* Handlers for the client (arg is the following). */
void following_on_deliver(void *arg, const Turunc__V1__Deliver *deliver);
void following_on_trouble(void *arg, const struct turunc_trouble *trouble);

/* The record was away or has another history: look again where the cursor stands. */
void following_renew(struct following *f);
int64_t following_tick(struct following *f, uint64_t now_ms);
void following_stop(struct following *f);
bool following_busy(const struct following *f);
uint64_t following_position(const struct following *f);
bool following_is_reading(const struct following *f);

#endif
