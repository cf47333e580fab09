/* Reads a mail. */
#include "mail_parse.h"

#include <stdlib.h>
#include <string.h>

#include "mail_parse_internal.h"

void
mail_parse_begin(void)
{
	g_mime_init();
}

/* Texts that nothing was found for are empty. */
static bool
complete(struct mail_letter *letter)
{
	bool whole = true;

	for (size_t i = 0; i < MAIL_TEXTS; i++) {
		if (letter->texts[i] == NULL)
			letter->texts[i] = strdup("");
		whole = whole && letter->texts[i] != NULL;
	}
	return whole;
}

static bool
read_message(GMimeMessage *message, struct mail_letter *letter)
{
	size_t text_len = 0, files_len = 0;
	struct mail_parse p = { .letter = letter };

	p.text = open_memstream(&letter->texts[MAIL_TEXT], &text_len);
	p.files = open_memstream(&letter->texts[MAIL_FILES], &files_len);
	if (p.text != NULL && p.files != NULL) {
		GMimeObject *body = g_mime_message_get_mime_part(message);
		mail_parse_head(&p, message);
		if (body != NULL)
			mail_parse_body(&p, body, 0);
	}
	bool whole = p.text != NULL && p.files != NULL && !p.failed;
	if (p.text != NULL)
		whole = fclose(p.text) == 0 && whole;
	if (p.files != NULL)
		whole = fclose(p.files) == 0 && whole;
	if (!complete(letter) || !whole)
		return false;
	letter->cut = letter->cut || strlen(letter->texts[MAIL_TEXT]) > MAIL_LETTER_TEXT_BYTES;
	return true;
}

bool
mail_parse(const char *data, size_t len, struct mail_letter *ret_letter)
{
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeParserOptions *options = g_mime_parser_options_new();
	/* Encoded words are for mail_words.h; GMime, when it is lenient with those that do not end,
	 * takes time by the square of the header. */
	g_mime_parser_options_set_rfc2047_compliance_mode(options, GMIME_RFC_COMPLIANCE_STRICT);
	GMimeMessage *message = g_mime_parser_construct_message(parser, options);
	bool read = message != NULL && read_message(message, &letter);

	if (message != NULL)
		g_object_unref(message);
	g_mime_parser_options_free(options);
	g_object_unref(parser);
	g_object_unref(stream);
	if (read)
		*ret_letter = letter;
	else
		mail_letter_finish(&letter);
	return read;
}
