/* Finds the street in an address. */
#include "street.h"

#include <string.h>

#include "fold.h"

enum { NAME_WORDS_MAX = 5, WORDS_MAX = 64 };

struct words {
	char text[STREET_ADDRESS_BYTES];
	const char *at[WORDS_MAX];
	size_t count;
};

/* A word begins a street's kind in all its endings: sokak, sokağı; cadde, caddesi; bulvar, bulvarı.
 */
static const char *
kind_of_street(const char *word)
{
	static const struct {
		const char *begins, *is;
	} kinds[] = { { "sokak", "sokak" }, { "sokag", "sokak" }, { "cadde", "cadde" },
		{ "bulvar", "bulvar" } };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(word, kinds[i].begins, strlen(kinds[i].begins)) == 0)
			return kinds[i].is;
	return NULL;
}

static bool
split(const char *address, struct words *w)
{
	w->count = 0;
	if (!fold_text(address, strlen(address), w->text, sizeof(w->text)))
		return false;
	for (char *at = w->text; *at != '\0' && w->count < WORDS_MAX;) {
		w->at[w->count++] = at;
		at += strcspn(at, " ");
		if (*at == ' ')
			*at++ = '\0';
	}
	return true;
}

static bool
is_number(const char *word)
{
	return word[0] >= '0' && word[0] <= '9' && strlen(word) < STREET_NUMBER_SIZE;
}

/* The words [from, kind) and the kind.  False: there are none, or too much. */
static bool
name_street(const struct words *w, size_t from, size_t kind, char out[STREET_NAME_SIZE])
{
	size_t used = 0;

	if (kind == from || kind - from > NAME_WORDS_MAX)
		return false;
	for (size_t i = from; i <= kind; i++) {
		const char *word = i == kind ? kind_of_street(w->at[i]) : w->at[i];
		size_t len = strlen(word);
		if (used + len + 2 > STREET_NAME_SIZE)
			return false;
		if (i > from)
			out[used++] = ' ';
		memcpy(out + used, word, len);
		used += len;
	}
	out[used] = '\0';
	return true;
}

static void
find_number(const struct words *w, size_t from, char out[STREET_NUMBER_SIZE])
{
	static const char *const passed[] = { "no", "numara", "kapi", "nr" };

	out[0] = '\0';
	for (size_t i = from; i < w->count && i < from + 3; i++) {
		bool pass = false;
		if (is_number(w->at[i])) {
			memcpy(out, w->at[i], strlen(w->at[i]) + 1);
			return;
		}
		for (size_t k = 0; k < ARRAY_LEN(passed); k++)
			pass = pass || strcmp(w->at[i], passed[k]) == 0;
		if (!pass)
			return;
	}
}

bool
street_of_address(const char *address, struct street *ret_street)
{
	struct words w;
	size_t from = 0;

	if (!split(address, &w))
		return false;
	for (size_t i = 0; i < w.count; i++) {
		if (strncmp(w.at[i], "mahalle", 7) == 0) {
			from = i + 1;
		} else if (kind_of_street(w.at[i]) != NULL) {
			struct street found;
			if (!name_street(&w, from, i, found.name)) {
				from = i + 1;
				continue;
			}
			find_number(&w, i + 1, found.number);
			*ret_street = found;
			return true;
		}
	}
	return false;
}
