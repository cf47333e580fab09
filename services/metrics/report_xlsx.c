/* Lays the report out as a workbook. */
#include "report_xlsx.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "istanbul.h"

enum { HOURS = 24, WEEKDAYS = 7, PATH_BYTES = 64, READ_BYTES = 64 * 1024 };
enum { NARROW = 16, WIDE = 46, WIDEST = 90 };
enum column {
	COLUMN_TITLE,
	COLUMN_NOW,
	COLUMN_BEFORE,
	COLUMN_YEAR_BEFORE,
	COLUMN_LAST,
	COLUMN_DEFINITION = COLUMN_LAST
};

struct book {
	const struct report *report;
	lxw_workbook *book;
	lxw_format *bold, *wrap, *count, *tenths, *percent;
	bool failed;
};

/* A sheet and the row that comes next. */
struct page {
	struct book *b;
	lxw_worksheet *sheet;
	lxw_row_t row;
};

static const char *
say(const struct book *b, const char *turkish, const char *english)
{
	return b->report->language == CATALOGUE_EN ? english : turkish;
}

static struct page
add_page(struct book *b, const char *name)
{
	struct page page = { .b = b };

	if (!b->failed)
		page.sheet = workbook_add_worksheet(b->book, name);
	b->failed = page.sheet == NULL;
	return page;
}

static void
put_text(struct page *p, int column, const char *text, lxw_format *format)
{
	if (!p->b->failed && text != NULL && text[0] != '\0'
	    && worksheet_write_string(p->sheet, p->row, (lxw_col_t)column, text, format)
		   != LXW_NO_ERROR)
		p->b->failed = true;
}

static void
put_number(struct page *p, int column, double number, lxw_format *format)
{
	if (!p->b->failed
	    && worksheet_write_number(p->sheet, p->row, (lxw_col_t)column, number, format)
		   != LXW_NO_ERROR)
		p->b->failed = true;
}

static void
put_value(struct page *p, int column, enum report_kind kind, struct report_value v)
{
	if (!v.known)
		return;
	if (kind == REPORT_COUNT)
		put_number(p, column, (double)v.value, p->b->count);
	else if (kind == REPORT_PERCENT)
		put_number(p, column, (double)v.value / 1000, p->b->percent);
	else
		put_number(p, column, (double)v.value / 10, p->b->tenths);
}

static void
set_widths(struct page *p, int first, int last, double width)
{
	if (!p->b->failed)
		(void)worksheet_set_column(
		    p->sheet, (lxw_col_t)first, (lxw_col_t)last, width, NULL);
}

static void
put_month_titles(struct page *p, const char *first)
{
	char title[REPORT_TEXT_SIZE];

	put_text(p, COLUMN_TITLE, first, p->b->bold);
	for (int when = 0; when < REPORT_WHENS; when++) {
		report_month_title(p->b->report, (enum report_when)when, title);
		put_text(p, COLUMN_NOW + when, title, p->b->bold);
	}
}

static void
put_line(struct page *p, const struct report_section *section, const struct report_line *line)
{
	put_text(p, COLUMN_TITLE, line->title, p->b->wrap);
	for (int when = 0; when < REPORT_WHENS; when++)
		put_value(p, COLUMN_NOW + when, line->kind, line->in[when]);
	if (section->rate != NULL)
		put_value(p, COLUMN_LAST, section->rate_kind, line->rate);
	else
		put_text(
		    p, COLUMN_DEFINITION, line->definition[p->b->report->language], p->b->wrap);
	p->row++;
}

/* --- sheets ----------------------------------------------------------------------------------- */

static void
put_fact(struct page *p, const char *title, const char *text)
{
	put_text(p, COLUMN_TITLE, title, p->b->wrap);
	put_text(p, COLUMN_NOW, text, NULL);
	p->row++;
}

