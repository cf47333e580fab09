/* A growing ring of unanswered events. */
#include "outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct tc_item *
tc_outbox_item(struct tc_outbox *o, uint64_t index)
{
	assert(index >= o->first && index - o->first < o->count);
	return &o->ring[index & (o->room - 1)];
}

bool
tc_outbox_reserve(struct tc_outbox *o, size_t more)
{
	size_t room = o->room == 0 ? FIRST_ROOM : o->room;

	while (room - o->count < more) {
		if (room > SIZE_MAX / 2 / sizeof(*o->ring))
			return false;
		room *= 2;
	}
	if (room == o->room)
		return true;
	struct tc_item *ring = calloc(room, sizeof(*ring));
	if (ring == NULL)
		return false;
	for (uint64_t i = o->first; i < o->first + o->count; i++)
		ring[i & (room - 1)] = o->ring[i & (o->room - 1)];
	free(o->ring);
	o->ring = ring;
	o->room = room;
	return true;
}

void
tc_outbox_add(struct tc_outbox *o, const struct tc_item *item)
{
	assert(o->count < o->room && item->state == TC_ITEM_WAITING);
	o->ring[(o->first + o->count) & (o->room - 1)] = *item;
	o->count++;
	o->waiting++;
	o->pending++;
}

void
tc_outbox_finish(struct tc_outbox *o)
{
	for (uint64_t i = o->first; i < o->first + o->count; i++)
		free(tc_outbox_item(o, i)->bytes);
	free(o->ring);
	memset(o, 0, sizeof(*o));
}

bool
tc_outbox_next(struct tc_outbox *o, uint64_t *index)
{
	if (*index < o->next)
		*index = o->next;
	for (; *index < o->first + o->count; ++*index)
		if (tc_outbox_item(o, *index)->state == TC_ITEM_WAITING)
			return true;
	return false;
}

void
tc_outbox_enter(struct tc_outbox *o, uint64_t index, enum tc_item_state state)
{
	struct tc_item *item = tc_outbox_item(o, index);

	assert(item->state != TC_ITEM_DONE && item->state != state);
	if (item->state == TC_ITEM_WAITING)
		o->waiting--;
	item->state = state;
	if (state == TC_ITEM_WAITING) {
		o->waiting++;
		if (index < o->next)
			o->next = index;
		return;
	}
	while (
	    o->next < o->first + o->count && tc_outbox_item(o, o->next)->state != TC_ITEM_WAITING)
		o->next++;
	if (state == TC_ITEM_SENT)
		return;

	free(item->bytes);
	item->bytes = NULL;
	o->pending--;
	while (o->count > 0 && tc_outbox_item(o, o->first)->state == TC_ITEM_DONE) {
		o->first++;
		o->count--;
	}
}

void
tc_outbox_rewind(struct tc_outbox *o)
{
	for (uint64_t i = o->first; i < o->first + o->count; i++)
		if (tc_outbox_item(o, i)->state == TC_ITEM_SENT)
			tc_outbox_enter(o, i, TC_ITEM_WAITING);
}
