/*
 * survey_sms - an SMS that answers an invitation.
 *
 * Whether it does, the record says: was somebody at this phone asked by SMS, and is there time yet?
 * An answer is for the invitation that was sent last and is not answered.  "Not solved" of a ticket
 * that is closed opens the one that follows it first, as the page does.  What is no answer stays a
 * message that people read; while the record is away nothing can be said, and it is asked again
 * when the message leaves the spool.
 */
#ifndef INTAKE_SURVEY_SMS_H
#define INTAKE_SURVEY_SMS_H

#include <stdbool.h>

#include "base.h"
#include "item.h"

struct intake;
struct survey_sms;

enum survey_sms_look {
	SURVEY_SMS_NONE, /* it is no answer whatever the record says: go on with the item */
	SURVEY_SMS_ASKED, /* done comes later */
	SURVEY_SMS_AWAY, /* the record cannot be asked; the item is as it was */
	SURVEY_SMS_NO_MEMORY, /* the item may not be sealed any more */
};

/* NONE: go on with the item, which became an answer or is as it was; never ASKED. */
typedef void survey_sms_fn(void *arg, enum survey_sms_look look);

/* Looks at a sealed item of kind "sms" that has not been given to accept.  ret_sms: NULL unless
 * ASKED; the caller's, to be destroyed after the item, and not before done was called. */
enum survey_sms_look survey_sms_look(struct intake *in, struct item *item, survey_sms_fn *done,
    void *arg, struct survey_sms **ret_sms);
/* Counts what became of it; NULL or no answer: nothing. */
void survey_sms_count(const struct survey_sms *s, enum item_outcome outcome);
/* Takes NULL. */
void survey_sms_destroy(struct survey_sms *s);

#endif
