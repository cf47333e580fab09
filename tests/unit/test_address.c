/* host:port is taken apart, and names become numbers. */
#include <event2/event.h>
#include <string.h>

#include "address.h"
#include "base.h"
#include "check.h"

static const struct {
	const char *text, *host; /* host NULL: refused */
	int port;
} splits[] = {
	{ "localhost:6379", "localhost", 6379 },
	{ "127.0.0.1:1", "127.0.0.1", 1 },
	{ "[::1]:65535", "::1", 65535 },
	{ "::1:6379", NULL, 0 },
	{ "[::1:6379", NULL, 0 },
	{ "[]:6379", NULL, 0 },
	{ "localhost", NULL, 0 },
	{ ":6379", NULL, 0 },
	{ "localhost:", NULL, 0 },
	{ "localhost:0", NULL, 0 },
	{ "localhost:65536", NULL, 0 },
	{ "localhost:-1", NULL, 0 },
	{ "localhost:6379x", NULL, 0 },
	{ "", NULL, 0 },
};

TEST(host_and_port_are_taken_apart)
{
	for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
		char host[ADDRESS_HOST_SIZE] = "";
		int port = 0;
		bool split = address_split(splits[i].text, host, &port);
		CHECK_TRUE(splits[i].text, split == (splits[i].host != NULL));
		CHECK_STR(splits[i].text, host, splits[i].host != NULL ? splits[i].host : "");
		CHECK_I64(splits[i].text, port, splits[i].port);
	}
}

TEST(names_that_are_too_long_are_refused)
{
	char text[ADDRESS_HOST_SIZE + 8], host[ADDRESS_HOST_SIZE];
	int port;

	memset(text, 'a', sizeof(text));
	strcpy(text + ADDRESS_HOST_SIZE, ":80");
	CHECK_FALSE("a byte too long", address_split(text, host, &port));
	strcpy(text + ADDRESS_HOST_SIZE - 1, ":80");
	CHECK_TRUE("fits", address_split(text, host, &port));
}

TEST(names_become_numbers)
{
	struct addresses found = { 0 };
	char complaint[100] = "";

	CHECK(address_resolve("127.0.0.1", &found, complaint, sizeof(complaint)));
	CHECK_U64("", found.count, 1);
	CHECK_STR("", found.numeric[0], "127.0.0.1");
	CHECK(address_resolve("localhost", &found, complaint, sizeof(complaint)));
	CHECK(found.count >= 1);
	CHECK_FALSE("no such name",
	    address_resolve("no-such-host.invalid", &found, complaint, sizeof(complaint)));
	CHECK_TRUE("says which", strstr(complaint, "no-such-host.invalid") != NULL);
}

struct lookup_result {
	unsigned times;
	bool found;
	char first[ADDRESS_SIZE];
};

static void
on_found(void *arg, const struct addresses *found)
{
	struct lookup_result *result = arg;

	result->times++;
	result->found = found != NULL;
	if (found != NULL)
		memcpy(result->first, found->numeric[0], ADDRESS_SIZE);
}

static bool
turn(struct event_base *loop)
{
	event_base_loop(loop, EVLOOP_NONBLOCK);
	return true;
}

TEST(names_are_looked_up_beside_the_loop)
{
	static const struct {
		const char *host;
		bool found;
	} cases[] = { { "127.0.0.1", true }, { "localhost", true }, { "no-such.invalid", false } };
	struct event_base *loop = event_base_new();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct lookup_result result = { 0 };
		CHECK(address_lookup_start(loop, cases[i].host, on_found, &result) != NULL);
		CHECK_U64("never from within the call", result.times, 0);
		CHECK_WITHIN(20000, turn(loop) && result.times > 0);
		turn(loop);
		CHECK_U64(cases[i].host, result.times, 1);
		CHECK_TRUE(cases[i].host, result.found == cases[i].found);
		if (i == 0)
			CHECK_STR("", result.first, "127.0.0.1");
	}
	event_base_free(loop);
}

TEST(cancelled_lookups_say_nothing)
{
	struct event_base *loop = event_base_new();
	struct lookup_result result = { 0 }, last = { 0 };

	for (int i = 0; i < 20; i++) {
		struct address_lookup *lookup = address_lookup_start(
		    loop, "127.0.0.1", on_found, &result);
		CHECK(lookup != NULL);
		if (i % 2 == 1)
			check_pause(); /* some are done by then */
		address_lookup_cancel(lookup);
	}
	CHECK(address_lookup_start(loop, "127.0.0.1", on_found, &last) != NULL);
	CHECK_WITHIN(5000, turn(loop) && last.times == 1);
	CHECK_U64("", result.times, 0);
	event_base_free(loop);
}
