/* What a user may be called, and whose departments are theirs. */
#include <string.h>

#include "people.h"

bool
people_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len >= 1 && len <= PEOPLE_NAME_BYTES && strspn(name, letters) == len
	       && strchr("._-", name[0]) == NULL;
}

bool
person_has_department(const struct person *who, const char *code)
{
	if (who->roles & (PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR))
		return true;
	for (size_t i = 0; i < who->department_count; i++)
		if (strcmp(who->departments[i], code) == 0)
			return true;
	return false;
}
