/* UUIDv7: they rise, they cannot be guessed, and their text is taken strictly. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "uuid.h"

/* The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z. */
static const char rfc_text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
#define RFC_TIME_MS INT64_C(0x017f22e279b0)

TEST(test_uuid_fields)
{
	struct uuid_source source = { 0 };
	struct uuid u;
	char text[UUID_TEXT_SIZE];

	uuid_next(&source, RFC_TIME_MS * 1000 + 999, &u);
	uuid_format(&u, text);
	CHECK_TRUE("time", strncmp(text, "017f22e2-79b0-7", 15) == 0);
	CHECK_U64("version", u.bytes[6] >> 4, 7);
	CHECK_U64("variant", u.bytes[8] >> 6, 2);
	CHECK_I64("time again", uuid_time_ms(&u), RFC_TIME_MS);
	CHECK_U64("length", strlen(text), UUID_TEXT_LEN);
}

TEST(test_uuid_rises)
{
	struct uuid_source source = { 0 };
	struct uuid last = { { 0 } }, u;

	for (int i = 0; i < 300000; i++) {
		/* Many a millisecond, then a clock set back by a second, then on. */
		int64_t now_us = RFC_TIME_MS * 1000 + i - (i >= 100000 && i < 200000 ? 1000000 : 0);
		uuid_next(&source, now_us, &u);
		if (!CHECK(uuid_compare(&last, &u) < 0)
		    || !CHECK(u.bytes[6] >> 4 == 7 && u.bytes[8] >> 6 == 2))
			return;
		last = u;
	}
	uuid_next(&source, -5, &u);
	CHECK_TRUE("before 1970", uuid_compare(&last, &u) < 0);
}

/* The counter is put just before its ends: it carries over, and at last borrows a millisecond. */
TEST(test_uuid_counter_carries)
{
	struct uuid_source source = { .last_ms = 1000, .high = 5, .low = (UINT64_C(1) << 62) - 1 };
	struct uuid u;

	uuid_next(&source, 1000000, &u);
	CHECK_U64("into the upper part", source.high, 6);
	CHECK_I64("in the same millisecond", uuid_time_ms(&u), 1000);

	source =
	    (struct uuid_source){ .last_ms = 1000, .high = 0xfff, .low = (UINT64_C(1) << 62) - 1 };
	uuid_next(&source, 1000000, &u);
	CHECK_I64("into the next millisecond", uuid_time_ms(&u), 1001);
	CHECK_TRUE("which starts in its lower half", source.high <= 0x7ff);
}

TEST(test_uuid_differs_between_sources)
{
	struct uuid_source a = { 0 }, b = { 0 };
	struct uuid u, v;

	uuid_next(&a, RFC_TIME_MS * 1000, &u);
	uuid_next(&b, RFC_TIME_MS * 1000, &v);
	CHECK(uuid_compare(&u, &v) != 0);
}

static const struct {
	const char *name;
	const char *text;
	bool want;
} texts[] = {
	{ "the RFC's", rfc_text, true },
	{ "upper case", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", true },
	{ "nil", "00000000-0000-0000-0000-000000000000", true },
	{ "empty", "", false },
	{ "too short", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", false },
	{ "too long", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", false },
	{ "no hyphens", "017f22e279b07cc398c4dc0c0c07398f", false },
	{ "hyphen moved", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", false },
	{ "no digit", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", false },
	{ "braces", "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}", false },
	{ "space before", " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f", false },
	{ "sign", "+17f22e2-79b0-7cc3-98c4-dc0c0c07398f", false },
};

TEST(test_uuid_parse)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct uuid u = { { 1 } };
		char back[UUID_TEXT_SIZE];
		bool got = uuid_parse(texts[i].text, strlen(texts[i].text), &u);
		CHECK_U64(texts[i].name, got, texts[i].want);
		if (!got) {
			CHECK_U64(texts[i].name, u.bytes[0], 1);
			continue;
		}
		uuid_format(&u, back);
		for (char *p = back; *p != '\0'; p++)
			if (strchr(texts[i].text, *p) == NULL && *p >= 'a')
				*p = (char)(*p - 'a' + 'A');
		CHECK_STR(texts[i].name, back, texts[i].text);
	}
}

TEST(test_uuid_kinds)
{
	struct uuid u;

	CHECK(uuid_parse(rfc_text, UUID_TEXT_LEN, &u));
	CHECK_I64("version 7 has a time", uuid_time_ms(&u), RFC_TIME_MS);
	CHECK_FALSE("is not nil", uuid_is_nil(&u));
	CHECK(uuid_parse("919108f7-52d1-4320-9bac-f847db4148a8", UUID_TEXT_LEN, &u));
	CHECK_I64("version 4 has none", uuid_time_ms(&u), -1);
	CHECK(uuid_parse("00000000-0000-0000-0000-000000000000", UUID_TEXT_LEN, &u));
	CHECK_TRUE("nil", uuid_is_nil(&u));
}
