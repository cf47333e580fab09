/* Turkish folding: valid UTF-8 whatever came and wherever it was cut, and folding again changes
 * nothing. */
#include "fold.h"
#include "fuzz.h"
#include "utf8.h"

typedef bool folding(const char *text, size_t len, char *out, size_t size);

static void
check(folding *fold, const char *text, size_t len, size_t size, bool again)
{
	char *out = malloc(size);
	bool whole = fold(text, len, out, size);

	HOLDS(memchr(out, 0, size) != NULL);
	HOLDS(utf8_valid(out, strlen(out)));
	if (whole && again) {
		char *twice = malloc(strlen(out) * 4 + 64);
		HOLDS(fold(out, strlen(out), twice, strlen(out) * 4 + 64));
		HOLDS(strcmp(twice, out) == 0);
		free(twice);
	}
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t room = 1 + take_byte(&in);
	char *text = malloc(in.left + 1);

	memcpy(text, in.at, in.left);
	for (size_t i = 0; i < in.left; i++) /* NUL ends a text, and never is in one */
		text[i] = (char)(text[i] == '\0' ? ' ' : text[i]);
	check(fold_text, text, in.left, room, false);
	check(fold_upper, text, in.left, room, false);
	check(fold_lower, text, in.left, room, false);
	check(fold_text, text, in.left, in.left * 8 + 64, true);
	check(fold_upper, text, in.left, in.left * 8 + 64, false);
	check(fold_lower, text, in.left, in.left * 8 + 64, false);
	free(text);
	return 0;
}
