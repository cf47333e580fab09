/* What a process that was led astray may tell of a mail: taken only if all of it can be kept. */
#include "fuzz.h"
#include "mail_letter.h"
#include "utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };
	char *bytes = copy_text(data, size);

	if (mail_letter_take(&letter, (const uint8_t *)bytes, size)) {
		HOLDS(letter.kind < MAIL_KINDS && letter.photo_count <= PHOTOS_MAX);
		for (size_t i = 0; i < MAIL_TEXTS; i++)
			HOLDS(utf8_valid(letter.texts[i], strlen(letter.texts[i]))
			      && !utf8_has_control(letter.texts[i], i == MAIL_TEXT));
		for (size_t i = 0; i < letter.to_count; i++)
			HOLDS(utf8_valid(letter.to[i], strlen(letter.to[i])));
		for (size_t i = 0; i < letter.photo_count; i++)
			HOLDS(letter.photos[i].len > 0);
		HOLDS(strspn(letter.status, "0123456789.") == strlen(letter.status));
	}
	mail_letter_finish(&letter);
	free(bytes);
	return 0;
}
