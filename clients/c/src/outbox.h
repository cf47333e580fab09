/*
 * outbox - the events that have no answer yet, in the order taken.
 *
 * A ring of items named by an index that only grows; where the bytes lie (memory or journal) is
 * the publisher's business.  Items leave from the front once done.
 */
#ifndef TURUNC_CLIENT_OUTBOX_H
#define TURUNC_CLIENT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"

enum tc_item_state { TC_ITEM_WAITING, TC_ITEM_SENT, TC_ITEM_DONE };

struct tc_item {
	enum tc_item_state state;
	bool sent_before;
	uint32_t id_crc; /* to check that an answer speaks of this event */
	uint32_t len;
	uint8_t *bytes; /* owned; NULL: in the journal at place */
	struct tc_place place;
	void *tag;
};

struct tc_outbox {
	struct tc_item *ring;
	size_t room, count; /* room is a power of two */
	uint64_t first; /* index of the oldest item */
	uint64_t next; /* nothing before it is WAITING */
	size_t waiting;
	size_t pending; /* not DONE */
};

/* Makes room for more items; false without memory.  What is reserved, add() cannot fail on. */
TURUNC_MUST_CHECK bool tc_outbox_reserve(struct tc_outbox *o, size_t more);
void tc_outbox_add(struct tc_outbox *o, const struct tc_item *item);
void tc_outbox_finish(struct tc_outbox *o);

struct tc_item *tc_outbox_item(struct tc_outbox *o, uint64_t index);
/* The first waiting item at or after *index; false when there is none. */
bool tc_outbox_next(struct tc_outbox *o, uint64_t *index);
/* The only way an item changes state; DONE frees its bytes. */
void tc_outbox_enter(struct tc_outbox *o, uint64_t index, enum tc_item_state state);
/* Everything sent and unanswered waits again. */
void tc_outbox_rewind(struct tc_outbox *o);

#endif
