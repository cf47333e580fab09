/* Looks at a name character by character. */
#include "salutation.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "utf8.h"

enum { APOSTROPHE = 0x2019, LETTER_APOSTROPHE = 0x2bc };

/* Blocks that hold letters of names, without their digits, stops and invisible signs. */
static const struct {
	int32_t first, last;
} letters[] = {
	{ 'A', 'Z' }, { 'a', 'z' }, { 0xc0, 0xd6 }, { 0xd8, 0xf6 }, { 0xf8, 0x2af },
	{ LETTER_APOSTROPHE, LETTER_APOSTROPHE }, { 0x300, 0x32f }, /* accents on their own */
	{ 0x386, 0x386 }, { 0x388, 0x481 }, { 0x48a, 0x556 }, /* Greek, Cyrillic, Armenian */
	{ 0x561, 0x587 }, { 0x5d0, 0x5ea }, { 0x620, 0x63f }, { 0x641, 0x655 }, { 0x671, 0x6d3 },
	{ 0x10d0, 0x10fa }, { 0x1e00, 0x1fbc }, { 0x3041, 0x3096 }, { 0x30a1, 0x30fa },
	{ 0x4e00, 0x9fff }, { 0xac00, 0xd7a3 }, /* Georgian, Latin, kana, Han, Hangul */
};

static bool
is_letter(int32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (c >= letters[i].first && c <= letters[i].last)
			return true;
	return false;
}

static bool
has_www(const char *name)
{
	for (; *name != '\0'; name++)
		if (strncasecmp(name, "www", 3) == 0)
			return true;
	return false;
}

bool
salutation_is_name(const char *name)
{
	const char *at = name, *end = name + strlen(name);
	int32_t before = ' ';
	size_t chars = 0, seen = 0;

	if (has_www(name))
		return false;
	while (at < end) {
		int32_t c = utf8_next(&at, end);
		bool letter = is_letter(c);
		bool joins = c == ' ' || c == '-' || c == '\'' || c == APOSTROPHE;
		if (++chars > SALUTATION_CHARS_MAX || (!letter && !joins && c != '.'))
			return false;
		/* A dot ends a word; whatever follows it but a space could be an address. */
		if ((before == '.' && c != ' ') || (c == '.' && !is_letter(before)))
			return false;
		seen += letter;
		before = c;
	}
	return seen > 0;
}
