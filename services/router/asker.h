/*
 * asker - a person who asks at one of our pages: who it is, what they may see and act as.
 *
 *	operators and administrators: every ticket, as an operator and as its department;
 *	clerks: the tickets of their departments, as that department;
 *	call-takers: every ticket; they note, join and separate;
 *	viewers: the tickets of their departments (all, when none is named), the citizen masked.
 */
#ifndef ROUTER_ASKER_H
#define ROUTER_ASKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "db_result.h"
#include "people.h"

enum { ASKER_ACTOR_BYTES = PEOPLE_NAME_BYTES + 8 };

struct asker {
	char name[PEOPLE_NAME_BYTES + 1];
	char shown_as[PEOPLE_SHOWN_BYTES + 1];
	unsigned roles; /* of enum people_role */
	char **departments;
	size_t department_count;
};

/* What outlives the callback that the person was lent to.  False: out of memory.  Finish takes a
 * zeroed one. */
MUST_CHECK bool asker_take(struct asker *to, const struct person *from);
MUST_CHECK bool asker_copy(struct asker *to, const struct asker *from);
void asker_finish(struct asker *asker);

/* Takes away every role and department, and gives those of a row of turunc.person_rights(), which
 * false leaves half given: out of memory. */
void asker_withdraw(struct asker *asker);
MUST_CHECK bool asker_grant(struct asker *asker, unsigned roles, struct db_elements *departments);

/* "user:NAME", as the log has it. */
void asker_actor(const struct asker *asker, char actor[ASKER_ACTOR_BYTES]);

/* Every department there is. */
bool asker_has_all(const struct asker *asker);
/* May see tickets of that department; "": of none yet, which only those see who have all. */
bool asker_covers(const struct asker *asker, const char *department);
/* May see who the citizen is, and what was said of a special category. */
bool asker_sees_people(const struct asker *asker);
/* Sorts tickets that have no department, and looks after what failed. */
bool asker_is_operator(const struct asker *asker);

/* Bits of enum status_actor towards a ticket of that department; 0: nothing. */
unsigned asker_actors(const struct asker *asker, const char *department);

#endif
