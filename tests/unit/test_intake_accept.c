/* Natural batching against a record that the test plays: what leaves when, and what each fate of a
 * batch becomes for its items. */
#include <stdlib.h>
#include <string.h>

#include "accept.h"
#include "base.h"
#include "check.h"
#include "spool.h"
#include "spooled_item.h"

enum { MAX = 64 };

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static bool disk_fails;

int
__wrap_fdatasync(int fd)
{
	return disk_fails ? -1 : __real_fdatasync(fd);
}

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

static struct accept *
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

static void
add_many(struct accept *a, struct told *t, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(a, &t[i], (int64_t)i + 1, 100, 0);
}

static void
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

TEST(test_items_of_one_turn_leave_together)
{
	struct record r;
	struct told t[3];
	struct accept *a = begin(&r);

	add_many(a, t, 3);
	CHECK_U64("nothing leaves within the turn", r.sent_count, 0);
	CHECK_U64("one wake for all", r.wakes, 1);
	accept_flush(a);
	CHECK_U64("one batch", r.sent_count, 1);
	CHECK_U64("of three", r.sent[0]->count, 3);
	CHECK_U64("nobody is answered before the commit", t[0].times, 0);
	commit(r.sent[0], 7);
	for (size_t i = 0; i < 3; i++)
		check_told("committed", &t[i], ITEM_ACCEPTED, (int64_t)i + 1);
	CHECK_U64("the doorbell hears the head", r.last_seq, 7);
	CHECK_U64("nothing is held", accept_held(a), 0);
	accept_destroy(a);
}

TEST(test_what_waits_leaves_when_there_is_room)
{
	struct record r;
	struct told t[9];
	struct accept *a = begin(&r);

	r.room = false;
	add_many(a, t, 9);
	accept_flush(a);
	CHECK_U64("no room, nothing leaves", r.sent_count, 0);
	r.room = true;
	accept_flush(a);
	CHECK_U64("full batches and the rest", r.sent_count, 3);
	CHECK_U64("first", r.sent[0]->count, 4);
	CHECK_U64("last", r.sent[2]->count, 1);
	for (size_t i = 0; i < 3; i++)
		commit(r.sent[i], i + 1);
	check_told("the last one too", &t[8], ITEM_ACCEPTED, 9);
	accept_destroy(a);
}

TEST(test_bytes_bound_a_batch_but_one_item_always_goes)
{
	struct record r;
	struct told t[3];
	struct accept *a = begin(&r);

	add(a, &t[0], 1, 3000, 0);
	add(a, &t[1], 2, 600, 0);
	add(a, &t[2], 3, 600, 0);
	accept_flush(a);
	CHECK_U64("three batches", r.sent_count, 3);
	for (size_t i = 0; i < 3; i++)
		commit(r.sent[i], 1);
	accept_destroy(a);
}

TEST(test_bounds_and_absence_refuse_at_the_door)
{
	struct record r;
	struct told t[9];
	struct accept *a = begin(&r);

	CHECK_TRUE("as many as are allowed", accept_has_place(a, 10, 100));
	CHECK_FALSE("one more", accept_has_place(a, 11, 100));
	CHECK_FALSE("too large", accept_has_place(a, 1, 5001));
	r.away = true;
	CHECK_FALSE("the record is away", accept_has_place(a, 1, 1));
	r.away = false;
	add_many(a, t, 9);
	CHECK_TRUE("one place left", accept_has_place(a, 1, 1));
	CHECK_FALSE("not two", accept_has_place(a, 2, 1));
	accept_destroy(a);
	for (size_t i = 0; i < 9; i++)
		check_told("told at the end", &t[i], ITEM_UNAVAILABLE, 0);
}

TEST(test_waiting_has_an_end)
{
	struct record r;
	struct told t[2];
	struct accept *a = begin(&r);

	r.room = false;
	add(a, &t[0], 1, 100, 1000);
	add(a, &t[1], 2, 100, 1300);
	CHECK_I64("looks again", accept_tick(a, 1499) > 0, 1);
	CHECK_U64("not yet", t[0].times, 0);
	(void)accept_tick(a, 1500);
	check_told("the older one", &t[0], ITEM_UNAVAILABLE, 0);
	CHECK_U64("the younger waits on", t[1].times, 0);
	r.room = true;
	(void)accept_tick(a, 1600);
	commit(r.sent[0], 1);
	check_told("and leaves", &t[1], ITEM_ACCEPTED, 2);
	CHECK_I64("nothing to wait for", accept_tick(a, 1700), -1);
	accept_destroy(a);
}

