/* The spool: what was promised is found again, whole and in order, and a disk that fails is told.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "spool.h"
#include "spooled_item.h"

enum { MIB = 1024 * 1024 };
#define NOW_US INT64_C(1772440000000000)

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static bool disk_fails;

int
__wrap_fdatasync(int fd)
{
	return disk_fails ? -1 : __real_fdatasync(fd);
}

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static struct item_maker maker;

/* With something in every field, or in none that may be absent. */
static void
fill(struct item *item, int64_t ticket_id, const char *id, bool full)
{
	static const uint8_t secret[32] = { 7 };

	maker.secret = secret;
	maker.secret_len = sizeof(secret);
	item_init(item, on_done);
	item->client = "santral";
	item->source = "pbx";
	item->id = id;
	memset(item->identity.bytes, 0x5a, DIGEST_BYTES);
	item->kind = "report";
	item->channel = 4;
	item->arrived_us = NOW_US - 5;
	item->type = "ticket.opened";
	item->time_us = NOW_US;
	item->ticket_id = ticket_id;
	item->opens = true;
	if (full) {
		item->language = "en";
		item_set_information_version(item, "2026-1");
		item->name = "Işıl Çağrı";
		item->phone = "+905321234567";
		item->email = "isil@example.org";
		item->description = "Çukur\nvar: \xf0\x9f\x95\xb3";
		item->address = "Fener Mah. 1964 Sok.";
		item->has_position = true;
		item->latitude = 36.8507;
		item->longitude = -30.25;
		item->media_url = "https://example.org/a.jpg";
		item->answers = "{\"A\": [\"b\"]}";
		item->account_id = "hesap";
		item->device_id = "cihaz";
		item->subject_code = "cukur";
		item_set_neighbourhood(item, "fener");
		item->legal_basis = 2;
		item->is_public = true;
		item->call_id = "call-1";
		item->content_type = "application/json";
		item->body = "{\0}";
		item->body_len = 3;
	}
	CHECK(item_seal(item, &maker, NOW_US));
}

static struct spool *
open_spool(uint64_t bytes_max)
{
	char why[200] = "";
	struct spool *s = spool_open(check_path("spool"), bytes_max, why, sizeof(why));

	if (!CHECK(s != NULL))
		printf("why: %s\n", why);
	return s;
}

static void
check_same(const struct item *got, const struct item *want)
{
	CHECK_STR("client", got->client, want->client);
	CHECK_STR("source", got->source, want->source);
	CHECK_STR("id", got->id, want->id);
	CHECK_MEM("identity", &got->identity, DIGEST_BYTES, &want->identity, DIGEST_BYTES);
	CHECK_STR("kind", got->kind, want->kind);
	CHECK_I64("channel", got->channel, want->channel);
	CHECK_I64("arrived", got->arrived_us, want->arrived_us);
	CHECK_STR("language", got->language, want->language);
	CHECK_STR("information", got->information_version, want->information_version);
	CHECK_STR("name", got->name, want->name);
	CHECK_STR("phone", got->phone, want->phone);
	CHECK_STR("email", got->email, want->email);
	CHECK_STR("description", got->description, want->description);
	CHECK_STR("address", got->address, want->address);
	CHECK_TRUE("position", got->has_position == want->has_position);
	CHECK_MEM("latitude", &got->latitude, sizeof(double), &want->latitude, sizeof(double));
	CHECK_MEM("longitude", &got->longitude, sizeof(double), &want->longitude, sizeof(double));
	CHECK_STR("media", got->media_url, want->media_url);
	CHECK_STR("answers", got->answers, want->answers);
	CHECK_STR("account", got->account_id, want->account_id);
	CHECK_STR("device", got->device_id, want->device_id);
	CHECK_I64("ticket", got->ticket_id, want->ticket_id);
	CHECK_TRUE("opens", got->opens == want->opens);
	CHECK_STR("subject", got->subject_code, want->subject_code);
	CHECK_STR("neighbourhood", got->neighbourhood, want->neighbourhood);
	CHECK_I64("basis", got->legal_basis, want->legal_basis);
	CHECK_TRUE("public", got->is_public == want->is_public);
	CHECK_STR("call", got->call_id, want->call_id);
	CHECK_STR("content type", got->content_type, want->content_type);
	CHECK_MEM("body", got->body, got->body_len, want->body, want->body_len);
	CHECK_STR("type", got->type, want->type);
	CHECK_I64("time", got->time_us, want->time_us);
	CHECK_MEM("item id", &got->item_id, UUID_BYTES, &want->item_id, UUID_BYTES);
	CHECK_MEM("citizen id", &got->citizen_id, UUID_BYTES, &want->citizen_id, UUID_BYTES);
	CHECK_STR("contact key", got->contact_key, want->contact_key);
	CHECK_STR("actor", got->actor, want->actor);
	CHECK_MEM("salt", got->salt, ITEM_SALT_BYTES, want->salt, ITEM_SALT_BYTES);
	CHECK_MEM("event", got->event, got->event_len, want->event, want->event_len);
	CHECK_U64("weight", got->bytes, want->bytes);
}