/* What the figures rest on: the same words for ever find the same figures again. */
static void
put_origin(struct page *p)
{
	const struct month_report *m = p->b->report->month;
	char text[REPORT_TEXT_SIZE], begins[REPORT_SENTENCE_SIZE];

	report_month_title(p->b->report, REPORT_NOW, text);
	put_fact(p, say(p->b, "Ay", "Month"), text);
	put_fact(p, say(p->b, "Durum", "State"), report_state(p->b->report));
	report_not_whole(p->b->report, begins);
	if (begins[0] != '\0')
		put_fact(p, "", begins);
	put_fact(p, say(p->b, "Kayıt defteri", "Log"), m->log_id);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)m->as_of_seq);
	put_fact(p, say(p->b, "Son kayıt", "Last record"), text);
	put_fact(p, say(p->b, "Defterin özeti (SHA-256)", "Head hash (SHA-256)"), m->head_hash);
	p->row++;
}

static void
write_summary(struct book *b)
{
	static const enum report_section_code codes[] = { REPORT_CALLS, REPORT_TICKETS,
		REPORT_OUTCOMES, REPORT_OPEN, REPORT_AGES, REPORT_LADDER, REPORT_RESTS };
	struct page p = add_page(b, say(b, "Özet", "Summary"));

	set_widths(&p, COLUMN_TITLE, COLUMN_TITLE, WIDE);
	set_widths(&p, COLUMN_NOW, COLUMN_YEAR_BEFORE, NARROW);
	set_widths(&p, COLUMN_DEFINITION, COLUMN_DEFINITION, WIDEST);
	put_origin(&p);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const struct report_section *section = &b->report->sections[codes[i]];
		put_month_titles(&p, section->title);
		put_text(&p, COLUMN_DEFINITION, say(b, "Tanım", "Definition"), b->bold);
		p.row++;
		for (size_t k = 0; k < section->count; k++)
			put_line(&p, section, report_line_at(b->report, codes[i], k));
		p.row++;
	}
}

static void
write_section(struct book *b, enum report_section_code code, const char *name)
{
	const struct report_section *section = &b->report->sections[code];
	struct page p = add_page(b, name);

	set_widths(&p, COLUMN_TITLE, COLUMN_TITLE, WIDE);
	set_widths(&p, COLUMN_NOW, COLUMN_LAST, NARROW);
	if (b->failed)
		return;
	worksheet_freeze_panes(p.sheet, 1, 1);
	put_month_titles(&p, section->title);
	if (section->rate != NULL)
		put_text(&p, COLUMN_LAST, section->rate->title[b->report->language], b->bold);
	p.row++;
	for (size_t k = 0; k < section->count; k++)
		put_line(&p, section, report_line_at(b->report, code, k));
}

static void
write_hours(struct book *b, bool answered)
{
	struct page p = add_page(b, answered ? say(b, "Yanıtlanan saatler", "Answered by hour")
					     : say(b, "Gelen saatler", "Offered by hour"));
	char text[REPORT_TEXT_SIZE];

	if (b->failed)
		return;
	worksheet_freeze_panes(p.sheet, 1, 1);
	set_widths(&p, 0, 0, NARROW);
	for (int hour = 0; hour < HOURS; hour++) {
		(void)snprintf(text, sizeof(text), "%02d:00", hour);
		put_text(&p, hour + 1, text, b->bold);
	}
	for (int weekday = 1; weekday <= WEEKDAYS; weekday++) {
		p.row++;
		put_text(&p, 0, report_weekday(b->report->language, weekday), b->bold);
		for (int hour = 0; hour < HOURS; hour++)
			put_number(&p, hour + 1,
			    (double)report_hour(b->report, answered, weekday, hour), b->count);
	}
}

static void
put_definition(struct page *p, const char *title, const char *const definition[])
{
	put_text(p, 0, title, p->b->wrap);
	for (int l = 0; l < CATALOGUE_LANGUAGES; l++)
		put_text(p, 1 + l, definition[l], p->b->wrap);
	p->row++;
}

