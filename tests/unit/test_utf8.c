#include "utf8.h"

#include <string.h>

#include "base.h"
#include "check.h"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	bool want;
} encodings[] = {
	{ "empty", "", 0, true },
	{ "ascii", "abc", 3, true },
	{ "Turkish", "şğı", 6, true },
	{ "NUL", "a\0b", 3, false },
	{ "lone continuation", "\x80", 1, false },
	{ "cut in two", "\xc5", 1, false },
	{ "cut in three", "\xe2\x82", 2, false },
	{ "overlong NUL", "\xc0\x80", 2, false },
	{ "overlong slash", "\xe0\x80\xaf", 3, false },
	{ "overlong four", "\xf0\x80\x80\xaf", 4, false },
	{ "first of two bytes", "\xc2\x80", 2, true },
	{ "last before the surrogates", "\xed\x9f\xbf", 3, true },
	{ "surrogate", "\xed\xa0\x80", 3, false },
	{ "last surrogate", "\xed\xbf\xbf", 3, false },
	{ "after the surrogates", "\xee\x80\x80", 3, true },
	{ "last character", "\xf4\x8f\xbf\xbf", 4, true },
	{ "beyond it", "\xf4\x90\x80\x80", 4, false },
	{ "five bytes", "\xf8\x88\x80\x80\x80", 5, false },
	{ "second byte is a letter", "\xc5\x41", 2, false },
	{ "windows-1254", "Mahallesi \xfe", 11, false },
};

TEST(test_utf8_valid)
{
	for (size_t i = 0; i < ARRAY_LEN(encodings); i++)
		CHECK_TRUE(encodings[i].name,
		    utf8_valid(encodings[i].bytes, encodings[i].len) == encodings[i].want);
}

TEST(test_utf8_next_and_put)
{
	static const int32_t codes[] = { 1, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff,
		0x10000, 0x10ffff };
	char bytes[UTF8_BYTES_MAX];

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const char *at = bytes;
		size_t len = utf8_put(codes[i], bytes);
		CHECK(utf8_valid(bytes, len));
		CHECK_I64("there and back", utf8_next(&at, bytes + len), codes[i]);
		CHECK_U64("all taken", (size_t)(at - bytes), len);
	}
	for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
		const char *at = encodings[i].bytes, *end = at + encodings[i].len;
		bool valid = true;
		while (at < end) {
			int32_t code = utf8_next(&at, end);
			valid = valid && code != UTF8_INVALID && code != 0;
		}
		CHECK_TRUE(encodings[i].name, at == end);
		CHECK_TRUE(encodings[i].name, valid == encodings[i].want);
	}
}

/* Every point there is, encoded by hand, is one whole character; no part of it is. */
TEST(test_utf8_every_point)
{
	for (uint32_t point = 1; point <= 0x10ffff; point++) {
		char text[4];
		size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
		static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
		uint32_t rest = point;
		for (size_t i = len - 1; i > 0; i--, rest >>= 6)
			text[i] = (char)(0x80 | (rest & 0x3f));
		text[0] = (char)(marks[len] | rest);
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		if (!CHECK_U64("whole", utf8_char_len(text, len), surrogate ? 0 : len)
		    || (len > 1 && !CHECK_U64("cut", utf8_char_len(text, len - 1), 0)))
			return;
	}
}

static const struct {
	const char *name;
	const char *text;
	size_t max_bytes;
	size_t want;
} prefixes[] = {
	{ "short enough", "abc", 3, 3 },
	{ "ASCII is cut anywhere", "abc", 2, 2 },
	{ "not within two bytes", "aşb", 2, 1 },
	{ "just after them", "aşb", 3, 3 },
	{ "not within four bytes", "a\xf0\x9f\x8d\x8a", 4, 1 },
	{ "no room at all", "ş", 1, 0 },
	{ "nothing asked for", "abc", 0, 0 },
};

TEST(test_utf8_count)
{
	CHECK_U64("none", utf8_count(""), 0);
	CHECK_U64("of one to four bytes", utf8_count("aı€\U0001f34a"), 4);
	CHECK_U64("a mark is one of its own", utf8_count("i\u0307"), 2);
}

TEST(test_utf8_prefix)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		CHECK_U64(prefixes[i].name,
		    utf8_prefix_len(
			prefixes[i].text, strlen(prefixes[i].text), prefixes[i].max_bytes),
		    prefixes[i].want);
}

TEST(test_utf8_control_characters)
{
	CHECK_FALSE("none", utf8_has_control("Şube müdürü", false));
	CHECK_FALSE("nothing", utf8_has_control("", false));
	for (char c = 1; c < 0x20; c++) {
		const char text[] = { 'a', c, 'b', '\0' };
		bool breaks = c == '\n' || c == '\r' || c == '\t';
		CHECK_TRUE("in a line", utf8_has_control(text, false));
		CHECK_TRUE("in lines", utf8_has_control(text, true) == !breaks);
	}
	CHECK_TRUE("delete", utf8_has_control("a\x7f", true));
}