TEST(test_a_refused_send_keeps_the_order)
{
	struct record r;
	struct told t[3];
	struct accept *a = begin(&r);

	add_many(a, t, 3);
	r.refuses = true;
	accept_flush(a);
	CHECK_U64("still waiting", accept_waiting(a), 3);
	r.refuses = false;
	accept_flush(a);
	CHECK(r.sent[0]->items[0] == &t[0].item && r.sent[0]->items[2] == &t[2].item);
	commit(r.sent[0], 1);
	accept_destroy(a);
}

TEST(test_repeats_are_told_the_first_answer)
{
	struct record r;
	struct told t[4];
	struct accept *a = begin(&r);
	const struct batch_repeat repeats[] = { { 3, 77, false }, { 1, 55, true } };

	add_many(a, t, 4);
	accept_flush(a);
	accept_answer(r.sent[0], 0, 4, BATCH_COMMITTED, repeats, ARRAY_LEN(repeats), 9);
	check_told("new", &t[0], ITEM_ACCEPTED, 1);
	check_told("same content", &t[1], ITEM_DUPLICATE, 55);
	check_told("new too", &t[2], ITEM_ACCEPTED, 3);
	check_told("other content", &t[3], ITEM_ID_REUSED, 77);
	CHECK_U64("fresh", r.fresh, 2);
	CHECK_U64("repeats", r.repeats, 2);
	accept_destroy(a);
}

TEST(test_a_batch_may_be_answered_in_pieces)
{
	struct record r;
	struct told t[4];
	struct accept *a = begin(&r);

	add_many(a, t, 4);
	accept_flush(a);
	struct batch *batch = r.sent[0];
	accept_answer(batch, 0, 2, BATCH_COMMITTED, NULL, 0, 2);
	accept_answer(batch, 2, 3, BATCH_ITEM_AT_FAULT, NULL, 0, 0);
	accept_answer(batch, 3, 4, BATCH_NOT_WRITTEN, NULL, 0, 0);
	check_told("committed", &t[1], ITEM_ACCEPTED, 2);
	check_told("the offender alone", &t[2], ITEM_REFUSED, 0);
	check_told("come again", &t[3], ITEM_UNAVAILABLE, 0);
	accept_destroy(a);
}

/* A batch that stood before a connection when the record was lost is told nothing, and goes on in
 * front of those that came later. */
TEST(test_a_batch_not_sent_waits_again)
{
	struct record r;
	struct told t[4], later;
	struct accept *a = begin(&r);

	add_many(a, t, 4);
	accept_flush(a);
	r.room = false;
	add_many(a, &later, 1);
	accept_answer(r.sent[0], 0, 4, BATCH_NOT_SENT, NULL, 0, 0);
	CHECK_U64("nobody is told anything",
	    t[0].times + t[1].times + t[2].times + t[3].times + later.times, 0);
	CHECK_U64("all wait", accept_waiting(a), 5);
	r.room = true;
	accept_flush(a);
	if (CHECK_U64("sent again", r.sent_count, 3)) {
		CHECK_TRUE("first come", r.sent[1]->items[0] == &t[0].item);
		CHECK_TRUE("last come", r.sent[2]->items[0] == &later.item);
		commit(r.sent[1], 4);
		commit(r.sent[2], 5);
	}
	check_told("first", &t[0], ITEM_ACCEPTED, 1);
	accept_destroy(a);
}

TEST(test_unknown_outcome_is_looked_up_never_guessed)
{
	struct record r;
	struct told t[3];
	struct accept *a = begin(&r);
	const bool found[] = { true, false, true };

	add_many(a, t, 3);
	accept_flush(a);
	accept_answer(r.sent[0], 0, 3, BATCH_UNKNOWN, NULL, 0, 0);
	CHECK_U64("nobody is told anything", t[0].times + t[1].times + t[2].times, 0);
	CHECK_U64("all in doubt", accept_in_doubt(a), 3);
	r.room = false;
	accept_flush(a);
	CHECK(r.looked_up == NULL);
	r.room = true;
	(void)accept_tick(a, 100000);
	if (!CHECK(r.looked_up != NULL))
		return;
	accept_found(r.looked_up, found);
	check_told("was written", &t[0], ITEM_ACCEPTED, 1);
	check_told("was written too", &t[2], ITEM_ACCEPTED, 3);
	CHECK_U64("the other leaves again", t[1].times, 0);
	(void)accept_tick(a, 200000);
	CHECK_U64("sent again, however long ago it came", r.sent_count, 2);
	CHECK(r.sent[1]->items[0] == &t[1].item);
	CHECK_I64("under the same number", t[1].item.ticket_id, 2);
	commit(r.sent[1], 4);
	check_told("and committed", &t[1], ITEM_ACCEPTED, 2);
	accept_destroy(a);
}

