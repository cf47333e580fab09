/* Makes items of answers, and reads answers out of SMS. */
#include "survey_answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

enum { SMS_BYTES_MAX = 60, FOLDED_BYTES = 4 * SMS_BYTES_MAX };

static const char source[] = "survey";

void
survey_answer_identify(struct item *item, const struct item_maker *maker, const struct uuid *survey,
    enum survey_id use, const char *text, struct survey_answer *texts)
{
	static const char *const suffixes[] = { [SURVEY_ID_ANSWER] = "",
		[SURVEY_ID_DENIAL] = "/not_solved",
		[SURVEY_ID_LINKED] = "/linked" };
	struct digest_keyed d;

	uuid_format(survey, texts->survey);
	int len = snprintf(texts->id, sizeof(texts->id), "%s%s", texts->survey, suffixes[use]);
	assert(len > 0 && (size_t)len < sizeof(texts->id));
	item_identity_begin(maker, &d);
	digest_keyed_add_part(&d, texts->id, strlen(texts->id));
	digest_keyed_add_part(&d, text, strlen(text));
	digest_keyed_finish(&d, &item->identity);
	item->source = source;
	item->id = texts->id;
}

void
survey_answer_describe(
    struct item *item, const struct survey_said *said, struct survey_answer *texts)
{
	const char *solved = said->solved ? "true" : "false";

	uuid_format(&said->survey, texts->survey);
	int len = snprintf(texts->answers, sizeof(texts->answers),
	    said->solved || said->not_solved
		? "{\"survey\":[\"%s\"],\"score\":[\"%d\"],\"solved\":[\"%s\"]}"
		: "{\"survey\":[\"%s\"],\"score\":[\"%d\"]}",
	    texts->survey, said->score, solved);
	assert(len > 0 && (size_t)len < sizeof(texts->answers));
	item->kind = "survey";
	item->type = "survey.answered";
	item->ticket_id = said->ticket_id;
	item->description = said->text[0] == '\0' ? NULL : said->text;
	item->answers = texts->answers;
	item->survey_id = texts->survey;
	item->survey_score = said->score;
	item->survey_solved = said->solved;
	item->survey_not_solved = said->not_solved;
}

void
survey_answer_fill(struct item *item, const struct item_maker *maker,
    const struct survey_said *said, struct survey_answer *texts, int64_t now_us)
{
	struct digest_keyed d;

	survey_answer_describe(item, said, texts);
	survey_answer_identify(item, maker, &said->survey,
	    said->again ? SURVEY_ID_DENIAL : SURVEY_ID_ANSWER, said->text, texts);
	/* What was ticked is content as well as what was written. */
	item_identity_begin(maker, &d);
	digest_keyed_add_part(&d, texts->answers, strlen(texts->answers));
	digest_keyed_add_part(&d, said->text, strlen(said->text));
	digest_keyed_finish(&d, &item->identity);
	item->time_us = item->arrived_us = now_us;
}

/* --- SMS -------------------------------------------------------------------------------------- */

static const char *
skip_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 || (text[len] != ' ' && text[len] != '\0'))
		return text;
	return text + len + (text[len] == ' ');
}

/* "4", "4 5" (which "4/5" folds to), "puan 4", "4 puan". */
static const char *
read_score(const char *text, int *ret_score)
{
	text = skip_word(text, "puan");
	if (text[0] < '1' || text[0] > '5' || (text[1] != ' ' && text[1] != '\0'))
		return text;
	*ret_score = text[0] - '0';
	text += text[1] == ' ' ? 2 : 1;
	return skip_word(skip_word(text, "5"), "puan");
}

static const char *
read_not_solved(const char *text, bool *ret_not_solved)
{
	/* As fold.h writes them: i for every kind of i. */
	static const char *const words[] = { "cozulmedi", "not solved", "unsolved" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *rest = skip_word(text, words[i]);
		if (rest == text)
			continue;
		*ret_not_solved = true;
		return rest;
	}
	return text;
}

bool
survey_answer_read_sms(const char *text, int *ret_score, bool *ret_not_solved)
{
	char folded[FOLDED_BYTES];
	int score = 0;
	bool not_solved = false;

	if (strlen(text) > SMS_BYTES_MAX || !fold_text(text, strlen(text), folded, sizeof(folded)))
		return false;
	const char *rest = folded;
	if (folded[0] == '\0')
		return false;
	rest = read_not_solved(read_score(read_not_solved(rest, &not_solved), &score), &not_solved);
	if (rest[0] != '\0' || (score == 0 && !not_solved))
		return false;
	*ret_score = score;
	*ret_not_solved = not_solved;
	return true;
}
