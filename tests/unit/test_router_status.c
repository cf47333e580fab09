/* The status table, every verb from every status by every set of actors, against a table of its own
 * written in another notation. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "status.h"

/* Opened Triage Routed Accepted In-progress Waiting, resolVed reJected Forwarded Duplicate
 * withdrawn(X), Closed: a letter a status, in the order of the numbers 1 to 12. */
static const char letters[] = " OTRAIWVJFDXC";
/* rule, department, operator, citizen, sweep: a letter an actor, in the order of the bits. */
static const char actors[] = "rdocs";

static const struct {
	const char *verb;
	const char *from;
	char to; /* '=': stays */
	const char *by;
	const char *record;
} wanted[] = {
	{ "route", "OT", 'R', "ro", "ticket.routed" },
	{ "triage", "ORAIW", 'T', "rdo", "ticket.triaged" },
	{ "accept", "R", 'A', "d", "ticket.accepted" },
	{ "release", "A", 'R', "d", "ticket.released" },
	{ "start", "RA", 'I', "d", "ticket.started" },
	{ "resume", "W", 'I', "d", "ticket.resumed" },
	{ "wait", "AI", 'W', "d", "ticket.waiting" },
	{ "transfer", "RAIW", 'R', "do", "ticket.transferred" },
	{ "answer", "OTRAIW", '=', "do", "ticket.answered" },
	{ "extend", "OTRAIW", '=', "o", "ticket.extended" },
	{ "resolve", "TRAIW", 'V', "do", "ticket.resolved" },
	{ "reject", "TRAIW", 'J', "do", "ticket.rejected" },
	{ "forward", "TRAIW", 'F', "do", "ticket.forwarded" },
	{ "join", "OTRAIW", 'D', "o", "ticket.joined" },
	{ "separate", "D", 'T', "o", "ticket.separated" },
	{ "withdraw", "OTRAIW", 'X', "co", "ticket.withdrawn" },
	{ "reopen", "VJF", 'R', "co", "ticket.reopened" },
	{ "note", "OTRAIWVJFDX", '=', "doc", "ticket.noted" },
	{ "amend", "OTRAIWVJFDX", '=', "do", "ticket.amended" },
	{ "close", "VJFDX", 'C', "s", "ticket.closed" },
};

static bool
any_of(const char *allowed, unsigned bits)
{
	for (size_t i = 0; actors[i] != '\0'; i++)
		if ((bits & (1u << i)) != 0 && strchr(allowed, actors[i]) != NULL)
			return true;
	return false;
}

static void
check_one(size_t row, int status, unsigned bits)
{
	enum status_verb verb;
	ticket_status next = TURUNC__V1__STATUS__STATUS_UNSPECIFIED;

	CHECK(status_verb_parse(wanted[row].verb, &verb));
	enum status_answer want = strchr(wanted[row].from, letters[status]) == NULL
				      ? STATUS_NOT_FROM_HERE
				  : any_of(wanted[row].by, bits) ? STATUS_ALLOWED
								 : STATUS_NOT_BY_YOU;
	CHECK_I64(wanted[row].verb, status_step((ticket_status)status, verb, bits, &next), want);
	if (want != STATUS_ALLOWED)
		CHECK_I64("untouched", next, 0);
	else if (wanted[row].to == '=')
		CHECK_I64(wanted[row].verb, next, status);
	else
		CHECK_I64(wanted[row].verb, letters[next], wanted[row].to);
}

TEST(test_status_table_is_the_one_agreed)
{
	CHECK_U64("every verb is here", ARRAY_LEN(wanted), STATUS_VERBS);
	for (size_t row = 0; row < ARRAY_LEN(wanted); row++)
		for (int status = 1; status <= 12; status++)
			for (unsigned bits = 0; bits < 32; bits++)
				check_one(row, status, bits);
}

TEST(test_status_records)
{
	for (size_t row = 0; row < ARRAY_LEN(wanted); row++) {
		enum status_verb verb = STATUS_VERBS;
		CHECK(status_verb_parse(wanted[row].verb, &verb));
		CHECK_U64(wanted[row].verb, verb, row);
		CHECK_STR(wanted[row].verb, status_rule(verb)->record, wanted[row].record);
		bool stops = row >= 7 && strchr("arf", wanted[row].verb[0]) != NULL
			     && (strcmp(wanted[row].verb, "answer") == 0
				 || strchr("VJF", wanted[row].to) != NULL);
		CHECK_I64(wanted[row].verb, status_verb_answers(verb), stops);
	}
}

TEST(test_status_verbs_are_exact_words)
{
	static const char *const not_verbs[] = { "", "Accept", "accept ", "accepted", "open",
		"routeX", "close\n" };
	enum status_verb verb = STATUS_VERBS;

	for (size_t i = 0; i < ARRAY_LEN(not_verbs); i++)
		CHECK_FALSE(not_verbs[i], status_verb_parse(not_verbs[i], &verb));
	CHECK_U64("untouched", verb, STATUS_VERBS);
}

TEST(test_status_kinds_and_names)
{
	static const char *const names[] = { "unspecified", "opened", "triage", "routed",
		"accepted", "in_progress", "waiting", "resolved", "rejected", "forwarded",
		"duplicate", "withdrawn", "closed" };

	for (int s = 0; s <= 12; s++) {
		CHECK_STR("name", status_name((ticket_status)s), names[s]);
		CHECK_I64(names[s], status_is_live((ticket_status)s), s >= 1 && s <= 6);
		CHECK_I64(names[s], status_is_ended((ticket_status)s), s >= 7 && s <= 11);
	}
	CHECK_STR("beyond", status_name((ticket_status)13), "unspecified");
}