TEST(test_a_look_up_that_fails_is_tried_again)
{
	struct record r;
	struct told t[1];
	struct accept *a = begin(&r);
	const bool found[] = { true };

	add_many(a, t, 1);
	accept_flush(a);
	accept_answer(r.sent[0], 0, 1, BATCH_UNKNOWN, NULL, 0, 0);
	accept_flush(a);
	accept_found(r.looked_up, NULL);
	CHECK_U64("in doubt still", accept_in_doubt(a), 1);
	r.looked_up = NULL;
	(void)accept_tick(a, 1);
	if (!CHECK(r.looked_up != NULL))
		return;
	accept_found(r.looked_up, found);
	check_told("found at last", &t[0], ITEM_ACCEPTED, 1);
	accept_destroy(a);
}

TEST(test_a_row_that_exists_is_looked_up_and_not_for_ever)
{
	struct record r;
	struct told t[1];
	struct accept *a = begin(&r);
	const bool found[] = { false };
	size_t rounds = 0;

	add_many(a, t, 1);
	for (; t[0].times == 0 && rounds < 10; rounds++) {
		accept_flush(a);
		accept_answer(r.sent[rounds], 0, 1, BATCH_ITEM_EXISTS, NULL, 0, 0);
		accept_flush(a);
		if (r.looked_up != NULL)
			accept_found(r.looked_up, found);
		r.looked_up = NULL;
	}
	CHECK_U64("rounds", rounds, 3);
	check_told("its number is another's", &t[0], ITEM_UNAVAILABLE, 0);
	accept_destroy(a);
}

/* --- with a spool -------------------------------------------------------------------------------
 */

static struct accept *
begin_with_spool(struct record *r, struct spool **ret_spool)
{
	char why[200] = "";

	*r = (struct record){ .room = true };
	*ret_spool = spool_open(check_path("spool"), 8 * 1024 * 1024, why, sizeof(why));
	if (!CHECK(*ret_spool != NULL))
		return NULL;
	r->accept = accept_create(&limits, *ret_spool, &calls, r);
	return r->accept;
}

static void
add_identified(struct accept *a, struct told *t, int64_t ticket_id, const char *id, uint8_t content)
{
	add(a, t, ticket_id, 100, 0);
	t->item.client = "exchange";
	t->item.source = "pbx";
	t->item.id = id;
	t->item.type = "ticket.opened";
	t->item.identity.bytes[0] = content;
	t->item.event_len = 1;
}

TEST(test_while_the_record_is_away_items_are_spooled)
{
	struct record r;
	struct told t[4];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);

	r.away = true;
	r.room = false;
	CHECK_TRUE("there is place", accept_has_place(a, 1, 100));
	add_identified(a, &t[0], 1, "one", 1);
	add_identified(a, &t[1], 2, "two", 2);
	CHECK_U64("nobody is told within the turn", t[0].times, 0);
	accept_flush(a);
	check_told("spooled, under its number", &t[0], ITEM_SPOOLED, 1);
	check_told("and the other", &t[1], ITEM_SPOOLED, 2);
	CHECK_U64("both are in the spool", spool_waiting(spool), 2);
	add_identified(a, &t[2], 3, "one", 1);
	add_identified(a, &t[3], 4, "one", 9);
	accept_flush(a);
	check_told("a repeat gets the first number", &t[2], ITEM_DUPLICATE, 1);
	check_told("another content is refused", &t[3], ITEM_ID_REUSED, 1);
	CHECK_U64("and is not spooled", spool_count(spool), 2);
	accept_destroy(a);
	spool_close(spool);
}

/* The disk kept what could not be synced: an item that still waits then finds itself. */
TEST(test_a_repeat_of_itself_keeps_its_files)
{
	struct record r;
	struct told t[2];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);

	r.away = true;
	r.room = false;
	add_identified(a, &t[0], 1, "one", 1);
	disk_fails = true;
	accept_flush(a);
	disk_fails = false;
	CHECK_U64("it is not told yet", t[0].times, 0);
	spool_recover(spool);
	CHECK_U64("and surfaces", spool_waiting(spool), 1);
	accept_flush(a);
	check_told("is its own repeat", &t[0], ITEM_DUPLICATE, 1);
	CHECK_TRUE("the spool speaks of its files", item_keeps_files(&t[0].item, t[0].outcome));
	add_identified(a, &t[1], 2, "one", 1);
	accept_flush(a);
	check_told("another sends it again", &t[1], ITEM_DUPLICATE, 1);
	CHECK_FALSE(
	    "nobody speaks of the files of that", item_keeps_files(&t[1].item, t[1].outcome));
	accept_destroy(a);
	spool_close(spool);
}

