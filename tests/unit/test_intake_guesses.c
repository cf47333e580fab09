#include <stdio.h>

#include "check.h"
#include "guesses.h"

static uint64_t wait_ms;

static bool
judge(struct guesses *g, const char *address, const char *client, uint64_t now_ms)
{
	wait_ms = 0;
	return guesses_judge(g, address, client, now_ms, &wait_ms);
}

TEST(test_guesses_are_bounded_by_address)
{
	struct guesses *g = guesses_create(/* burst= */ 5, /* per_minute= */ 60);
	unsigned told = 0;

	CHECK_TRUE("a right key at first", judge(g, "192.0.2.1", "app", 1000));
	for (int i = 0; i < 1000; i++)
		told += judge(g, "192.0.2.1", NULL, 1000);
	CHECK_U64("wrong keys told to be wrong", told, 5);
	CHECK_U64("when the next one is", wait_ms, 1000);
	CHECK_FALSE(
	    "a right key is not told from a wrong one", judge(g, "192.0.2.1", "another", 1000));
	CHECK_U64("nor by when to come again", wait_ms, 1000);
	CHECK_TRUE("who was known there goes on", judge(g, "192.0.2.1", "app", 1000));
	CHECK_FALSE("there, not elsewhere after as many guesses",
	    judge(g, "192.0.2.2", NULL, 1000) && judge(g, "192.0.2.2", NULL, 1000)
		&& judge(g, "192.0.2.2", NULL, 1000) && judge(g, "192.0.2.2", NULL, 1000)
		&& judge(g, "192.0.2.2", NULL, 1000) && judge(g, "192.0.2.2", "app", 1000));
	CHECK_TRUE("another address has its own", judge(g, "192.0.2.3", "another", 1000));
	CHECK_TRUE("later it is judged again", judge(g, "192.0.2.1", "another", 2000));
	CHECK_TRUE("and known from then on", judge(g, "192.0.2.1", NULL, 2000)
						 && !judge(g, "192.0.2.1", NULL, 2000)
						 && judge(g, "192.0.2.1", "another", 2000));
	guesses_destroy(g);
}

TEST(test_right_keys_cost_nothing)
{
	struct guesses *g = guesses_create(1, 1);
	unsigned told = 0;

	for (int i = 0; i < 100; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "client-%d", i);
		told += judge(g, "::1", name, 1000);
	}
	CHECK_U64("each was let in", told, 100);
	CHECK_TRUE("and the one wrong key is still told", judge(g, "::1", NULL, 1000));
	CHECK_FALSE("but one only", judge(g, "::1", NULL, 1000));
	guesses_destroy(NULL);
	guesses_destroy(g);
}
