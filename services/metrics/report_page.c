/* Lays the report out as a page. */
#include "report_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chart_files.h"
#include "html.h"
#include "table_page.h"

enum { HOURS = 24, WEEKDAYS = 7, HEATS = 8, BAR_WIDTH = 1000, MARKUP_BYTES = 256 };

/* --- small parts ------------------------------------------------------------------------------ */

static void
add_number(struct html *h, const char *class, enum report_kind kind, struct report_value value)
{
	char text[REPORT_TEXT_SIZE], markup[MARKUP_BYTES];

	(void)snprintf(markup, sizeof(markup), "<td class=\"%s\" data-value=\"%" PRId64 "\">",
	    class, value.known ? value.value : 0);
	html_raw(h, markup);
	report_format(h->language, kind, value, text);
	html_text(h, text);
	html_raw(h, "</td>");
}

/* A former figure, and how far this month is from it. */
static void
add_former(
    struct html *h, const struct report *r, const struct report_line *line, enum report_when when)
{
	char text[REPORT_TEXT_SIZE];

	html_raw(h, "<td class=\"then\">");
	report_format(h->language, line->kind, line->in[when], text);
	html_text(h, text);
	report_change(
	    h->language, line->kind, line->in[REPORT_NOW], report_compared(r, line, when), text);
	if (text[0] != '\0') {
		html_raw(h, " <small>");
		html_text(h, text);
		html_raw(h, "</small>");
	}
	html_raw(h, "</td>");
}

static void
add_heading(struct html *h, const char *scope, const char *class, const char *text)
{
	html_raw(h, "<th scope=\"");
	html_raw(h, scope);
	html_raw(h, "\" class=\"");
	html_raw(h, class);
	html_raw(h, "\">");
	html_text(h, text);
	html_raw(h, "</th>");
}

static void
add_month_headings(struct html *h, const struct report *r)
{
	static const char *const classes[REPORT_WHENS] = { "number", "then", "then" };
	char title[REPORT_TEXT_SIZE];

	for (int when = 0; when < REPORT_WHENS; when++) {
		report_month_title(r, (enum report_when)when, title);
		add_heading(h, "col", classes[when], title);
	}
}

/* A drawing of what the number beside it says. */
static void
add_bar(struct html *h, int64_t value, int64_t most)
{
	char markup[MARKUP_BYTES];

	(void)snprintf(markup, sizeof(markup),
	    "<svg viewBox=\"0 0 %d 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	    "<rect width=\"%d\" height=\"10\"/></svg>",
	    BAR_WIDTH, most <= 0 ? 0 : (int)(value * BAR_WIDTH / most));
	html_raw(h, markup);
}

/* Where charts.js draws; nothing is seen of it until it does. */
static void
add_chart(struct html *h, const char *kind, const char *name, const char *title)
{
	html_raw(h, "<figure class=\"chart\" data-chart=\"");
	html_raw(h, kind);
	html_raw(h, "\" data-table=\"");
	html_raw(h, name);
	html_raw(h, "\" hidden><figcaption>");
	html_text(h, title);
	html_raw(h, "</figcaption></figure>\n");
}

static void
begin_section(struct html *h, const char *name, const char *title)
{
	html_raw(h, "<section>\n<h2 id=\"h-");
	html_raw(h, name);
	html_raw(h, "\">");
	html_text(h, title);
	html_raw(h, "</h2>\n");
}

static void
end_section(struct html *h)
{
	html_raw(h, "</section>\n");
}

/* --- sections --------------------------------------------------------------------------------- */

/* Figures that each have a definition of their own, which stands below the title. */
static void
add_plain_section(struct html *h, const struct report *r, enum report_section_code code)
{
	const struct report_section *section = &r->sections[code];

	begin_section(h, section->name, section->title);
	table_begin(h, section->name, section->title);
	html_raw(h, "<thead><tr>");
	add_heading(h, "col", "title", html_say(h, "Gösterge", "Figure"));
	add_month_headings(h, r);
	html_raw(h, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < section->count; i++) {
		const struct report_line *line = report_line_at(r, code, i);
		html_raw(h, "<tr><th scope=\"row\" class=\"title\">");
		html_text(h, line->title);
		html_raw(h, "<span class=\"definition\">");
		html_text(h, line->definition[h->language]);
		html_raw(h, "</span></th>");
		add_number(h, "number", line->kind, line->in[REPORT_NOW]);
		add_former(h, r, line, REPORT_BEFORE);
		add_former(h, r, line, REPORT_YEAR_BEFORE);
		html_raw(h, "</tr>\n");
	}
	table_end(h);
}

