/*
 * asking - asks gateways what became of messages: of those they took, for the receipt; of those
 * they may have taken, whether they did, before anything is sent again.
 *
 * A few at a time, and no faster than the provider allows.  What is to be asked about stands in
 * the record, so a restart forgets nothing; to be asked twice does no harm.
 */
#ifndef NOTIFIER_ASKING_H
#define NOTIFIER_ASKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "receipts.h"

struct asking;
struct event_base;

/* Everything is lent. */
struct asking_world {
	struct event_base *loop;
	struct receipts_world receipts;
	const struct gateway *gateway; /* one that can be asked */
	long timeout_ms;
	uint32_t per_minute; /* questions */
	void (*on_answered)(void *arg); /* something may be due to be sent again */
	void (*wake)(void *arg);
	void *arg;
};

/* NULL with errno.  Destroy takes NULL; close the db first. */
struct asking *asking_create(const struct asking_world *world);
void asking_destroy(struct asking *a);

int64_t asking_tick(struct asking *a, uint64_t now_ms);
void asking_stop(struct asking *a);
bool asking_busy(const struct asking *a);

#endif
