/* Remembers digests of recent reports, each in the one slot that its bits name. */
#include "repeats.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	uint64_t mark; /* 0: empty */
	uint64_t seen_ms;
};

struct repeats {
	struct slot slots[REPEATS_SLOTS];
};

struct repeats *
repeats_create(void)
{
	return calloc(1, sizeof(struct repeats));
}

void
repeats_destroy(struct repeats *r)
{
	free(r);
}

bool
repeats_see(struct repeats *r, const struct digest *content, uint64_t now_ms)
{
	uint64_t mark, place;

	memcpy(&mark, content->bytes, sizeof(mark));
	memcpy(&place, content->bytes + sizeof(mark), sizeof(place));
	mark |= 1;
	struct slot *slot = &r->slots[place % REPEATS_SLOTS];
	bool again = slot->mark == mark && now_ms - slot->seen_ms < REPEATS_WINDOW_MS;
	*slot = (struct slot){ mark, now_ms };
	return again;
}
