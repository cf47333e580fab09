/* What citizens send back when they are asked: the token of a link, and an SMS. */
#include "fuzz.h"
#include "survey_answer.h"
#include "survey_link.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t secret[32] = { 7 };

static void
check_link(const char *text)
{
	char again[SURVEY_LINK_SIZE];
	struct uuid survey;

	if (!survey_link_read(secret, sizeof(secret), text, &survey))
		return;
	survey_link_make(secret, sizeof(secret), &survey, again);
	HOLDS(strcmp(again, text) == 0);
}

/* A token of ours with some of its letters replaced is no token. */
static void
check_forged(const char *text)
{
	char token[SURVEY_LINK_SIZE], forged[SURVEY_LINK_SIZE];
	struct uuid survey = { { 1, 2, 3 } }, read;
	size_t len = strlen(text);

	survey_link_make(secret, sizeof(secret), &survey, token);
	memcpy(forged, token, sizeof(forged));
	memcpy(forged, text, len < SURVEY_LINK_LEN ? len : SURVEY_LINK_LEN);
	if (survey_link_read(secret, sizeof(secret), forged, &read))
		HOLDS(strcmp(forged, token) == 0);
}

static void
check_sms(const char *text)
{
	int score = -1;
	bool not_solved = false;

	if (survey_answer_read_sms(text, &score, &not_solved))
		HOLDS(score >= 0 && score <= 5 && (score > 0 || not_solved));
	else
		HOLDS(score == -1 && !not_solved);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_link(text);
	check_forged(text);
	check_sms(text);
	free(text);
	return 0;
}
