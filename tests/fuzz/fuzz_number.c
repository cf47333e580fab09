/* Ticket numbers as machines send them and as people read them out. */
#include "fuzz.h"
#include "number.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = copy_text(data, size), printed[NUMBER_SIZE];
	int64_t id = -1, typed = -1, serial;
	int year;

	if (number_parse(text, &id) == NUMBER_OK) {
		HOLDS(number_format(id, printed) && strcmp(printed, text) == 0);
		HOLDS(number_split(id, &year, &serial) && number_make(year, serial) == id);
		HOLDS(number_parse_typed(text, &typed) == NUMBER_OK && typed == id);
	} else {
		HOLDS(id == -1);
	}
	if (number_parse_typed(text, &typed) == NUMBER_OK) {
		HOLDS(number_format(typed, printed));
		HOLDS(number_parse(printed, &id) == NUMBER_OK && id == typed);
	}
	struct input in = { data, size };
	id = (int64_t)take_number(&in);
	if (number_split(id, &year, &serial))
		HOLDS(number_make(year, serial) == id && number_format(id, printed));
	else
		HOLDS(!number_format(id, printed) && printed[0] == '\0');
	(void)number_year(id);
	free(text);
	return 0;
}
