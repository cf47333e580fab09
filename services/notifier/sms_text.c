/* Reads what a citizen has written: a wish to hear no more, and which tickets they name. */
#include <ctype.h>
#include <string.h>

#include "fold.h"
#include "number.h"
#include "sms_door.h"

enum wish
sms_wish(const char *text)
{
	static const struct {
		const char *word; /* folded: ı is i */
		enum wish wish;
	} words[] = {
		{ "ret", WISH_STOP },
		{ "iptal", WISH_STOP },
		{ "dur", WISH_STOP },
		{ "stop", WISH_STOP },
		{ "basla", WISH_START },
		{ "baslat", WISH_START },
		{ "start", WISH_START },
	};
	char folded[16];

	if (!fold_text(text, strlen(text), folded, sizeof(folded)))
		return WISH_NONE; /* longer than any of them */
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(folded, words[i].word) == 0)
			return words[i].wish;
	return WISH_NONE;
}

size_t
sms_ticket_numbers(const char *text, int64_t *ret_ids, size_t max)
{
	size_t found = 0;

	while (*text != '\0' && found < max) {
		size_t skip = strcspn(text, "0123456789");
		text += skip;
		size_t len = strspn(text, "0123456789-");
		char word[NUMBER_SIZE];
		if (len > 0 && len < sizeof(word)) {
			memcpy(word, text, len);
			word[len] = '\0';
			if (number_parse(word, &ret_ids[found]) == NUMBER_OK)
				found++;
		}
		text += len;
	}
	return found;
}
