/* An address as anybody types it: a street that is found fits, is folded, and is found again. */
#include "street.h"

#include "fold.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct street street, again;
	char folded[STREET_NAME_SIZE];
	char *address = take_text(&in);

	if (street_of_address(address, &street)) {
		HOLDS(
		    memchr(street.name, 0, sizeof(street.name)) != NULL && street.name[0] != '\0');
		HOLDS(memchr(street.number, 0, sizeof(street.number)) != NULL);
		HOLDS(fold_text(street.name, strlen(street.name), folded, sizeof(folded)));
		HOLDS(strcmp(folded, street.name) == 0);
		HOLDS(street_of_address(street.name, &again));
		HOLDS(strcmp(again.name, street.name) == 0);
	}
	free(address);
	return 0;
}