static int64_t
most_in(const struct report *r, enum report_section_code code)
{
	int64_t most = 0;

	for (size_t i = 0; i < r->sections[code].count; i++)
		if (report_line_at(r, code, i)->in[REPORT_NOW].value > most)
			most = report_line_at(r, code, i)->in[REPORT_NOW].value;
	return most;
}

static void
add_code_row(struct html *h, const struct report *r, const struct report_section *section,
    const struct report_line *line, int64_t most)
{
	html_raw(h, "<tr>");
	add_heading(h, "row", "title", line->title);
	html_raw(h, "<td class=\"bar\">");
	add_bar(h, line->in[REPORT_NOW].value, most);
	html_raw(h, "</td>");
	add_number(h, "number", line->kind, line->in[REPORT_NOW]);
	if (section->rate != NULL)
		add_number(h, "rate", section->rate_kind, line->rate);
	add_former(h, r, line, REPORT_BEFORE);
	add_former(h, r, line, REPORT_YEAR_BEFORE);
	html_raw(h, "</tr>\n");
}

/* Figures of one definition, one line a code; chart NULL: none. */
static void
add_code_section(
    struct html *h, const struct report *r, enum report_section_code code, const char *chart)
{
	const struct report_section *section = &r->sections[code];
	int64_t most = most_in(r, code);

	begin_section(h, section->name, section->title);
	if (section->definition[h->language] != NULL)
		html_element(h, "p", "definition", section->definition[h->language]);
	if (section->rate != NULL) {
		html_raw(h, "<p class=\"definition\"><b>");
		html_text(h, section->rate->title[h->language]);
		html_raw(h, ":</b> ");
		html_text(h, section->rate->definition[h->language]);
		html_raw(h, "</p>\n");
	}
	if (section->count == 0) {
		html_element(h, "p", "hint", html_say(h, "Bu ay hiç yok.", "None in this month."));
		end_section(h);
		return;
	}
	if (chart != NULL)
		add_chart(h, chart, section->name, section->title);
	table_begin(h, section->name, section->title);
	html_raw(h, "<thead><tr>");
	add_heading(h, "col", "title", html_say(h, "Ad", "Name"));
	html_raw(h, "<td class=\"bar\"></td>");
	char title[REPORT_TEXT_SIZE];
	report_month_title(r, REPORT_NOW, title);
	add_heading(h, "col", "number", title);
	if (section->rate != NULL)
		add_heading(h, "col", "rate",
		    section->rate_kind == REPORT_PERCENT ? html_say(h, "Pay", "Share")
							 : html_say(h, "Bin kişide", "Per 1,000"));
	report_month_title(r, REPORT_BEFORE, title);
	add_heading(h, "col", "then", title);
	report_month_title(r, REPORT_YEAR_BEFORE, title);
	add_heading(h, "col", "then", title);
	html_raw(h, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < section->count; i++)
		add_code_row(h, r, section, report_line_at(r, code, i), most);
	table_end(h);
	end_section(h);
}

static int64_t
most_in_an_hour(const struct report *r)
{
	int64_t most = 0;

	for (int weekday = 1; weekday <= WEEKDAYS; weekday++)
		for (int hour = 0; hour < HOURS; hour++)
			if (report_hour(r, true, weekday, hour) > most)
				most = report_hour(r, true, weekday, hour);
	return most;
}

/* The heavier the colour, the more calls. */
static void
add_weekday(struct html *h, const struct report *r, int weekday, int64_t most)
{
	int64_t sum = 0;
	char class[16];

	html_raw(h, "<tr>");
	add_heading(h, "row", "title", report_weekday(h->language, weekday));
	for (int hour = 0; hour < HOURS; hour++) {
		int64_t calls = report_hour(r, true, weekday, hour);
		sum += calls;
		(void)snprintf(
		    class, sizeof(class), "heat h%d", most == 0 ? 0 : (int)(calls * HEATS / most));
		add_number(h, class, REPORT_COUNT, (struct report_value){ true, calls });
	}
	add_number(h, "sum", REPORT_COUNT, (struct report_value){ true, sum });
	html_raw(h, "</tr>\n");
}

static void
add_hours_section(struct html *h, const struct report *r)
{
	const struct month_word *word = month_word_of("calls.answered.w1.h0");
	int64_t most = most_in_an_hour(r);
	char hour_text[8];

	begin_section(h, "hours", word->title[h->language]);
	html_element(h, "p", "definition", word->definition[h->language]);
	add_chart(h, "hours", "hours", word->title[h->language]);
	table_begin(h, "hours", word->title[h->language]);
	html_raw(h, "<thead><tr>");
	add_heading(h, "col", "title", html_say(h, "Gün", "Day"));
	for (int hour = 0; hour < HOURS; hour++) {
		(void)snprintf(hour_text, sizeof(hour_text), "%02d", hour);
		add_heading(h, "col", "hour", hour_text);
	}
	add_heading(h, "col", "sum", html_say(h, "Toplam", "Sum"));
	html_raw(h, "</tr></thead>\n<tbody>\n");
	for (int weekday = 1; weekday <= WEEKDAYS; weekday++)
		add_weekday(h, r, weekday, most);
	table_end(h);
	end_section(h);
}

