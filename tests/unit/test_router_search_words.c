/* What is found by which words. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "search_words.h"

static const struct {
	const char *name;
	struct search_contact contact;
	const char *want;
} contacts[] = {
	{ "a ticket is found by its number and its serial", { .ticket_id = 260012345 },
	    "2600123454 12345" },
	{ "a department is a word that nobody can type",
	    { .ticket_id = 260012345, .department = "fen" }, "d=fen 2600123454 12345" },
	{ "a telephone by all its digits, the national ones, the last seven, the last four",
	    { .ticket_id = 260012345, .phone = "+905321234567" },
	    "2600123454 12345 905321234567 5321234567 1234567 4567" },
	{ "Turkish letters are folded, abbreviations written out",
	    { .ticket_id = 260012345, .name = "Gülşen IŞIK", .address = "Şirinyalı mh." },
	    "2600123454 12345 gulsen isik sirinyali mahallesi" },
	{ "streets are found with and without their ending",
	    { .ticket_id = 260012345, .address = "Lara Caddesi, 12. Sokağı" },
	    "2600123454 12345 lara cadde 12 sokak" },
	{ "quotes and backslashes are no part of a word",
	    { .ticket_id = 260012345, .description = "a'b \\c' & (d):*" },
	    "2600123454 12345 ab c d" },
};

static const struct {
	const char *name, *typed, *want;
} queries[] = {
	{ "nothing", "", "" },
	{ "only punctuation", " ,;'\\ ", "" },
	{ "a word is found by its beginning", "Çukurlar", "'cukurlar':*" },
	{ "all words count", "IŞIK çukur", "'isik':* & 'cukur':*" },
	{ "two letters are a whole word", "no ev sokak", "'no' & 'ev' & 'sokak':*" },
	{ "a telephone as people write it", "0532 123 45 67", "'5321234567':*" },
	{ "with its country", "+90 (532) 123 45 67", "'5321234567':*" },
	{ "with two zeros", "0090 532 123 45 67", "'5321234567':*" },
	{ "part of a number", "26-0012345", "'260012345':*" },
	{ "the last four", "4567", "'4567':*" },
	{ "digits among words are words", "1234 sokak", "'1234':* & 'sokak':*" },
	{ "operators are none", "a|b & !c:* <-> (d)", "'a' & 'b' & 'c' & 'd'" },
};

TEST(test_words_of_contacts)
{
	char out[SEARCH_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(contacts); i++) {
		search_words(&contacts[i].contact, out);
		CHECK_STR(contacts[i].name, out, contacts[i].want);
	}
}

TEST(test_queries)
{
	char out[SEARCH_QUERY_BYTES];

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		search_query(queries[i].typed, out);
		CHECK_STR(queries[i].name, out, queries[i].want);
	}
}

TEST(test_a_query_is_kept_within_departments)
{
	const char *const two[] = { "fen", "park" };
	char out[SEARCH_QUERY_BYTES], words[SEARCH_QUERY_BYTES];

	CHECK_TRUE("fits", search_query_within("'a':*", two, 2, out));
	CHECK_STR("two", out, "'a':* & ('d=fen' | 'd=park')");
	const char *all[64];
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		all[i] = "a-department-whose-code-has-forty-bytes-";
	search_query("birinci ikinci ucuncu dorduncu besinci altinci yedinci sekizinci", words);
	CHECK_TRUE("as many as a person has", search_query_within(words, all, ARRAY_LEN(all), out));
	CHECK_FALSE("nobody's department finds nothing", search_query_within("'a':*", two, 0, out));
	char many[SEARCH_QUERY_BYTES];
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	CHECK_FALSE("too long is said so", search_query_within(many, two, 2, out));
}

TEST(test_long_things_are_cut_to_whole_characters)
{
	static char text[3 * SEARCH_TEXT_BYTES];
	char out[SEARCH_TEXT_BYTES], query[SEARCH_QUERY_BYTES];
	const struct search_contact contact = { .ticket_id = 260012345, .description = text };

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "日", 3);
	search_words(&contact, out);
	CHECK_TRUE("one word, cut", strlen(out) <= strlen("2600123454 12345 ") + SEARCH_WORD_BYTES);
	search_query(text, query);
	CHECK_TRUE("a query too", strlen(query) <= SEARCH_WORD_BYTES + 8);
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "b ", 2);
	search_words(&contact, out);
	CHECK_TRUE("many words fill what there is", strlen(out) < SEARCH_TEXT_BYTES);
}
