/* step_form - a step as a form of the desk asks for it, made into a Command. */
#ifndef ROUTER_STEP_FORM_H
#define ROUTER_STEP_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "status.h"
#include "turunc/v1/bus.pb-c.h"

struct http_request;

struct step_form {
	Turunc__V1__Command command; /* lends from the request and from here */
	enum status_verb verb; /* STATUS_VERBS: none of ours; the command says so again */
	char ticket[16], primary[16];
	char *text; /* owned: with line ends as ours */
};

/* Reads what was sent; what is missing is empty, what is no date or number is kept as one that the
 * step refuses.  The ticket is the path's.  False: out of memory. */
MUST_CHECK bool step_form_read(struct step_form *form, const struct http_request *req);
void step_form_finish(struct step_form *form);

/* The end of that day in Istanbul ("2026-12-01"); 0 for "", -1 for what is no date. */
int64_t step_form_until(const char *date);

#endif