static void
add_ladder_section(struct html *h, const struct report *r)
{
	char interval[REPORT_TEXT_SIZE];

	add_plain_section(h, r, REPORT_LADDER);
	report_interval(r, interval);
	html_raw(h, "<p class=\"interval\">");
	html_text(h, html_say(h, "%95 güven aralığı: ", "95% confidence interval: "));
	html_raw(h, "<b>");
	html_text(
	    h, r->has_satisfaction ? interval : html_say(h, "henüz yanıt yok", "no answers yet"));
	html_raw(h, "</b></p>\n");
	end_section(h);
}

/* --- the head --------------------------------------------------------------------------------- */

static const struct report_line *
line_named(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->lines[i].name, name) == 0)
			return &r->lines[i];
	return NULL;
}

/* What a bulletin begins with. */
static void
add_tiles(struct html *h, const struct report *r)
{
	static const char *const names[] = { "calls.answered", "rate.calls.every", "calls.recorded",
		"tickets", "rate.ended.legal", "rate.ladder.satisfied" };
	char text[REPORT_TEXT_SIZE];

	html_raw(h, "<dl class=\"tiles\">\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct report_line *line = line_named(r, names[i]);
		if (line == NULL)
			continue;
		html_raw(h, "<div><dt>");
		html_text(h, line->title);
		html_raw(h, "</dt><dd>");
		report_format(h->language, line->kind, line->in[REPORT_NOW], text);
		html_text(h, text);
		html_raw(h, "</dd></div>\n");
	}
	html_raw(h, "</dl>\n");
}

static void
add_form(struct html *h, const struct report *r, const char *suffix, const char *title)
{
	char month[MONTH_TEXT_SIZE], markup[MARKUP_BYTES];

	month_format(r->month->month, month);
	(void)snprintf(markup, sizeof(markup), "<a href=\"/reports/%s%s%s\">", month, suffix,
	    h->language == CATALOGUE_EN ? "?lang=en" : "?lang=tr");
	html_raw(h, markup);
	html_text(h, title);
	html_raw(h, "</a> ");
}

static void
add_head(struct html *h, const struct report *r)
{
	const struct month_report *m = r->month;
	char text[MARKUP_BYTES], begins[REPORT_SENTENCE_SIZE];

	html_element(h, "p", "state", report_state(r));
	report_not_whole(r, begins);
	if (begins[0] != '\0')
		html_element(h, "p", "state", begins);
	html_raw(h, "<nav class=\"forms\" aria-label=\"");
	html_text(h, html_say(h, "Raporun biçimleri", "Forms of the report"));
	html_raw(h, "\">");
	add_form(h, r, "/press", html_say(h, "Basın bülteni", "Press sheet (Turkish)"));
	add_form(h, r, ".xlsx", "XLSX");
	add_form(h, r, ".csv", "CSV");
	add_form(h, r, ".json", "JSON");
	html_raw(h, "<a href=\"/reports/");
	html_raw(h, h->language == CATALOGUE_EN ? "?lang=en\">" : "?lang=tr\">");
	html_text(h, html_say(h, "Öteki aylar", "Other months"));
	html_raw(h, "</a></nav>\n");
	add_tiles(h, r);
	(void)snprintf(text, sizeof(text), "%" PRIu64, m->as_of_seq);
	html_raw(h, "<p class=\"origin\">");
	html_text(h, html_say(h, "Dayandığı son kayıt: ", "Last record counted: "));
	html_text(h, text);
	html_text(h, " · ");
	html_time(h, m->as_of_us, true);
	html_text(h, html_say(h, " · Kayıt defterinin özeti: ", " · Head hash of the log: "));
	html_raw(h, "<code>");
	html_text(h, m->head_hash);
	html_raw(h, "</code></p>\n");
}

/* A figure's name for people: that of its row, and the code or hour that follows. */
static void
add_change(struct html *h, const struct month_change *c)
{
	const struct month_word *word = month_word_of(c->name);
	char was[REPORT_TEXT_SIZE], is[REPORT_TEXT_SIZE];

	report_format(h->language, REPORT_COUNT, (struct report_value){ true, c->was }, was);
	report_format(h->language, REPORT_COUNT, (struct report_value){ true, c->is }, is);
	html_raw(h, "<li>");
	html_text(h, word == NULL ? c->name : word->title[h->language]);
	html_raw(h, " <code>");
	html_text(h, c->name);
	html_raw(h, "</code>: ");
	html_text(h, was);
	html_text(h, " → ");
	html_text(h, is);
	html_raw(h, "</li>\n");
}

