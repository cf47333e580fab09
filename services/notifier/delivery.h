/*
 * delivery - queued messages out through the channels, and what became of them into the record.
 *
 * An attempt is committed before anything is sent, and its outcome after.  What a process was
 * sending when it died is marked unknown by the next one and never sent again by itself: a person
 * may have it already.  The bound of that window is `in_flight` messages a channel.  While nobody
 * is there to take messages, a channel tries one now and then, and the others wait in the record.
 */
#ifndef NOTIFIER_DELIVERY_H
#define NOTIFIER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"
#include "db.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "uuid.h"

enum delivery_channel { DELIVERY_EMAIL, DELIVERY_SMS, DELIVERY_CHANNELS };

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
	/* NULL url: nothing leaves by this channel; messages wait. */
	struct smtp_config smtp;
	struct sms_http_config sms;
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
