/* The reasons to extend a period.  None says what the request is about. */
#include "extension.h"

#include <string.h>

#include "base.h"

static const struct catalogue_reason reasons[] = {
	{ "kapsamli-arastirma",
	    { { "Ayrı ve kapsamlı araştırma gerekiyor", "It needs a separate, thorough search" } },
	    "" },
	{ "baska-kurum-gorusu",
	    { { "Başka kurumun görüşü alınacak", "Another institution has to be asked" } }, "" },
	{ "birden-cok-birim",
	    { { "Birden çok birimi ilgilendiriyor", "It concerns several departments" } }, "" },
};

const struct catalogue_reason *
extension_reason_at(size_t index)
{
	return index < ARRAY_LEN(reasons) ? &reasons[index] : NULL;
}

const struct catalogue_reason *
extension_reason(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcmp(reasons[i].code, code) == 0)
			return &reasons[i];
	return NULL;
}
