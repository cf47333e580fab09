/* A binary heap. */
#include "demo_agenda.h"

#include <stdlib.h>
#include <string.h>

static bool
is_before(const struct demo_entry *a, const struct demo_entry *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

bool
demo_agenda_add(
    struct demo_agenda *a, int64_t at_us, enum demo_act act, uint32_t about, uint32_t version)
{
	if (a->count == a->room) {
		size_t room = a->room == 0 ? 1024 : a->room * 2;
		struct demo_entry *heap = reallocarray(a->heap, room, sizeof(*heap));
		if (heap == NULL)
			return false;
		a->heap = heap;
		a->room = room;
	}
	const struct demo_entry entry = { at_us, a->orders++, act, about, version };
	size_t at = a->count++;
	while (at > 0 && is_before(&entry, &a->heap[(at - 1) / 2])) {
		a->heap[at] = a->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	a->heap[at] = entry;
	return true;
}

bool
demo_agenda_take(struct demo_agenda *a, int64_t until_us, struct demo_entry *ret_entry)
{
	if (a->count == 0 || a->heap[0].at_us > until_us)
		return false;
	*ret_entry = a->heap[0];
	const struct demo_entry last = a->heap[--a->count];
	size_t at = 0;
	for (size_t child = 1; child < a->count; child = at * 2 + 1) {
		if (child + 1 < a->count && is_before(&a->heap[child + 1], &a->heap[child]))
			child++;
		if (!is_before(&a->heap[child], &last))
			break;
		a->heap[at] = a->heap[child];
		at = child;
	}
	a->heap[at] = last;
	return true;
}

int64_t
demo_agenda_next_us(const struct demo_agenda *a)
{
	return a->count == 0 ? INT64_MAX : a->heap[0].at_us;
}

void
demo_agenda_finish(struct demo_agenda *a)
{
	free(a->heap);
	memset(a, 0, sizeof(*a));
}
