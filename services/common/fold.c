/* Folds Turkish text for comparison and changes its case for display. */
#include "fold.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

enum { NOTHING = 0 };

/* Base letter, combining mark, and the one character both are: every pair of Latin-1 and Latin
 * Extended-A, so that text typed on a Mac equals text typed elsewhere. */
static const struct {
	char base;
	uint16_t mark;
	uint16_t composed;
} compositions[] = {
	/* clang-format off */
	{ 'A', 0x0300, 0x00c0 }, { 'A', 0x0301, 0x00c1 }, { 'A', 0x0302, 0x00c2 },
	{ 'A', 0x0303, 0x00c3 }, { 'A', 0x0304, 0x0100 }, { 'A', 0x0306, 0x0102 },
	{ 'A', 0x0308, 0x00c4 }, { 'A', 0x030a, 0x00c5 }, { 'A', 0x0328, 0x0104 },
	{ 'C', 0x0301, 0x0106 }, { 'C', 0x0302, 0x0108 }, { 'C', 0x0307, 0x010a },
	{ 'C', 0x030c, 0x010c }, { 'C', 0x0327, 0x00c7 }, { 'D', 0x030c, 0x010e },
	{ 'E', 0x0300, 0x00c8 }, { 'E', 0x0301, 0x00c9 }, { 'E', 0x0302, 0x00ca },
	{ 'E', 0x0304, 0x0112 }, { 'E', 0x0306, 0x0114 }, { 'E', 0x0307, 0x0116 },
	{ 'E', 0x0308, 0x00cb }, { 'E', 0x030c, 0x011a }, { 'E', 0x0328, 0x0118 },
	{ 'G', 0x0302, 0x011c }, { 'G', 0x0306, 0x011e }, { 'G', 0x0307, 0x0120 },
	{ 'G', 0x0327, 0x0122 }, { 'H', 0x0302, 0x0124 }, { 'I', 0x0300, 0x00cc },
	{ 'I', 0x0301, 0x00cd }, { 'I', 0x0302, 0x00ce }, { 'I', 0x0303, 0x0128 },
	{ 'I', 0x0304, 0x012a }, { 'I', 0x0306, 0x012c }, { 'I', 0x0307, 0x0130 },
	{ 'I', 0x0308, 0x00cf }, { 'I', 0x0328, 0x012e }, { 'J', 0x0302, 0x0134 },
	{ 'K', 0x0327, 0x0136 }, { 'L', 0x0301, 0x0139 }, { 'L', 0x030c, 0x013d },
	{ 'L', 0x0327, 0x013b }, { 'N', 0x0301, 0x0143 }, { 'N', 0x0303, 0x00d1 },
	{ 'N', 0x030c, 0x0147 }, { 'N', 0x0327, 0x0145 }, { 'O', 0x0300, 0x00d2 },
	{ 'O', 0x0301, 0x00d3 }, { 'O', 0x0302, 0x00d4 }, { 'O', 0x0303, 0x00d5 },
	{ 'O', 0x0304, 0x014c }, { 'O', 0x0306, 0x014e }, { 'O', 0x0308, 0x00d6 },
	{ 'O', 0x030b, 0x0150 }, { 'R', 0x0301, 0x0154 }, { 'R', 0x030c, 0x0158 },
	{ 'R', 0x0327, 0x0156 }, { 'S', 0x0301, 0x015a }, { 'S', 0x0302, 0x015c },
	{ 'S', 0x030c, 0x0160 }, { 'S', 0x0327, 0x015e }, { 'T', 0x030c, 0x0164 },
	{ 'T', 0x0327, 0x0162 }, { 'U', 0x0300, 0x00d9 }, { 'U', 0x0301, 0x00da },
	{ 'U', 0x0302, 0x00db }, { 'U', 0x0303, 0x0168 }, { 'U', 0x0304, 0x016a },
	{ 'U', 0x0306, 0x016c }, { 'U', 0x0308, 0x00dc }, { 'U', 0x030a, 0x016e },
	{ 'U', 0x030b, 0x0170 }, { 'U', 0x0328, 0x0172 }, { 'W', 0x0302, 0x0174 },
	{ 'Y', 0x0301, 0x00dd }, { 'Y', 0x0302, 0x0176 }, { 'Y', 0x0308, 0x0178 },
	{ 'Z', 0x0301, 0x0179 }, { 'Z', 0x0307, 0x017b }, { 'Z', 0x030c, 0x017d },
	{ 'a', 0x0300, 0x00e0 }, { 'a', 0x0301, 0x00e1 }, { 'a', 0x0302, 0x00e2 },
	{ 'a', 0x0303, 0x00e3 }, { 'a', 0x0304, 0x0101 }, { 'a', 0x0306, 0x0103 },
	{ 'a', 0x0308, 0x00e4 }, { 'a', 0x030a, 0x00e5 }, { 'a', 0x0328, 0x0105 },
	{ 'c', 0x0301, 0x0107 }, { 'c', 0x0302, 0x0109 }, { 'c', 0x0307, 0x010b },
	{ 'c', 0x030c, 0x010d }, { 'c', 0x0327, 0x00e7 }, { 'd', 0x030c, 0x010f },
	{ 'e', 0x0300, 0x00e8 }, { 'e', 0x0301, 0x00e9 }, { 'e', 0x0302, 0x00ea },
	{ 'e', 0x0304, 0x0113 }, { 'e', 0x0306, 0x0115 }, { 'e', 0x0307, 0x0117 },
	{ 'e', 0x0308, 0x00eb }, { 'e', 0x030c, 0x011b }, { 'e', 0x0328, 0x0119 },
	{ 'g', 0x0302, 0x011d }, { 'g', 0x0306, 0x011f }, { 'g', 0x0307, 0x0121 },
	{ 'g', 0x0327, 0x0123 }, { 'h', 0x0302, 0x0125 }, { 'i', 0x0300, 0x00ec },
	{ 'i', 0x0301, 0x00ed }, { 'i', 0x0302, 0x00ee }, { 'i', 0x0303, 0x0129 },
	{ 'i', 0x0304, 0x012b }, { 'i', 0x0306, 0x012d }, { 'i', 0x0308, 0x00ef },
	{ 'i', 0x0328, 0x012f }, { 'j', 0x0302, 0x0135 }, { 'k', 0x0327, 0x0137 },
	{ 'l', 0x0301, 0x013a }, { 'l', 0x030c, 0x013e }, { 'l', 0x0327, 0x013c },
	{ 'n', 0x0301, 0x0144 }, { 'n', 0x0303, 0x00f1 }, { 'n', 0x030c, 0x0148 },
	{ 'n', 0x0327, 0x0146 }, { 'o', 0x0300, 0x00f2 }, { 'o', 0x0301, 0x00f3 },
	{ 'o', 0x0302, 0x00f4 }, { 'o', 0x0303, 0x00f5 }, { 'o', 0x0304, 0x014d },
	{ 'o', 0x0306, 0x014f }, { 'o', 0x0308, 0x00f6 }, { 'o', 0x030b, 0x0151 },
	{ 'r', 0x0301, 0x0155 }, { 'r', 0x030c, 0x0159 }, { 'r', 0x0327, 0x0157 },
	{ 's', 0x0301, 0x015b }, { 's', 0x0302, 0x015d }, { 's', 0x030c, 0x0161 },
	{ 's', 0x0327, 0x015f }, { 't', 0x030c, 0x0165 }, { 't', 0x0327, 0x0163 },
	{ 'u', 0x0300, 0x00f9 }, { 'u', 0x0301, 0x00fa }, { 'u', 0x0302, 0x00fb },
	{ 'u', 0x0303, 0x0169 }, { 'u', 0x0304, 0x016b }, { 'u', 0x0306, 0x016d },
	{ 'u', 0x0308, 0x00fc }, { 'u', 0x030a, 0x016f }, { 'u', 0x030b, 0x0171 },
	{ 'u', 0x0328, 0x0173 }, { 'w', 0x0302, 0x0175 }, { 'y', 0x0301, 0x00fd },
	{ 'y', 0x0302, 0x0177 }, { 'y', 0x0308, 0x00ff }, { 'z', 0x0301, 0x017a },
	{ 'z', 0x0307, 0x017c }, { 'z', 0x030c, 0x017e },
	/* clang-format on */
};

