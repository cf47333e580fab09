/* Every subject by its group, or those that a few words find. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "fold.h"
#include "html.h"
#include "report_page.h"

enum { WORDS_BYTES = 2048, SUBJECTS_MAX = 5000 }; /* as many as a catalogue takes */

/* What a subject can be found by, folded: its names, keywords and descriptions, a space around each
 * word. */
static void
words_of(const struct catalogue_subject *s, char ret_words[WORDS_BYTES])
{
	const char *const parts[] = { s->name.in[CATALOGUE_TR], s->name.in[CATALOGUE_EN],
		s->keywords, s->group.in[CATALOGUE_TR], s->group.in[CATALOGUE_EN],
		s->description.in[CATALOGUE_TR], s->description.in[CATALOGUE_EN] };
	char text[WORDS_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		int n = snprintf(
		    text + len, sizeof(text) - len, "%s ", parts[i] == NULL ? "" : parts[i]);
		if (n < 0 || (size_t)n >= sizeof(text) - len)
			break;
		len += (size_t)n;
	}
	ret_words[0] = ' ';
	(void)!fold_text(
	    text, len, ret_words + 1, WORDS_BYTES - 1); /* its beginning finds it, too */
}

/* Every word that was typed begins one of the subject's. */
static bool
is_found(const char *words, const char *typed)
{
	char word[WORDS_BYTES] = " ";

	while (*typed != '\0') {
		size_t len = strcspn(typed, " ");
		if (len > 0 && len < sizeof(word) - 2) {
			memcpy(word + 1, typed, len);
			word[1 + len] = '\0';
			if (strstr(words, word) == NULL)
				return false;
		}
		typed += len + (typed[len] == ' ');
	}
	return true;
}

struct search {
	const struct catalogue *cat;
	char typed[256]; /* folded; "" when nothing was asked */
	bool found[SUBJECTS_MAX];
	size_t count;
};

static void
search(struct search *s, const struct catalogue *cat, const char *query)
{
	char words[WORDS_BYTES];

	assert(cat->subject_count <= SUBJECTS_MAX);
	s->cat = cat;
	s->count = 0;
	s->typed[0] = '\0';
	if (query != NULL)
		(void)!fold_text(query, strlen(query), s->typed, sizeof(s->typed));
	for (size_t i = 0; i < cat->subject_count; i++) {
		words_of(&cat->subjects[i], words);
		s->found[i] = is_found(words, s->typed);
		s->count += s->found[i];
	}
}

/* --- writing ------------------------------------------------------------------------------------
 */

static bool
first_of_group(const struct search *s, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (s->found[i]
		    && catalogue_same_group(&s->cat->subjects[i], &s->cat->subjects[index]))
			return false;
	return s->found[index];
}

static void
write_search(struct html *h, const char *query)
{
	html_raw(h, "<form class=\"search\" role=\"search\" method=\"get\" action=\"/report\">\n"
		    "<input type=\"hidden\" name=\"lang\" value=\"");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n<label>");
	html_text(h, html_say(h, "Konu arayın", "Search for a subject"));
	html_raw(h, "<input type=\"search\" name=\"q\" maxlength=\"100\" autocomplete=\"off\" "
		    "placeholder=\"");
	html_text(
	    h, html_say(h, "çöp, kaldırım, sokak köpeği …", "rubbish, pavement, stray dog …"));
	html_raw(h, "\" value=\"");
	html_text(h, query);
	html_raw(h, "\"></label>\n<button>");
	html_text(h, html_say(h, "Ara", "Search"));
	html_raw(h, "</button>\n</form>\n");
}

static void
write_subject(struct html *h, const struct catalogue_subject *s)
{
	char words[WORDS_BYTES];

	words_of(s, words);
	html_raw(h, "<li data-words=\"");
	html_text(h, words);
	html_raw(h, "\"><a href=\"/report?subject=");
	html_text(h, s->code);
	html_raw(h, h->language == CATALOGUE_EN ? "&amp;lang=en\">" : "&amp;lang=tr\">");
	html_text(h, catalogue_say(&s->name, h->language));
	html_raw(h, "</a></li>\n");
}

static void
write_group(struct html *h, const struct search *s, size_t first)
{

	html_raw(h, "<section>\n");
	html_element(h, "h2", NULL, catalogue_say(&s->cat->subjects[first].group, h->language));
	html_raw(h, "<ul class=\"subjects\">\n");
	for (size_t i = first; i < s->cat->subject_count; i++)
		if (s->found[i]
		    && catalogue_same_group(&s->cat->subjects[i], &s->cat->subjects[first]))
			write_subject(h, &s->cat->subjects[i]);
	html_raw(h, "</ul>\n</section>\n");
}

/* The script says the same as people type; it finds the two sentences here. */
static void
write_count(struct html *h, const struct search *s)
{
	char count[48];

	(void)snprintf(count, sizeof(count),
	    h->language == CATALOGUE_EN ? "Found: %zu." : "Bulunan konu: %zu.", s->count);
	html_raw(h, "<p class=\"hint\" id=\"found\" role=\"status\" data-found=\"");
	html_text(h, html_say(h, "Bulunan konu: #.", "Found: #."));
	html_raw(h, "\" data-none=\"");
	html_text(h, html_say(h, "Böyle bir konu bulunamadı; başka bir sözcük deneyin.",
			 "No such subject was found; try another word."));
	html_raw(h, "\">");
	if (s->typed[0] != '\0')
		html_text(h, s->count > 0
				 ? count
				 : html_say(h, "Böyle bir konu bulunamadı; aşağıda hepsi var.",
				     "No such subject was found; all are below."));
	html_raw(h, "</p>\n");
}

void
report_page_subjects(
    struct html *h, const struct catalogue *cat, const char *query, const char *complaint)
{
	struct search s;

	search(&s, cat, query);
	if (complaint != NULL)
		html_complaint(h, complaint);
	html_element(h, "p", NULL,
	    html_say(h, "Konuyu seçin; sonra birkaç soru soracağız.",
		"Choose the subject; a few questions follow."));
	write_search(h, query);
	write_count(h, &s);
	if (s.count == 0)
		memset(s.found, true, sizeof(s.found));
	html_raw(h, "<div id=\"subjects\">\n");
	for (size_t i = 0; i < cat->subject_count; i++)
		if (first_of_group(&s, i))
			write_group(h, &s, i);
	html_raw(h, "</div>\n");
	report_page_script(h);
}
