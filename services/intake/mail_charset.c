/* Turns a mail's bytes into UTF-8. */
#include "mail_charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base.h"
#include "utf8.h"
#include "windows_text.h"

enum { REPLACEMENT = 0xfffd, CHARSET_NAME_MAX = 60, ICONV_STEP = 4096 };

struct text {
	char *at;
	size_t len, room;
	bool failed;
	bool after_cr;
};

static void
add(struct text *t, int32_t code)
{
	if (t->failed)
		return;
	if (t->len + UTF8_BYTES_MAX + 1 > t->room) {
		size_t room = t->room == 0 ? 256 : t->room * 2;
		char *grown = realloc(t->at, room);
		if (grown == NULL) {
			t->failed = true;
			return;
		}
		t->at = grown;
		t->room = room;
	}
	/* Line ends of every kind are one; what is no character of text is left out. */
	bool second = code == '\n' && t->after_cr;
	t->after_cr = code == '\r';
	if (code == '\r')
		code = '\n';
	if (second || (code < ' ' && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0)
	    || code == 0xfeff)
		return;
	t->len += utf8_put(code, t->at + t->len);
}

static char *
finish(struct text *t)
{
	if (t->failed || (t->at == NULL && (t->at = malloc(1)) == NULL)) {
		free(t->at);
		return NULL;
	}
	t->at[t->len] = '\0';
	return t->at;
}

/* Of bytes in UTF-8, wrong ones replaced. */
static char *
from_utf8(const char *bytes, size_t len)
{
	struct text t = { 0 };
	const char *at = bytes, *end = bytes + len;

	while (at < end) {
		int32_t code = utf8_next(&at, end);
		add(&t, code == UTF8_INVALID ? REPLACEMENT : code);
	}
	return finish(&t);
}

static char *
from_windows(const char *bytes, size_t len, bool is_turkish)
{
	struct text t = { 0 };

	for (size_t i = 0; i < len; i++) {
		int32_t code = windows_text_code((unsigned char)bytes[i], is_turkish);
		add(&t, code == 0 && bytes[i] != '\0' ? REPLACEMENT : code);
	}
	return finish(&t);
}

/* Counts what is and what is not UTF-8 beyond ASCII. */
static void
weigh(const char *bytes, size_t len, size_t *ret_right, size_t *ret_wrong)
{
	const char *at = bytes, *end = bytes + len;

	*ret_right = *ret_wrong = 0;
	while (at < end) {
		int32_t code = utf8_next(&at, end);
		*ret_right += code >= 0x80;
		*ret_wrong += code == UTF8_INVALID;
	}
}

/* A few wrong bytes do not make it another set: a mail may have been cut. */
static char *
from_any(const char *bytes, size_t len)
{
	size_t right, wrong;

	weigh(bytes, len, &right, &wrong);
	return wrong > right ? from_windows(bytes, len, true) : from_utf8(bytes, len);
}

static bool
has_turkish(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (windows_text_is_turkish((unsigned char)bytes[i]))
			return true;
	return false;
}

enum set { SET_ANY, SET_LATIN, SET_TURKISH, SET_OTHER };

static enum set
set_of(const char *charset)
{
	static const struct {
		const char *name;
		enum set set;
	} known[] = {
		{ "utf-8", SET_ANY },
		{ "utf8", SET_ANY },
		{ "us-ascii", SET_ANY },
		{ "ascii", SET_ANY },
		{ "unknown-8bit", SET_ANY },
		{ "x-unknown", SET_ANY },
		{ "default", SET_ANY },
		{ "", SET_ANY },
		{ "iso-8859-1", SET_LATIN },
		{ "iso8859-1", SET_LATIN },
		{ "iso_8859-1", SET_LATIN },
		{ "latin1", SET_LATIN },
		{ "windows-1252", SET_LATIN },
		{ "cp1252", SET_LATIN },
		{ "iso-8859-15", SET_LATIN },
		{ "iso-8859-9", SET_TURKISH },
		{ "iso8859-9", SET_TURKISH },
		{ "iso_8859-9", SET_TURKISH },
		{ "latin5", SET_TURKISH },
		{ "windows-1254", SET_TURKISH },
		{ "cp1254", SET_TURKISH },
		{ "x-cp1254", SET_TURKISH },
		{ "turkish", SET_TURKISH },
	};

	for (size_t i = 0; charset != NULL && i < ARRAY_LEN(known); i++)
		if (strcasecmp(known[i].name, charset) == 0)
			return known[i].set;
	return charset == NULL ? SET_ANY : SET_OTHER;
}

/* Any other set, by iconv, which must know it.  NULL: it does not, or memory ran out. */
static char *
from_other(const char *bytes, size_t len, const char *charset)
{
	char out[ICONV_STEP];
	struct text t = { 0 };
	iconv_t cd = strlen(charset) > CHARSET_NAME_MAX ? (iconv_t)-1
							: iconv_open("UTF-8", charset);

	if (cd == (iconv_t)-1)
		return NULL;
	while (len > 0) {
		char *to = out, *from;
		size_t room = sizeof(out), before = len;
		memcpy(&from, &bytes, sizeof(from)); /* iconv does not write there */
		size_t done = iconv(cd, &from, &len, &to, &room);
		int why = errno;
		bytes = from;
		for (const char *at = out; at < to;)
			add(&t, utf8_next(&at, to));
		if (done == (size_t)-1 && why != E2BIG) {
			add(&t, REPLACEMENT);
			if (why == EINVAL)
				break; /* cut in a character */
			bytes++;
			len--;
		} else if (len == before && to == out) {
			break;
		}
	}
	iconv_close(cd);
	return finish(&t);
}

char *
mail_charset_decode(const char *bytes, size_t len, const char *charset)
{
	enum set set = set_of(charset);
	size_t right, wrong;
	char *text;

	if (set == SET_OTHER) {
		text = from_other(bytes, len, charset);
		return text != NULL ? text : from_any(bytes, len);
	}
	if (set == SET_ANY)
		return from_any(bytes, len);
	weigh(bytes, len, &right, &wrong);
	if (right > 0 && wrong == 0)
		return from_utf8(bytes, len);
	return from_windows(bytes, len, set == SET_TURKISH || has_turkish(bytes, len));
}
