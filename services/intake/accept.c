/* Collects items into batches, and answers each item once its batch's fate is known. */
#include "accept.h"

#include <assert.h>
#include <stdlib.h>

#include "clock.h"

enum { CONFLICTS_MAX = 3, LOOK_AGAIN_MS = 200 };

struct accept {
	struct accept_limits limits;
	struct spool *spool; /* NULL: none */
	const struct accept_calls *calls;
	void *arg;
	struct item_list waiting;
	struct item_list doubtful; /* sent, and the outcome is not known */
	size_t waiting_count;
	size_t doubtful_count;
	size_t held_count; /* waiting, on their way or doubtful */
	size_t held_bytes;
	bool woken; /* wake() was called and accept_flush() not yet */
	bool looking_up; /* one look-up at a time */
};

struct accept *
accept_create(const struct accept_limits *limits, struct spool *spool,
    const struct accept_calls *calls, void *arg)
{
	struct accept *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->limits = *limits;
	a->spool = spool;
	a->calls = calls;
	a->arg = arg;
	TAILQ_INIT(&a->waiting);
	TAILQ_INIT(&a->doubtful);
	return a;
}

/* The one place an item leaves by. */
static void
answer(struct accept *a, struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	assert(a->held_count > 0 && a->held_bytes >= item->bytes);
	a->held_count--;
	a->held_bytes -= item->bytes;
	item->done(item, outcome, ticket_id);
}

static void
give_up(struct accept *a, struct item_list *list, size_t *count)
{
	while (!TAILQ_EMPTY(list)) {
		struct item *item = TAILQ_FIRST(list);
		TAILQ_REMOVE(list, item, link);
		--*count;
		answer(a, item, ITEM_UNAVAILABLE, 0);
	}
}

void
accept_destroy(struct accept *a)
{
	if (a == NULL)
		return;
	/* Whoever hears of one in doubt may hand in what it had kept back. */
	give_up(a, &a->doubtful, &a->doubtful_count);
	give_up(a, &a->waiting, &a->waiting_count);
	free(a);
}

bool
accept_has_place(const struct accept *a, size_t items, size_t bytes)
{
	bool taken = !a->calls->is_away(a->arg) || (a->spool != NULL && spool_takes(a->spool));

	return taken && a->held_count + items <= a->limits.held_items
	       && a->held_bytes + bytes <= a->limits.held_bytes;
}

static void
wake(struct accept *a)
{
	if (a->woken)
		return;
	a->woken = true;
	a->calls->wake(a->arg);
}

static void
hold(struct accept *a, struct item *item, uint64_t now_ms)
{
	assert(item->event != NULL);
	item->queued_ms = now_ms;
	item->queued_us = clock_monotonic_us();
	item->conflicts = 0;
	a->held_count++;
	a->held_bytes += item->bytes;
	wake(a);
}

void
accept_add(struct accept *a, struct item *item, uint64_t now_ms)
{
	item->from_spool = false;
	item->doubts = 0;
	hold(a, item, now_ms);
	TAILQ_INSERT_TAIL(&a->waiting, item, link);
	a->waiting_count++;
}

void
accept_add_spooled(struct accept *a, struct item *item, uint64_t now_ms)
{
	item->from_spool = true;
	item->doubts = 1;
	hold(a, item, now_ms);
	TAILQ_INSERT_TAIL(&a->doubtful, item, link);
	a->doubtful_count++;
}

/* --- the spool ---------------------------------------------------------------------------------
 */

/* Writes the list's items to the spool, one sync for all, and answers them.  What the spool has out
 * or knows already stays, and so does what it does not take: its turn to be given up comes. */
static void
spill(struct accept *a, struct item_list *list, size_t *count)
{
	struct item_list taken = TAILQ_HEAD_INITIALIZER(taken);
	struct item *item, *next;
	enum spool_answer last = SPOOL_TAKEN;
	size_t taken_count = 0;
	int64_t ticket_id;
	bool same;

	for (item = TAILQ_FIRST(list); item != NULL && last == SPOOL_TAKEN; item = next) {
		next = TAILQ_NEXT(item, link);
		if (item->from_spool || item->never_spooled
		    || spool_knows(a->spool, item, &ticket_id, &same))
			continue;
		item->perhaps_kept = true;
		last = spool_add(a->spool, item);
		if (last != SPOOL_TAKEN)
			break; /* those behind it stay behind it */
		TAILQ_REMOVE(list, item, link);
		TAILQ_INSERT_TAIL(&taken, item, link);
		taken_count++;
	}
	*count -= taken_count;
	if (taken_count > 0 && !spool_sync(a->spool)) {
		last = SPOOL_FAILED;
		*count += taken_count;
		TAILQ_CONCAT(&taken, list, link);
		TAILQ_CONCAT(list, &taken, link);
	}
	if (last != SPOOL_TAKEN)
		a->calls->on_spool_refusal(a->arg, last);
	while ((item = TAILQ_FIRST(&taken)) != NULL) {
		TAILQ_REMOVE(&taken, item, link);
		answer(a, item, ITEM_SPOOLED, item->ticket_id);
	}
}

