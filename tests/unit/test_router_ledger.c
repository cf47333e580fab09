/* Credit and what is not acknowledged. */
#include "ledger.h"

#include "base.h"
#include "check.h"

/* Sends count records with these gaps between their seqs; returns the last seq. */
static uint64_t
send_many(struct ledger *l, uint64_t seq, size_t count, uint64_t step)
{
	if (!CHECK(ledger_reserve(l, count)))
		return seq;
	for (size_t i = 0; i < count; i++)
		ledger_sent(l, seq += step);
	ledger_told(l, seq);
	return seq;
}

TEST(test_ledger_credit)
{
	struct ledger l = { 0 };

	ledger_start(&l, 100);
	CHECK_U64("none at first", ledger_room(&l), 0);
	CHECK_TRUE("some", ledger_add_credit(&l, 4000));
	CHECK_FALSE("over the most, and nothing taken", ledger_add_credit(&l, 97));
	CHECK_U64("still", ledger_room(&l), 4000);
	CHECK_TRUE("up to the most", ledger_add_credit(&l, 96));
	CHECK_FALSE("a huge number does not wrap", ledger_add_credit(&l, UINT32_MAX));
	send_many(&l, 100, 96, 1);
	CHECK_U64("used up by sending", ledger_room(&l), 4000);
	CHECK_TRUE("and given again", ledger_add_credit(&l, 96));
	ledger_finish(&l);
}

TEST(test_ledger_unacked)
{
	struct ledger l = { 0 };
	uint64_t seq = 0;

	ledger_start(&l, 0);
	for (int i = 0; i < 2; i++) {
		CHECK(ledger_add_credit(&l, LEDGER_CREDIT_MAX));
		seq = send_many(&l, seq, LEDGER_CREDIT_MAX, 3);
	}
	CHECK(ledger_add_credit(&l, LEDGER_CREDIT_MAX));
	CHECK_U64("what is not acknowledged is bounded", ledger_room(&l),
	    LEDGER_UNACKED_MAX - 2 * LEDGER_CREDIT_MAX);
	seq = send_many(&l, seq, ledger_room(&l), 3);
	CHECK_U64("full", ledger_room(&l), 0);
	CHECK_U64(
	    "an ack between two records frees those before", ledger_ack(&l, 301), LEDGER_ACK_TAKEN);
	CHECK_U64("a hundred", ledger_room(&l), 100);
	CHECK_U64("all of it", ledger_ack(&l, seq), LEDGER_ACK_TAKEN);
	CHECK_U64("only credit counts then", ledger_room(&l), 2288);
	ledger_finish(&l);
}

TEST(test_ledger_acks)
{
	struct ledger l = { 0 };

	ledger_start(&l, 50);
	CHECK_U64("the start is acknowledged", ledger_ack(&l, 50), LEDGER_ACK_OLD);
	CHECK_U64("nothing was told", ledger_ack(&l, 51), LEDGER_ACK_BEYOND);
	ledger_told(&l, 60);
	CHECK_U64("told without records", ledger_ack(&l, 60), LEDGER_ACK_TAKEN);
	CHECK_U64("again", ledger_ack(&l, 60), LEDGER_ACK_OLD);
	CHECK_U64("earlier", ledger_ack(&l, 10), LEDGER_ACK_OLD);
	CHECK_U64("beyond", ledger_ack(&l, 61), LEDGER_ACK_BEYOND);
	ledger_start(&l, 5);
	CHECK_U64("a new start forgets", ledger_ack(&l, 6), LEDGER_ACK_BEYOND);
	ledger_finish(&l);
}

/* The ring turns many times and grows while it is turned. */
TEST(test_ledger_ring)
{
	struct ledger l = { 0 };
	uint64_t seq = 0, acked = 0;

	ledger_start(&l, 0);
	for (size_t round = 1; round < 200; round++) {
		size_t count = round % 50 + 1;
		CHECK(ledger_add_credit(&l, (uint32_t)count));
		seq = send_many(&l, seq, count, 2);
		if (round % 3 == 0) {
			acked += (seq - acked) / 2;
			CHECK_U64("taken", ledger_ack(&l, acked), LEDGER_ACK_TAKEN);
		}
		CHECK_U64("those after the ack are held", l.count, (seq - acked + 1) / 2);
	}
	ledger_finish(&l);
}
