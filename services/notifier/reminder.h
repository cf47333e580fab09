/*
 * reminder - who is reminded of what, and when; pure.
 *
 * A window is a time of remind_at on a day when the department works at that time.  It is open from
 * then on for a while, as long as the department works: a digest that could not be made then is
 * made later, and after a long outage none of those missed.
 *
 * A recipient gets one digest a window, whatever there is to say: what is due in departments that
 * have that address, what is overdue for long in those that escalate to it, what waits in triage,
 * and what is not answered in CİMER's portal.
 */
#ifndef NOTIFIER_REMINDER_H
#define NOTIFIER_REMINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

/* What a part of a digest tells, in this order. */
enum reminder_kind {
	REMINDER_ESCALATION, /* what has been overdue for long, to somebody above */
	REMINDER_TRIAGE, /* what no department has yet, to the operators */
	REMINDER_DEPARTMENT, /* what is due soon and overdue there */
	REMINDER_CIMER, /* applications that are not answered in the portal */
	REMINDER_KINDS
};

enum { REMINDER_ITEMS_MAX = 500, REMINDER_LINES_MAX = 50, REMINDER_OPEN_HOURS = 2 };

/* Texts are lent. */
struct reminder_item {
	int64_t ticket_id;
	const char *department; /* code; in triage: who had it before, or "" */
	const char *subject; /* code */
	const char *neighbourhood; /* code, or "" */
	bool legal; /* the law's clock, else the department's promise */
	int64_t due_us; /* 0: no clock runs */
	int64_t arrived_us;
	const char *reference; /* CİMER's, or "" */
	bool answered; /* here, but not in the portal */
};

/* The items of a kind, in the order of their ends (triage: of their arrival). */
struct reminder_part {
	struct reminder_item items[REMINDER_ITEMS_MAX];
	size_t count;
	bool more; /* there are others behind these */
};

/* One digest that may be made now.  Lent by the catalogue. */
struct reminder_plan {
	const char *recipient;
	int64_t window_us;
};

/* False: none is open now. */
MUST_CHECK bool reminder_window(
    const struct catalogue_department *department, int64_t now_us, int64_t *ret_window_us);

/* The next of the digests that may be made now, each once; *at begins at 0.  False: there are no
 * more. */
MUST_CHECK bool reminder_next(
    const struct catalogue *cat, int64_t now_us, size_t *at, struct reminder_plan *ret_plan);

/* Does what that department has for this kind belong into the digest?  It does whenever it works
 * at the window, so that a digest is the same whenever it is made. */
bool reminder_belongs(const struct catalogue *cat, const struct catalogue_department *department,
    enum reminder_kind kind, const struct reminder_plan *plan);

/* Of the department's items: is it one that has to be escalated? */
bool reminder_is_escalated(const struct catalogue_department *department,
    const struct reminder_item *item, int64_t now_us);

struct reminder_text {
	char *subject, *body; /* owned */
};
/* Not all parts are empty.  False: out of memory. */
MUST_CHECK bool reminder_compose(const struct catalogue *cat,
    const struct reminder_part parts[REMINDER_KINDS], int64_t now_us,
    struct reminder_text *ret_text);
void reminder_text_finish(struct reminder_text *text);

#endif
