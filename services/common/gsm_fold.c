/* Turns what a typesetter or another alphabet put into a text into what short messages can say. */
#include <string.h>

#include "gsm.h"
#include "gsm_tables.h"
#include "utf8.h"

enum { MARKS_FROM = 0x300, MARKS_TO = 0x36f };

/* One letter of a letter and its mark, those of Turkish and of its neighbours' names. */
static const struct {
	uint16_t base, mark, letter;
} compositions[] = {
	{ 'c', 0x327, 0xe7 },
	{ 'C', 0x327, 0xc7 },
	{ 'g', 0x306, 0x11f },
	{ 'G', 0x306, 0x11e },
	{ 'I', 0x307, 0x130 },
	{ 'i', 0x307, 'i' },
	{ 'o', 0x308, 0xf6 },
	{ 'O', 0x308, 0xd6 },
	{ 's', 0x327, 0x15f },
	{ 'S', 0x327, 0x15e },
	{ 's', 0x326, 0x15f },
	{ 'S', 0x326, 0x15e },
	{ 'u', 0x308, 0xfc },
	{ 'U', 0x308, 0xdc },
	{ 'a', 0x308, 0xe4 },
	{ 'A', 0x308, 0xc4 },
	{ 'a', 0x302, 'a' },
	{ 'A', 0x302, 'A' },
	{ 'i', 0x302, 'i' },
	{ 'I', 0x302, 'I' },
	{ 'u', 0x302, 'u' },
	{ 'U', 0x302, 'U' },
	{ 'e', 0x301, 0xe9 },
	{ 'E', 0x301, 0xc9 },
	{ 'n', 0x303, 0xf1 },
	{ 'N', 0x303, 0xd1 },
	{ 'a', 0x30a, 0xe5 },
	{ 'A', 0x30a, 0xc5 },
};

/* What typography and habit put in place of what a keyboard has; under every policy but UCS-2. */
static const struct {
	uint16_t from;
	const char *to;
} typography[] = {
	{ '\t', " " },
	{ '\r', "" },
	{ '`', "'" },
	{ 0xa0, " " },
	{ 0xab, "\"" },
	{ 0xb4, "'" },
	{ 0xb7, "." },
	{ 0xbb, "\"" },
	{ 0xad, "" },
	{ 0xc2, "A" },
	{ 0xe2, "a" },
	{ 0xce, "I" },
	{ 0xee, "i" },
	{ 0xdb, "U" },
	{ 0xfb, "u" },
	{ 0xd7, "x" },
	{ 0x2bc, "'" },
	{ 0x2010, "-" },
	{ 0x2011, "-" },
	{ 0x2012, "-" },
	{ 0x2013, "-" },
	{ 0x2014, "-" },
	{ 0x2015, "-" },
	{ 0x2018, "'" },
	{ 0x2019, "'" },
	{ 0x201a, "," },
	{ 0x201b, "'" },
	{ 0x201c, "\"" },
	{ 0x201d, "\"" },
	{ 0x201e, "\"" },
	{ 0x201f, "\"" },
	{ 0x2022, "-" },
	{ 0x2026, "..." },
	{ 0x2032, "'" },
	{ 0x2033, "\"" },
	{ 0x2039, "'" },
	{ 0x203a, "'" },
	{ 0x2116, "No" },
	{ 0x2212, "-" },
	{ 0x200b, "" },
	{ 0x200c, "" },
	{ 0x200d, "" },
	{ 0x200e, "" },
	{ 0x200f, "" },
	{ 0x2060, "" },
	{ 0xfeff, "" },
};

