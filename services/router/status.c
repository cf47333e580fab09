/* The whole status table, and the few questions asked of it. */
#include "status.h"

#include <assert.h>
#include <string.h>

#define OPENED TURUNC__V1__STATUS__STATUS_OPENED
#define TRIAGE TURUNC__V1__STATUS__STATUS_TRIAGE
#define ROUTED TURUNC__V1__STATUS__STATUS_ROUTED
#define ACCEPTED TURUNC__V1__STATUS__STATUS_ACCEPTED
#define IN_PROGRESS TURUNC__V1__STATUS__STATUS_IN_PROGRESS
#define WAITING TURUNC__V1__STATUS__STATUS_WAITING
#define RESOLVED TURUNC__V1__STATUS__STATUS_RESOLVED
#define REJECTED TURUNC__V1__STATUS__STATUS_REJECTED
#define FORWARDED TURUNC__V1__STATUS__STATUS_FORWARDED
#define DUPLICATE TURUNC__V1__STATUS__STATUS_DUPLICATE
#define WITHDRAWN TURUNC__V1__STATUS__STATUS_WITHDRAWN
#define CLOSED TURUNC__V1__STATUS__STATUS_CLOSED
#define SAME TURUNC__V1__STATUS__STATUS_UNSPECIFIED

#define BIT(s) (1u << (s))
#define WORKED (BIT(ROUTED) | BIT(ACCEPTED) | BIT(IN_PROGRESS) | BIT(WAITING))
#define LIVE (BIT(OPENED) | BIT(TRIAGE) | WORKED)
#define ANSWERED_ENDS (BIT(RESOLVED) | BIT(REJECTED) | BIT(FORWARDED))
#define ENDED (ANSWERED_ENDS | BIT(DUPLICATE) | BIT(WITHDRAWN))
#define STAFF (ACTOR_DEPARTMENT | ACTOR_OPERATOR)

static const struct status_rule rules[] = {
	[VERB_ROUTE] = { "route", "ticket.routed", BIT(OPENED) | BIT(TRIAGE), ROUTED,
	    ACTOR_RULE | ACTOR_OPERATOR, NEED_DEPARTMENT },
	[VERB_TRIAGE] = { "triage", "ticket.triaged", BIT(OPENED) | WORKED, TRIAGE,
	    ACTOR_RULE | STAFF, NEED_REASON },
	[VERB_ACCEPT] = { "accept", "ticket.accepted", BIT(ROUTED), ACCEPTED, ACTOR_DEPARTMENT, 0 },
	[VERB_RELEASE] = { "release", "ticket.released", BIT(ACCEPTED), ROUTED, ACTOR_DEPARTMENT,
	    0 },
	[VERB_START] = { "start", "ticket.started", BIT(ROUTED) | BIT(ACCEPTED), IN_PROGRESS,
	    ACTOR_DEPARTMENT, 0 },
	[VERB_RESUME] = { "resume", "ticket.resumed", BIT(WAITING), IN_PROGRESS, ACTOR_DEPARTMENT,
	    0 },
	[VERB_WAIT] = { "wait", "ticket.waiting", BIT(ACCEPTED) | BIT(IN_PROGRESS), WAITING,
	    ACTOR_DEPARTMENT, NEED_WAIT_REASON },
	[VERB_TRANSFER] = { "transfer", "ticket.transferred", WORKED, ROUTED, STAFF,
	    NEED_DEPARTMENT | NEED_REASON },
	[VERB_ANSWER] = { "answer", "ticket.answered", LIVE, SAME, STAFF, NEED_TEXT },
	[VERB_EXTEND] = { "extend", "ticket.extended", LIVE, SAME, ACTOR_OPERATOR, NEED_REASON },
	[VERB_RESOLVE] = { "resolve", "ticket.resolved", BIT(TRIAGE) | WORKED, RESOLVED, STAFF,
	    NEED_CLOSURE_REASON },
	[VERB_REJECT] = { "reject", "ticket.rejected", BIT(TRIAGE) | WORKED, REJECTED, STAFF,
	    NEED_CLOSURE_REASON },
	[VERB_FORWARD] = { "forward", "ticket.forwarded", BIT(TRIAGE) | WORKED, FORWARDED, STAFF,
	    NEED_CLOSURE_REASON | NEED_INSTITUTION },
	[VERB_JOIN] = { "join", "ticket.joined", LIVE, DUPLICATE, ACTOR_OPERATOR | ACTOR_CALL_TAKER,
	    NEED_PRIMARY },
	[VERB_SEPARATE] = { "separate", "ticket.separated", BIT(DUPLICATE), TRIAGE,
	    ACTOR_OPERATOR | ACTOR_CALL_TAKER, 0 },
	[VERB_WITHDRAW] = { "withdraw", "ticket.withdrawn", LIVE, WITHDRAWN,
	    ACTOR_CITIZEN | ACTOR_OPERATOR, 0 },
	[VERB_REOPEN] = { "reopen", "ticket.reopened", ANSWERED_ENDS, ROUTED,
	    ACTOR_CITIZEN | ACTOR_OPERATOR, NEED_REASON },
	[VERB_NOTE] = { "note", "ticket.noted", LIVE | ENDED, SAME,
	    STAFF | ACTOR_CITIZEN | ACTOR_CALL_TAKER, NEED_TEXT },
	[VERB_AMEND] = { "amend", "ticket.amended", LIVE | ENDED, SAME, STAFF, 0 },
	[VERB_CLOSE] = { "close", "ticket.closed", ENDED, CLOSED, ACTOR_SWEEP, 0 },
};
_Static_assert(ARRAY_LEN(rules) == STATUS_VERBS, "one row a verb");

static const char *const names[] = {
	[SAME] = "unspecified",
	[OPENED] = "opened",
	[TRIAGE] = "triage",
	[ROUTED] = "routed",
	[ACCEPTED] = "accepted",
	[IN_PROGRESS] = "in_progress",
	[WAITING] = "waiting",
	[RESOLVED] = "resolved",
	[REJECTED] = "rejected",
	[FORWARDED] = "forwarded",
	[DUPLICATE] = "duplicate",
	[WITHDRAWN] = "withdrawn",
	[CLOSED] = "closed",
};

const struct status_rule *
status_rule(enum status_verb verb)
{
	assert(verb < STATUS_VERBS);
	return &rules[verb];
}

bool
status_verb_parse(const char *word, enum status_verb *ret_verb)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (strcmp(rules[i].verb, word) == 0) {
			*ret_verb = (enum status_verb)i;
			return true;
		}
	}
	return false;
}

enum status_answer
status_step(ticket_status now, enum status_verb verb, unsigned actors, ticket_status *ret_next)
{
	const struct status_rule *rule = status_rule(verb);

	if ((rule->from & BIT(now)) == 0)
		return STATUS_NOT_FROM_HERE;
	if ((rule->by & actors) == 0)
		return STATUS_NOT_BY_YOU;
	*ret_next = rule->to == SAME ? now : rule->to;
	return STATUS_ALLOWED;
}

const char *
status_name(ticket_status status)
{
	return (size_t)status < ARRAY_LEN(names) ? names[status] : names[SAME];
}

bool
status_is_live(ticket_status status)
{
	return (BIT(status) & LIVE) != 0;
}

bool
status_is_ended(ticket_status status)
{
	return (BIT(status) & ENDED) != 0;
}

bool
status_verb_answers(enum status_verb verb)
{
	return verb == VERB_ANSWER || verb == VERB_RESOLVE || verb == VERB_REJECT
	       || verb == VERB_FORWARD;
}
