/* Passwords: which are taken, and the thread that checks them. */
#include <event2/event.h>
#include <string.h>

#include "check.h"
#include "passwords.h"

static const struct {
	const char *password;
	enum password_fault fault;
} rows[] = {
	{ "four small words", PASSWORD_FINE },
	{ "şğüçöışğüçöı", PASSWORD_FINE }, /* 12 characters, 24 bytes */
	{ "şğüçöışğüçö", PASSWORD_SHORT },
	{ "eleven lett", PASSWORD_SHORT },
	{ "", PASSWORD_SHORT },
	{ "twelve lette", PASSWORD_FINE },
	{ "aaaaaaaaaaaaaaa", PASSWORD_ONE_LETTER },
	{ "aaaaaaaaaaaaaab", PASSWORD_FINE },
	{ "ayse.yilmaz1", PASSWORD_LIKE_NAME },
	{ "AYSE.YILMAZ-2026", PASSWORD_LIKE_NAME },
	{ "ayse.yilmaz has a cat", PASSWORD_FINE },
	{ "tabs\tin the middle", PASSWORD_NO_TEXT },
	{ "bytes \xff that are none", PASSWORD_NO_TEXT },
};

TEST(test_which_are_taken)
{
	char longest[PASSWORD_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_I64(rows[i].password, password_judge("ayse.yilmaz", rows[i].password),
		    rows[i].fault);
	memset(longest, 'a', sizeof(longest));
	longest[0] = 'b';
	longest[PASSWORD_MAX] = '\0';
	CHECK_I64("longest", password_judge("ayse", longest), PASSWORD_FINE);
	longest[PASSWORD_MAX] = 'a';
	longest[PASSWORD_MAX + 1] = '\0';
	CHECK_I64("too long", password_judge("ayse", longest), PASSWORD_LONG);
}

TEST(test_made_ones_are_taken_and_differ)
{
	char one[PASSWORD_MADE_SIZE], two[PASSWORD_MADE_SIZE];

	password_make(one);
	password_make(two);
	CHECK_I64("length", (int)strlen(one), PASSWORD_MADE_SIZE - 1);
	CHECK(strcmp(one, two) != 0);
	CHECK_I64("taken", password_judge("ayse", one), PASSWORD_FINE);
}

/* --- the thread --- */

struct seen {
	unsigned calls;
	bool done, matches;
	char hash[PASSWORD_HASH_SIZE];
	unsigned place; /* among all that were done */
};
static unsigned places;

static void
on_done(void *arg, const struct password_result *result)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->done = result->done;
	seen->matches = result->matches;
	strcpy(seen->hash, result->hash);
	seen->place = ++places;
}

static void
run_until(struct event_base *loop, const struct seen *seen)
{
	while (seen->calls == 0)
		event_base_loop(loop, EVLOOP_ONCE);
}

TEST_WITHIN(test_checks_beside_the_loop, 60)
{
	struct event_base *loop = event_base_new();
	char hash[PASSWORD_HASH_SIZE];
	struct seen right = { 0 }, wrong = { 0 }, nobody = { 0 }, changed = { 0 }, kept = { 0 };
	const char password[] = "four small words";

	CHECK(password_hash(password, hash));
	CHECK(strncmp(hash, "$argon2id$", 10) == 0);
	struct passwords *p = passwords_open(loop, 5);
	CHECK(p != NULL);
	CHECK(passwords_check(p, hash, password, NULL, true, on_done, &right));
	CHECK(passwords_check(p, hash, "four small word", NULL, true, on_done, &wrong));
	CHECK(passwords_check(p, NULL, password, NULL, true, on_done, &nobody));
	CHECK(passwords_check(p, hash, password, "five other words", true, on_done, &changed));
	CHECK(passwords_check(p, hash, "wrong by far", "five other words", true, on_done, &kept));
	CHECK_I64("nothing is done within the call", (int)right.calls, 0);
	CHECK_FALSE(
	    "a full queue", passwords_check(p, hash, password, NULL, true, on_done, &right));
	run_until(loop, &kept);
	CHECK(right.done && right.matches && right.hash[0] == '\0');
	CHECK(wrong.done && !wrong.matches);
	CHECK(nobody.done && !nobody.matches);
	CHECK(changed.done && changed.matches);
	CHECK_I64("the new one", crypto_pwhash_str_verify(changed.hash, "five other words", 16), 0);
	CHECK(kept.done && !kept.matches && kept.hash[0] == '\0');
	CHECK_U64("none left", passwords_waiting(p), 0);
	passwords_close(p);
	event_base_free(loop);
}

TEST_WITHIN(test_part_of_the_queue_is_kept, 60)
{
	struct event_base *loop = event_base_new();
	struct seen seen[3] = { 0 };
	struct passwords *p = passwords_open(loop, 2);

	CHECK(passwords_check(p, NULL, "a", NULL, false, on_done, &seen[0]));
	CHECK_FALSE("a stranger", passwords_check(p, NULL, "b", NULL, false, on_done, &seen[1]));
	CHECK(passwords_check(p, NULL, "c", NULL, true, on_done, &seen[2]));
	/* Closing answers whoever waits. */
	passwords_close(p);
	CHECK_I64("first", (int)seen[0].calls, 1);
	CHECK_I64("not taken", (int)seen[1].calls, 0);
	CHECK_I64("last", (int)seen[2].calls, 1);
	CHECK_FALSE("last", seen[2].done && seen[2].matches);
	event_base_free(loop);
}

TEST_WITHIN(test_some_go_ahead, 60)
{
	struct event_base *loop = event_base_new();
	struct seen strangers[4] = { 0 }, known = { 0 };
	struct passwords *p = passwords_open(loop, 8);

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		CHECK(passwords_check(p, NULL, "a", NULL, false, on_done, &strangers[i]));
	CHECK(passwords_check(p, NULL, "b", NULL, true, on_done, &known));
	run_until(loop, &strangers[3]);
	/* Behind the one under way at most. */
	CHECK_I64("was done", known.calls, 1);
	CHECK(known.place < strangers[2].place && strangers[1].place < strangers[2].place);
	passwords_close(p);
	event_base_free(loop);
}

TEST(test_longer_than_any_is_not_looked_at)
{
	struct event_base *loop = event_base_new();
	struct passwords *p = passwords_open(loop, 2);
	char huge[PASSWORD_MAX + 2];
	struct seen seen = { 0 };

	memset(huge, 'a', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	CHECK_FALSE("password", passwords_check(p, NULL, huge, NULL, true, on_done, &seen));
	CHECK_FALSE("new one", passwords_check(p, NULL, "a", huge, true, on_done, &seen));
	passwords_close(p);
	event_base_free(loop);
}
