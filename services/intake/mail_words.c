/* Decodes headers of mails. */
#include "mail_words.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail_charset.h"

enum {
	CHARSET_BYTES = 64,
	/* Several times what is kept of any header (mail_letter.h). */
	VALUE_BYTES = 8 * 1024
};

/* Bytes that are decoded together, and what they are labelled as. */
struct run {
	char *bytes;
	size_t len, room;
	char charset[CHARSET_BYTES];
	bool encoded;
	bool failed;
	FILE *out;
};

static void
flush(struct run *r)
{
	if (r->len > 0 && !r->failed) {
		char *text = mail_charset_decode(
		    r->bytes, r->len, r->encoded && r->charset[0] != '\0' ? r->charset : NULL);
		if (text == NULL || fputs(text, r->out) == EOF)
			r->failed = true;
		free(text);
	}
	r->len = 0;
}

static void
add(struct run *r, char c)
{
	if (r->len == r->room) {
		size_t room = r->room == 0 ? 128 : r->room * 2;
		char *grown = realloc(r->bytes, room);
		if (grown == NULL) {
			r->failed = true;
			return;
		}
		r->bytes = grown;
		r->room = room;
	}
	r->bytes[r->len++] = c;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
add_quoted(struct run *r, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at == '_') {
			add(r, ' ');
		} else if (*at == '=' && end - at > 2 && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
			add(r, (char)(hex(at[1]) << 4 | hex(at[2])));
			at += 2;
		} else {
			add(r, *at);
		}
	}
}

static void
add_base64(struct run *r, const char *at, const char *end)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned held = 0, bits = 0;

	for (; at < end; at++) {
		const char *digit = *at == '\0' ? NULL : strchr(digits, *at);
		if (digit == NULL)
			continue; /* padding, a space, or nothing that means anything */
		held = (held << 6 | (unsigned)(digit - digits)) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			add(r, (char)(held >> bits & 0xff));
		}
	}
}

struct word {
	const char *charset, *charset_end;
	char how; /* q or b */
	const char *text, *end; /* end: of the text; two bytes further the word is over */
};

/* The first "?=" at `at` or behind it; end: none.  known: the last answer, for it stays good until
 * it is passed: so that a value full of words that do not end is read once and not once for each.
 */
static const char *
find_word_end(const char *at, const char *end, const char **known)
{
	if (*known != NULL && *known >= at)
		return *known;
	while (end - at >= 2 && (at[0] != '?' || at[1] != '='))
		at++;
	*known = end - at >= 2 ? at : end;
	return *known;
}

/* "=?charset*language?Q?text?=" at `at`.  RFC 2047 allows 75 bytes, and many a form's script puts a
 * whole subject into one word: the value's length is the bound. */
static bool
read_word(const char *at, const char *end, const char **known, struct word *ret)
{
	struct word w;

	if (end - at < 8 || at[0] != '=' || at[1] != '?')
		return false;
	w.charset = at + 2;
	size_t near = (size_t)(end - w.charset);
	const char *mark = memchr(w.charset, '?', near < CHARSET_BYTES ? near : CHARSET_BYTES);
	if (mark == NULL || mark == w.charset || end - mark < 5 || mark[2] != '?')
		return false;
	const char *star = memchr(w.charset, '*', (size_t)(mark - w.charset));
	w.charset_end = star == NULL ? mark : star;
	w.how = (char)(mark[1] | 0x20);
	w.text = mark + 3;
	if (w.how != 'q' && w.how != 'b')
		return false;
	w.end = find_word_end(w.text, end, known);
	if (w.end == end)
		return false;
	*ret = w;
	return true;
}

/* The word's bytes go to the run, after what is labelled otherwise has left it. */
static void
take_word(struct run *r, const struct word *w)
{
	size_t charset_len = (size_t)(w->charset_end - w->charset);
	bool same = r->encoded && strlen(r->charset) == charset_len
		    && memcmp(r->charset, w->charset, charset_len) == 0;

	if (!same)
		flush(r);
	r->encoded = true;
	memcpy(r->charset, w->charset, charset_len);
	r->charset[charset_len] = '\0';
	if (w->how == 'q')
		add_quoted(r, w->text, w->end);
	else
		add_base64(r, w->text, w->end);
}

static void
decode(struct run *r, const char *at, const char *end)
{
	const char *known = NULL;
	struct word w;

	while (at < end && !r->failed) {
		if (read_word(at, end, &known, &w)) {
			take_word(r, &w);
			at = w.end + 2;
			/* Space between two words is there for the line's length alone. */
			const char *next = at;
			while (next < end && strchr(" \t\r\n", *next) != NULL && *next != '\0')
				next++;
			if (next < end && read_word(next, end, &known, &w))
				at = next;
			continue;
		}
		if (r->encoded)
			flush(r);
		r->encoded = false;
		add(r, *at++);
	}
	flush(r);
}

/* In place: runs of space become one, none at the ends. */
static void
collapse(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; at++) {
		bool space = *at == ' ' || *at == '\t' || *at == '\n';
		if (space && (to == text || to[-1] == ' '))
			continue;
		*to++ = space ? ' ' : *at;
	}
	if (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
}

char *
mail_words_decode(const char *value, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;
	struct run r = { .out = open_memstream(&text, &text_len) };

	if (r.out == NULL)
		return NULL;
	decode(&r, value, value + (len < VALUE_BYTES ? len : VALUE_BYTES));
	bool failed = ferror(r.out) != 0 || r.failed;
	free(r.bytes);
	if (fclose(r.out) != 0 || failed) {
		free(text);
		return NULL;
	}
	collapse(text);
	return text;
}
