/*
 * call - the pages of a call-taker, /call/: what its files share.
 *
 *	call_look.c	gathers what a page shows, from the form and the record
 *	call_page.c	writes it
 *	call_send.c	registers, joins and ends: what is to be kept
 *	call_draft.c	what was typed and not sent
 *	unassigned.h	what came by mail or SMS and belongs to no ticket
 *
 * One form holds everything that is typed while a caller speaks, and each of its buttons says where
 * it goes; so nothing typed is lost by looking something up, with scripts or without.
 */
#ifndef INTAKE_CALL_H
#define INTAKE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "form_token.h"
#include "html.h"
#include "http_text.h"
#include "intake.h"
#include "number.h"
#include "people.h"
#include "phone.h"
#include "problems.h"
#include "report.h"
#include "search_words.h"
#include "similar.h"
#include "uuid.h"

enum { CALL_ROLES = PEOPLE_CALL_TAKER | PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR };
enum {
	CALL_BODY_BYTES = 64 * 1024,
	CALL_TOKEN_LIFE_H = 12,
	CALL_AGE_MAX_DAYS = 30,
	CALL_CSRF_SIZE = 64
};

/* Who asks, as long as an answer takes. */
struct call_person {
	struct person who; /* without departments */
	char csrf[CALL_CSRF_SIZE];
};
void call_person_keep(struct call_person *p, const struct person *who);

enum call_view {
	CALL_VIEW_PAGE,
	CALL_VIEW_LIVE, /* the list of calls alone */
	CALL_VIEW_HINTS, /* questions, hint and similar tickets alone */
};

/* What was asked of the record. */
enum call_ask {
	CALL_ASK_MINE,
	CALL_ASK_WAITING,
	CALL_ASK_CALL,
	CALL_ASK_CALLER,
	CALL_ASK_PERSON,
	CALL_ASK_NUMBER,
	CALL_ASK_SEARCH,
	CALL_ASK_ADDRESS,
	CALL_ASK_SIMILAR,
	CALL_ASK_DRAFTS,
	CALL_ASKS
};

/* Said once above the form. */
enum call_word {
	CALL_WORD_NONE,
	CALL_WORD_TICKET,
	CALL_WORD_JOINED,
	CALL_WORD_UNTOLD, /* joined, and no message will reach them */
	CALL_WORD_ENDED,
	CALL_WORD_LATER, /* ... while the record is away */
	CALL_WORD_AWAY,
	CALL_WORD_BUSY,
	CALL_WORD_HALF, /* the ticket stands, the call could not be ended */
	CALL_WORD_STARTING,
	CALL_WORD_OVER, /* the form */
	CALL_WORD_MISHEARD, /* check digit */
	CALL_WORD_NOT_FOUND,
	CALL_WORD_WHICH, /* nothing was chosen to join */
	CALL_WORD_BROAD, /* the search took too long */
	CALL_WORDS
};

struct call_look {
	struct intake *in;
	struct http_request *req;
	struct call_person person;
	enum call_view view;
	unsigned status;
	enum call_word word;
	char said_number[NUMBER_SIZE]; /* of the ticket that the word is about */
	struct problems problems;
	struct report_form form; /* what was typed, lent by the request or by draft */
	struct http_pairs draft; /* owned */
	char draft_wanted[FORM_ID_SIZE]; /* "": none */
	char token[FORM_TOKEN_SIZE];
	bool has_call, has_phone, has_number, searched, away;
	struct uuid call_key;
	struct phone phone;
	int64_t number;
	char words[SEARCH_QUERY_BYTES]; /* searched for; "": nothing */
	struct street street; /* of the address, when has_street */
	bool has_street;
	int at[CALL_ASKS]; /* in the reply; -1: not asked */
	const struct db_reply *reply; /* while it is written; NULL: away */
};

/* Takes what there is in the request, asks the record, writes the page and is gone. */
void call_look_start(struct call_look *look);
/* The same for a form that was not taken: what is in it is shown again. */
void call_look_again(struct call_look *look);
/* NULL: out of memory, and 503 was sent.  form: pairs lent by req. */
struct call_look *call_look_create(
    struct intake *in, struct http_request *req, const struct person *who, enum call_view view);

void call_page_write(struct call_look *look);
/* The rows of an ask; NULL: not asked, or the record is away. */
const struct pg_result *call_rows(const struct call_look *look, enum call_ask ask);
/* The field's value; "" when absent. */
const char *call_field(const struct call_look *look, const char *name);

/* unassigned.c: what belongs to no ticket, for operators. */
void unassigned_get(struct http_request *req, void *arg);
void unassigned_post(struct http_request *req, void *arg);

/* Handlers behind people_ask(). */
void call_post_ticket(struct http_request *req, void *arg);
void call_post_join(struct http_request *req, void *arg);
void call_post_end(struct http_request *req, void *arg);
void call_post_draft(struct http_request *req, void *arg);

/* Keeps the request's form for the person; done(arg, kept) follows, may be NULL.  False: not now.
 */
typedef void call_draft_fn(void *arg, bool kept);
bool call_draft_save(struct intake *in, const struct http_request *req, const char *agent,
    const char *form_id, call_draft_fn *done, void *arg);
void call_draft_drop(struct intake *in, const char *agent, const char *form_id);

#endif
