/*
 * accept - what every door brings becomes durable here, many items in one transaction.
 *
 * Natural batching: what came in one turn of the loop leaves at its end while the record has room
 * for a batch; while none is free items wait, and the next batch takes all that waits, up to its
 * limits.  Every item gets its done() exactly once, after the transaction it speaks of.
 *
 * When the outcome of a batch is not known (the connection was lost after it was sent), its items
 * are looked up by their ids once the record is back: those found are accepted, the others leave
 * again with the same ids and numbers.
 *
 * While the record is away, items go to the spool instead, those in doubt among them, and are
 * answered ITEM_SPOOLED.  So do those that come while older ones wait in the spool, and those that
 * have waited too long.  What is taken out of the spool comes back by accept_add_spooled().
 *
 * The record is reached through calls, so that tests can stand in for it.  Times are monotonic
 * milliseconds.
 */
#ifndef INTAKE_ACCEPT_H
#define INTAKE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "item.h"
#include "spool.h"

struct accept;

/* Items that leave together.  The record answers for each of them, once, in any pieces. */
struct batch {
	struct accept *accept;
	size_t count;
	size_t answered;
	struct item *items[]; /* NULL once answered */
};

enum batch_outcome {
	BATCH_COMMITTED,
	BATCH_ITEM_AT_FAULT, /* not written; for exactly one item */
	BATCH_ITEM_EXISTS, /* not written, for a row of it is there already; exactly one item */
	BATCH_NOT_WRITTEN,
	BATCH_NOT_SENT, /* nothing happened: they wait again, for the record or the spool */
	BATCH_UNKNOWN,
};

/* A repeat within a committed piece: its place in the batch, and what the first one was. */
struct batch_repeat {
	size_t place;
	int64_t ticket_id;
	bool same_content;
};

struct accept_calls {
	/* May a batch leave now? */
	bool (*has_room)(void *arg);
	/* Is the record away?  Then what comes is spooled; without a spool nothing new is taken. */
	bool (*is_away)(void *arg);
	/* Writes the batch; answers by accept_answer(), later.  False: not now. */
	bool (*send)(void *arg, struct batch *batch);
	/* Looks which items' ids are in the record; answers by accept_found(), later.  False: not
	 * now. */
	bool (*look_up)(void *arg, struct batch *batch);
	/* Items were committed; last_seq is 0 when none was new. */
	void (*on_commit)(void *arg, uint64_t last_seq, size_t fresh, size_t repeats);
	/* The door waits for a later turn of the loop. */
	void (*wake)(void *arg);
	/* The spool did not take what it was given: SPOOL_FULL or SPOOL_FAILED. */
	void (*on_spool_refusal)(void *arg, enum spool_answer why);
};

struct accept_limits {
	size_t batch_items;
	size_t batch_bytes;
	size_t held_items; /* waiting or on their way */
	size_t held_bytes;
	uint64_t wait_ms; /* in the queue, before an item is spooled, or else ITEM_UNAVAILABLE */
};

/* NULL: out of memory.  limits are copied, calls and the spool (NULL: none) lent. */
struct accept *accept_create(const struct accept_limits *limits, struct spool *spool,
    const struct accept_calls *calls, void *arg);
/* Nothing may be held but what the record will not answer for any more; that gets ITEM_UNAVAILABLE.
 * Takes NULL. */
void accept_destroy(struct accept *a);

/* Could so many more items be taken?  False: full, or the record is away and the spool, too. */
bool accept_has_place(const struct accept *a, size_t items, size_t bytes);
/* Takes the item, which must be sealed; done() follows, never from within this call. */
void accept_add(struct accept *a, struct item *item, uint64_t now_ms);

/*
 * Takes an item out of the spool: it is looked up, and leaves if the record has it not.  Its done()
 * hears ITEM_UNAVAILABLE when the record is away again.  Also from within a done().
 */
void accept_add_spooled(struct accept *a, struct item *item, uint64_t now_ms);

/* Sends what can be sent. */
void accept_flush(struct accept *a);
/* Gives up what waited too long and looks up what is in doubt; ms until it wants to be called
 * again. */
int64_t accept_tick(struct accept *a, uint64_t now_ms);

/* --- the record's answers -------------------------------------------------------------------- */

/* For the items [from, to) of the batch.  seq: of the last record written.  The batch is gone when
 * all of its items are answered. */
void accept_answer(struct batch *batch, size_t from, size_t to, enum batch_outcome outcome,
    const struct batch_repeat *repeats, size_t repeat_count, uint64_t last_seq);
/* Of a batch that was looked up: found[i] tells whether the i-th item is in the record; NULL: it
 * could not be seen.  The batch is gone. */
void accept_found(struct batch *batch, const bool *found);

/* --- for metrics and drain ------------------------------------------------------------------- */

size_t accept_held(const struct accept *a);
size_t accept_waiting(const struct accept *a);
size_t accept_in_doubt(const struct accept *a);

#endif
