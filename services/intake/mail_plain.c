/* Takes the text out of HTML. */
#include "mail_plain.h"

#include <libxml/HTMLparser.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base.h"
#include "utf8.h"

enum { NAME_BYTES = 16, ENTITY_BYTES = 12, BREAKS_MAX = 2 };

struct text {
	FILE *out;
	unsigned breaks; /* line ends owed before the next word */
	bool space; /* a space is */
	bool begun;
};

static void
put(struct text *t, const char *bytes, size_t len)
{
	for (; t->begun && t->breaks > 0; t->breaks--)
		fputc('\n', t->out);
	if (t->begun && t->space)
		fputc(' ', t->out);
	t->breaks = 0;
	t->space = false;
	t->begun = true;
	fwrite(bytes, 1, len, t->out);
}

/* At least so many line ends before the next word. */
static void
want_breaks(struct text *t, unsigned lines)
{
	if (t->breaks < lines)
		t->breaks = lines;
	t->space = false;
}

static const char *
find_end(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);

	for (; (size_t)(end - at) >= len; at++)
		if (strncasecmp(at, word, len) == 0)
			return at + len;
	return end;
}

/* Behind the tag that ends an element of such a name: "</NAME" and what no longer belongs to it. */
static const char *
find_closing(const char *at, const char *end, const char *name)
{
	size_t len = strlen(name);

	while ((at = find_end(at, end, "</")) < end) {
		if ((size_t)(end - at) <= len || strncasecmp(at, name, len) != 0)
			continue;
		if (at[len] == '>' || strchr(" \t\n/", at[len]) != NULL)
			return find_end(at + len, end, ">");
	}
	return end;
}

/* What these hold is no text.  A head need not be closed, and holds no other text than theirs. */
static const char *const hidden[] = { "style", "script", "title" };
/* What begins and ends a line, and how many line ends stand around it. */
static const struct {
	const char *name;
	unsigned lines;
} blocks[] = {
	{ "p", 2 },
	{ "div", 1 },
	{ "tr", 1 },
	{ "li", 1 },
	{ "table", 1 },
	{ "blockquote", 1 },
	{ "hr", 1 },
	{ "h1", 2 },
	{ "h2", 2 },
	{ "h3", 2 },
};

/* at: behind '<'.  Returns what is behind the tag, or behind what the tag hides. */
static const char *
take_tag(struct text *t, const char *at, const char *end)
{
	char name[NAME_BYTES];
	size_t len = 0;
	char quote = '\0';

	if (end - at >= 3 && memcmp(at, "!--", 3) == 0)
		return find_end(at + 3, end, "-->");
	bool closes = at < end && *at == '/';
	at += closes;
	while (at + len < end && len < sizeof(name) - 1 && at[len] != '>' && at[len] != ' '
	       && at[len] != '/' && at[len] != '\n' && at[len] != '\t')
		len++;
	memcpy(name, at, len);
	name[len] = '\0';
	for (at += len; at < end && (quote != '\0' || *at != '>'); at++) {
		if (quote == *at)
			quote = '\0';
		else if (quote == '\0' && (*at == '"' || *at == '\''))
			quote = *at;
	}
	at += at < end;
	for (size_t i = 0; !closes && i < ARRAY_LEN(hidden); i++)
		if (strcasecmp(name, hidden[i]) == 0)
			return find_closing(at, end, hidden[i]);
	if (strcasecmp(name, "br") == 0)
		want_breaks(t, t->breaks < BREAKS_MAX ? t->breaks + 1 : BREAKS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (strcasecmp(name, blocks[i].name) == 0)
			want_breaks(t, blocks[i].lines);
	return at;
}

/* Turkish letters that HTML 4 has no name for. */
static const struct {
	const char *name;
	int32_t code;
} letters[] = {
	{ "gbreve", 0x11f },
	{ "Gbreve", 0x11e },
	{ "scedil", 0x15f },
	{ "Scedil", 0x15e },
	{ "imath", 0x131 },
	{ "inodot", 0x131 },
	{ "Idot", 0x130 },
	{ "apos", '\'' },
};

static int32_t
entity_code(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (strcmp(name, letters[i].name) == 0)
			return letters[i].code;
	if (name[0] == '#') {
		bool hex = (name[1] | 0x20) == 'x';
		const char *digits = name + (hex ? 2 : 1);
		if (strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits)
		    || digits[0] == '\0')
			return -1;
		return (int32_t)strtol(digits, NULL, hex ? 16 : 10);
	}
	const htmlEntityDesc *known = htmlEntityLookup((const xmlChar *)name);
	return known == NULL ? -1 : (int32_t)known->value;
}

/* at: behind '&'.  Returns what is behind the entity, or at itself when it is none. */
static const char *
take_entity(struct text *t, const char *at, const char *end)
{
	char name[ENTITY_BYTES], bytes[UTF8_BYTES_MAX];
	size_t len = 0;

	while (at + len < end && len < sizeof(name) - 1 && at[len] != ';' && at[len] != '&'
	       && at[len] != ' ' && at[len] != '<')
		len++;
	if (at + len == end || at[len] != ';')
		return at;
	memcpy(name, at, len);
	name[len] = '\0';
	int32_t code = entity_code(name);
	bool surrogate = code >= 0xd800 && code < 0xe000;
	if (code < ' ' || (code >= 0x7f && code < 0xa0) || code > 0x10ffff || surrogate)
		return code < 0 ? at : at + len + 1;
	if (code == 0xa0)
		t->space = true;
	else
		put(t, bytes, utf8_put(code, bytes));
	return at + len + 1;
}

char *
mail_plain_text(const char *html, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;
	const char *at = html, *end = html + len;
	struct text t = { .out = open_memstream(&text, &text_len) };

	if (t.out == NULL)
		return NULL;
	while (at < end) {
		char c = *at++;
		if (c == '<') {
			at = take_tag(&t, at, end);
		} else if (c == ' ' || c == '\n' || c == '\t') {
			t.space = t.breaks == 0;
		} else if (c == '&') {
			const char *behind = take_entity(&t, at, end);
			if (behind == at)
				put(&t, "&", 1);
			at = behind;
		} else {
			put(&t, &c, 1);
		}
	}
	bool failed = ferror(t.out) != 0;
	if (fclose(t.out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}
