/* What becomes of items while the record is away and there is a spool. */
#include <string.h>

#include "accept_world.h"
#include "spool.h"
#include "spooled_item.h"

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static bool disk_fails;

int
__wrap_fdatasync(int fd)
{
	return disk_fails ? -1 : __real_fdatasync(fd);
}

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