/* The plain letters of those that a policy cannot keep, from U+00A1 to U+017F. */
static const char plain[][3] = {
	/* a1 */ "!",
	"c",
	"L",
	"o",
	"Y",
	"|",
	"S",
	"\"",
	"c",
	"a",
	"\"",
	"-",
	"-",
	"r",
	"-",
	/* b0 */ "o",
	"+",
	"2",
	"3",
	"'",
	"u",
	"P",
	".",
	",",
	"1",
	"o",
	"\"",
	"1",
	"1",
	"3",
	"?",
	/* c0 */ "A",
	"A",
	"A",
	"A",
	"A",
	"A",
	"AE",
	"C",
	"E",
	"E",
	"E",
	"E",
	"I",
	"I",
	"I",
	"I",
	/* d0 */ "D",
	"N",
	"O",
	"O",
	"O",
	"O",
	"O",
	"x",
	"O",
	"U",
	"U",
	"U",
	"U",
	"Y",
	"Th",
	"ss",
	/* e0 */ "a",
	"a",
	"a",
	"a",
	"a",
	"a",
	"ae",
	"c",
	"e",
	"e",
	"e",
	"e",
	"i",
	"i",
	"i",
	"i",
	/* f0 */ "d",
	"n",
	"o",
	"o",
	"o",
	"o",
	"o",
	"/",
	"o",
	"u",
	"u",
	"u",
	"u",
	"y",
	"th",
	"y",
	/* 100 */ "A",
	"a",
	"A",
	"a",
	"A",
	"a",
	"C",
	"c",
	"C",
	"c",
	"C",
	"c",
	"C",
	"c",
	"D",
	"d",
	/* 110 */ "D",
	"d",
	"E",
	"e",
	"E",
	"e",
	"E",
	"e",
	"E",
	"e",
	"E",
	"e",
	"G",
	"g",
	"G",
	"g",
	/* 120 */ "G",
	"g",
	"G",
	"g",
	"H",
	"h",
	"H",
	"h",
	"I",
	"i",
	"I",
	"i",
	"I",
	"i",
	"I",
	"i",
	/* 130 */ "I",
	"i",
	"IJ",
	"ij",
	"J",
	"j",
	"K",
	"k",
	"k",
	"L",
	"l",
	"L",
	"l",
	"L",
	"l",
	"L",
	/* 140 */ "l",
	"L",
	"l",
	"N",
	"n",
	"N",
	"n",
	"N",
	"n",
	"n",
	"N",
	"n",
	"O",
	"o",
	"O",
	"o",
	/* 150 */ "O",
	"o",
	"OE",
	"oe",
	"R",
	"r",
	"R",
	"r",
	"R",
	"r",
	"S",
	"s",
	"S",
	"s",
	"S",
	"s",
	/* 160 */ "S",
	"s",
	"T",
	"t",
	"T",
	"t",
	"T",
	"t",
	"U",
	"u",
	"U",
	"u",
	"U",
	"u",
	"U",
	"u",
	/* 170 */ "U",
	"u",
	"U",
	"u",
	"W",
	"w",
	"Y",
	"y",
	"Y",
	"Z",
	"z",
	"Z",
	"z",
	"Z",
	"z",
	"s",
};
enum { PLAIN_FROM = 0xa1 };
_Static_assert(ARRAY_LEN(plain) == 0x180 - PLAIN_FROM, "a plain letter for each");

/* With the marks behind it: in it, where there is such a letter, else dropped. */
static int32_t
next_composed(const char **at, const char *end)
{
	int32_t c = utf8_next(at, end);

	while (c != UTF8_INVALID && *at < end) {
		const char *ahead = *at;
		int32_t mark = utf8_next(&ahead, end);
		if (mark < MARKS_FROM || mark > MARKS_TO)
			break;
		for (size_t i = 0; i < ARRAY_LEN(compositions); i++) {
			if (compositions[i].base == c && compositions[i].mark == mark) {
				c = compositions[i].letter;
				break;
			}
		}
		*at = ahead;
	}
	return c;
}

static size_t
put_text(const char *text, char out[SMS_FOLDED_MAX])
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return len;
}

static size_t
put_lost(char out[SMS_FOLDED_MAX], size_t *lost)
{
	(*lost)++;
	out[0] = '?';
	return 1;
}

static bool
stays(enum sms_policy policy, int32_t c)
{
	size_t units, parts;
	char text[UTF8_BYTES_MAX];

	if (policy == SMS_AUTO)
		return true;
	if (policy == SMS_ASCII)
		return c < 0x7f && (c >= ' ' || c == '\n');
	return gsm_measure(text, utf8_put(c, text), GSM_SINGLE, &units, &parts);
}

size_t
sms_fold_next(enum sms_policy policy, const char **at, const char *end, char out[SMS_FOLDED_MAX],
    size_t *lost)
{
	int32_t c = policy == SMS_UCS2 ? utf8_next(at, end) : next_composed(at, end);

	if (c == UTF8_INVALID)
		return put_lost(out, lost);
	if (c == 0 || (c < ' ' && strchr("\n\t\r", c) == NULL) || c == 0x7f)
		return put_text(" ", out); /* nothing that a text may hold */
	if (policy == SMS_UCS2)
		return utf8_put(c, out);
	for (size_t i = 0; i < ARRAY_LEN(typography); i++) {
		if (typography[i].from == c)
			return put_text(typography[i].to, out);
	}
	if (c >= MARKS_FROM && c <= MARKS_TO)
		return 0; /* a mark with nothing to stand on */
	if (stays(policy, c))
		return utf8_put(c, out);
	if (c >= PLAIN_FROM && c < 0x180)
		return put_text(plain[c - PLAIN_FROM], out);
	if (c == 0x20ac)
		return put_text("EUR", out);
	return put_lost(out, lost);
}

size_t
sms_fold(enum sms_policy policy, const char *text, size_t len, char *out)
{
	const char *end = text + len;
	size_t lost = 0;

	while (text < end) {
		char folded[SMS_FOLDED_MAX];
		size_t size = sms_fold_next(policy, &text, end, folded, &lost);
		memcpy(out, folded, size);
		out += size;
	}
	*out = '\0';
	return lost;
}
