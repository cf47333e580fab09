/*
 * delivery - queued messages out through the channels, and what became of them into the record.
 *
 * An attempt is committed before anything is sent, and its outcome after.  What a process was
 * sending when it died is marked unknown by the next one and never sent again by itself: a person
 * may have it already.  The bound of that window is `in_flight` messages a channel.  While nobody
 * is there to take messages, a channel tries one now and then, and the others wait in the record.
 *
 * SMS may go by two gateways.  The second takes over what the first has definitely not taken: it
 * said no, or nothing of the request has left.  What it may have taken stays with it.
 */
#ifndef NOTIFIER_DELIVERY_H
#define NOTIFIER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"
#include "db.h"
#include "gateway.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "uuid.h"

enum { DELIVERY_GATEWAYS = 2 };

struct delivery;

/* Everything is lent for the life of the delivery. */
struct delivery_world {
	struct event_base *loop;
	struct db *db;
	struct registry *registry;
	struct stats *stats;
	struct uuid_source *ids;
	uint32_t attempts_max;
	uint64_t retry_first_ms, retry_cap_ms;
	unsigned in_flight; /* messages being sent on each channel */
	uint32_t per_minute; /* messages begun on each channel */
	uint32_t first_mails; /* begun an hour, to addresses that have had none; 0: all */
	/* NULL url: nothing leaves by this channel; messages wait. */
	struct smtp_config smtp;
	struct gateway gateways[DELIVERY_GATEWAYS];
	uint32_t gateway_per_minute[DELIVERY_GATEWAYS];
	long gateway_timeout_ms;
	/* After a message was taken, its receipt is asked for; of one that may have been taken it
	 * is asked whether it was. */
	int64_t ask_receipt_us, ask_doubt_us;
	const struct reply_address_key *mail_key; /* of the addresses in mails */
	void (*wake)(void *arg);
	void *arg;
};

/* NULL with errno.  Destroy takes NULL; close the db first. */
struct delivery *delivery_create(const struct delivery_world *world);
void delivery_destroy(struct delivery *d);

/* There may be new messages. */
void delivery_look(struct delivery *d);
/* The record is there again. */
void delivery_renew(struct delivery *d);
int64_t delivery_tick(struct delivery *d, uint64_t now_ms);
void delivery_stop(struct delivery *d);
bool delivery_busy(const struct delivery *d);

#endif
