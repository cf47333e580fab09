/* What is put on a page stays within it, and can do nothing to the terminal. */
#include <limits.h>
#include <string.h>

#include "base.h"
#include "check.h"
#include "page.h"

static const struct page_look plain = { .width = 10, .utf8 = true };

static void
shows(const char *name, struct page *p, const char *want)
{
	size_t len = 0;
	const char *text = page_text(p, &len);

	CHECK_MEM(name, text, len, want, strlen(want));
	page_destroy(p);
}

static const struct {
	const char *name;
	const char *text;
	const char *want;
	const char *ascii; /* without UTF-8 */
} shown[] = {
	{ "letters", "abc", "abc", "abc" },
	{ "Turkish letters", "Turunç ığş", "Turunç ığş", "Turunc igs" },
	{ "a line as long as the page", "0123456789", "0123456789", "0123456789" },
	{ "what is longer is cut", "0123456789A", "0123456789", "0123456789" },
	{ "by characters and not by bytes", "ççççççççççç", "çççççççççç", "cccccccccc" },
	{ "an escape is none", "a\033[2Jb", "a?[2Jb", "a?[2Jb" },
	{ "nor is a line's end", "a\r\nb\tc", "a??b?c", "a??b?c" },
	{ "nor DEL", "a\177b", "a?b", "a?b" },
	{ "nor a control of eight bits",
	    "a\xc2\x9b"
	    "2Jb",
	    "a?2Jb", "a?2Jb" },
	{ "a byte that is no UTF-8",
	    "a\xff"
	    "b\xc3",
	    "a?b?", "a?b?" },
	{ "a sign of another script", "€ 😀", "€ 😀", "? ?" },
	{ "a space that does not break",
	    "a\xc2\xa0"
	    "b",
	    "a\xc2\xa0"
	    "b",
	    "a?b" },
};

TEST(test_what_is_put_is_shown_and_does_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		struct page_look look = plain;
		struct page *p = page_create(&look);
		page_put(p, PAGE_BAD, "%s", shown[i].text);
		shows(shown[i].name, p, shown[i].want);
		look.utf8 = false;
		p = page_create(&look);
		page_put(p, PAGE_BAD, "%s", shown[i].text);
		shows(shown[i].name, p, shown[i].ascii);
	}
}

TEST(test_columns_are_kept_and_things_stay_apart)
{
	struct page *p = page_create(&plain);

	page_put(p, PAGE_PLAIN, "ç");
	page_column(p, 4);
	page_put(p, PAGE_PLAIN, "bc");
	page_column(p, 5); /* behind it already */
	page_put(p, PAGE_PLAIN, "d");
	CHECK_U64("room", page_room(p), 2);
	page_end_line(p);
	page_right(p, 6, 2);
	page_put(p, PAGE_PLAIN, "12");
	page_end_line(p);
	page_column(p, 99);
	CHECK_U64("no more than the width", page_room(p), 0);
	page_end_line(p);
	CHECK_U64("without a height", page_lines_left(p), UINT_MAX);
	shows("columns", p, "ç   bc d\n    12\n\n");
}

TEST(test_styles_are_for_who_wants_them_and_take_no_room)
{
	struct page_look look = plain;
	look.colours = true;
	look.width = 4;
	struct page *p = page_create(&look);

	page_put(p, PAGE_BAD, "abc");
	page_put(p, PAGE_PLAIN, "de");
	page_end_line(p);
	shows("styled", p, "\033[1;31mabc\033[0md\n");
}

TEST(test_a_terminal_is_neither_scrolled_nor_left_with_old_text)
{
	const struct page_look look = { .width = 5, .height = 2, .terminal = true, .utf8 = true };
	struct page *p = page_create(&look);

	page_put(p, PAGE_PLAIN, "one");
	page_end_line(p);
	CHECK_U64("one is left", page_lines_left(p), 1);
	shows("below it is wiped", p, "one\033[K\r\n\033[J");
	p = page_create(&look);
	for (int i = 0; i < 5; i++) {
		page_put(p, PAGE_BAD, "l%d", i);
		page_end_line(p);
	}
	CHECK_U64("none is left", page_lines_left(p), 0);
	shows("the last is not ended", p, "l0\033[K\r\nl1\033[K");
}

TEST(test_an_empty_page)
{
	shows("empty", page_create(&plain), "");
}