static void
write_definitions(struct book *b)
{
	struct page p = add_page(b, say(b, "Tanımlar", "Definitions"));

	set_widths(&p, 0, 0, WIDE);
	set_widths(&p, 1, CATALOGUE_LANGUAGES, WIDEST);
	put_text(&p, 0, say(b, "Gösterge", "Figure"), b->bold);
	put_text(&p, 1, "Türkçe", b->bold);
	put_text(&p, 2, "English", b->bold);
	p.row++;
	for (int i = 0; i < REPORT_SECTIONS; i++) {
		const struct report_section *section = &b->report->sections[i];
		if (section->definition[0] != NULL)
			put_definition(&p, section->title, section->definition);
		if (section->rate != NULL)
			put_definition(&p, section->rate->title[b->report->language],
			    section->rate->definition);
		for (size_t k = 0; k < section->count; k++) {
			const struct report_line *line = &b->report->lines[section->first + k];
			if (line->definition[0] != NULL)
				put_definition(&p, line->title, line->definition);
		}
	}
}

static void
write_sheets(struct book *b)
{
	write_summary(b);
	write_hours(b, false);
	write_hours(b, true);
	write_section(b, REPORT_CHANNELS, say(b, "Kanallar", "Channels"));
	write_section(b, REPORT_CONTACTS, say(b, "Temaslar", "Contacts"));
	write_section(
	    b, REPORT_UNTICKETED, say(b, "Başvurusuz temaslar", "Contacts without ticket"));
	write_section(b, REPORT_SUBJECTS, say(b, "Konular", "Subjects"));
	write_section(b, REPORT_DEPARTMENTS, say(b, "Birimler", "Departments"));
	write_section(b, REPORT_NEIGHBOURHOODS, say(b, "Mahalleler", "Neighbourhoods"));
	write_section(b, REPORT_DAYS, say(b, "Günler", "Days"));
	write_definitions(b);
}

/* --- the file --------------------------------------------------------------------------------- */

static lxw_format *
add_format(struct book *b, const char *number)
{
	lxw_format *format = workbook_add_format(b->book);

	if (format == NULL)
		b->failed = true;
	else if (number != NULL)
		format_set_num_format(format, number);
	return format;
}

/* Dated by the last record that it counts. */
static void
set_properties(struct book *b)
{
	struct istanbul_time t = istanbul_split(b->report->month->as_of_us);
	char title[REPORT_TEXT_SIZE];
	lxw_doc_properties properties = { .title = title };
	struct tm made = { .tm_year = t.year - 1900,
		.tm_mon = t.month - 1,
		.tm_mday = t.day,
		.tm_hour = t.hour,
		.tm_min = t.minute,
		.tm_sec = t.second };

	report_month_title(b->report, REPORT_NOW, title);
	properties.created = timegm(&made);
	if (workbook_set_properties(b->book, &properties) != LXW_NO_ERROR)
		b->failed = true;
}

static bool
write_book(const struct report *report, const char *scratch, const char *path)
{
	char *folder = strdup(scratch); /* the library's type is not const */
	lxw_workbook_options options = { .tmpdir = folder };
	struct book b = { .report = report };

	if (folder != NULL)
		b.book = workbook_new_opt(path, &options);
	free(folder);
	if (b.book == NULL)
		return false;
	b.bold = add_format(&b, NULL);
	b.wrap = add_format(&b, NULL);
	b.count = add_format(&b, "#,##0");
	b.tenths = add_format(&b, "#,##0.0");
	b.percent = add_format(&b, "0.0%");
	if (!b.failed) {
		format_set_bold(b.bold);
		format_set_text_wrap(b.wrap);
		format_set_align(b.wrap, LXW_ALIGN_VERTICAL_TOP);
		set_properties(&b);
		write_sheets(&b);
	}
	/* Closing frees it whatever happens. */
	return workbook_close(b.book) == LXW_NO_ERROR && !b.failed;
}

static bool
read_all(int fd, struct evbuffer *out)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0 || lseek(fd, 0, SEEK_SET) != 0)
		return false;
	while (size > 0) {
		int got = evbuffer_read(out, fd, size > READ_BYTES ? READ_BYTES : (int)size);
		if (got <= 0)
			return false;
		size -= got;
	}
	return true;
}

bool
report_xlsx(const struct report *report, const char *scratch, struct evbuffer *out)
{
	char path[PATH_BYTES];
	int fd = memfd_create("report", MFD_CLOEXEC);
	bool written;

	if (fd == -1)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	written = write_book(report, scratch, path) && read_all(fd, out);
	(void)close(fd);
	return written;
}
