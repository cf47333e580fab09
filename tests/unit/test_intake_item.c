/* Items get their ids, digests and records, and the record holds nothing a person said. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "event_item.h"
#include "item.h"
#include "number.h"
#include "repeats.h"
#include "trace.h"
#include "turunc/v1/event.pb-c.h"

#define NOW_US INT64_C(1772440000000000)

static const uint8_t secret[32] = { 1, 2, 3 };

static void
on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	(void)item;
	(void)outcome;
	(void)ticket_id;
}

static void
fill(struct item *item)
{
	item_init(item, on_done);
	item->client = "app";
	item->kind = "report";
	item->channel = 3;
	item->type = "ticket.opened";
	item->opens = true;
	item->ticket_id = 260012345;
	item->time_us = item->arrived_us = NOW_US;
	item->name = "Ayşe Yılmaz";
	item->phone = "+905321234567";
	item->description = "gizli söz";
	item->subject_code = "cadde-supurme";
	item_set_neighbourhood(item, "fener");
}

TEST(test_ticket_record)
{
	struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct item item;
	char number[NUMBER_SIZE];

	fill(&item);
	if (!CHECK(item_seal(&item, &maker, NOW_US)))
		return;
	Turunc__V1__Event *event = turunc__v1__event__unpack(NULL, item.event_len, item.event);
	CHECK(event != NULL && number_format(260012345, number));
	CHECK_STR("subject", event->subject, number);
	CHECK_STR("actor", event->actor, "client:app");
	CHECK_STR("contact", event->opened->contact_id, event->id);
	CHECK_STR("place", event->opened->neighbourhood, "fener");
	CHECK_U64("digest", event->opened->content_digest.len, DIGEST_BYTES);
	CHECK_STR("one person", item.contact_key, "tel:+905321234567");
	CHECK(memmem(item.event, item.event_len, "Ay", 2) == NULL);
	CHECK(memmem(item.event, item.event_len, "gizli", 5) == NULL);
	CHECK(memmem(item.event, item.event_len, "532123", 6) == NULL);
	CHECK(item.bytes > item.event_len);
	turunc__v1__event__free_unpacked(event, NULL);
	item_finish(&item);
}

TEST(test_the_same_words_have_another_digest_each_time)
{
	struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct item one, two;

	fill(&one);
	fill(&two);
	CHECK(item_seal(&one, &maker, NOW_US) && item_seal(&two, &maker, NOW_US));
	Turunc__V1__Event *a = turunc__v1__event__unpack(NULL, one.event_len, one.event);
	Turunc__V1__Event *b = turunc__v1__event__unpack(NULL, two.event_len, two.event);
	CHECK(memcmp(one.salt, two.salt, ITEM_SALT_BYTES) != 0);
	CHECK(memcmp(a->opened->content_digest.data, b->opened->content_digest.data, DIGEST_BYTES)
	      != 0);
	CHECK(uuid_compare(&one.item_id, &two.item_id) < 0);
	turunc__v1__event__free_unpacked(a, NULL);
	turunc__v1__event__free_unpacked(b, NULL);
	item_finish(&one);
	item_finish(&two);
}

TEST(test_contact_keys)
{
	struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	struct item item;

	fill(&item);
	item.phone = NULL;
	item.email = "Ayse@Example.ORG";
	CHECK(item_seal(&item, &maker, NOW_US));
	CHECK_STR("one mailbox", item.contact_key, "mailto:ayse@example.org");
	item_finish(&item);
	fill(&item);
	item.phone = NULL;
	CHECK(item_seal(&item, &maker, NOW_US));
	CHECK_STR("nobody", item.contact_key, "");
	item_finish(&item);
	fill(&item);
	item.client = "";
	CHECK(item_seal(&item, &maker, NOW_US));
	CHECK_STR("the public form", item.actor, "citizen");
	item_finish(&item);
}

static const struct {
	const char *given;
	bool kept;
} traces[] = {
	{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true },
	{ "00-00000000000000000000000000000000-b7ad6b7169203331-01", false },
	{ "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false },
	{ "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
	{ "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false },
	{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", false },
	{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false },
	{ "", false },
	{ NULL, false },
};

TEST(test_traceparent)
{
	uint8_t random[TRACE_RANDOM_BYTES] = { 0 };
	char out[TRACE_SIZE], again[TRACE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
		trace_parent(traces[i].given, random, out);
		CHECK_U64("length", strlen(out), TRACE_LEN);
		if (traces[i].kept)
			CHECK_STR("kept", out, traces[i].given);
		trace_parent(out, random, again);
		CHECK_STR("what we make is one", again, out);
	}
}

TEST(test_a_code_that_does_not_fit_is_none)
{
	struct item item;
	char code[ITEM_CODE_BYTES + 1];

	memset(code, 'a', sizeof(code) - 1);
	code[sizeof(code) - 1] = '\0';
	item_init(&item, on_done);
	item_set_neighbourhood(&item, code);
	CHECK_STR("too long", item.neighbourhood, "");
	item_set_neighbourhood(&item, code + 1);
	CHECK_U64("fits", strlen(item.neighbourhood), ITEM_CODE_BYTES - 1);
}

TEST(test_possible_repeats)
{
	struct repeats *r = repeats_create();
	struct digest a = { { 1 } }, b = { { 2 } };

	CHECK_FALSE("first", repeats_see(r, &a, 1000));
	CHECK_TRUE("again", repeats_see(r, &a, 2000));
	CHECK_FALSE("another", repeats_see(r, &b, 2000));
	CHECK_FALSE("its slot was taken over", repeats_see(r, &a, 3000));
	CHECK_FALSE("long after", repeats_see(r, &a, 3000 + REPEATS_WINDOW_MS));
	repeats_destroy(r);
}