TEST(test_an_item_comes_back_as_it_went_in)
{
	struct spool *s = open_spool(8 * MIB);
	bool damaged;

	for (int full = 0; full < 2; full++) {
		struct item item, back;
		fill(&item, 260000010 + full, full ? "evt-1" : NULL, full != 0);
		CHECK(spool_add(s, &item) == SPOOL_TAKEN && spool_sync(s));
		struct spool_entry *entry = spool_take(s);
		struct frame *frame = entry == NULL ? NULL : spool_read(s, entry, &damaged);
		if (!CHECK(frame != NULL))
			return;
		CHECK(spooled_item_decode(&back, spooled_item_message(frame), on_done));
		check_same(&back, &item);
		item_finish(&back);
		item_finish(&item);
		frame_destroy(frame);
		spool_finish(s, entry);
	}
	CHECK_U64("empty", spool_count(s), 0);
	spool_close(s);
}

static void
add_some(struct spool *s, int count)
{
	for (int i = 0; i < count; i++) {
		struct item item;
		char id[20];
		snprintf(id, sizeof(id), "evt-%d", i);
		fill(&item, 260000000 + i, id, true);
		CHECK(spool_add(s, &item) == SPOOL_TAKEN);
		item_finish(&item);
	}
}

static int64_t
ticket_of(struct spool *s, const struct spool_entry *entry)
{
	bool damaged;
	struct frame *frame = spool_read(s, entry, &damaged);
	int64_t ticket_id = frame == NULL ? -1 : spooled_item_message(frame)->ticket_id;

	frame_destroy(frame);
	return ticket_id;
}

TEST(test_order_and_identities_survive_a_restart)
{
	struct spool *s = open_spool(8 * MIB);
	struct item probe;
	int64_t ticket_id = 0;
	bool same = false;

	add_some(s, 1000);
	CHECK_TRUE("nothing is taken out before it is durable", spool_take(s) == NULL);
	CHECK(spool_sync(s));
	for (int i = 0; i < 10; i++)
		spool_finish(s, spool_take(s));
	spool_close(s);

	s = open_spool(8 * MIB);
	CHECK_U64("what was not finished", spool_waiting(s), 990);
	fill(&probe, 1, "evt-500", true);
	CHECK(spool_knows(s, &probe, &ticket_id, &same));
	CHECK_I64("its number", ticket_id, 260000500);
	CHECK_TRUE("its content", same);
	probe.identity.bytes[3] ^= 1;
	CHECK(spool_knows(s, &probe, &ticket_id, &same));
	CHECK_FALSE("another content", same);
	probe.source = "elsewhere";
	CHECK_FALSE("another source", spool_knows(s, &probe, &ticket_id, &same));
	item_finish(&probe);
	fill(&probe, 1, "evt-5", true);
	CHECK_FALSE("finished ones are forgotten", spool_knows(s, &probe, &ticket_id, &same));
	item_finish(&probe);
	for (int i = 10; i < 1000; i++) {
		struct spool_entry *entry = spool_take(s);
		if (!CHECK(entry != NULL)
		    || !CHECK_I64("in order", ticket_of(s, entry), 260000000 + i))
			return;
		spool_finish(s, entry);
	}
	CHECK_TRUE("all", spool_take(s) == NULL);
	spool_close(s);
}

TEST(test_what_is_put_back_is_taken_again_in_its_place)
{
	struct spool *s = open_spool(8 * MIB);

	add_some(s, 3);
	CHECK(spool_sync(s));
	struct spool_entry *first = spool_take(s), *second = spool_take(s);
	spool_set_aside(s, second);
	spool_put_back(s, first);
	CHECK_U64("two wait", spool_waiting(s), 2);
	CHECK_U64("one is aside", spool_set_aside_count(s), 1);
	CHECK_I64("the first again", ticket_of(s, spool_take(s)), 260000000);
	CHECK_I64("then the third", ticket_of(s, spool_take(s)), 260000002);
	CHECK_TRUE("not the second", spool_take(s) == NULL);
	spool_close(s);
	s = open_spool(8 * MIB);
	CHECK_U64("after a restart all three", spool_waiting(s), 3);
	spool_close(s);
}

