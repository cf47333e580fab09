/*
 * routing - the consumer "router": reads the log in order and acts on what was opened or said.
 *
 * A batch is one transaction: the tickets' new states, the cursor by compare-and-set, the records.
 * Another router that was faster makes the transaction fail as a whole; the place is then read
 * again.  Idempotent: a ticket that was decided already is passed over.  What cannot be acted on is
 * set aside (letters.h), and taken up again when somebody requeues it.
 */
#ifndef ROUTER_ROUTING_H
#define ROUTER_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct routing;

struct routing_world {
	struct db *db;
	const struct registry *registry;
	struct letters *letters; /* of the consumer "router" */
	struct stats *stats; /* of router_stats */
	struct uuid_source *ids;
	size_t batch_records;
	/* The log reaches seq by our own commit; or: look at the next turn of the loop. */
	void (*on_append)(void *arg, uint64_t seq);
	void (*wake)(void *arg);
	void *arg;
};

/* world is copied.  NULL: out of memory.  Destroy after the db was closed; takes NULL. */
struct routing *routing_create(const struct routing_world *world);
void routing_destroy(struct routing *g);

/* The log reaches seq at least; something may be read. */
void routing_log_grew(struct routing *g, uint64_t seq);
/* The record may be another, and its log reaches head: the place is read again. */
void routing_renew(struct routing *g, uint64_t head);
/* Begins what can be begun; ms until it wants to be called again. */
int64_t routing_tick(struct routing *g, uint64_t now_ms);

/* No new batches from now on; busy until the one in hand is settled. */
void routing_stop(struct routing *g);
bool routing_busy(const struct routing *g);

/* Everything up to here is decided. */
uint64_t routing_place(const struct routing *g);

#endif
