/* letter - a claimed message as what a channel sends: a mail, or a gateway's request. */
#ifndef NOTIFIER_LETTER_H
#define NOTIFIER_LETTER_H

#include <stdbool.h>

#include "catalogue.h"
#include "channel.h"
#include "db.h"
#include "gateway.h"
#include "reply_address.h"

/* Fills job from a row of STORE_CLAIM; gateway NULL: an e-mail.  When that cannot be done (the
 * person was erased, there are no words, no memory) the job has its outcome and its detail already
 * and must not be sent. */
void letter_write(struct job *job, const struct pg_result *rows, int row,
    const struct catalogue_municipality *municipality, const struct gateway *gateway,
    const struct reply_address_key *mail_key);

/* It will not be sent, and why. */
void letter_refuse(struct job *job, enum outcome outcome, const char *why);

#endif
