/* Lays the report out as CSV. */
#include "report_csv.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>

#include "csv.h"

enum { ROW_BYTES = 16 * 1024, HOURS = 24, WEEKDAYS = 7 };
static const char mark[] = "\xef\xbb\xbf";

/* A row at a time, moved on when it ends. */
struct sheet {
	struct evbuffer *out;
	struct csv_writer row;
	char text[ROW_BYTES];
	bool failed;
};

static void
begin_row(struct sheet *s)
{
	csv_start(&s->row, s->text, sizeof(s->text), true);
	s->row.separator = ';';
}

static void
end_row(struct sheet *s)
{
	csv_end_row(&s->row);
	if (!csv_finish(&s->row) || evbuffer_add(s->out, s->text, s->row.used) == -1)
		s->failed = true;
}

/* Without points between the thousands, which programs would take for decimals. */
static void
value_field(struct sheet *s, const struct report *r, enum report_kind kind, struct report_value v)
{
	char text[REPORT_TEXT_SIZE] = "";
	char point = r->language == CATALOGUE_EN ? '.' : ',';

	if (v.known && kind == REPORT_COUNT)
		(void)snprintf(text, sizeof(text), "%" PRId64, v.value);
	else if (v.known)
		(void)snprintf(text, sizeof(text), "%" PRId64 "%c%d", v.value / 10, point,
		    (int)(v.value % 10));
	csv_field(&s->row, text);
}

static void
write_line(struct sheet *s, const struct report *r, const struct report_section *section,
    const struct report_line *line)
{
	begin_row(s);
	csv_field(&s->row, section->title);
	csv_field(&s->row, line->name);
	csv_field(&s->row, line->title);
	csv_field(&s->row, report_unit(r->language, line->kind));
	for (int when = 0; when < REPORT_WHENS; when++)
		value_field(s, r, line->kind, line->in[when]);
	if (section->rate == NULL)
		csv_field(&s->row, "");
	else
		value_field(s, r, section->rate_kind, line->rate);
	csv_field(&s->row, section->rate == NULL ? "" : section->rate->title[r->language]);
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		csv_field(&s->row,
		    line->definition[l] != NULL ? line->definition[l] : section->definition[l]);
	end_row(s);
}

static void
write_header(struct sheet *s, const struct report *r)
{
	static const char *const words[][CATALOGUE_LANGUAGES] = { { "bölüm", "section" },
		{ "gösterge", "figure" }, { "ad", "title" }, { "birim", "unit" } };
	static const char *const last[][CATALOGUE_LANGUAGES] = { { "oran", "rate" },
		{ "oranın adı", "name of the rate" }, { "tanım (Türkçe)", "definition (Turkish)" },
		{ "tanım (İngilizce)", "definition (English)" } };
	char title[REPORT_TEXT_SIZE];

	begin_row(s);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		csv_field(&s->row, words[i][r->language]);
	for (int when = 0; when < REPORT_WHENS; when++) {
		report_month_title(r, (enum report_when)when, title);
		csv_field(&s->row, title);
	}
	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		csv_field(&s->row, last[i][r->language]);
	end_row(s);
}

/* Calls by weekday and hour, one line each hour of the week. */
static void
write_hours(struct sheet *s, const struct report *r, bool answered)
{
	const char *name = answered ? "calls.answered." : "calls.offered.";
	const struct month_word *word = month_word_of(
	    answered ? "calls.answered.w1.h0" : "calls.offered.w1.h0");
	struct report_section section = { .title = word->title[r->language] };
	struct report_line line = { .code = "" };
	char title[REPORT_TEXT_SIZE];

	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		section.definition[l] = word->definition[l];
	for (int weekday = 1; weekday <= WEEKDAYS; weekday++)
		for (int hour = 0; hour < HOURS; hour++) {
			(void)snprintf(
			    line.name, sizeof(line.name), "%sw%d.h%d", name, weekday, hour);
			(void)snprintf(title, sizeof(title), "%s %02d:00",
			    report_weekday(r->language, weekday), hour);
			line.title = title;
			line.in[REPORT_NOW] = (struct report_value){ true,
				report_hour(r, answered, weekday, hour) };
			write_line(s, r, &section, &line);
		}
}

bool
report_csv(const struct report *report, struct evbuffer *out)
{
	struct sheet s = { .out = out };

	s.failed = evbuffer_add(out, mark, sizeof(mark) - 1) == -1;
	write_header(&s, report);
	for (int i = 0; i < REPORT_SECTIONS; i++) {
		const struct report_section *section = &report->sections[i];
		for (size_t k = 0; k < section->count; k++)
			write_line(&s, report, section, &report->lines[section->first + k]);
	}
	write_hours(&s, report, false);
	write_hours(&s, report, true);
	return !s.failed;
}
