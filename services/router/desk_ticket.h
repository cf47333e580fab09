/* desk_ticket - one ticket at the desk: everything that is known of it, and what may be done now.
 */
#ifndef ROUTER_DESK_TICKET_H
#define ROUTER_DESK_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "changes.h"
#include "command.h"
#include "desk_visit.h"
#include "status.h"

struct pg_result;

/* A step that was asked for and refused, so that what was typed is not lost. */
struct ticket_attempt {
	bool made;
	enum status_verb verb;
	int refusal;
	char why[CHANGES_WHY_BYTES];
	char photos[PHOTOS_WORDS_BYTES]; /* what is wrong with the photos; "": nothing */
	bool had_photos; /* browsers do not choose files again */
	int64_t seen_version; /* the one the person acted on */
};

struct ticket_visit {
	struct visit v; /* first */
	int64_t ticket_id;
	struct ticket_attempt attempt;
	struct photos photos; /* that came with a step */
	unsigned status; /* of the answer */
	struct html page; /* written, and kept until the look was noted */
};

/* Reads the ticket and answers with its page; the visit ends with it. */
void ticket_show(struct ticket_visit *t);

/* What the record has of one ticket. */
struct ticket_rows {
	const struct pg_result *ticket, *history, *texts, *hops, *contacts, *near, *joined,
	    *messages;
	const struct pg_result *photos, *links;
};
/* desk_ticket_page.c: all below the heading. */
void ticket_page_write(
    struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows, int64_t now_us);
/* desk_ticket_steps.c: the forms of what this person may do to it now. */
void ticket_steps_write(
    struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows);
/* desk_ticket_history.c */
void ticket_history_write(
    struct html *h, const struct ticket_visit *t, const struct ticket_rows *rows);

#endif
