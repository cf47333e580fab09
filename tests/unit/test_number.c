#include "number.h"

#include <string.h>

#include "base.h"
#include "check.h"
#include "istanbul.h"

static const struct {
	const char *name;
	int year;
	int64_t serial;
	int64_t id;
	const char *head; /* without the check digit */
} numbers[] = {
	{ "the example", 26, 12345, 260012345, "26-0012345-" },
	{ "the first of a year", 26, 1, 260000001, "26-0000001-" },
	{ "the last of seven digits", 26, 9999999, 269999999, "26-9999999-" },
	{ "the first of eight digits", 26, 10000000, 2610000000, "26-10000000-" },
	{ "nine digits", 26, 999999999, 26999999999, "26-999999999-" },
	{ "first year", 10, 1, 100000001, "10-0000001-" },
	{ "last year", 99, 9999999, 999999999, "99-9999999-" },
};

TEST(test_number_there_and_back)
{
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int64_t id = number_make(numbers[i].year, numbers[i].serial), parsed = 0,
			serial = 0;
		int year = 0;
		CHECK_I64(numbers[i].name, id, numbers[i].id);
		CHECK(number_format(id, text));
		CHECK_MEM(numbers[i].name, text, strlen(text) - 1, numbers[i].head,
		    strlen(numbers[i].head));
		CHECK_I64(numbers[i].name, number_parse(text, &parsed), NUMBER_OK);
		CHECK_I64(numbers[i].name, parsed, id);
		CHECK(number_split(id, &year, &serial));
		CHECK_I64(numbers[i].name, year, numbers[i].year);
		CHECK_I64(numbers[i].name, serial, numbers[i].serial);
	}
}

/* Ids around the change from seven to eight digits, of neighbouring years: all different, and all
 * come back. */
TEST(test_number_never_collides)
{
	static const int64_t serials[] = { 1, 999999, 1000000, 9999998, 9999999, 10000000, 10000001,
		12345678, 99999999, 100000000, 999999999 };
	int64_t seen[NUMBER_YEAR_MAX * ARRAY_LEN(serials)];
	size_t count = 0;
	char text[NUMBER_SIZE];

	for (int year = NUMBER_YEAR_MIN; year <= NUMBER_YEAR_MAX; year++) {
		for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
			int64_t id = number_make(year, serials[i]), back = 0;
			CHECK(number_format(id, text));
			CHECK(number_parse(text, &back) == NUMBER_OK && back == id);
			for (size_t k = 0; k < count; k++)
				CHECK(seen[k] != id);
			seen[count++] = id;
		}
	}
	CHECK_U64("all tried", count, 90 * ARRAY_LEN(serials));
}

TEST(test_number_check_digit)
{
	char text[NUMBER_SIZE], wrong[NUMBER_SIZE];
	int64_t id;

	CHECK_I64("the published example", number_check_digit("572", 3), '4');
	CHECK(number_format(260012345, text));
	for (size_t i = 0; text[i] != '\0'; i++) {
		for (char c = '0'; c <= '9' && text[i] != '-'; c++) {
			memcpy(wrong, text, sizeof(wrong));
			wrong[i] = c;
			if (c == text[i] || (i == 0 && c == '0'))
				continue;
			CHECK_I64(wrong, number_parse(wrong, &id), NUMBER_WRONG_CHECK);
		}
	}
	for (size_t i = 3; i < 9; i++) {
		memcpy(wrong, text, sizeof(wrong));
		wrong[i] = text[i + 1];
		wrong[i + 1] = text[i];
		if (text[i] != text[i + 1])
			CHECK_I64(wrong, number_parse(wrong, &id), NUMBER_WRONG_CHECK);
	}
}

