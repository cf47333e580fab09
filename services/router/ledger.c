/* Counts credit and what is not acknowledged. */
#include "ledger.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

void
ledger_start(struct ledger *l, uint64_t position)
{
	l->credit = 0;
	l->told = l->acked = position;
	l->first = l->count = 0;
}

void
ledger_finish(struct ledger *l)
{
	free(l->sent);
	*l = (struct ledger){ 0 };
}

bool
ledger_add_credit(struct ledger *l, uint32_t records)
{
	if (records > LEDGER_CREDIT_MAX - l->credit)
		return false;
	l->credit += records;
	return true;
}

size_t
ledger_room(const struct ledger *l)
{
	size_t unacked_room = LEDGER_UNACKED_MAX - l->count;

	return l->credit < unacked_room ? l->credit : unacked_room;
}

bool
ledger_reserve(struct ledger *l, size_t records)
{
	size_t size = l->size == 0 ? FIRST_SIZE : l->size;

	assert(l->count <= l->size);
	if (l->count + records <= l->size)
		return true;
	while (size < l->count + records)
		size *= 2;
	uint64_t *sent = malloc(size * sizeof(*sent));
	if (sent == NULL)
		return false;
	for (size_t i = 0; i < l->count; i++)
		sent[i] = l->sent[(l->first + i) % l->size];
	free(l->sent);
	l->sent = sent;
	l->size = size;
	l->first = 0;
	return true;
}

void
ledger_sent(struct ledger *l, uint64_t seq)
{
	assert(ledger_room(l) > 0 && l->count < l->size);
	l->sent[(l->first + l->count) % l->size] = seq;
	l->count++;
	l->credit--;
}

void
ledger_told(struct ledger *l, uint64_t through_seq)
{
	assert(through_seq >= l->told);
	l->told = through_seq;
}

enum ledger_ack
ledger_ack(struct ledger *l, uint64_t through_seq)
{
	if (through_seq > l->told)
		return LEDGER_ACK_BEYOND;
	if (through_seq <= l->acked)
		return LEDGER_ACK_OLD;
	l->acked = through_seq;
	while (l->count > 0 && l->sent[l->first] <= through_seq) {
		l->first = (l->first + 1) % l->size;
		l->count--;
	}
	return LEDGER_ACK_TAKEN;
}
