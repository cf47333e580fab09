/* Looks at the shape of an e-mail address. */
#include "mail_address.h"

#include <stddef.h>
#include <string.h>

bool
mail_address_valid(const char *address)
{
	const char *at = strchr(address, '@');
	size_t len = strlen(address);

	if (at == NULL || at == address || len > MAIL_ADDRESS_MAX || strchr(at + 1, '@') != NULL)
		return false;
	for (const char *c = address; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || strchr("<>()[]\\,;:\"", *c) != NULL)
			return false;
	const char *dot = strchr(at + 1, '.');
	return dot != NULL && dot != at + 1 && address[len - 1] != '.'
	       && strstr(address, "..") == NULL && address[0] != '.' && at[-1] != '.';
}
