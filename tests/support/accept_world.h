/* accept_world - a record that the test plays: batches it was sent, and what it says when asked. */
#ifndef TESTS_SUPPORT_ACCEPT_WORLD_H
#define TESTS_SUPPORT_ACCEPT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept.h"
#include "base.h"
#include "check.h"

enum { MAX = 64 };

/* The record of the test: batches it was sent, and what it says when asked. */
struct record {
	struct accept *accept;
	bool room;
	bool away;
	bool refuses; /* send() says "not now" */
	struct batch *sent[MAX];
	size_t sent_count;
	struct batch *looked_up;
	size_t wakes;
	uint64_t last_seq;
	size_t fresh, repeats;
	size_t spool_refusals;
};

struct told {
	struct item item; /* first: done() gives it back */
	unsigned times;
	enum item_outcome outcome;
	int64_t ticket_id;
};

static bool
has_room(void *arg)
{
	return ((struct record *)arg)->room;
}

static bool
is_away(void *arg)
{
	return ((struct record *)arg)->away;
}

static bool
send_batch(void *arg, struct batch *batch)
{
	struct record *r = arg;

	if (r->refuses || r->sent_count == MAX)
		return false;
	r->sent[r->sent_count++] = batch;
	return true;
}

static bool
look_up(void *arg, struct batch *batch)
{
	((struct record *)arg)->looked_up = batch;
	return true;
}

static void
on_commit(void *arg, uint64_t last_seq, size_t fresh, size_t repeats)
{
	struct record *r = arg;

	r->last_seq = last_seq;
	r->fresh += fresh;
	r->repeats += repeats;
}

static void
wake(void *arg)
{
	((struct record *)arg)->wakes++;
}

static void
on_spool_refusal(void *arg, enum spool_answer why)
{
	(void)why;
	((struct record *)arg)->spool_refusals++;
}

static const struct accept_calls calls = { has_room, is_away, send_batch, look_up, on_commit, wake,
	on_spool_refusal };
static const struct accept_limits limits = {
	.batch_items = 4, .batch_bytes = 1000, .held_items = 10, .held_bytes = 5000, .wait_ms = 500
};

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct told *t = (struct told *)item;

	t->times++;
	t->outcome = outcome;
	t->ticket_id = ticket_id;
}

static inline struct accept *
begin(struct record *r)
{
	*r = (struct record){ .room = true };
	r->accept = accept_create(&limits, NULL, &calls, r);
	CHECK(r->accept != NULL);
	return r->accept;
}

static void
add(struct accept *a, struct told *t, int64_t ticket_id, size_t bytes, uint64_t now_ms)
{
	static uint8_t event[1];

	*t = (struct told){ 0 };
	item_init(&t->item, on_done);
	t->item.event = event;
	t->item.ticket_id = ticket_id;
	t->item.bytes = bytes;
	accept_add(a, &t->item, now_ms);
}

static inline void
add_many(struct accept *a, struct told *t, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(a, &t[i], (int64_t)i + 1, 100, 0);
}

static inline void
commit(struct batch *batch, uint64_t last_seq)
{
	accept_answer(batch, 0, batch->count, BATCH_COMMITTED, NULL, 0, last_seq);
}

static void
check_told(const char *name, const struct told *t, enum item_outcome outcome, int64_t ticket_id)
{
	CHECK_U64(name, t->times, 1);
	CHECK_U64(name, t->outcome, outcome);
	CHECK_I64(name, t->ticket_id, ticket_id);
}

#endif