/* Whole words, as they look once folded. */
static const struct {
	const char *word;
	const char *full;
} abbreviations[] = {
	{ "mh", "mahallesi" },
	{ "mah", "mahallesi" },
	{ "sk", "sokak" },
	{ "sok", "sokak" },
	{ "cd", "cadde" },
	{ "cad", "cadde" },
	{ "bl", "bulvar" },
	{ "blv", "bulvar" },
	{ "bulv", "bulvar" },
};

/* Where the output stands; full once something did not fit. */
struct sink {
	char *out;
	size_t size; /* without the final NUL */
	size_t used;
	bool full;
};

static int32_t
compose(int32_t base, int32_t mark)
{
	for (size_t i = 0; i < ARRAY_LEN(compositions); i++) {
		if (compositions[i].base == base && compositions[i].mark == mark)
			return compositions[i].composed;
	}
	return NOTHING;
}

/* The next character with the marks after it composed into it; a dot above has no say. */
static int32_t
next_composed(const char **at, const char *end)
{
	int32_t code = utf8_next(at, end);

	while (code > 0 && *at < end) {
		const char *peek = *at;
		int32_t mark = utf8_next(&peek, end);
		if (mark < 0x300 || mark > 0x36f)
			break;
		int32_t composed = compose(code, mark);
		if (composed == NOTHING)
			break;
		code = composed;
		*at = peek;
	}
	return code;
}

