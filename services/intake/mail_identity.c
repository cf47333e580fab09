/* Digests of a mail what stays the same on every way it may take. */
#include "mail_identity.h"

#include <string.h>

#include "base.h"

static const char *const fields[] = { "message-id", "from", "date", "subject" };

void
mail_identity_begin(struct mail_identity *m)
{
	*m = (struct mail_identity){ .place = MAIL_IDENTITY_LINE };
	digest_sha256_init(&m->digest);
}

static bool
field_counts(const struct mail_identity *m)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strlen(fields[i]) == m->name_len
		    && memcmp(fields[i], m->name, m->name_len) == 0)
			return true;
	return false;
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
	} else if (m->place == MAIL_IDENTITY_LINE && line_ends) {
		m->place = MAIL_IDENTITY_BODY;
		return;
	}
	if (m->place == MAIL_IDENTITY_NAME && c == ':') {
		m->counts = field_counts(m);
		m->place = MAIL_IDENTITY_VALUE;
		if (m->counts)
			digest_sha256_add_part(&m->digest, m->name, m->name_len);
	} else if (m->place == MAIL_IDENTITY_NAME) {
		char lower = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		if (m->name_len < sizeof(m->name))
			m->name[m->name_len] = lower;
		m->name_len += m->name_len <= sizeof(m->name);
		m->counts = false;
	} else if (m->place == MAIL_IDENTITY_VALUE && m->counts) {
		digest_sha256_add(&m->digest, &c, 1);
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
