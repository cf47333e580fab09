/*
 * door_mail - what becomes of each mail that LMTP brings.
 *
 * The raw mail is a file, durable, before anything looks at it.  Then it is read in a process of
 * its own, and becomes a ticket, words to the ticket that it answers, a contact without a ticket
 * (what a machine wrote), or the report that a message of ours did not arrive.  250 follows the
 * COMMIT of that; until then the mail server has the mail, so while the record is away it hears 451
 * and comes again, and a mail that comes twice is one.
 */
#ifndef INTAKE_DOOR_MAIL_H
#define INTAKE_DOOR_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct door_mail;
struct intake;

/* Opens in->mail and in->lmtp, and has them looked after.  False: cannot start, and the log says
 * why. Close takes NULL; accept and the databases are gone by then. */
MUST_CHECK bool door_mail_open(struct intake *in);
void door_mail_close(struct door_mail *d);

#endif
