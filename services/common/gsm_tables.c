/* The default alphabet, its extension, and the two Turkish tables. */
#include "gsm_tables.h"

#include "base.h"

/* clang-format off */
const uint16_t gsm_default_table[128] = {
	'@', 0xa3, '$', 0xa5, 0xe8, 0xe9, 0xf9, 0xec, 0xf2, 0xc7, '\n', 0xd8, 0xf8, '\r', 0xc5, 0xe5,
	0x394, '_', 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, GSM_ESCAPE, 0xc6, 0xe6, 0xdf, 0xc9,
	' ', '!', '"', '#', 0xa4, '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	0xa1, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xc4, 0xd6, 0xd1, 0xdc, 0xa7,
	0xbf, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xe4, 0xf6, 0xf1, 0xfc, 0xe0,
};

const uint16_t gsm_turkish_locking_table[128] = {
	'@', 0xa3, '$', 0xa5, 0x20ac, 0xe9, 0xf9, 0x131, 0xf2, 0xc7, '\n', 0x11e, 0x11f, '\r', 0xc5, 0xe5,
	0x394, '_', 0x3a6, 0x393, 0x39b, 0x3a9, 0x3a0, 0x3a8, 0x3a3, 0x398, 0x39e, GSM_ESCAPE, 0x15e, 0x15f, 0xdf, 0xc9,
	' ', '!', '"', '#', 0xa4, '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
	0x130, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
	'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 0xc4, 0xd6, 0xd1, 0xdc, 0xa7,
	0xe7, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0xe4, 0xf6, 0xf1, 0xfc, 0xe0,
};
/* clang-format on */

/* The national single shift table holds all of the default extension. */
const struct gsm_shifted gsm_shift_table[] = {
	{ '\f', 0x0a, 0 },
	{ '^', 0x14, 0 },
	{ '{', 0x28, 0 },
	{ '}', 0x29, 0 },
	{ '\\', 0x2f, 0 },
	{ '[', 0x3c, 0 },
	{ '~', 0x3d, 0 },
	{ ']', 0x3e, 0 },
	{ '|', 0x40, 0 },
	{ 0x11e, 0x47, 1 },
	{ 0x130, 0x49, 1 },
	{ 0x15e, 0x53, 1 },
	{ 0xe7, 0x63, 1 },
	{ 0x20ac, 0x65, 0 },
	{ 0x11f, 0x67, 1 },
	{ 0x131, 0x69, 1 },
	{ 0x15f, 0x73, 1 },
};
const unsigned gsm_shift_count = ARRAY_LEN(gsm_shift_table);
