/*
 * unassigned - what came by mail from machines or by SMS and belongs to no ticket.
 *
 *	unassigned.c		who asks for what, and what becomes of it
 *	unassigned_page.c	the page that they get
 */
#ifndef INTAKE_UNASSIGNED_H
#define INTAKE_UNASSIGNED_H

#include "call.h"

#define UNASSIGNED_PATH "/call/unassigned"

enum { UNASSIGNED_ROWS = 50, UNASSIGNED_PATH_BYTES = 120 };

/* Why a message needs no ticket, as turunc.dismiss_contact() knows it. */
struct unassigned_reason {
	const char *code;
	const char *words[CATALOGUE_LANGUAGES];
};
enum { UNASSIGNED_REASONS = 4 };
extern const struct unassigned_reason unassigned_reasons[UNASSIGNED_REASONS];
#define UNASSIGNED_BACK "back" /* in place of a reason: it may need one after all */

enum said {
	SAID_NOTHING,
	SAID_MADE,
	SAID_OFF,
	SAID_BACK,
	SAID_AWAY,
	SAID_UNKNOWN,
	SAID_GONE,
	SAID_REASON
};

/* A visit, from the request to its answer. */
struct unassigned {
	struct item item; /* first: how accept gives it back; of a ticket to be made */
	struct intake *in;
	struct http_request *req;
	struct call_person person;
	enum catalogue_language language;
	enum said said;
	bool dismissed; /* it is the list of those that need none */
	char why[16]; /* it needs none; "" takes that back */
	char number[NUMBER_SIZE]; /* that it is said of */
	struct uuid contact;
	char contact_text[UUID_TEXT_SIZE];
	/* The contact's, owned; NULL where it has none. */
	char *name, *phone, *email, *words, *contact_language;
};

/* Answers with the list; rows NULL: the record is away.  The visit is over and freed. */
void unassigned_show(struct unassigned *u, unsigned status, const struct pg_result *rows);
/* Accepts one half made. */
void unassigned_destroy(struct unassigned *u);

#endif