/* Those waiting whose identity is in the spool: it has the first one's answer. */
static void
answer_known(struct accept *a)
{
	struct item *item, *next;
	int64_t ticket_id;
	bool same;

	for (item = TAILQ_FIRST(&a->waiting); item != NULL; item = next) {
		next = TAILQ_NEXT(item, link);
		if (item->from_spool || item->doubts > 0
		    || !spool_knows(a->spool, item, &ticket_id, &same))
			continue;
		TAILQ_REMOVE(&a->waiting, item, link);
		a->waiting_count--;
		answer(a, item, same ? ITEM_DUPLICATE : ITEM_ID_REUSED, ticket_id);
	}
}

static void
give_back(struct accept *a, struct item_list *list, size_t *count)
{
	struct item *item, *next;

	for (item = TAILQ_FIRST(list); item != NULL; item = next) {
		next = TAILQ_NEXT(item, link);
		if (!item->from_spool)
			continue;
		TAILQ_REMOVE(list, item, link);
		--*count;
		answer(a, item, ITEM_UNAVAILABLE, 0);
	}
}

/* What is to be spooled leaves the queues for it, and the spool's own go back to it. */
static void
use_spool(struct accept *a)
{
	bool away = a->calls->is_away(a->arg);

	if (away) {
		give_back(a, &a->doubtful, &a->doubtful_count);
		give_back(a, &a->waiting, &a->waiting_count);
	}
	/* In the order they came: those in doubt before those that never left. */
	if (away && !TAILQ_EMPTY(&a->doubtful) && spool_takes(a->spool))
		spill(a, &a->doubtful, &a->doubtful_count);
	if ((away || spool_waiting(a->spool) > 0) && !TAILQ_EMPTY(&a->waiting)
	    && spool_takes(a->spool))
		spill(a, &a->waiting, &a->waiting_count);
	if (spool_count(a->spool) > 0)
		answer_known(a);
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Nothing else leaves before it is known what became of these. */
static bool
in_doubt(const struct accept *a)
{
	return a->looking_up || !TAILQ_EMPTY(&a->doubtful);
}

/* From the head of the list, within the limits, at least one.  NULL: out of memory. */
static struct batch *
take_batch(struct accept *a, struct item_list *list, size_t *list_count)
{
	size_t max = *list_count < a->limits.batch_items ? *list_count : a->limits.batch_items;
	struct batch *batch = malloc(sizeof(*batch) + max * sizeof(batch->items[0]));
	size_t bytes = 0;

	if (batch == NULL)
		return NULL;
	*batch = (struct batch){ .accept = a };
	while (batch->count < max) {
		struct item *item = TAILQ_FIRST(list);
		if (batch->count > 0 && bytes + item->bytes > a->limits.batch_bytes)
			break;
		TAILQ_REMOVE(list, item, link);
		--*list_count;
		bytes += item->bytes;
		batch->items[batch->count++] = item;
	}
	return batch;
}

/* Back to the head of the list, in the order they had. */
static void
put_back(struct batch *batch, struct item_list *list, size_t *list_count)
{
	for (size_t i = batch->count; i-- > 0;) {
		if (batch->items[i] == NULL)
			continue;
		TAILQ_INSERT_HEAD(list, batch->items[i], link);
		++*list_count;
	}
	free(batch);
}

/* What is in doubt is looked up before anything new leaves, for it came first. */
static void
look_up_doubtful(struct accept *a)
{
	if (a->looking_up || TAILQ_EMPTY(&a->doubtful) || !a->calls->has_room(a->arg))
		return;
	struct batch *batch = take_batch(a, &a->doubtful, &a->doubtful_count);
	if (batch == NULL)
		return; /* memory comes back; the tick tries again */
	a->looking_up = true;
	if (!a->calls->look_up(a->arg, batch)) {
		a->looking_up = false;
		put_back(batch, &a->doubtful, &a->doubtful_count);
	}
}

void
accept_flush(struct accept *a)
{
	a->woken = false;
	if (a->spool != NULL)
		use_spool(a);
	look_up_doubtful(a);
	while (!TAILQ_EMPTY(&a->waiting) && !in_doubt(a) && a->calls->has_room(a->arg)) {
		struct batch *batch = take_batch(a, &a->waiting, &a->waiting_count);
		if (batch == NULL)
			return;
		if (!a->calls->send(a->arg, batch)) {
			put_back(batch, &a->waiting, &a->waiting_count);
			return;
		}
	}
}

/* The first item that has waited too long.  Those sent before may be written already and are not
 * given up; they stand in front. */
static struct item *
first_late(const struct accept *a, uint64_t now_ms)
{
	struct item *item = TAILQ_FIRST(&a->waiting);

	while (item != NULL && item->doubts > 0)
		item = TAILQ_NEXT(item, link);
	/* One may have come after now_ms: by the answer to another that was given up for the spool.
	 */
	bool late = item != NULL && now_ms >= item->queued_ms + a->limits.wait_ms;
	return late ? item : NULL;
}

int64_t
accept_tick(struct accept *a, uint64_t now_ms)
{
	struct item *item;

	if (a->spool != NULL && first_late(a, now_ms) != NULL && spool_takes(a->spool))
		spill(a, &a->waiting, &a->waiting_count);
	while ((item = first_late(a, now_ms)) != NULL) {
		TAILQ_REMOVE(&a->waiting, item, link);
		a->waiting_count--;
		answer(a, item, ITEM_UNAVAILABLE, 0);
	}
	accept_flush(a);
	return a->held_count > 0 ? LOOK_AGAIN_MS : -1;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void
doubt(struct accept *a, struct item *item)
{
	item->doubts++;
	item->perhaps_kept = true;
	TAILQ_INSERT_TAIL(&a->doubtful, item, link);
	a->doubtful_count++;
}

static void
answer_committed(struct batch *batch, size_t from, size_t to, const struct batch_repeat *repeats,
    size_t repeat_count, uint64_t last_seq)
{
	struct accept *a = batch->accept;

	a->calls->on_commit(a->arg, last_seq, to - from - repeat_count, repeat_count);
	for (size_t i = 0; i < repeat_count; i++) {
		const struct batch_repeat *r = &repeats[i];
		assert(r->place >= from && r->place < to);
		struct item *item = batch->items[r->place];
		assert(item != NULL);
		batch->items[r->place] = NULL;
		answer(a, item, r->same_content ? ITEM_DUPLICATE : ITEM_ID_REUSED, r->ticket_id);
	}
	for (size_t i = from; i < to; i++) {
		struct item *item = batch->items[i];
		batch->items[i] = NULL;
		if (item != NULL)
			answer(a, item, ITEM_ACCEPTED, item->ticket_id);
	}
}

static void
answer_failed(struct batch *batch, size_t place, enum batch_outcome outcome)
{
	struct accept *a = batch->accept;
	struct item *item = batch->items[place];

	batch->items[place] = NULL;
	/* The row that is there may be this item's own, written by a transaction whose end was not
	 * seen.  When looking it up finds nothing, the number was given to another ticket too. */
	if (outcome == BATCH_ITEM_EXISTS)
		item->conflicts++;
	if (outcome == BATCH_UNKNOWN
	    || (outcome == BATCH_ITEM_EXISTS && item->conflicts < CONFLICTS_MAX))
		doubt(a, item);
	else
		answer(
		    a, item, outcome == BATCH_ITEM_AT_FAULT ? ITEM_REFUSED : ITEM_UNAVAILABLE, 0);
}

/* In front of those that came after them. */
static void
wait_again(struct batch *batch, size_t from, size_t to)
{
	struct accept *a = batch->accept;

	for (size_t i = to; i-- > from;) {
		TAILQ_INSERT_HEAD(&a->waiting, batch->items[i], link);
		a->waiting_count++;
		batch->items[i] = NULL;
	}
	wake(a);
}

void
accept_answer(struct batch *batch, size_t from, size_t to, enum batch_outcome outcome,
    const struct batch_repeat *repeats, size_t repeat_count, uint64_t last_seq)
{
	struct accept *a = batch->accept;

	assert(from < to && to <= batch->count);
	if (outcome == BATCH_COMMITTED)
		answer_committed(batch, from, to, repeats, repeat_count, last_seq);
	else if (outcome == BATCH_NOT_SENT)
		wait_again(batch, from, to);
	else
		for (size_t i = from; i < to; i++)
			answer_failed(batch, i, outcome);
	batch->answered += to - from;
	if (batch->answered == batch->count)
		free(batch);
	if (!TAILQ_EMPTY(&a->doubtful))
		wake(a);
}

void
accept_found(struct batch *batch, const bool *found)
{
	struct accept *a = batch->accept;

	a->looking_up = false;
	if (found == NULL) {
		put_back(batch, &a->doubtful, &a->doubtful_count);
		return;
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = batch->items[i];
		if (!found[i])
			continue;
		batch->items[i] = NULL;
		answer(a, item, ITEM_ACCEPTED, item->ticket_id);
	}
	put_back(batch, &a->waiting, &a->waiting_count);
	wake(a);
}

size_t
accept_held(const struct accept *a)
{
	return a->held_count;
}

size_t
accept_waiting(const struct accept *a)
{
	return a->waiting_count;
}

size_t
accept_in_doubt(const struct accept *a)
{
	return a->doubtful_count;
}
