/*
 * survey_page - the page on which an invited citizen says whether they are satisfied.
 *
 * It names the ticket by its number alone: whoever holds somebody's phone learns nothing from it of
 * what the ticket is about.
 */
#ifndef INTAKE_SURVEY_PAGE_H
#define INTAKE_SURVEY_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

struct html;

enum survey_word {
	SURVEY_TITLE,
	SURVEY_THANKS,
	SURVEY_WRONG, /* no such invitation */
	SURVEY_OVER, /* its time is */
	SURVEY_FORGOTTEN, /* whoever was invited had their data erased */
	SURVEY_TOO_MANY,
	SURVEY_AWAY,
	SURVEY_NO_SCORE,
	SURVEY_NO_WORDS, /* a new ticket opens, which needs some */
	SURVEY_TOO_LONG,
	SURVEY_WORDS
};
const char *survey_word(enum survey_word word, enum catalogue_language language);

/* How it stands, and what was typed before a complaint. */
struct survey_form {
	int64_t ticket_id;
	const char *token;
	int score; /* 0: none */
	bool solved, not_solved;
	const char *text; /* "" when nothing was typed */
	bool closed; /* saying that it is not solved opens another ticket */
};

/* Both end with what the caller replies. */
void survey_page_ask(struct html *h, const struct survey_form *form, const char *complaint);
/* What was answered first, which counts; may_deny: it can still be said that it is not solved after
 * all.  linked: the ticket that was opened, 0: none. */
void survey_page_thank(struct html *h, const struct survey_form *form, bool may_deny,
    int64_t linked, const char *complaint);

#endif
