/*
 * track_page - the pages on which a citizen looks up a report.
 */
#ifndef INTAKE_TRACK_PAGE_H
#define INTAKE_TRACK_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalogue.h"
#include "db_result.h"

struct attachments;
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
	TRACK_LINKED, /* another report was opened */
	TRACK_WORDS
};
const char *track_word(enum track_word word, enum catalogue_language language);

/* Asks for number and digits; number may be "", complaint NULL. */
void track_page_form(struct html *h, const char *number, const char *complaint);

/* What the record has of one ticket (store.h's STORE_TRACK and those after it). */
struct track_rows {
	const struct pg_result *ticket, *events, *texts, *photos, *messages, *links;
};

/* A form below the history. */
struct track_form {
	const char *token;
	const char *text; /* written before; NULL: the form is shut */
	unsigned photo_mb;
};
void track_page_ticket(struct html *h, const struct catalogue *cat, const struct track_rows *rows,
    struct attachments *photos, int64_t now_us, const struct track_form *form);

/* What a citizen may still say of a ticket. */
enum track_say {
	TRACK_NOTE = 1,
	TRACK_WITHDRAW = 2,
	TRACK_NOT_SOLVED = 4, /* and it opens again */
	TRACK_FOLLOW = 8, /* not solved, and another opens in its place */
};
/* ticket: a row of STORE_TRACK; links: of STORE_TRACK_LINKS. */
unsigned track_may_say(const struct catalogue *cat, const struct pg_result *ticket,
    const struct pg_result *links, int64_t now_us);
/* The ticket that follows it; 0: none. */
int64_t track_follower(const struct pg_result *links);
/* The form to say one of them. */
void track_page_say(struct html *h, enum track_say what, const struct track_form *form);
/* "Numara: …" as a link to its page. */
void track_page_number(struct html *h, const char *words, int64_t ticket_id);

#endif
