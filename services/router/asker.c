/* What a person's roles come to. */
#include "asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

#define OPERATORS (PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR)

static bool
copy_departments(struct asker *to, const char *const *from, size_t count)
{
	to->departments = calloc(count + 1, sizeof(*to->departments));
	if (to->departments == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		to->departments[i] = strdup(from[i]);
		if (to->departments[i] == NULL)
			return false;
		to->department_count++;
	}
	return true;
}

static bool
fill(struct asker *to, const char *name, const char *shown_as, unsigned roles,
    const char *const *departments, size_t count)
{
	*to = (struct asker){ .roles = roles };
	(void)snprintf(to->name, sizeof(to->name), "%s", name);
	(void)snprintf(to->shown_as, sizeof(to->shown_as), "%s", shown_as);
	if (copy_departments(to, departments, count))
		return true;
	asker_finish(to);
	return false;
}

bool
asker_take(struct asker *to, const struct person *from)
{
	return fill(
	    to, from->name, from->shown_as, from->roles, from->departments, from->department_count);
}

bool
asker_copy(struct asker *to, const struct asker *from)
{
	return fill(to, from->name, from->shown_as, from->roles,
	    (const char *const *)from->departments, from->department_count);
}

void
asker_withdraw(struct asker *a)
{
	for (size_t i = 0; i < a->department_count; i++)
		free(a->departments[i]);
	free(a->departments);
	a->departments = NULL;
	a->department_count = 0;
	a->roles = 0;
}

void
asker_finish(struct asker *a)
{
	asker_withdraw(a);
	*a = (struct asker){ .roles = 0 };
}

bool
asker_grant(struct asker *a, unsigned roles, struct db_elements *departments)
{
	a->departments = calloc((size_t)departments->left + 1, sizeof(*a->departments));
	if (a->departments == NULL)
		return false;
	a->roles = roles;
	while (db_next_element(departments)) {
		char *code = strndup(departments->data, departments->len);
		if (code == NULL)
			return false;
		a->departments[a->department_count++] = code;
	}
	return true;
}

void
asker_actor(const struct asker *a, char actor[ASKER_ACTOR_BYTES])
{
	(void)snprintf(actor, ASKER_ACTOR_BYTES, "user:%s", a->name);
}

static bool
is_listed(const struct asker *a, const char *department)
{
	for (size_t i = 0; i < a->department_count; i++)
		if (strcmp(a->departments[i], department) == 0)
			return true;
	return false;
}

bool
asker_has_all(const struct asker *a)
{
	return (a->roles & (OPERATORS | PEOPLE_CALL_TAKER)) != 0
	       || ((a->roles & (PEOPLE_VIEWER | PEOPLE_CLERK)) == PEOPLE_VIEWER
		   && a->department_count == 0);
}

bool
asker_covers(const struct asker *a, const char *department)
{
	return asker_has_all(a)
	       || ((a->roles & (PEOPLE_CLERK | PEOPLE_VIEWER)) != 0 && department[0] != '\0'
		   && is_listed(a, department));
}

bool
asker_sees_people(const struct asker *a)
{
	return (a->roles & (OPERATORS | PEOPLE_CALL_TAKER | PEOPLE_CLERK)) != 0;
}

bool
asker_is_operator(const struct asker *a)
{
	return (a->roles & OPERATORS) != 0;
}

unsigned
asker_actors(const struct asker *a, const char *department)
{
	unsigned actors = 0;

	if (asker_is_operator(a))
		actors |= ACTOR_OPERATOR | ACTOR_DEPARTMENT;
	if ((a->roles & PEOPLE_CALL_TAKER) != 0)
		actors |= ACTOR_CALL_TAKER;
	if ((a->roles & PEOPLE_CLERK) != 0 && department[0] != '\0' && is_listed(a, department))
		actors |= ACTOR_DEPARTMENT;
	return actors;
}
