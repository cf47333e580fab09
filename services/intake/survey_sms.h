/*
 * survey_sms - an SMS that answers an invitation.
 *
 * Whether it does, the record says: was somebody at this phone asked by SMS, and is there time yet?
 * An answer is for the invitation that was sent last and is not answered.  What is none, what comes
 * while the record is away, and "not solved" of a ticket that is closed, stay messages that people
 * read.
 */
#ifndef INTAKE_SURVEY_SMS_H
#define INTAKE_SURVEY_SMS_H

#include <stdbool.h>

#include "base.h"

struct intake;
struct item;
struct survey_sms;

/* arg is what was given; the item is sealed again if it became an answer.  False: it could not be,
 * for memory. */
typedef void survey_sms_fn(void *arg, bool sealed);

/* Looks at a sealed item of kind "sms" that has not been given to accept.  NULL: it is no answer,
 * or the record cannot be asked; go on with the item.  Else done comes later, and what is returned
 * is the caller's, to be destroyed after the item. */
struct survey_sms *survey_sms_look(
    struct intake *in, struct item *item, survey_sms_fn *done, void *arg);
/* Takes NULL. */
void survey_sms_destroy(struct survey_sms *s);

#endif
