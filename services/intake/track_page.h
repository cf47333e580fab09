/*
 * track_page - the pages on which a citizen looks up a report.
 */
#ifndef INTAKE_TRACK_PAGE_H
#define INTAKE_TRACK_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "db_result.h"

struct html;

/* Words of the page's own that others say as well. */
enum track_word {
	TRACK_TITLE,
	TRACK_NOT_FOUND,
	TRACK_TOO_MANY,
	TRACK_AWAY,
	TRACK_OVER, /* the form's time is */
	TRACK_NOT_NOW, /* what is wanted is no longer possible */
	TRACK_EMPTY, /* nothing was written */
	TRACK_TOO_LONG,
	TRACK_RECORDED,
	TRACK_BACK,
	TRACK_WORDS
};
const char *track_word(enum track_word word, enum catalogue_language language);

/* Asks for number and digits; number may be "", complaint NULL. */
void track_page_form(struct html *h, const char *number, const char *complaint);

/* What the record has of one ticket (store.h's STORE_TRACK, .._EVENTS, .._TEXTS). */
struct track_rows {
	const struct pg_result *ticket, *events, *texts;
};
/* token: for the forms below the history. */
void track_page_ticket(struct html *h, const struct catalogue *cat, const struct track_rows *rows,
    int64_t now_us, const char *token);

/* What a citizen may still say of a ticket in this status. */
enum track_say { TRACK_NOTE = 1, TRACK_WITHDRAW = 2, TRACK_NOT_SOLVED = 4 };
unsigned track_may_say(
    const struct catalogue *cat, int64_t status, int64_t ended_us, int64_t now_us);

#endif
