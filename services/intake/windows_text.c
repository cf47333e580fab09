/* Tables of windows-1252 and windows-1254. */
#include "windows_text.h"

#include <stddef.h>

#include "base.h"

/* 0x80 to 0x9f of windows-1252; windows-1254 has no Ž and ž there. */
static const uint16_t high[32] = { 0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d,
	0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178 };

/* Where windows-1254 differs from windows-1252 above that. */
static const struct {
	unsigned char byte;
	uint16_t code;
} turkish[] = { { 0xd0, 0x11e }, { 0xdd, 0x130 }, { 0xde, 0x15e }, { 0xf0, 0x11f }, { 0xfd, 0x131 },
	{ 0xfe, 0x15f } };

int32_t
windows_text_code(unsigned char byte, bool is_turkish)
{
	if (byte >= 0x80 && byte < 0xa0)
		return is_turkish && (byte == 0x8e || byte == 0x9e) ? 0 : high[byte - 0x80];
	for (size_t i = 0; is_turkish && i < ARRAY_LEN(turkish); i++)
		if (turkish[i].byte == byte)
			return turkish[i].code;
	return byte;
}

bool
windows_text_is_turkish(unsigned char byte)
{
	return windows_text_code(byte, true) > 0xff && byte >= 0xa0;
}
