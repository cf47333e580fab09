/* Compares folded words: a keyword counts more than a word of the subject's name, and Turkish
 * endings do not matter, for a word is compared by how it begins. */
#include "desk_suggest.h"

#include <stdlib.h>
#include <string.h>

#include "fold.h"

enum { TEXT_BYTES = 4096, NAME_POINTS = 1, KEYWORD_POINTS = 3, STEM_BYTES_MIN = 4, STEM_BYTES = 6 };

struct suggest {
	const struct catalogue *cat;
	char **names; /* by subject, folded: " cop toplanmadi" */
	char **keywords; /* by subject, folded, one after another */
};

static char *
folded(const char *text)
{
	char out[TEXT_BYTES];

	(void)!fold_text(text, strlen(text), out, sizeof(out));
	return strdup(out);
}

void
suggest_destroy(struct suggest *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->names != NULL && i < s->cat->subject_count; i++)
		free(s->names[i]);
	for (size_t i = 0; s->keywords != NULL && i < s->cat->subject_count; i++)
		free(s->keywords[i]);
	free(s->names);
	free(s->keywords);
	free(s);
}

struct suggest *
suggest_create(const struct catalogue *cat)
{
	struct suggest *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cat = cat;
	s->names = calloc(cat->subject_count + 1, sizeof(*s->names));
	s->keywords = calloc(cat->subject_count + 1, sizeof(*s->keywords));
	bool ok = s->names != NULL && s->keywords != NULL;
	for (size_t i = 0; ok && i < cat->subject_count; i++) {
		s->names[i] = folded(cat->subjects[i].name.in[CATALOGUE_TR]);
		s->keywords[i] = folded(cat->subjects[i].keywords);
		ok = s->names[i] != NULL && s->keywords[i] != NULL;
	}
	if (ok)
		return s;
	suggest_destroy(s);
	return NULL;
}

/* A word of the text begins as this word does.  text begins with a space. */
static bool
has_stem(const char *text, const char *word, size_t len)
{
	char stem[STEM_BYTES + 2] = " ";
	size_t keep = len <= STEM_BYTES_MIN ? len : len - 1;

	/* The last letter changes with the ending: kırık, kırıldı; kapak, kapağı. */
	if (keep > STEM_BYTES)
		keep = STEM_BYTES;
	memcpy(stem + 1, word, keep);
	stem[keep + 1] = '\0';
	return strstr(text, stem) != NULL;
}

static int
points(const char *text, const char *words, int each, size_t shortest)
{
	int sum = 0;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		if (len >= shortest && has_stem(text, words, len))
			sum += each;
		words += len;
		words += strspn(words, " ");
	}
	return sum;
}

size_t
suggest_subjects(const struct suggest *s, const char *text,
    const struct catalogue_subject *ret_subjects[DESK_SUGGESTIONS])
{
	char in[TEXT_BYTES + 1] = " ";
	int best[DESK_SUGGESTIONS] = { 0 };
	size_t found = 0;

	(void)!fold_text(text, strlen(text), in + 1, sizeof(in) - 1);
	for (size_t i = 0; i < s->cat->subject_count; i++) {
		int score = points(in, s->names[i], NAME_POINTS, STEM_BYTES_MIN)
			    + points(in, s->keywords[i], KEYWORD_POINTS, STEM_BYTES_MIN - 1);
		if (score < KEYWORD_POINTS)
			continue;
		size_t at = found < DESK_SUGGESTIONS ? found++ : DESK_SUGGESTIONS - 1;
		if (best[at] >= score)
			continue;
		for (; at > 0 && best[at - 1] < score; at--) {
			best[at] = best[at - 1];
			ret_subjects[at] = ret_subjects[at - 1];
		}
		best[at] = score;
		ret_subjects[at] = &s->cat->subjects[i];
	}
	return found;
}
