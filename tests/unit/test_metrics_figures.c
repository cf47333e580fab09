/* Sums, unknowns, and what a patch says. */
#include "figures.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "picture.h"

static void
fill(struct figures *f, const struct figure *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK_TRUE(rows[i].name, figures_set(f, rows[i].name, rows[i].value));
}

static int64_t
value(const struct figures *f, const char *name)
{
	int64_t n = -1;

	return figures_get(f, name, &n) ? n : -1;
}

TEST(test_totals_are_sums_of_their_parts)
{
	static const struct figure rows[] = { { "today.web", 3 }, { "today.call", 4 },
		{ "d.fen.open", 5 }, { "d.-.open", 2 }, { "d.fen.overdue", 1 }, { "d.fen.in", 9 },
		{ "d.park.overdue", 6 }, { "status.opened", 7 } };
	struct figures f = { 0 };

	fill(&f, rows, ARRAY_LEN(rows));
	CHECK(figures_complete(&f));
	CHECK_I64("tickets today", value(&f, "today"), 7);
	CHECK_I64("open", value(&f, "open"), 7);
	CHECK_I64("overdue", value(&f, "overdue"), 7);
	CHECK_I64("no level without calls", value(&f, "calls.level"), -1);
	CHECK_I64("no calls is 0 calls", value(&f, "calls.offered"), 0);
	/* Once more: totals do not count themselves. */
	CHECK(figures_complete(&f));
	CHECK_I64("tickets today again", value(&f, "today"), 7);
	figures_finish(&f);
}

TEST(test_absent_is_not_zero)
{
	struct figures f = { 0 };
	int64_t n = 5;

	CHECK(!figures_get(&f, "open", &n));
	CHECK_I64("left alone", n, 5);
	CHECK(figures_set(&f, "open", 0) && figures_get(&f, "open", &n));
	CHECK_I64("zero is known", n, 0);
	figures_finish(&f);
}

TEST(test_a_name_too_long_is_refused)
{
	char name[FIGURE_NAME_SIZE + 1];
	struct figures f = { 0 };

	memset(name, 'x', sizeof(name));
	name[FIGURE_NAME_SIZE] = '\0';
	CHECK(!figures_set(&f, name, 1));
	name[FIGURE_NAME_SIZE - 1] = '\0';
	CHECK(figures_set(&f, name, 1));
	CHECK_U64("one", f.count, 1);
	figures_finish(&f);
}

struct heard {
	char text[400];
};

static void
hear(void *arg, const char *name, bool known, int64_t n)
{
	struct heard *h = arg;
	size_t len = strlen(h->text);

	if (known)
		(void)snprintf(
		    h->text + len, sizeof(h->text) - len, "%s=%lld ", name, (long long)n);
	else
		(void)snprintf(h->text + len, sizeof(h->text) - len, "%s=? ", name);
}

static const struct {
	const char *name;
	struct figure before[3], now[3];
	size_t before_count, now_count;
	const char *want;
} diffs[] = {
	{ "nothing changed", { { "a", 1 } }, { { "a", 1 } }, 1, 1, "" },
	{ "one changed of two", { { "a", 1 }, { "b", 2 } }, { { "a", 1 }, { "b", 3 } }, 2, 2,
	    "b=3 " },
	{ "a new one", { { "b", 1 } }, { { "a", 0 }, { "b", 1 } }, 1, 2, "a=0 " },
	{ "one is not known any more", { { "a", 1 }, { "b", 2 } }, { { "b", 2 } }, 2, 1, "a=? " },
	{ "from nothing", { { "", 0 } }, { { "b", 2 }, { "a", 1 } }, 0, 2, "a=1 b=2 " },
	{ "beyond 2^53 exactly", { { "a", INT64_C(9007199254740992) } },
	    { { "a", INT64_C(9007199254740993) } }, 1, 1, "a=9007199254740993 " },
};

TEST(test_a_patch_says_what_changed_and_nothing_else)
{
	for (size_t i = 0; i < ARRAY_LEN(diffs); i++) {
		struct figures before = { 0 }, now = { 0 };
		struct heard h = { "" };
		fill(&before, diffs[i].before, diffs[i].before_count);
		fill(&now, diffs[i].now, diffs[i].now_count);
		(void)figures_diff(&before, &now, hear, &h);
		CHECK_STR(diffs[i].name, h.text, diffs[i].want);
		figures_finish(&before);
		figures_finish(&now);
	}
}

static const struct {
	const char *name, *want;
} names[] = {
	{ "status.1", "status.opened" },
	{ "status.11", "status.withdrawn" },
	{ "status.99", "status.99" },
	{ "today.0", "today.other" },
	{ "today.3", "today.open311" },
	{ "today.8", "today.sms" },
	{ "d.fen.open", "d.fen.open" },
};

TEST(test_numbers_become_words)
{
	char name[FIGURE_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (CHECK_TRUE(names[i].name, picture_name(names[i].name, name)))
			CHECK_STR(names[i].name, name, names[i].want);
}
