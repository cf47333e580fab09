/* Makes items of answers, and reads answers out of SMS. */
#include "survey_answer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

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
survey_answer_fill(struct item *item, const struct item_maker *maker,
    const struct survey_said *said, struct survey_answer *texts, int64_t now_us)
{
	const char *solved = said->solved ? "true" : "false";
	struct digest_keyed d;

	survey_answer_identify(item, maker, &said->survey,
	    said->again ? SURVEY_ID_DENIAL : SURVEY_ID_ANSWER, said->text, texts);
	int len = snprintf(texts->answers, sizeof(texts->answers),
	    said->solved || said->not_solved
		? "{\"survey\":[\"%s\"],\"score\":[\"%d\"],\"solved\":[\"%s\"]}"
		: "{\"survey\":[\"%s\"],\"score\":[\"%d\"]}",
	    texts->survey, said->score, solved);
	assert(len > 0 && (size_t)len < sizeof(texts->answers));
	/* What was ticked is content as well as what was written. */
	item_identity_begin(maker, &d);
	digest_keyed_add_part(&d, texts->answers, strlen(texts->answers));
	digest_keyed_add_part(&d, said->text, strlen(said->text));
	digest_keyed_finish(&d, &item->identity);
	item->kind = "survey";
	item->type = "survey.answered";
	item->ticket_id = said->ticket_id;
	item->time_us = item->arrived_us = now_us;
	item->description = said->text[0] == '\0' ? NULL : said->text;
	item->answers = texts->answers;
	item->survey_id = texts->survey;
	item->survey_score = said->score;
	item->survey_solved = said->solved;
	item->survey_not_solved = said->not_solved;
}
