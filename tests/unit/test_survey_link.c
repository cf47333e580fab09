/* A token that somebody else made, or that was changed anywhere, is none. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "survey_link.h"

static const uint8_t secret[32] = { 1, 2, 3 };
static const uint8_t other_secret[32] = { 1, 2, 4 };

TEST(test_survey_link_names_its_invitation)
{
	struct uuid_source ids = { 0 };
	char token[SURVEY_LINK_SIZE], again[SURVEY_LINK_SIZE];
	struct uuid survey, read;

	for (int i = 0; i < 200; i++) {
		uuid_next(&ids, 1796000000000000 + i, &survey);
		survey_link_make(secret, sizeof(secret), &survey, token);
		survey_link_make(secret, sizeof(secret), &survey, again);
		CHECK_STR("always the same", again, token);
		CHECK_U64("length", strlen(token), SURVEY_LINK_LEN);
		CHECK(survey_link_read(secret, sizeof(secret), token, &read));
		CHECK_I64("the invitation", uuid_compare(&read, &survey), 0);
		CHECK_FALSE(
		    "it ends nothing", survey_stop_read(secret, sizeof(secret), token, &read));
		survey_stop_make(secret, sizeof(secret), &survey, again);
		CHECK(survey_stop_read(secret, sizeof(secret), again, &read));
		CHECK_I64("the message", uuid_compare(&read, &survey), 0);
		CHECK_FALSE("what ends answers nothing",
		    survey_link_read(secret, sizeof(secret), again, &read));
		CHECK_FALSE("another installation's",
		    survey_link_read(other_secret, sizeof(other_secret), token, &read));
	}
}

TEST(test_survey_link_is_refused_when_any_letter_is_another)
{
	static const char letters[] = "AaZz09-_";
	struct uuid_source ids = { 0 };
	char token[SURVEY_LINK_SIZE], changed[SURVEY_LINK_SIZE];
	struct uuid survey, read;

	uuid_next(&ids, 1796000000000000, &survey);
	survey_link_make(secret, sizeof(secret), &survey, token);
	for (size_t i = 0; i < SURVEY_LINK_LEN; i++)
		for (size_t l = 0; l < sizeof(letters) - 1; l++) {
			strcpy(changed, token);
			changed[i] = letters[l];
			CHECK_U64("is it ours",
			    survey_link_read(secret, sizeof(secret), changed, &read),
			    changed[i] == token[i]);
		}
}

static const struct {
	const char *name, *token;
} strangers[] = {
	{ "nothing", "" },
	{ "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
	{ "zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
	{ "long", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
	{ "padding", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
	{ "another alphabet", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+" },
	{ "letters beyond ASCII", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xc4\xb1" },
};

TEST(test_survey_link_refuses_what_is_none)
{
	struct uuid read;

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		CHECK_FALSE(strangers[i].name,
		    survey_link_read(secret, sizeof(secret), strangers[i].token, &read));
}