static void
add_revisions(struct html *h, const struct month_report *m)
{
	char text[REPORT_TEXT_SIZE];

	if (m->revision_count == 0)
		return;
	begin_section(h, "revisions", html_say(h, "Yayımlar", "Revisions"));
	for (size_t i = m->revision_count; i-- > 0;) {
		const struct month_revision *revision = &m->revisions[i];
		(void)snprintf(text, sizeof(text), "%" PRIu32 ". ", revision->number);
		html_raw(h, "<h3>");
		html_text(h, text);
		html_text(h, html_say(h, "yayım, ", "revision, "));
		html_time(h, revision->at_us, false);
		html_raw(h, "</h3>\n");
		if (revision->change_count == 0) {
			html_element(h, "p", "hint",
			    i == 0 ? html_say(h, "İlk yayım.", "The first one.")
				   : html_say(h, "Değişen yok.", "Nothing changed."));
			continue;
		}
		html_raw(h, "<ul>\n");
		for (size_t k = 0; k < revision->change_count; k++)
			add_change(h, &revision->changes[k]);
		html_raw(h, "</ul>\n");
	}
	end_section(h);
}

void
report_page(struct html *h, const struct report *r)
{
	add_head(h, r);
	add_plain_section(h, r, REPORT_CALLS);
	end_section(h);
	add_hours_section(h, r);
	add_plain_section(h, r, REPORT_TICKETS);
	end_section(h);
	add_code_section(h, r, REPORT_CHANNELS, NULL);
	add_code_section(h, r, REPORT_CONTACTS, NULL);
	add_code_section(h, r, REPORT_UNTICKETED, NULL);
	add_code_section(h, r, REPORT_SUBJECTS, "bars");
	add_code_section(h, r, REPORT_DEPARTMENTS, "bars");
	add_code_section(h, r, REPORT_NEIGHBOURHOODS, NULL);
	add_code_section(h, r, REPORT_DAYS, "columns");
	add_plain_section(h, r, REPORT_OUTCOMES);
	end_section(h);
	add_ladder_section(h, r);
	add_code_section(h, r, REPORT_RESTS, NULL);
	add_plain_section(h, r, REPORT_OPEN);
	end_section(h);
	add_code_section(h, r, REPORT_AGES, "columns");
	add_revisions(h, r->month);
	if (charts_are_here)
		html_raw(h, "<link rel=\"stylesheet\" href=\"/reports/files/uplot.css\">\n"
			    "<script src=\"/reports/files/uplot.js\" defer></script>\n"
			    "<script src=\"/reports/files/charts.js\" defer></script>\n");
}

/* --- the index -------------------------------------------------------------------------------- */

void
report_index_page(struct html *h, const struct report_month months[], size_t count)
{
	char text[MARKUP_BYTES], month[MONTH_TEXT_SIZE];

	html_element(h, "p", "hint",
	    html_say(h, "Her ayın rakamları, tanımları ve biçimleri.",
		"The figures of each month, their definitions and their forms."));
	if (count == 0)
		html_element(h, "p", NULL,
		    html_say(h, "Henüz kayıt bulunan ay yok.", "No month has records yet."));
	html_raw(h, "<ul class=\"index\">\n");
	for (size_t i = 0; i < count; i++) {
		month_format(months[i].month, month);
		(void)snprintf(text, sizeof(text), "<li><a href=\"/reports/%s?lang=%s\">", month,
		    h->language == CATALOGUE_EN ? "en" : "tr");
		html_raw(h, text);
		month_title(months[i].month, (int)h->language, text, sizeof(text));
		html_text(h, text);
		html_raw(h, "</a> <span>");
		if (!months[i].over)
			(void)snprintf(
			    text, sizeof(text), "%s", html_say(h, "sürüyor", "not over yet"));
		else if (months[i].revision == 0)
			(void)snprintf(text, sizeof(text), "%s",
			    html_say(h, "yayımlanmadı", "not published yet"));
		else if (h->language == CATALOGUE_EN)
			(void)snprintf(text, sizeof(text), "revision %" PRIu32, months[i].revision);
		else
			(void)snprintf(
			    text, sizeof(text), "%" PRIu32 ". yayım", months[i].revision);
		html_text(h, text);
		html_raw(h, "</span></li>\n");
	}
	html_raw(h, "</ul>\n");
	html_raw(h, h->language == CATALOGUE_EN ? "<p><a href=\"/open-data/?lang=en\">Open data"
						  "</a></p>\n"
						: "<p><a href=\"/open-data/?lang=tr\">Açık veri"
						  "</a></p>\n");
}
