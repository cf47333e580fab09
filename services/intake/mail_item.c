/* Makes of a mail what a person at a desk reads first; the raw mail has the rest. */
#include "mail_item.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum { RAW_MAIL_TYPE = 4, ARRIVED_DAYS_MAX = 30 };
#define US_PER_DAY (INT64_C(86400) * 1000000)
#define AHEAD_MAX_US (INT64_C(5) * 60 * 1000000)

static const char unreadable[] = "Bu e-posta okunamadı. Aslı, bu kayıtla birlikte saklandı.";
static const char no_answers_note[] =
    "\n\n[Liste iletisi ya da otomatik yanıt istemeyen bir e-posta: bu adrese kendiliğinden "
    "yazılmaz.]";
static const char cut_note[] = "\n\n[Devamı e-postanın aslındadır.]";

/* Bytes of the first max characters. */
static size_t
prefix_of_chars(const char *text, size_t max)
{
	const char *at = text, *end = text + strlen(text);

	for (size_t i = 0; i < max && at < end; i++)
		(void)utf8_next(&at, end);
	return (size_t)(at - text);
}

/* Adds what fits of text within max characters in all; false: not all of it did. */
static bool
add(char *to, size_t size, size_t max, const char *text)
{
	size_t held = utf8_count(to), len = strlen(to);
	size_t more = prefix_of_chars(text, held < max ? max - held : 0);

	if (more >= size - len)
		more = utf8_prefix_len(text, strlen(text), size - len - 1);
	memcpy(to + len, text, more);
	to[len + more] = '\0';
	return text[more] == '\0';
}

static void
trim_end(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \n\t", text[len - 1]) != NULL)
		text[--len] = '\0';
}

/* Subject, text, what else came with it; what does not fit is said to be in the raw mail. */
static void
describe(struct mail_item *m, const struct mail_letter *letter, bool sender_fits)
{
	enum { ROOM = 800 }; /* for the notes at the end */
	char *to = m->description;
	const size_t size = sizeof(m->description), max = FIELD_DESCRIPTION_CHARS;
	const char *subject = letter->texts[MAIL_SUBJECT], *text = letter->texts[MAIL_TEXT];
	bool whole = true;

	whole = add(to, size, max - ROOM, subject);
	text += strspn(text, " \n\t");
	if (subject[0] != '\0' && text[0] != '\0')
		whole = add(to, size, max - ROOM, "\n\n") && whole;
	whole = add(to, size, max - ROOM, text) && whole;
	trim_end(to);
	if (!whole || letter->cut)
		(void)add(to, size, max, cut_note);
	if (letter->texts[MAIL_FILES][0] != '\0') {
		(void)add(to, size, max, "\n\n[Yalnızca e-postanın aslındaki ekler: ");
		(void)add(to, size, max - 200, letter->texts[MAIL_FILES]);
		(void)add(to, size, max, "]");
	}
	if (!sender_fits && letter->texts[MAIL_ADDRESS][0] != '\0') {
		(void)add(to, size, max, "\n\n[Gönderen: ");
		(void)add(to, size, max - 1, letter->texts[MAIL_ADDRESS]);
		(void)add(to, size, max, "]");
	}
	if (letter->no_answers)
		(void)add(to, size, max, no_answers_note);
	if (to[0] == '\0')
		(void)add(to, size, max, "[Boş e-posta]");
}

void
mail_item_fill(
    struct mail_item *m, const struct mail_letter *letter, const char *envelope, struct item *item)
{
	const char *from = letter == NULL ? "" : letter->texts[MAIL_ADDRESS];
	/* The record writes to whoever has an address there. */
	bool no_answers = letter != NULL && letter->no_answers;
	bool fits = field_email_valid(from) && !no_answers;

	m->description[0] = m->name[0] = m->email[0] = '\0';
	if (!fits && from[0] == '\0' && field_email_valid(envelope) && !no_answers) {
		from = envelope;
		fits = true;
	}
	if (fits)
		(void)snprintf(m->email, sizeof(m->email), "%s", from);
	if (letter == NULL)
		(void)add(
		    m->description, sizeof(m->description), FIELD_DESCRIPTION_CHARS, unreadable);
	else
		describe(m, letter, fits);
	if (letter != NULL)
		(void)add(m->name, sizeof(m->name), FIELD_NAME_CHARS, letter->texts[MAIL_NAME]);
	item->description = m->description;
	item->name = m->name[0] == '\0' ? NULL : m->name;
	item->email = m->email[0] == '\0' ? NULL : m->email;
}

void
mail_item_plain(struct mail_item *m, bool named, struct item *item)
{
	m->description[0] = '\0';
	(void)add(m->description, sizeof(m->description), FIELD_DESCRIPTION_CHARS, unreadable);
	if (!named || !utf8_valid(m->name, strlen(m->name)) || utf8_has_control(m->name, false))
		m->name[0] = '\0';
	if (!named || !field_email_valid(m->email))
		m->email[0] = '\0';
	item->description = m->description;
	item->name = m->name[0] == '\0' ? NULL : m->name;
	item->email = m->email[0] == '\0' ? NULL : m->email;
}

void
mail_item_files(
    struct mail_item *m, const char *photos, const struct attachment *raw, struct item *item)
{
	char digest[DIGEST_HEX_SIZE], salt[2 * ATTACHMENT_SALT_BYTES + 1];
	size_t len = strlen(photos);

	digest_format(&raw->digest, digest);
	(void)sodium_bin2hex(salt, sizeof(salt), raw->salt, sizeof(raw->salt));
	int n = snprintf(m->files, sizeof(m->files),
	    "%.*s%s{\"digest\":\"%s\",\"salt\":\"%s\",\"type\":%d,\"bytes\":%u,\"width\":0,"
	    "\"height\":0}]",
	    (int)(len == 0 ? 0 : len - 1), photos, len == 0 ? "[" : ",", digest, salt,
	    (int)RAW_MAIL_TYPE, raw->bytes);
	assert(n > 0 && (size_t)n < sizeof(m->files));
	item->photos = m->files;
}

int64_t
mail_item_arrived(const struct mail_letter *letter, int64_t now_us)
{
	int64_t at_us = letter == NULL ? 0 : letter->received_us;

	if (at_us <= now_us - ARRIVED_DAYS_MAX * US_PER_DAY || at_us > now_us + AHEAD_MAX_US)
		return now_us;
	return at_us > now_us ? now_us : at_us;
}
