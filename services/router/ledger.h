/*
 * ledger - what a session was sent and may still be sent: credit, and records not acknowledged.
 *
 * Pure.  Positions are seqs of the log.  A position is "told" when a Deliver's through_seq said it,
 * with or without records.
 */
#ifndef ROUTER_LEDGER_H
#define ROUTER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { LEDGER_CREDIT_MAX = 4096, LEDGER_UNACKED_MAX = 10000 };

struct ledger {
	uint32_t credit; /* records that may be sent */
	uint64_t told; /* the last Deliver's through_seq */
	uint64_t acked; /* the newest Ack taken */
	uint64_t *sent; /* ring of the seqs of records not acknowledged */
	size_t size, first, count;
};

/* Begins at a position told and acknowledged; keeps nothing of before. */
void ledger_start(struct ledger *l, uint64_t position);
void ledger_finish(struct ledger *l);

/* False: more than LEDGER_CREDIT_MAX would be outstanding, and none of it is taken. */
MUST_CHECK bool ledger_add_credit(struct ledger *l, uint32_t records);

/* Records that may be sent now. */
size_t ledger_room(const struct ledger *l);
/* Memory for that many more, so that ledger_sent() cannot fail.  False: none. */
MUST_CHECK bool ledger_reserve(struct ledger *l, size_t records);
/* A record of a Deliver, in order; asserted: there was room, and it was reserved. */
void ledger_sent(struct ledger *l, uint64_t seq);
/* The Deliver is on its way. */
void ledger_told(struct ledger *l, uint64_t through_seq);

enum ledger_ack {
	LEDGER_ACK_TAKEN,
	LEDGER_ACK_OLD, /* nothing new in it */
	LEDGER_ACK_BEYOND, /* of what was never told */
};
MUST_CHECK enum ledger_ack ledger_ack(struct ledger *l, uint64_t through_seq);

#endif
