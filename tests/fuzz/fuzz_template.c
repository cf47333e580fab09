/* Templates filled with anything: within their room, and a line stays a line. */
#include "fuzz.h"
#include "template.h"
#include "utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	enum template_shape shape = take_byte(&in) % 2 ? TEMPLATE_LINE : TEMPLATE_TEXT;
	size_t room = 1 + take_byte(&in) * 4u;
	char *text = take_text(&in), *out = malloc(room), *values[TEMPLATE_FIELDS];
	struct template_values filled;
	bool valid = utf8_valid(text, strlen(text));

	for (size_t i = 0; i < TEMPLATE_FIELDS; i++) {
		values[i] = take_text(&in);
		valid = valid && utf8_valid(values[i], strlen(values[i]));
		filled.of[i] = values[i];
	}
	if (template_fill(text, &filled, shape, out, room)) {
		HOLDS(strlen(out) < room);
		HOLDS(!valid || utf8_valid(out, strlen(out)));
		if (shape == TEMPLATE_LINE && strpbrk(text, "\r\n") == NULL)
			HOLDS(strpbrk(out, "\r\n") == NULL);
	} else {
		HOLDS(out[0] == '\0');
	}
	for (size_t i = 0; i < TEMPLATE_FIELDS; i++)
		free(values[i]);
	free(text);
	free(out);
	return 0;
}
