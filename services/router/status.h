/*
 * status - the table of a ticket's life: which step leads where, and who may take it.
 *
 * Pure.  Whoever decides (commands, rules, sweeps) asks status_step() and changes nothing by hand.
 * The words are those of the bus (Command.verb, record types, Open311 notes).
 */
#ifndef ROUTER_STATUS_H
#define ROUTER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "turunc/v1/ticket.pb-c.h"

/* The states are turunc.v1.Status. */
typedef Turunc__V1__Status ticket_status;

enum status_verb {
	VERB_ROUTE,
	VERB_TRIAGE,
	VERB_ACCEPT,
	VERB_RELEASE,
	VERB_START,
	VERB_RESUME,
	VERB_WAIT,
	VERB_TRANSFER,
	VERB_ANSWER,
	VERB_EXTEND,
	VERB_RESOLVE,
	VERB_REJECT,
	VERB_FORWARD,
	VERB_JOIN,
	VERB_SEPARATE,
	VERB_WITHDRAW,
	VERB_REOPEN,
	VERB_NOTE,
	VERB_AMEND,
	VERB_CLOSE,
	STATUS_VERBS
};

/* Who asks.  A client whose rights cover the ticket's department acts as that department; one
 * whose rights cover every department acts as an operator.  For people see asker.h. */
enum status_actor {
	ACTOR_RULE = 1u << 0, /* routing rules */
	ACTOR_DEPARTMENT = 1u << 1,
	ACTOR_OPERATOR = 1u << 2,
	ACTOR_CITIZEN = 1u << 3,
	ACTOR_SWEEP = 1u << 4,
	ACTOR_CALL_TAKER = 1u << 5,
};

/* What a step needs in its Command. */
enum status_need {
	NEED_DEPARTMENT = 1u << 0, /* an active department; for transfer another than now */
	NEED_REASON = 1u << 1, /* some reason code */
	NEED_CLOSURE_REASON = 1u << 2, /* one of closure_reasons.csv that applies */
	NEED_WAIT_REASON = 1u << 3, /* one of wait_reasons.csv */
	NEED_INSTITUTION = 1u << 4,
	NEED_PRIMARY = 1u << 5,
	NEED_TEXT = 1u << 6,
};

struct status_rule {
	const char *verb;
	const char *record; /* the type of the record it makes */
	unsigned from; /* bits of ticket_status */
	ticket_status to; /* UNSPECIFIED: stays as it is */
	unsigned by; /* bits of status_actor */
	unsigned needs; /* bits of status_need */
};

enum status_answer {
	STATUS_ALLOWED,
	STATUS_NOT_FROM_HERE, /* the table has no such step from this status */
	STATUS_NOT_BY_YOU, /* it has, but not for this actor */
};

const struct status_rule *status_rule(enum status_verb verb);
MUST_CHECK bool status_verb_parse(const char *word, enum status_verb *ret_verb);

/* actors: everything the asker may act as.  On ALLOWED *ret_next is the status after the step. */
MUST_CHECK enum status_answer status_step(
    ticket_status now, enum status_verb verb, unsigned actors, ticket_status *ret_next);

const char *status_name(ticket_status status); /* "in_progress" */
bool status_is_live(ticket_status status); /* opened .. waiting */
bool status_is_ended(ticket_status status); /* resolved .. withdrawn */
/* The step gives the answer that stops the legal clock. */
bool status_verb_answers(enum status_verb verb);

#endif
