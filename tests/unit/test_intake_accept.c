/* Natural batching against a record that the test plays: what leaves when, and what each fate of a
 * batch becomes for its items. */
#include <string.h>

#include "accept_world.h"

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
