/* Writes the ladder for people and for programs. */
#include "satisfaction_page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "html.h"
#include "month.h"
#include "wilson.h"

enum { NUMBER_BYTES = 32, SHARE_BYTES = 112 };

/* --- JSON ------------------------------------------------------------------------------------- */

static json_t *
share_json(const struct ladder *l)
{
	struct wilson w;

	if (!wilson_interval(l->steps[LADDER_SATISFIED], l->steps[LADDER_ANSWERED], &w))
		return json_null();
	return json_pack("{s:f,s:f,s:f,s:f}", "share", w.share, "low", w.low, "high", w.high,
	    "confidence", 0.95);
}

static json_t *
month_json(const struct ladder *l)
{
	json_t *month = json_object(), *rest = json_object();
	char name[16];

	(void)snprintf(name, sizeof(name), "%04d-%02d", l->month / 100, l->month % 100);
	(void)json_object_set_new(month, "month", json_string(name));
	for (int i = 0; i < LADDER_STEPS; i++)
		(void)json_object_set_new(month, ladder_step_name((enum ladder_step)i),
		    json_integer((json_int_t)l->steps[i]));
	for (int i = 0; i < LADDER_RESTS; i++)
		(void)json_object_set_new(rest, ladder_rest_name((enum ladder_rest)i),
		    json_integer((json_int_t)l->rests[i]));
	(void)json_object_set_new(month, "not_eligible", rest);
	(void)json_object_set_new(month, "not_solved", json_integer((json_int_t)l->not_solved));
	(void)json_object_set_new(month, "satisfaction", share_json(l));
	return month;
}

json_t *
satisfaction_json(const struct ladder *months, size_t count, int64_t read_us)
{
	static const char *const languages[CATALOGUE_LANGUAGES] = { "tr", "en" };
	json_t *list = json_array(), *definitions = json_object();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, month_json(&months[i]));
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++) {
		enum catalogue_language language = (enum catalogue_language)l;
		json_t *words = json_object();
		for (int i = 0; i < LADDER_STEPS; i++)
			(void)json_object_set_new(words, ladder_step_name((enum ladder_step)i),
			    json_string(ladder_step_definition((enum ladder_step)i, language)));
		(void)json_object_set_new(
		    words, "satisfaction", json_string(ladder_share_definition(language)));
		(void)json_object_set_new(definitions, languages[l], words);
	}
	return json_pack("{s:I,s:o,s:o}", "read_us", (json_int_t)read_us, "months", list,
	    "definitions", definitions);
}

/* --- the page --------------------------------------------------------------------------------- */

/* 11651 as "11.651" or "11,651". */
static void
number_text(const struct html *h, int64_t value, char out[NUMBER_BYTES])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, value);
	int used = 0;

	for (int i = 0; i < len && used < NUMBER_BYTES - 2; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[used++] = h->language == CATALOGUE_EN ? ',' : '.';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

static void
percent_text(const struct html *h, double share, char out[NUMBER_BYTES])
{
	int tenths = (int)lround(share * 1000);

	if (h->language == CATALOGUE_EN)
		(void)snprintf(out, NUMBER_BYTES, "%d.%d%%", tenths / 10, tenths % 10);
	else
		(void)snprintf(out, NUMBER_BYTES, "%%%d,%d", tenths / 10, tenths % 10);
}

/* "%95,3 (%94,6 – %95,9)"; false: nobody answered. */
static bool
share_text(const struct html *h, const struct ladder *l, char out[SHARE_BYTES])
{
	char share[NUMBER_BYTES], low[NUMBER_BYTES], high[NUMBER_BYTES];
	struct wilson w;

	if (!wilson_interval(l->steps[LADDER_SATISFIED], l->steps[LADDER_ANSWERED], &w))
		return false;
	percent_text(h, w.share, share);
	percent_text(h, w.low, low);
	percent_text(h, w.high, high);
	(void)snprintf(out, SHARE_BYTES, "%s (%s – %s)", share, low, high);
	return true;
}

/* One month: its steps with a bar of each as part of the ended, and the share below. */
static void
month_section(struct html *h, const struct ladder *l)
{
	char month[NUMBER_BYTES], number[NUMBER_BYTES], share[SHARE_BYTES], markup[160];
	int64_t most = l->steps[LADDER_ENDED] > 0 ? l->steps[LADDER_ENDED] : 1;

	month_title(l->month, (int)h->language, month, sizeof(month));
	html_raw(h, "<section>\n");
	html_element(h, "h2", NULL, month);
	html_raw(h, "<p class=\"share\">");
	html_text(h, html_say(h, "Memnuniyet: ", "Satisfaction: "));
	html_raw(h, "<b>");
	html_text(
	    h, share_text(h, l, share) ? share : html_say(h, "henüz yanıt yok", "no answers yet"));
	html_raw(h, "</b></p>\n<dl>\n");
	for (int i = 0; i < LADDER_STEPS; i++) {
		number_text(h, l->steps[i], number);
		html_raw(h, "<div><dt>");
		html_text(h, ladder_step_title((enum ladder_step)i, h->language));
		html_raw(h, "</dt><dd>");
		/* A drawing of what the number says. */
		(void)snprintf(markup, sizeof(markup),
		    "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
		    "aria-hidden=\"true\">"
		    "<rect width=\"%d\" height=\"10\"/></svg>",
		    (int)(l->steps[i] * 1000 / most));
		html_raw(h, markup);
		html_raw(h, "<b>");
		html_text(h, number);
		html_raw(h, "</b></dd></div>\n");
	}
	html_raw(h, "</dl>\n<p class=\"rest\">");
	number_text(h, l->not_solved, number);
	html_text(h, html_say(h, "Çözülmedi diyen: ", "Said it is not solved: "));
	html_text(h, number);
	for (int i = 0; i < LADDER_RESTS; i++) {
		if (l->rests[i] == 0)
			continue;
		number_text(h, l->rests[i], number);
		html_text(h, " · ");
		html_text(h, ladder_rest_title((enum ladder_rest)i, h->language));
		html_text(h, ": ");
		html_text(h, number);
	}
	html_raw(h, "</p>\n</section>\n");
}

void
satisfaction_page(struct html *h, const struct ladder *months, size_t count, int64_t read_us)
{
	html_raw(h, "<p class=\"hint\">");
	html_text(h, html_say(h, "Kayıttan okunduğu an: ", "Read from the record: "));
	html_time(h, read_us, true);
	html_raw(h, "</p>\n<div class=\"months\">\n");
	for (size_t i = 0; i < count; i++)
		month_section(h, &months[i]);
	html_raw(h, "</div>\n");
	if (count == 0)
		html_element(h, "p", NULL,
		    html_say(h, "Henüz sonuçlanan başvuru yok.", "No ticket has ended yet."));
	html_element(h, "h2", NULL, html_say(h, "Ne sayılıyor?", "What is counted"));
	html_raw(h, "<dl class=\"words\">\n");
	for (int i = 0; i < LADDER_STEPS; i++) {
		html_element(h, "dt", NULL, ladder_step_title((enum ladder_step)i, h->language));
		html_element(
		    h, "dd", NULL, ladder_step_definition((enum ladder_step)i, h->language));
	}
	html_element(h, "dt", NULL, html_say(h, "Oran ve aralık", "Share and range"));
	html_element(h, "dd", NULL, ladder_share_definition(h->language));
	html_raw(h, "</dl>\n");
}
