/* What a user may be called. */
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
