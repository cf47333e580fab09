/*
 * survey_answer - an answer to an invitation as an item for the record, and an SMS as an answer.
 *
 * However it comes, an invitation is answered once: the item's identity is the invitation's.  What
 * is said again that it is not solved after all has an identity of its own, once as well.
 */
#ifndef INTAKE_SURVEY_ANSWER_H
#define INTAKE_SURVEY_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "item.h"
#include "uuid.h"

enum survey_id { SURVEY_ID_ANSWER, SURVEY_ID_DENIAL, SURVEY_ID_LINKED };

/* Texts that the item lends. */
struct survey_answer {
	char survey[UUID_TEXT_SIZE];
	char id[UUID_TEXT_SIZE + 16];
	char answers[120]; /* JSON */
};

struct survey_said {
	struct uuid survey;
	int64_t ticket_id;
	int score; /* 1 to 5; 0: none was given */
	bool solved, not_solved; /* neither: nothing was said of it */
	bool again; /* it was answered before; not_solved takes that back */
	const char *text; /* the citizen's words, lent to the item; "" for none */
};

/* Gives an item the identity that this invitation has for one of its uses; text is what else
 * belongs to the content. */
void survey_answer_identify(struct item *item, const struct item_maker *maker,
    const struct uuid *survey, enum survey_id use, const char *text, struct survey_answer *texts);

/* Makes the item one that answers, and leaves whose and of when it is. */
void survey_answer_describe(
    struct item *item, const struct survey_said *said, struct survey_answer *texts);
/* Fills the item but for channel and language (and phone, when it came by SMS); seal it then. */
void survey_answer_fill(struct item *item, const struct item_maker *maker,
    const struct survey_said *said, struct survey_answer *texts, int64_t now_us);

/*
 * Is an SMS an answer?  A digit from 1 to 5 alone ("4", "4.", "4/5", "puan 4"), the word that it is
 * not solved ("çözülmedi", "not solved"), or both.  Anything else is not: "3 gündür su yok" says no
 * score of three.  Pure.
 */
MUST_CHECK bool survey_answer_read_sms(const char *text, int *ret_score, bool *ret_not_solved);

#endif
