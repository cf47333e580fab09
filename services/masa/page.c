/* Lines of a fixed width, with styles where the terminal has them. */
#include "page.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static const char *const style_on[PAGE_STYLES] = {
	[PAGE_PLAIN] = "",
	[PAGE_STRONG] = "\033[1m",
	[PAGE_BAR] = "\033[7m",
	[PAGE_GOOD] = "\033[32m",
	[PAGE_WARN] = "\033[33m",
	[PAGE_BAD] = "\033[1;31m",
};
static const char style_off[] = "\033[0m";
static const char wipe_line[] = "\033[K", wipe_below[] = "\033[J";

struct page {
	struct page_look look;
	char *text;
	size_t len, size;
	unsigned column, line;
	bool failed;
};

struct page *
page_create(const struct page_look *look)
{
	struct page *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->look = *look;
	return p;
}

void
page_destroy(struct page *p)
{
	if (p == NULL)
		return;
	free(p->text);
	free(p);
}

static bool
is_full(const struct page *p)
{
	return p->look.height != 0 && p->line >= p->look.height;
}

static void
add(struct page *p, const char *text, size_t len)
{
	if (is_full(p) || p->failed)
		return;
	if (p->len + len + 1 > p->size) {
		size_t size = (p->len + len + 1) * 2;
		char *text_now = realloc(p->text, size);
		if (text_now == NULL) {
			p->failed = true;
			return;
		}
		p->text = text_now;
		p->size = size;
	}
	memcpy(p->text + p->len, text, len);
	p->len += len;
	p->text[p->len] = '\0';
}

/* The letters of our own words; anything else is a question mark. */
static const char *
without_utf8(const char *character, size_t len)
{
	static const struct {
		const char *letter, *ascii;
	} letters[] = { { "ç", "c" }, { "Ç", "C" }, { "ğ", "g" }, { "Ğ", "G" }, { "ı", "i" },
		{ "İ", "I" }, { "ö", "o" }, { "Ö", "O" }, { "ş", "s" }, { "Ş", "S" }, { "ü", "u" },
		{ "Ü", "U" } };

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (strlen(letters[i].letter) == len
		    && memcmp(letters[i].letter, character, len) == 0)
			return letters[i].ascii;
	return "?";
}

/* One character of at most left bytes as it may be shown; *ret_taken bytes were read. */
static void
add_character(struct page *p, const char *at, size_t left, size_t *ret_taken)
{
	size_t len = utf8_char_len(at, left);
	unsigned char first = (unsigned char)at[0];
	const char *shown = at;
	size_t shown_len = len;

	*ret_taken = len == 0 ? 1 : len;
	/* U+0080 to U+009F are C2 80 to C2 9F. */
	if (len == 0 || first < 0x20 || first == 0x7f
	    || (len == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0)) {
		shown = "?";
		shown_len = 1;
	} else if (len > 1 && !p->look.utf8) {
		shown = without_utf8(at, len);
		shown_len = 1;
	}
	add(p, shown, shown_len);
	p->column++;
}

void
page_put(struct page *p, enum page_style style, const char *format, ...)
{
	char text[1024];
	va_list args;
	bool styled = p->look.colours && style != PAGE_PLAIN;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (styled)
		add(p, style_on[style], strlen(style_on[style]));
	size_t left = strlen(text), taken;
	for (const char *at = text; left > 0 && p->column < p->look.width; at += taken) {
		add_character(p, at, left, &taken);
		left -= taken;
	}
	if (styled)
		add(p, style_off, sizeof(style_off) - 1);
}

void
page_column(struct page *p, unsigned column)
{
	if (p->column >= column && p->column > 0)
		column = p->column + 1;
	while (p->column < column && p->column < p->look.width) {
		add(p, " ", 1);
		p->column++;
	}
}

void
page_right(struct page *p, unsigned column, unsigned characters)
{
	page_column(p, column > characters ? column - characters : 0);
}

void
page_end_line(struct page *p)
{
	if (p->look.terminal)
		add(p, wipe_line, sizeof(wipe_line) - 1);
	while (!p->look.terminal && p->len > 0 && p->text[p->len - 1] == ' ')
		p->len--;
	p->column = 0;
	/* The last line of a terminal is not ended, or it would scroll. */
	bool last = p->look.height != 0 && p->line + 1 == p->look.height;
	if (!p->look.terminal)
		add(p, "\n", 1);
	else if (!last)
		add(p, "\r\n", 2);
	p->line++;
}

unsigned
page_room(const struct page *p)
{
	return p->look.width - p->column;
}

unsigned
page_lines_left(const struct page *p)
{
	if (p->look.height == 0)
		return UINT_MAX;
	return is_full(p) ? 0 : p->look.height - p->line;
}

unsigned
page_width(const struct page *p)
{
	return p->look.width;
}

const char *
page_text(struct page *p, size_t *ret_len)
{
	if (p->look.terminal && !is_full(p))
		add(p, wipe_below, sizeof(wipe_below) - 1);
	if (p->failed)
		return NULL;
	*ret_len = p->len;
	return p->text != NULL ? p->text : "";
}
