#include "phone.h"

#include <string.h>

#include "base.h"
#include "check.h"

enum { SHORT = 1, MOBILE = 2, FOREIGN = 4, UNKNOWN = 8 };

static const struct {
	const char *text;
	const char *want;
	unsigned flags;
} good[] = {
	{ "+905321234567", "+905321234567", MOBILE },
	{ "0532 123 45 67", "+905321234567", MOBILE },
	{ "532 123 4567", "+905321234567", MOBILE },
	{ "905321234567", "+905321234567", MOBILE },
	{ "+90 (532) 123-45-67", "+905321234567", MOBILE },
	{ "0090 532 123 45 67", "+905321234567", MOBILE },
	{ "+90 (0)532 1234567", "+905321234567", MOBILE },
	{ "90 0532 1234567", "+905321234567", MOBILE },
	{ "(0532) 123/45.67", "+905321234567", MOBILE },
	{ "\u202a+90 532\u00a0123\u201145\u201167\u202c", "+905321234567", MOBILE },
	{ "0599 123 45 67", "+905991234567", MOBILE | UNKNOWN },
	{ "0242 320 22 22", "+902423202222", 0 },
	{ "+90 242 444 80 07", "+902424448007", 0 },
	{ "0299 320 22 22", "+902993202222", UNKNOWN },
	{ "0850 123 45 67", "+908501234567", 0 },
	{ "0900 123 45 67", "+909001234567", 0 },
	{ "444 8007", "4448007", SHORT },
	{ "444 80 07", "4448007", SHORT },
	{ "0444 80 07", "4448007", SHORT },
	{ "+90 444 80 07", "4448007", SHORT },
	{ "+49 1511 1234567", "+4915111234567", FOREIGN },
	{ "0049 1511 1234567", "+4915111234567", FOREIGN },
	{ "+7 (916) 123-45-67", "+79161234567", FOREIGN },
	{ "+247 1234", "+2471234", FOREIGN },
	{ "+123456789012345", "+123456789012345", FOREIGN },
};

TEST(test_phone_accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct phone p = { .number = "" };
		CHECK_I64(good[i].text, phone_parse(good[i].text, &p), PHONE_OK);
		CHECK_STR(good[i].text, p.number, good[i].want);
		unsigned flags = (p.is_short ? SHORT : 0) | (p.mobile ? MOBILE : 0)
				 | (p.foreign ? FOREIGN : 0) | (p.unknown_prefix ? UNKNOWN : 0);
		CHECK_U64(good[i].text, flags, good[i].flags);
		/* What we write we also read. */
		struct phone again = { .number = "" };
		CHECK_I64(good[i].text, phone_parse(p.number, &again), PHONE_OK);
		CHECK_STR(good[i].text, again.number, p.number);
	}
}

static const struct {
	const char *text;
	enum phone_status want;
} refused[] = {
	{ "", PHONE_EMPTY },
	{ " - ( ) ", PHONE_EMPTY },
	{ "+", PHONE_EMPTY },
	{ "00", PHONE_TOO_SHORT },
	{ "yok", PHONE_BAD_CHARACTER },
	{ "0532 123 45 67 dahili 3", PHONE_BAD_CHARACTER },
	{ "0532+1234567", PHONE_BAD_CHARACTER },
	{ "++905321234567", PHONE_BAD_CHARACTER },
	{ "0532123456\xff", PHONE_BAD_CHARACTER },
	{ "٠٥٣٢١٢٣٤٥٦٧", PHONE_BAD_CHARACTER },
	{ "112", PHONE_TOO_SHORT },
	{ "0532 123 45 6", PHONE_TOO_SHORT },
	{ "0532 123 45 678", PHONE_TOO_LONG },
	{ "+90 532 123 45 6", PHONE_TOO_SHORT },
	{ "+90 532 123 45 678", PHONE_TOO_LONG },
	{ "324 12 34", PHONE_NO_AREA_CODE },
	{ "444 80 07 123", PHONE_NOT_IN_TURKIYE },
	{ "0132 123 45 67", PHONE_NOT_IN_TURKIYE },
	{ "0632 123 45 67", PHONE_NOT_IN_TURKIYE },
	{ "0910 123 45 67", PHONE_NOT_IN_TURKIYE },
	{ "4915111234567", PHONE_NO_COUNTRY_CODE },
	{ "+0532 123 45 67", PHONE_NO_COUNTRY_CODE },
	{ "+49 151", PHONE_TOO_SHORT },
	{ "+1234567890123456", PHONE_TOO_LONG },
	{ "0000000000000000000000000000000000000000", PHONE_TOO_LONG },
};

TEST(test_phone_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct phone p = { .number = "untouched" };
		CHECK_I64(refused[i].text, phone_parse(refused[i].text, &p), refused[i].want);
		CHECK_STR(refused[i].text, p.number, "untouched");
		CHECK_TRUE(refused[i].text, phone_status_reason(refused[i].want)[0] != '\0');
	}
	CHECK_STR("nothing to say", phone_status_reason(PHONE_OK), "");
}

TEST(test_phone_mask)
{
	static const struct {
		const char *number;
		const char *want;
	} masks[] = {
		{ "+905321234567", "+90532*****67" },
		{ "+4915111234567", "+49*********67" },
		{ "+2471234", "+24***34" },
		{ "4448007", "4448007" },
		{ "05321234567", "***" },
		{ "", "***" },
		{ "+123456789012345678901234567890", "***" },
	};
	char out[PHONE_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		phone_mask(masks[i].number, out);
		CHECK_STR(masks[i].number, out, masks[i].want);
	}
}

TEST(test_tckn)
{
	static const struct {
		const char *text;
		bool valid;
	} numbers[] = {
		{ "10000000146", true },
		{ "34444185856", true },
		{ "12345678901", false },
		{ "10000000147", false },
		{ "10000000136", false },
		{ "01000000046", false },
		{ "1000000014", false },
		{ "100000001466", false },
		{ "1000000014x", false },
		{ " 10000000146", false },
		{ "", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		CHECK_TRUE(numbers[i].text, tckn_valid(numbers[i].text) == numbers[i].valid);
}

/* 1 9 0 9 0 9 0 9 0: the even places outweigh the odd ones, and C's % would be negative. */
TEST(test_tckn_negative_remainder)
{
	CHECK(7 * 1 - 36 < 0);
	CHECK(tckn_valid("19090909018"));
}