static int32_t
lower_extended_a(int32_t c)
{
	if (c == 0x130)
		return 'i';
	if (c == 0x178)
		return 0xff;
	/* Pairs start on even numbers, but on odd ones from 0x139 to 0x148 and from 0x179 on. */
	bool odd = (c >= 0x139 && c <= 0x148) || c >= 0x179;
	if (c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17f)
		return c;
	return (c & 1) == (odd ? 1 : 0) ? c + 1 : c;
}

/* Turkish lower case; what has none is returned as it is. */
static int32_t
lower(int32_t c)
{
	if (c == 'I')
		return 0x131;
	if (c >= 'A' && c <= 'Z')
		return c + 32;
	if (c < 0xc0)
		return c;
	if (c <= 0xde)
		return c == 0xd7 ? c : c + 32;
	if (c >= 0x100 && c <= 0x17f)
		return lower_extended_a(c);
	if ((c >= 0x391 && c <= 0x3a9 && c != 0x3a2) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if (c == 0x218 || c == 0x21a)
		return c + 1;
	return c;
}

/* Turkish upper case: the way back of lower(). */
static int32_t
upper(int32_t c)
{
	if (c == 'i')
		return 0x130;
	if (c == 0x131)
		return 'I';
	if (c >= 'a' && c <= 'z')
		return c - 32;
	if (c < 0xe0)
		return c;
	if (c <= 0xfe)
		return c == 0xf7 ? c : c - 32;
	if (c == 0xff)
		return 0x178;
	if (c >= 0x100 && c <= 0x17f)
		return lower_extended_a(c - 1) == c ? c - 1 : c;
	if ((c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) || (c >= 0x430 && c <= 0x44f))
		return c - 32;
	if (c >= 0x450 && c <= 0x45f)
		return c - 80;
	if (c == 0x219 || c == 0x21b)
		return c - 1;
	return c;
}

static bool
is_apostrophe(int32_t c)
{
	return c == '\'' || c == '`' || c == 0xb4 || c == 0x2018 || c == 0x2019 || c == 0x201b
	       || c == 0x2bc || c == 0x2032 || c == 0xff07;
}

/* Characters that show nothing: they join what stands around them. */
static bool
is_invisible(int32_t c)
{
	return c == 0x307 || c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0x2060
	       || c == 0xfeff;
}

static bool
is_punctuation(int32_t c)
{
	if (c < 0x80)
		return !(
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
	return c <= 0xbf || c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c <= 0x206f)
	       || (c >= 0x20a0 && c <= 0x20cf) || (c >= 0x2100 && c <= 0x2bff)
	       || (c >= 0x3000 && c <= 0x303f) || c == 0xfffd;
}

/* One character folded: a letter or digit, a space, or NOTHING. */
static int32_t
fold_character(int32_t c)
{
	if (c == UTF8_INVALID || c == 0)
		return ' ';
	if (is_apostrophe(c) || is_invisible(c))
		return NOTHING;
	/* A mark that composed with nothing would, left behind, compose when folded again. */
	if (c >= 0x300 && c <= 0x36f)
		return NOTHING;
	if (is_punctuation(c))
		return ' ';
	c = lower(c);
	switch (c) {
	case 0x131: /* ı */
	case 0xee: /* î */
		return 'i';
	case 0x15f: /* ş */
	case 0x219: /* ș, what a Romanian font makes of it */
		return 's';
	case 0x11f: /* ğ */
		return 'g';
	case 0xe7: /* ç */
		return 'c';
	case 0xf6: /* ö */
		return 'o';
	case 0xfc: /* ü */
	case 0xfb: /* û */
		return 'u';
	case 0xe2: /* â */
		return 'a';
	default:
		return c;
	}
}

static void
put_bytes(struct sink *s, const char *bytes, size_t len)
{
	if (s->full || s->size - s->used < len) {
		s->full = true;
		return;
	}
	memcpy(s->out + s->used, bytes, len);
	s->used += len;
}

static void
put(struct sink *s, int32_t code)
{
	char bytes[UTF8_BYTES_MAX];

	put_bytes(s, bytes, utf8_put(code, bytes));
}

/* The word from start to the end of the output is complete: write it out if it is short for one. */
static void
end_word(struct sink *s, size_t start)
{
	for (size_t i = 0; i < ARRAY_LEN(abbreviations) && !s->full; i++) {
		size_t len = strlen(abbreviations[i].word);
		if (s->used - start != len
		    || memcmp(s->out + start, abbreviations[i].word, len) != 0)
			continue;
		s->used = start;
		put_bytes(s, abbreviations[i].full, strlen(abbreviations[i].full));
		return;
	}
}

static bool
finish(struct sink *s)
{
	while (s->full && s->used > 0 && s->out[s->used - 1] == ' ')
		s->used--;
	s->out[s->used] = '\0';
	return !s->full;
}

bool
fold_text(const char *text, size_t len, char *out, size_t size)
{
	struct sink s = { .out = out, .size = size - 1 };
	const char *at = text, *end = text + len;
	size_t word = 0;
	bool in_word = false;

	while (at < end && !s.full) {
		int32_t code = fold_character(next_composed(&at, end));
		if (code == NOTHING)
			continue;
		if (code == ' ') {
			if (in_word)
				end_word(&s, word);
			in_word = false;
			continue;
		}
		if (!in_word && s.used > 0)
			put(&s, ' ');
		if (!in_word)
			word = s.used;
		in_word = true;
		put(&s, code);
	}
	if (in_word)
		end_word(&s, word);
	return finish(&s);
}

static bool
change_case(int32_t (*change)(int32_t), const char *text, size_t len, char *out, size_t size)
{
	struct sink s = { .out = out, .size = size - 1 };
	const char *at = text, *end = text + len;

	while (at < end && !s.full) {
		int32_t code = next_composed(&at, end);
		put(&s, code == UTF8_INVALID || code == 0 ? 0xfffd : change(code));
	}
	return finish(&s);
}

bool
fold_upper(const char *text, size_t len, char *out, size_t size)
{
	return change_case(upper, text, len, out, size);
}

bool
fold_lower(const char *text, size_t len, char *out, size_t size)
{
	return change_case(lower, text, len, out, size);
}