static const struct {
	const char *name;
	const char *text;
} malformed[] = {
	{ "nothing", "" },
	{ "no dashes", "2600123450" },
	{ "spaces around", " 26-0012345-0" },
	{ "one dash", "26-00123450" },
	{ "six digits", "26-012345-0" },
	{ "ten digits", "26-0123456789-0" },
	{ "a zero before eight digits", "26-00012345-0" },
	{ "serial zero", "26-0000000-0" },
	{ "year before 2010", "05-0012345-0" },
	{ "year 09 with eight digits would be read as 91", "09-12345678-0" },
	{ "a letter", "26-00I2345-0" },
	{ "a letter for the check digit", "26-0012345-x" },
	{ "something behind it", "26-0012345-0 " },
	{ "a long text", "26-0012345-0 and then a great deal of text" },
};

TEST(test_number_malformed)
{
	int64_t id = 77;

	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		CHECK_I64(
		    malformed[i].name, number_parse(malformed[i].text, &id), NUMBER_MALFORMED);
	CHECK_I64("nothing written", id, 77);
}

TEST(test_number_ids_out_of_range)
{
	static const int64_t bad[] = { INT64_MIN, -1, 0, 1, 12345, 99999999, 2600012345, 260000000,
		26000000000, 9999999999999 };
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK_FALSE("no ticket's id", number_format(bad[i], text));
		CHECK_STR("empty", text, "");
	}
	CHECK_I64("year 9", number_make(9, 1), 0);
	CHECK_I64("year 100", number_make(100, 1), 0);
	CHECK_I64("serial 0", number_make(26, 0), 0);
	CHECK_I64("serial too large", number_make(26, 1000000000), 0);
}

TEST(test_number_typed)
{
	static const struct {
		const char *name;
		const char *text; /* '#' stands for the right check digit of 26 0012345 */
		enum number_result want;
	} typed[] = {
		{ "as printed", "26-0012345-#", NUMBER_OK },
		{ "no dashes", "260012345#", NUMBER_OK },
		{ "spaces", " 26 0012345 # ", NUMBER_OK },
		{ "spaces within", "26 00 12 34 5 #", NUMBER_OK },
		{ "long dashes", "26–0012345—#", NUMBER_OK },
		{ "leading zeros left out", "26-12345-#", NUMBER_OK },
		{ "too few without dashes", "2612345#", NUMBER_MALFORMED },
		{ "a stray word", "no 26-0012345-#", NUMBER_MALFORMED },
		{ "nothing", "", NUMBER_MALFORMED },
		{ "dashes alone", "---", NUMBER_MALFORMED },
		{ "very many digits", "26001234500000000000000000000", NUMBER_MALFORMED },
		{ "a wrong digit", "26 0012346 #", NUMBER_WRONG_CHECK },
		{ "a wrong digit and no zeros", "26 12346 #", NUMBER_WRONG_CHECK },
	};
	char check = number_check_digit("260012345", 9), text[64];

	for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
		int64_t id = 0;
		strcpy(text, typed[i].text);
		if (strchr(text, '#') != NULL)
			*strchr(text, '#') = check;
		CHECK_I64(typed[i].name, number_parse_typed(text, &id), typed[i].want);
		CHECK_I64(typed[i].name, id, typed[i].want == NUMBER_OK ? 260012345 : 0);
	}
}

TEST(test_number_year)
{
	/* 2025-12-31 20:59:59Z is 23:59:59 in Istanbul; a second later it is another year there. */
	int64_t new_year_us = istanbul_day_start_us(civil_day(2026, 1, 1));

	CHECK_I64("the instant", new_year_us, INT64_C(1767214800) * US_PER_S);
	CHECK_I64("last moment", number_year(new_year_us - 1), 25);
	CHECK_I64("first moment", number_year(new_year_us), 26);
	CHECK_I64("before 2010", number_year(istanbul_day_start_us(civil_day(2010, 1, 1)) - 1), -1);
	CHECK_I64("2010", number_year(istanbul_day_start_us(civil_day(2010, 1, 1))), 10);
	CHECK_I64("2100", number_year(istanbul_day_start_us(civil_day(2100, 1, 1))), -1);
}