TEST(test_what_is_in_doubt_is_spooled_in_front)
{
	struct record r;
	struct told t[3];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);
	bool damaged;

	add_identified(a, &t[0], 1, "one", 1);
	accept_flush(a);
	add_identified(a, &t[1], 2, "two", 2);
	r.away = true;
	r.room = false;
	accept_answer(r.sent[0], 0, 1, BATCH_UNKNOWN, NULL, 0, 0);
	accept_flush(a);
	check_told("the one in doubt too", &t[0], ITEM_SPOOLED, 1);
	check_told("the one that never left", &t[1], ITEM_SPOOLED, 2);
	struct spool_entry *first = spool_take(spool);
	struct frame *frame = first == NULL ? NULL : spool_read(spool, first, &damaged);
	if (CHECK(frame != NULL))
		CHECK_I64("in the order they came", spooled_item_message(frame)->ticket_id, 1);
	frame_destroy(frame);
	accept_destroy(a);
	spool_close(spool);
}

TEST(test_what_comes_while_older_items_wait_goes_behind_them)
{
	struct record r;
	struct told t[4];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);
	const bool found[] = { true };

	r.away = true;
	add_identified(a, &t[0], 1, "one", 1);
	accept_flush(a);
	r.away = false;
	add_identified(a, &t[1], 2, "two", 2);
	accept_flush(a);
	check_told("the record is back, the spool not empty", &t[1], ITEM_SPOOLED, 2);
	struct spool_entry *one = spool_take(spool), *two = spool_take(spool);
	CHECK(one != NULL && two != NULL && spool_take(spool) == NULL);
	/* All are out: what comes now waits behind them, and nothing leaves before they are known.
	 */
	struct told out;
	add(a, &out, 1, 100, 0);
	accept_flush(a);
	commit(r.sent[0], 1);
	out = (struct told){ .item = out.item };
	accept_add_spooled(a, &out.item, 0);
	add_identified(a, &t[2], 3, "three", 3);
	accept_flush(a);
	CHECK_U64("nothing new has left", r.sent_count, 1);
	if (!CHECK(r.looked_up != NULL))
		return;
	accept_found(r.looked_up, found);
	check_told("found in the record", &out, ITEM_ACCEPTED, 1);
	accept_flush(a);
	commit(r.sent[1], 2);
	check_told("then the new one", &t[2], ITEM_ACCEPTED, 3);
	add_identified(a, &t[3], 4, "one", 1);
	accept_flush(a);
	check_told("a repeat of what is on its way", &t[3], ITEM_DUPLICATE, 1);
	accept_destroy(a);
	spool_put_back(spool, one);
	spool_put_back(spool, two);
	spool_close(spool);
}

TEST(test_what_came_from_the_spool_goes_back_when_the_record_does)
{
	struct record r;
	struct told t[1];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);

	add(a, &t[0], 1, 100, 0);
	accept_flush(a);
	commit(r.sent[0], 1);
	t[0] = (struct told){ .item = t[0].item };
	r.room = false;
	accept_add_spooled(a, &t[0].item, 0);
	accept_flush(a);
	CHECK_U64("it waits for the look-up", t[0].times, 0);
	r.away = true;
	accept_flush(a);
	check_told("given back", &t[0], ITEM_UNAVAILABLE, 0);
	CHECK_U64("and not spooled twice", spool_count(spool), 0);
	accept_destroy(a);
	spool_close(spool);
}

TEST(test_late_items_are_spooled_though_the_record_is_there)
{
	struct record r;
	struct told t[1];
	struct spool *spool;
	struct accept *a = begin_with_spool(&r, &spool);

	r.room = false;
	add_identified(a, &t[0], 1, "one", 1);
	(void)accept_tick(a, 499);
	CHECK_U64("not yet", t[0].times, 0);
	(void)accept_tick(a, 500);
	check_told("late", &t[0], ITEM_SPOOLED, 1);
	accept_destroy(a);
	spool_close(spool);
}