TEST(test_a_full_spool_refuses_and_takes_again)
{
	struct spool *s = open_spool(MIB);
	size_t taken = 0;
	enum spool_answer answer;
	struct item item;

	fill(&item, 260000001, NULL, true);
	while ((answer = spool_add(s, &item)) == SPOOL_TAKEN)
		taken++;
	CHECK(answer == SPOOL_FULL && spool_sync(s));
	CHECK_TRUE("many went in", taken > 500);
	CHECK_FALSE("it says that it takes none", spool_takes(s));
	CHECK_TRUE("within its bound", spool_bytes(s) <= MIB);
	CHECK_U64("all are there", spool_waiting(s), taken);
	while (spool_waiting(s) > 0)
		spool_finish(s, spool_take(s));
	CHECK_TRUE("emptied, it takes", spool_add(s, &item) == SPOOL_TAKEN && spool_sync(s));
	item_finish(&item);
	spool_close(s);
}

TEST(test_a_failed_sync_promises_nothing_and_heals_when_empty)
{
	struct spool *s = open_spool(8 * MIB);
	struct item item;

	add_some(s, 2);
	CHECK(spool_sync(s));
	fill(&item, 260000009, "late", true);
	CHECK(spool_add(s, &item) == SPOOL_TAKEN);
	disk_fails = true;
	CHECK_FALSE("not durable", spool_sync(s));
	disk_fails = false;
	CHECK_U64("the two before are", spool_waiting(s), 2);
	CHECK_TRUE("nothing more, though the disk would", spool_add(s, &item) == SPOOL_FAILED);
	CHECK_FALSE("and it says so", spool_takes(s));
	CHECK_TRUE("and why", strstr(spool_why(s), "fsync") != NULL);
	spool_recover(s);
	CHECK_FALSE("not while something waits", spool_takes(s));
	spool_finish(s, spool_take(s));
	spool_set_aside(s, spool_take(s));
	spool_recover(s);
	CHECK_TRUE("opened anew", spool_takes(s));
	/* Marks could not be written any more: what is in the record is looked up once more.  What
	 * nobody was promised and the disk kept all the same comes with it: a repeat, no loss. */
	CHECK_U64("all that the disk has", spool_waiting(s), 3);
	while (spool_waiting(s) > 0)
		spool_finish(s, spool_take(s));
	CHECK(spool_add(s, &item) == SPOOL_TAKEN);
	disk_fails = true;
	CHECK_FALSE("failed while it held nothing else", spool_sync(s));
	disk_fails = false;
	spool_recover(s);
	CHECK(spool_add(s, &item) == SPOOL_TAKEN && spool_sync(s));
	item_finish(&item);
	spool_close(s);
}

TEST(test_a_sync_that_fails_within_an_append_heals_as_well)
{
	struct spool *s = open_spool(MIB); /* of small segments */
	enum spool_answer answer;
	struct item item;

	fill(&item, 260000001, NULL, true);
	disk_fails = true;
	while ((answer = spool_add(s, &item)) == SPOOL_TAKEN)
		;
	disk_fails = false;
	CHECK_TRUE("where a segment ends", answer == SPOOL_FAILED);
	CHECK_FALSE("it says that it takes none", spool_takes(s));
	CHECK_FALSE("and promises nothing", spool_sync(s));
	spool_recover(s);
	while (spool_waiting(s) > 0)
		spool_finish(s, spool_take(s));
	CHECK_TRUE("opened anew, it takes", spool_add(s, &item) == SPOOL_TAKEN && spool_sync(s));
	item_finish(&item);
	spool_close(s);
}

TEST(test_a_damaged_entry_is_told_apart_and_the_others_are_whole)
{
	struct spool *s = open_spool(8 * MIB);
	struct stat st;
	bool damaged = false;
	char path[300];

	add_some(s, 3);
	CHECK(spool_sync(s));
	spool_close(s);
	snprintf(path, sizeof(path), "%s/00000001.journal", check_path("spool"));
	CHECK(stat(path, &st) == 0);
	s = open_spool(8 * MIB);
	int fd = open(path, O_RDWR);
	CHECK(fd != -1 && pwrite(fd, "XXXX", 4, st.st_size / 2) == 4);
	close(fd);
	CHECK_I64("before", ticket_of(s, spool_take(s)), 260000000);
	struct spool_entry *second = spool_take(s);
	CHECK_TRUE("it cannot be read", spool_read(s, second, &damaged) == NULL);
	CHECK_TRUE("and is damaged", damaged);
	CHECK_U64("counted", spool_damaged(s), 1);
	CHECK_I64("behind", ticket_of(s, spool_take(s)), 260000002);
	spool_close(s);
}

TEST(test_a_spool_belongs_to_one_process)
{
	struct spool *s = open_spool(8 * MIB);
	char why[200] = "";

	CHECK(spool_open(check_path("spool"), 8 * MIB, why, sizeof(why)) == NULL);
	CHECK_TRUE("it says why", strstr(why, "another process") != NULL);
	spool_close(s);
}
