/* Strict UTF-8, after table 3-7 of the Unicode Standard. */
#include "utf8.h"

/* What may follow a first byte: the narrower range is the second byte's. */
static bool
second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

size_t
utf8_char_len(const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned char first = bytes[0];

	if (first < 0x80)
		return 1;
	size_t want = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	if (want == 0 || want > len || !second_fits(first, bytes[1]))
		return 0;
	for (size_t i = 2; i < want; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return want;
}

bool
utf8_valid(const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t char_len = utf8_char_len(text + at, len - at);
		if (char_len == 0 || text[at] == '\0')
			return false;
		at += char_len;
	}
	return true;
}

bool
utf8_has_control(const char *text, bool lines)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		bool breaks = *c == '\n' || *c == '\r' || *c == '\t';
		if ((*c < 0x20 && !(breaks && lines)) || *c == 0x7f)
			return true;
	}
	return false;
}

size_t
utf8_prefix_len(const char *text, size_t len, size_t max_bytes)
{
	if (len <= max_bytes)
		return len;
	size_t cut = max_bytes;
	while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

size_t
utf8_count(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

int32_t
utf8_next(const char **at, const char *end)
{
	const unsigned char *bytes = (const unsigned char *)*at;
	size_t char_len = utf8_char_len(*at, (size_t)(end - *at));

	*at += char_len > 0 ? char_len : 1;
	if (char_len <= 1)
		return char_len == 0 ? UTF8_INVALID : bytes[0];
	int32_t code = bytes[0] & (0xff >> (char_len + 1));
	for (size_t i = 1; i < char_len; i++)
		code = (code << 6) | (bytes[i] & 0x3f);
	return code;
}

size_t
utf8_put(int32_t code, char out[UTF8_BYTES_MAX])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i > 1; i--) {
		out[i - 1] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(leads[len] | code);
	return len;
}
