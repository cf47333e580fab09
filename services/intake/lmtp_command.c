/* Reads the commands of LMTP. */
#include "lmtp_command.h"

#include <string.h>

#include "utf8.h"

static const struct {
	const char *word;
	enum lmtp_verb verb;
	bool bare; /* nothing may stand behind it */
} verbs[] = {
	{ "LHLO", LMTP_LHLO, false },
	{ "MAIL", LMTP_MAIL, false },
	{ "RCPT", LMTP_RCPT, false },
	{ "DATA", LMTP_DATA, true },
	{ "RSET", LMTP_RSET, true },
	{ "NOOP", LMTP_NOOP, false },
	{ "VRFY", LMTP_VRFY, false },
	{ "QUIT", LMTP_QUIT, true },
	{ "HELO", LMTP_HELO, false },
	{ "EHLO", LMTP_HELO, false },
};

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Does the text begin with the word, in any case of its letters? */
static bool
begins(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	if (len < word_len)
		return false;
	for (size_t i = 0; i < word_len; i++)
		if (lower(text[i]) != lower(word[i]))
			return false;
	return true;
}

static size_t
spaces(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == ' ')
		n++;
	return n;
}

static bool
read_size(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 0 || len > 15)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = value;
	return true;
}

/* " SIZE=1000 BODY=8BITMIME SMTPUTF8" behind MAIL's path; RCPT has none. */
static enum lmtp_fault
read_parameters(struct lmtp_command *c, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		if (text[at] != ' ')
			return LMTP_BAD_SYNTAX;
		at += spaces(text + at, len - at);
		size_t end = at;
		while (end < len && text[end] != ' ')
			end++;
		const char *word = text + at;
		size_t word_len = end - at;
		at = end;
		if (word_len == 0)
			break;
		if (c->verb != LMTP_MAIL)
			return LMTP_BAD_PARAMETER;
		if (begins(word, word_len, "SIZE=")) {
			if (!read_size(word + 5, word_len - 5, &c->size_bytes))
				return LMTP_BAD_SYNTAX;
		} else if (!((begins(word, word_len, "BODY=8BITMIME") && word_len == 13)
			       || (begins(word, word_len, "BODY=7BIT") && word_len == 9)
			       || (begins(word, word_len, "SMTPUTF8") && word_len == 8))) {
			return LMTP_BAD_PARAMETER;
		}
	}
	return LMTP_FINE;
}

/* "FROM:<ayse@example.org>", a source route left out; a quoted local part may hold a >. */
static enum lmtp_fault
read_path(struct lmtp_command *c, const char *text, size_t len, const char *keyword)
{
	size_t at = strlen(keyword), start;
	bool quoted = false;

	if (!begins(text, len, keyword))
		return LMTP_BAD_SYNTAX;
	at += spaces(text + at, len - at); /* some write one, though none is allowed */
	if (at >= len || text[at++] != '<')
		return LMTP_BAD_SYNTAX;
	start = at;
	if (at < len && text[at] == '@') {
		const char *colon = memchr(text + at, ':', len - at);
		if (colon == NULL)
			return LMTP_BAD_SYNTAX;
		start = at = (size_t)(colon - text) + 1;
	}
	for (; at < len && (quoted || text[at] != '>'); at++) {
		if (text[at] == '"')
			quoted = !quoted;
		else if (quoted && text[at] == '\\' && at + 1 < len)
			at++;
		else if (!quoted && (text[at] == ' ' || text[at] == '<'))
			return LMTP_BAD_SYNTAX;
	}
	if (at >= len || at - start >= sizeof(c->path) || !utf8_valid(text + start, at - start))
		return LMTP_BAD_SYNTAX;
	memcpy(c->path, text + start, at - start);
	c->path[at - start] = '\0';
	if (utf8_has_control(c->path, false))
		return LMTP_BAD_SYNTAX;
	return read_parameters(c, text + at + 1, len - at - 1);
}

void
lmtp_command_parse(const char *line, size_t len, struct lmtp_command *ret_command)
{
	struct lmtp_command c = { .verb = LMTP_UNKNOWN };
	size_t i = 0;

	while (i < ARRAY_LEN(verbs)
	       && !(begins(line, len, verbs[i].word) && (len == 4 || line[4] == ' ')))
		i++;
	if (i < ARRAY_LEN(verbs)) {
		size_t at = 4 + spaces(line + 4, len - 4);
		c.verb = verbs[i].verb;
		if (verbs[i].bare && at < len)
			c.fault = LMTP_BAD_SYNTAX;
		else if (c.verb == LMTP_MAIL)
			c.fault = read_path(&c, line + at, len - at, "FROM:");
		else if (c.verb == LMTP_RCPT)
			c.fault = read_path(&c, line + at, len - at, "TO:");
		else if (c.verb == LMTP_LHLO && at == len)
			c.fault = LMTP_BAD_SYNTAX;
	}
	if (c.fault == LMTP_FINE && c.verb == LMTP_RCPT && c.path[0] == '\0')
		c.fault = LMTP_BAD_SYNTAX;
	if (c.fault != LMTP_FINE)
		c.path[0] = '\0'; /* nobody is to use half of one */
	*ret_command = c;
}
