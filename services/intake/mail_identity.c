/* Digests of a mail what stays the same on every way it may take, and sees who wrote it. */
#include "mail_identity.h"

#include <string.h>

#include "base.h"

static const char *const fields[] = { "message-id", "from", "date", "subject" };

/* Headers that tell a machine by the first word of their value: one of these, or with but any
 * other; without words by being there.  As mail_parse_head.c reads them. */
static const struct mail_identity_mark {
	const char *name;
	const char *words[3];
	bool but;
} marks[] = {
	{ "auto-submitted", { "no" }, true },
	{ "precedence", { "bulk", "junk", "auto_reply" }, false },
	{ "x-autoreply", { "yes", "true", "1" }, false },
	{ "x-autorespond", { NULL }, false },
	{ "x-turunc-ticket", { NULL }, false },
	{ "content-type", { "multipart/report" }, false },
};

void
mail_identity_begin(struct mail_identity *m)
{
	*m = (struct mail_identity){ .place = MAIL_IDENTITY_LINE };
	digest_sha256_init(&m->digest);
}

static bool
is(const char *text, const char *bytes, size_t len)
{
	return strlen(text) == len && memcmp(text, bytes, len) == 0;
}

static bool
field_counts(const struct mail_identity *m)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (is(fields[i], m->name, m->name_len))
			return true;
	return false;
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static void
begin_mark(struct mail_identity *m)
{
	m->word_len = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (is(marks[i].name, m->name, m->name_len))
			m->mark = &marks[i];
	if (m->mark != NULL && m->mark->words[0] == NULL)
		m->machine = true;
}

/* One byte of a mark's value, until its first word is whole. */
static void
take_mark(struct mail_identity *m, char c)
{
	bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';

	if (space && m->word_len == 0)
		return;
	if (!space && c != ';' && c != '(') {
		if (m->word_len < sizeof(m->word))
			m->word[m->word_len] = lower(c);
		m->word_len += m->word_len <= sizeof(m->word);
		return;
	}
	bool among = false;
	for (size_t i = 0; i < ARRAY_LEN(m->mark->words); i++)
		among = among
			|| (m->mark->words[i] != NULL
			    && is(m->mark->words[i], m->word, m->word_len));
	if (m->word_len > 0 && among != m->mark->but)
		m->machine = true;
	m->mark = NULL;
}

/* One byte of the header. */
static void
take(struct mail_identity *m, char c)
{
	bool line_ends = c == '\n';

	if (m->place == MAIL_IDENTITY_LINE && (c == ' ' || c == '\t')) {
		m->place = MAIL_IDENTITY_VALUE; /* the field goes on */
	} else if (m->place == MAIL_IDENTITY_LINE && !line_ends && c != '\r') {
		m->place = MAIL_IDENTITY_NAME;
		m->name_len = 0;
		m->mark = NULL;
	} else if (m->place == MAIL_IDENTITY_LINE && line_ends) {
		m->place = MAIL_IDENTITY_BODY;
		return;
	}
	if (m->place == MAIL_IDENTITY_NAME && c == ':') {
		m->counts = field_counts(m);
		m->place = MAIL_IDENTITY_VALUE;
		begin_mark(m);
		if (m->counts)
			digest_sha256_add_part(&m->digest, m->name, m->name_len);
	} else if (m->place == MAIL_IDENTITY_NAME) {
		if (m->name_len < sizeof(m->name))
			m->name[m->name_len] = lower(c);
		m->name_len += m->name_len <= sizeof(m->name);
		m->counts = false;
	} else if (m->place == MAIL_IDENTITY_VALUE) {
		if (m->counts)
			digest_sha256_add(&m->digest, &c, 1);
		if (m->mark != NULL)
			take_mark(m, c);
	}
	if (line_ends)
		m->place = MAIL_IDENTITY_LINE;
}

void
mail_identity_add(struct mail_identity *m, const void *data, size_t len)
{
	const char *bytes = data;
	size_t at = 0;

	while (at < len && m->place != MAIL_IDENTITY_BODY)
		take(m, bytes[at++]);
	if (at < len)
		digest_sha256_add(&m->digest, bytes + at, len - at);
}

void
mail_identity_finish(struct mail_identity *m, struct digest *ret_digest)
{
	digest_sha256_finish(&m->digest, ret_digest);
}
