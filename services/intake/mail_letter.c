/* Tells and takes letters: fields of a letter for its kind, four bytes of length, and content. */
#include "mail_letter.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { HEAD_BYTES = 5, FLAG_CUT = 1, FLAG_NO_ANSWERS = 2 };

static const size_t text_max[MAIL_TEXTS] = {
	[MAIL_SUBJECT] = MAIL_LETTER_SUBJECT_BYTES,
	[MAIL_TEXT] = MAIL_LETTER_TEXT_BYTES,
	[MAIL_NAME] = MAIL_LETTER_NAME_BYTES,
	[MAIL_ADDRESS] = MAIL_LETTER_ADDRESS_BYTES,
	[MAIL_FILES] = MAIL_LETTER_FILES_BYTES,
};
static const char text_fields[] = "STNAF";

void
mail_letter_finish(struct mail_letter *letter)
{
	for (size_t i = 0; i < MAIL_TEXTS; i++)
		free(letter->texts[i]);
	for (size_t i = 0; i < letter->to_count; i++)
		free(letter->to[i]);
	for (size_t i = 0; i < letter->photo_count; i++)
		free(letter->photos[i].data);
	*letter = (struct mail_letter){ .kind = MAIL_OF_PERSON };
}

/* --- telling -----------------------------------------------------------------------------------
 */

static bool
put(FILE *out, char field, const void *data, size_t len)
{
	uint8_t head[HEAD_BYTES] = { (uint8_t)field, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len };

	return fwrite(head, 1, sizeof(head), out) == sizeof(head)
	       && (len == 0 || fwrite(data, 1, len, out) == len);
}

bool
mail_letter_tell(const struct mail_letter *letter, FILE *out)
{
	uint8_t flags = (uint8_t)((letter->cut ? FLAG_CUT : 0)
				  | (letter->no_answers ? FLAG_NO_ANSWERS : 0));
	uint8_t facts[3 + 8] = { (uint8_t)letter->kind, flags, letter->failed };
	bool told;

	for (int i = 0; i < 8; i++)
		facts[3 + i] = (uint8_t)((uint64_t)letter->received_us >> (56 - 8 * i));
	told = put(out, 'K', facts, sizeof(facts))
	       && put(out, 'C', letter->status, strlen(letter->status));
	for (size_t i = 0; told && i < MAIL_TEXTS; i++) {
		size_t len = strlen(letter->texts[i]);
		told = put(out, text_fields[i], letter->texts[i],
		    utf8_prefix_len(letter->texts[i], len, text_max[i]));
	}
	for (size_t i = 0; told && i < letter->answered_count; i++)
		told = put(out, 'R', letter->answered[i].bytes, UUID_BYTES);
	for (size_t i = 0; told && i < letter->to_count; i++)
		told = put(out, 'O', letter->to[i], strlen(letter->to[i]));
	for (size_t i = 0; told && i < letter->photo_count; i++)
		told = put(out, 'P', letter->photos[i].data, letter->photos[i].len);
	return told && put(out, '.', NULL, 0) && fflush(out) == 0;
}

/* --- taking ------------------------------------------------------------------------------------
 */

static char *
take_text(const uint8_t *data, size_t len, bool lines)
{
	char *text = NULL;

	if (utf8_valid((const char *)data, len))
		text = malloc(len + 1);
	if (text == NULL)
		return NULL;
	memcpy(text, data, len);
	text[len] = '\0';
	if (!utf8_has_control(text, lines))
		return text;
	free(text);
	return NULL;
}

static bool
take_facts(struct mail_letter *letter, const uint8_t *data, size_t len)
{
	uint64_t received = 0;

	if (len != 3 + 8 || data[0] >= MAIL_KINDS)
		return false;
	letter->kind = (enum mail_kind)data[0];
	letter->cut = (data[1] & FLAG_CUT) != 0;
	letter->no_answers = (data[1] & FLAG_NO_ANSWERS) != 0;
	letter->failed = data[2] != 0;
	for (int i = 0; i < 8; i++)
		received = received << 8 | data[3 + i];
	letter->received_us = (int64_t)received;
	return true;
}

static bool
take_photo(struct mail_letter *letter, const uint8_t *data, size_t len)
{
	if (letter->photo_count == PHOTOS_MAX || len == 0 || len > PHOTOS_EACH_BYTES_MAX)
		return false;
	struct mail_photo *p = &letter->photos[letter->photo_count];
	p->data = malloc(len);
	if (p->data == NULL)
		return false;
	memcpy(p->data, data, len);
	p->len = len;
	letter->photo_count++;
	return true;
}

static bool
take_address(struct mail_letter *letter, const uint8_t *data, size_t len)
{
	if (letter->to_count == MAIL_LETTER_TO || len > MAIL_LETTER_ADDRESS_BYTES)
		return false;
	letter->to[letter->to_count] = take_text(data, len, false);
	if (letter->to[letter->to_count] == NULL)
		return false;
	letter->to_count++;
	return true;
}

static bool
take_status(struct mail_letter *letter, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789.";

	if (len >= sizeof(letter->status))
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\0' || strchr(digits, data[i]) == NULL)
			return false;
	memcpy(letter->status, data, len);
	letter->status[len] = '\0';
	return true;
}

static bool
take_field(struct mail_letter *letter, char field, const uint8_t *data, size_t len)
{
	const char *text = strchr(text_fields, field);

	if (text != NULL) {
		size_t which = (size_t)(text - text_fields);
		if (letter->texts[which] != NULL || len > text_max[which])
			return false;
		letter->texts[which] = take_text(data, len, which == MAIL_TEXT);
		return letter->texts[which] != NULL;
	}
	if (field == 'K')
		return take_facts(letter, data, len);
	if (field == 'C')
		return take_status(letter, data, len);
	if (field == 'P')
		return take_photo(letter, data, len);
	if (field == 'O')
		return take_address(letter, data, len);
	if (field != 'R' || len != UUID_BYTES || letter->answered_count == MAIL_LETTER_ANSWERED)
		return false;
	memcpy(letter->answered[letter->answered_count++].bytes, data, UUID_BYTES);
	return true;
}

bool
mail_letter_take(struct mail_letter *letter, const uint8_t *data, size_t len)
{
	size_t at = 0;

	while (len - at >= HEAD_BYTES) {
		const uint8_t *head = data + at;
		size_t field_len = (size_t)head[1] << 24 | (size_t)head[2] << 16
				   | (size_t)head[3] << 8 | head[4];
		at += HEAD_BYTES;
		if (head[0] == '.' && field_len == 0 && at == len) {
			bool whole = true;
			for (size_t i = 0; i < MAIL_TEXTS; i++)
				whole = whole && letter->texts[i] != NULL;
			if (whole)
				return true;
			break;
		}
		if (head[0] == '\0' || field_len > len - at
		    || !take_field(letter, (char)head[0], head + HEAD_BYTES, field_len))
			break;
		at += field_len;
	}
	mail_letter_finish(letter);
	return false;
}
