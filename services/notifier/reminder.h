/*
 * reminder - what departments are reminded of, and when; pure.
 *
 * A window is a time of remind_at on a day when the department works at that time.  It is open from
 * then on for a while, as long as the department works: a digest that could not be made then is
 * made later, and after a long outage none of those missed.
 */
#ifndef NOTIFIER_REMINDER_H
#define NOTIFIER_REMINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"

/* The numbers are those of turunc.reminder. */
enum reminder_kind {
	REMINDER_DEPARTMENT = 1, /* what is due soon and overdue there */
	REMINDER_ESCALATION, /* what has been overdue for long, to somebody above */
	REMINDER_CIMER, /* applications that are not answered in the portal */
};

enum { REMINDER_ITEMS_MAX = 500, REMINDER_LINES_MAX = 50, REMINDER_OPEN_HOURS = 2 };

/* Texts are lent. */
struct reminder_item {
	int64_t ticket_id;
	const char *department; /* code */
	const char *subject; /* code */
	const char *neighbourhood; /* code, or "" */
	bool legal; /* the law's clock, else the department's promise */
	int64_t due_us;
	const char *reference; /* CİMER's, or "" */
	bool answered; /* here, but not in the portal */
};

/* False: none is open now. */
MUST_CHECK bool reminder_window(
    const struct catalogue_department *department, int64_t now_us, int64_t *ret_window_us);

/* Of the department's items: is it one that has to be escalated? */
bool reminder_is_escalated(const struct catalogue_department *department,
    const struct reminder_item *item, int64_t now_us);

/* Whom it goes to. */
const char *reminder_recipient(
    const struct catalogue_department *department, enum reminder_kind kind);

struct reminder_text {
	char *subject, *body; /* owned */
};
/* count is not 0; more: there are others behind these.  False: out of memory. */
MUST_CHECK bool reminder_compose(const struct catalogue *cat,
    const struct catalogue_department *department, enum reminder_kind kind,
    const struct reminder_item *items, size_t count, bool more, int64_t now_us,
    struct reminder_text *ret_text);
void reminder_text_finish(struct reminder_text *text);

#endif
