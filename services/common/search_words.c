/* Makes words of contacts, and queries of what is typed. */
#include "search_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "fold.h"
#include "number.h"
#include "utf8.h"

enum { DIGITS_MAX = 20, DIGITS_MIN = 4, SHORT_PHONE = 7, LAST_DIGITS = 4, NATIONAL = 10 };

struct words {
	char *out;
	size_t len, size;
};

/* Words of addresses that people write with and without their ending. */
static const struct {
	const char *written, *plain;
} plain_words[] = {
	{ "caddesi", "cadde" },
	{ "sokagi", "sokak" },
	{ "bulvari", "bulvar" },
	{ "mahalle", "mahallesi" },
	{ "apartmani", "apartman" },
};

static const char *
plain(const char *word, size_t *len)
{
	for (size_t i = 0; i < ARRAY_LEN(plain_words); i++)
		if (strlen(plain_words[i].written) == *len
		    && memcmp(plain_words[i].written, word, *len) == 0) {
			*len = strlen(plain_words[i].plain);
			return plain_words[i].plain;
		}
	return word;
}

/* A word that does not fit is left out, and so are all after it. */
static void
add_word(struct words *w, const char *word, size_t len)
{
	size_t keep = utf8_prefix_len(word, len, SEARCH_WORD_BYTES);

	if (keep == 0 || w->len + keep + 2 > w->size)
		return;
	if (w->len > 0)
		w->out[w->len++] = ' ';
	memcpy(w->out + w->len, word, keep);
	w->len += keep;
	w->out[w->len] = '\0';
}

static void
add_text(struct words *w, const char *text)
{
	char folded[SEARCH_TEXT_BYTES];

	if (text == NULL)
		return;
	/* What does not fit is not found. */
	(void)!fold_text(text, strlen(text), folded, sizeof(folded));
	for (const char *at = folded; *at != '\0';) {
		size_t len = strcspn(at, " "), kept = len;
		const char *word = plain(at, &kept);
		add_word(w, word, kept);
		at += len;
		at += strspn(at, " ");
	}
}

/* The digits of a text, at most DIGITS_MAX. */
static size_t
digits_of(const char *text, char out[DIGITS_MAX + 1])
{
	size_t len = 0;

	for (; text != NULL && *text != '\0' && len < DIGITS_MAX; text++)
		if (isdigit((unsigned char)*text))
			out[len++] = *text;
	out[len] = '\0';
	return len;
}

static void
add_phone(struct words *w, const char *phone)
{
	char digits[DIGITS_MAX + 1];
	size_t len = digits_of(phone, digits);

	add_word(w, digits, len);
	if (len > NATIONAL)
		add_word(w, digits + len - NATIONAL, NATIONAL);
	if (len > SHORT_PHONE)
		add_word(w, digits + len - SHORT_PHONE, SHORT_PHONE);
	if (len > LAST_DIGITS)
		add_word(w, digits + len - LAST_DIGITS, LAST_DIGITS);
}

static void
add_number(struct words *w, int64_t ticket_id)
{
	char number[NUMBER_SIZE], digits[DIGITS_MAX + 1];
	const char *serial;

	if (!number_format(ticket_id, number))
		return;
	add_word(w, digits, digits_of(number, digits));
	serial = strchr(number, '-') + 1;
	serial += strspn(serial, "0");
	add_word(w, serial, strcspn(serial, "-"));
}

void
search_words(const struct search_contact *c, char out[SEARCH_TEXT_BYTES])
{
	struct words w = { out, 0, SEARCH_TEXT_BYTES };
	char department[SEARCH_WORD_BYTES + 1];

	out[0] = '\0';
	if (c->department != NULL && c->department[0] != '\0') {
		int len = snprintf(department, sizeof(department), "d=%s", c->department);
		if (len > 0 && (size_t)len < sizeof(department))
			add_word(&w, department, (size_t)len);
	}
	add_number(&w, c->ticket_id);
	add_phone(&w, c->phone);
	add_text(&w, c->name);
	add_text(&w, c->address);
	add_text(&w, c->email);
	add_text(&w, c->description);
}

/* --- what is looked for ----------------------------------------------------------------------- */

/* Folded words hold no quote nor backslash, which are punctuation. */
static void
add_term(struct words *q, const char *word, size_t len, bool first)
{
	size_t keep = utf8_prefix_len(word, len, SEARCH_WORD_BYTES);
	/* One or two letters begin too much. */
	bool whole = keep <= 2 && !isdigit((unsigned char)word[0]);
	int written = snprintf(q->out + q->len, q->size - q->len, "%s'%.*s'%s", first ? "" : " & ",
	    (int)keep, word, whole ? "" : ":*");

	if (written > 0 && (size_t)written < q->size - q->len)
		q->len += (size_t)written;
	q->out[q->len] = '\0';
}

/* A number or a telephone, in parts or not: all its digits together, without the 0 or +90 that
 * everybody writes another way. */
static bool
as_digits(struct words *q, const char *typed)
{
	char digits[DIGITS_MAX + 1];
	const char *from = digits;
	size_t len = digits_of(typed, digits);

	if (len < DIGITS_MIN || typed[strspn(typed, "0123456789 +-()./")] != '\0')
		return false;
	if (len > NATIONAL && strncmp(from, "00", 2) == 0)
		from += 2;
	if (strlen(from) == NATIONAL + 2 && strncmp(from, "90", 2) == 0)
		from += 2;
	if (from[0] == '0' && from[1] != '0')
		from += 1;
	add_term(q, from, strlen(from), true);
	return true;
}

void
search_query(const char *typed, char out[SEARCH_QUERY_BYTES])
{
	struct words q = { out, 0, SEARCH_QUERY_BYTES };
	char folded[SEARCH_QUERY_BYTES];
	size_t count = 0;

	out[0] = '\0';
	if (as_digits(&q, typed))
		return;
	(void)!fold_text(typed, strlen(typed), folded, sizeof(folded));
	for (const char *at = folded; *at != '\0' && count < SEARCH_QUERY_WORDS; count++) {
		size_t len = strcspn(at, " "), kept = len;
		const char *word = plain(at, &kept);
		add_term(&q, word, kept, count == 0);
		at += len;
		at += strspn(at, " ");
	}
}

bool
search_query_within(
    const char *query, const char *const *departments, size_t count, char out[SEARCH_QUERY_BYTES])
{
	int len = snprintf(out, SEARCH_QUERY_BYTES, "%s & (", query);

	for (size_t i = 0; i < count; i++) {
		if (len < 0 || len >= SEARCH_QUERY_BYTES)
			return false;
		len += snprintf(out + len, (size_t)(SEARCH_QUERY_BYTES - len), "%s'd=%s'",
		    i == 0 ? "" : " | ", departments[i]);
	}
	if (len < 0 || len + 1 >= SEARCH_QUERY_BYTES || count == 0)
		return false;
	out[len] = ')';
	out[len + 1] = '\0';
	return true;
}
