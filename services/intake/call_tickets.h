/*
 * call_tickets - tickets as a call-taker sees them: in a list, and those like what is being told.
 *
 * Of a ticket of a special category a list shows number, status and date alone: whose matter it is
 * may be heard over the phone, and who needs to know opens it elsewhere.
 */
#ifndef INTAKE_CALL_TICKETS_H
#define INTAKE_CALL_TICKETS_H

#include "call.h"

void call_tickets_write(struct html *h, const struct call_look *look, enum call_ask ask,
    const char *title, const char *none);

/* Whose business the matter is, when the configuration says so. */
void call_tickets_write_competence(struct html *h, const struct call_look *look,
    const struct catalogue *cat, const struct catalogue_subject *subject);
/* Those near, each with the button that joins the caller to it. */
void call_tickets_write_similar(struct html *h, const struct call_look *look,
    const struct catalogue *cat, const struct catalogue_subject *subject);

#endif
