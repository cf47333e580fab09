/* A mail, as the process that reads it does: what it tells is taken, and fits a ticket. */
#include "fuzz.h"
#include "mail_item.h"
#include "mail_letter.h"
#include "mail_parse.h"
#include "utf8.h"

static void
fill(const struct mail_letter *letter)
{
	static struct mail_item words;
	struct item item = { 0 };

	mail_item_fill(&words, letter, "", &item);
	HOLDS(utf8_valid(words.description, strlen(words.description)));
	HOLDS(words.description[0] != '\0' && !utf8_has_control(words.description, true));
	HOLDS(utf8_valid(words.name, strlen(words.name)) && !utf8_has_control(words.name, false));
	HOLDS(words.email[0] == '\0' || field_email_valid(words.email));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	char *mail = copy_text(data, size), *told = NULL;
	struct mail_letter letter = { .kind = MAIL_OF_PERSON }, taken = { .kind = MAIL_OF_PERSON };
	size_t told_len = 0;

	if (!begun)
		mail_parse_begin();
	begun = true;
	if (mail_parse(mail, size, &letter)) {
		FILE *out = open_memstream(&told, &told_len);
		HOLDS(out != NULL && mail_letter_tell(&letter, out) && fclose(out) == 0);
		HOLDS(told_len <= MAIL_LETTER_BYTES);
		HOLDS(mail_letter_take(&taken, (const uint8_t *)told, told_len));
		HOLDS(taken.kind == letter.kind && taken.received_us == letter.received_us);
		fill(&taken);
		mail_letter_finish(&taken);
		mail_letter_finish(&letter);
		free(told);
	}
	free(mail);
	return 0;
}
