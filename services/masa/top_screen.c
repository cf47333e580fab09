/* Lines of the one screen, from the most to the least urgent. */
#include "top_screen.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "istanbul.h"

/* Columns of the table of parts; the reason has what is left. */
enum {
	COLUMN_STATE = 11,
	COLUMN_UP_END = 28,
	COLUMN_CPU_END = 35,
	COLUMN_MEMORY_END = 43,
	COLUMN_REQUESTS_END = 51,
	COLUMN_REPLY_END = 59,
	COLUMN_WHY = 61,
	COLUMN_FIELDS = 8, /* of the lines below the table */
	STALE_S = 10,
};

const char *
top_count(double value, char text[16])
{
	if (isnan(value))
		snprintf(text, 16, "-");
	else if (value < 9.95 && value != floor(value))
		snprintf(text, 16, "%.1f", value);
	else if (value < 99999.5)
		snprintf(text, 16, "%.0f", value);
	else if (value < 999499.5)
		snprintf(text, 16, "%.0fk", value / 1e3);
	else if (value < 9.995e9)
		snprintf(text, 16, "%.1fM", value / 1e6);
	else
		snprintf(text, 16, "%.0fG", value / 1e9);
	return text;
}

const char *
top_seconds(double value, char text[16])
{
	if (isnan(value))
		snprintf(text, 16, "-");
	else if (isinf(value))
		snprintf(text, 16, "> 60 s");
	else if (value <= 0)
		snprintf(text, 16, "0 s");
	else if (value < 0.00995)
		snprintf(text, 16, "%.1f ms", value * 1e3);
	else if (value < 0.9995)
		snprintf(text, 16, "%.0f ms", value * 1e3);
	else if (value < 9.95)
		snprintf(text, 16, "%.1f s", value);
	else if (value < 120)
		snprintf(text, 16, "%.0f s", value);
	else if (value < 7200)
		snprintf(text, 16, "%.0f min", value / 60);
	else if (value < 172800)
		snprintf(text, 16, "%.0f h", value / 3600);
	else
		snprintf(text, 16, "%.0f d", value / 86400);
	return text;
}

const char *
top_bytes(double value, char text[16])
{
	static const char *const units[] = { "B", "K", "M", "G", "T", "P" };
	size_t unit = 0;

	if (isnan(value)) {
		snprintf(text, 16, "-");
		return text;
	}
	while (value >= 1023.5 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(text, 16, value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static const char *
clock_text(int64_t at_us, char text[16])
{
	struct istanbul_time t = istanbul_split(at_us);

	snprintf(text, 16, "%02d:%02d:%02d", t.hour % 100, t.minute % 100, t.second % 100);
	return text;
}

/* One line for the eye from afar: the time, where the log is, and the verdict in words. */
static void
draw_bar(const struct top_view *view, struct page *page)
{
	const struct top_figures *f = view->figures;
	char time[16], verdict[48];
	unsigned bad = 0;
	enum page_style style = PAGE_BAR;

	for (size_t i = 0; f != NULL && i < f->trouble_count; i++)
		bad += f->troubles[i].bad;
	if (f == NULL)
		snprintf(verdict, sizeof(verdict), "asking ...");
	else if (view->age_s > STALE_S)
		snprintf(verdict, sizeof(verdict), "OLD: %.0f s", view->age_s);
	else if (bad > 0)
		snprintf(verdict, sizeof(verdict), "%u TROUBLE%s", bad, bad > 1 ? "S" : "");
	else if (f->trouble_count > 0)
		snprintf(verdict, sizeof(verdict), "WELL, %zu NOTE%s", f->trouble_count,
		    f->trouble_count > 1 ? "S" : "");
	else
		snprintf(verdict, sizeof(verdict), "WELL");
	unsigned verdict_len = (unsigned)strlen(verdict);
	unsigned width = page_width(page);
	page_put(page, style, " Turunç  %s%s%s", clock_text(view->at_us, time),
	    f != NULL && f->demo ? "  demonstration" : "", view->paused ? "  paused" : "");
	while (page_room(page) > verdict_len + 1 && page_room(page) <= width)
		page_put(page, style, " ");
	page_put(page, bad > 0 || (f != NULL && view->age_s > STALE_S) ? PAGE_BAD : style, "%s",
	    verdict);
	page_put(page, style, " ");
	page_end_line(page);
}

static void
draw_log(const struct top_figures *f, struct page *page)
{
	char head[16], rate[16], bytes[16], commits[16], taken[16], most[16], free_text[16];

	page_put(page, PAGE_STRONG, "log");
	page_column(page, COLUMN_FIELDS);
	page_put(page, PAGE_PLAIN, "record %s (%s/s)  configuration %s  ",
	    top_count(f->head_seq, head), top_count(f->head_rate, rate),
	    top_count(f->config, commits));
	page_put(page, PAGE_PLAIN, "history %.8s", f->log_id[0] != '\0' ? f->log_id : "-");
	page_end_line(page);
	page_put(page, PAGE_STRONG, "store");
	page_column(page, COLUMN_FIELDS);
	page_put(page, PAGE_PLAIN, "%s  %s commits/s  %s of %s connections",
	    top_bytes(f->record_bytes, bytes), top_count(f->commits, commits),
	    top_count(f->connections, taken), top_count(f->connections_max, most));
	if (!isnan(f->disk_free_bytes))
		page_put(page, PAGE_PLAIN, "  disk %.0f %% free (%s)",
		    f->disk_free_bytes * 100 / f->disk_bytes,
		    top_bytes(f->disk_free_bytes, free_text));
	page_end_line(page);
}

/* At most `most` lines; the last one says how many more there are. */
static void
draw_troubles(const struct top_figures *f, unsigned most, struct page *page)
{
	if (f->trouble_count == 0) {
		page_put(page, PAGE_GOOD, "all is well");
		page_end_line(page);
	}
	for (size_t i = 0; i < f->trouble_count && i < most; i++) {
		size_t more = f->trouble_count - i - 1;
		const struct top_trouble *t = &f->troubles[i];
		page_put(page, t->bad ? PAGE_BAD : PAGE_WARN, "%s", t->bad ? "! " : "* ");
		if (i + 1 == most && more > 0)
			page_put(page, PAGE_STRONG, "(%zu more) ", more);
		page_put(page, t->bad ? PAGE_BAD : PAGE_WARN, "%s", t->text);
		page_end_line(page);
	}
}

static void
put_right(struct page *page, unsigned column, const char *text)
{
	page_right(page, column, (unsigned)strlen(text));
	page_put(page, PAGE_PLAIN, "%s", text);
}

static void
draw_parts(const struct top_figures *f, struct page *page)
{
	static const enum page_style styles[] = { PAGE_WARN, PAGE_GOOD, PAGE_WARN, PAGE_BAD };
	char text[16];

	page_put(page, PAGE_STRONG, "PART");
	page_column(page, COLUMN_STATE);
	page_put(page, PAGE_STRONG, "STATE");
	static const struct {
		unsigned end;
		const char *word;
	} heads[] = { { COLUMN_UP_END, "UP" }, { COLUMN_CPU_END, "CPU%" },
		{ COLUMN_MEMORY_END, "MEMORY" }, { COLUMN_REQUESTS_END, "HTTP/s" },
		{ COLUMN_REPLY_END, "P95" } };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		page_right(page, heads[i].end, (unsigned)strlen(heads[i].word));
		page_put(page, PAGE_STRONG, "%s", heads[i].word);
	}
	page_column(page, COLUMN_WHY);
	page_put(page, PAGE_STRONG, "WHAT IS WRONG");
	page_end_line(page);
	for (size_t i = 0; i < TOP_PARTS; i++) {
		const struct top_part *part = &f->parts[i];
		page_put(page, PAGE_PLAIN, "%s", part->name);
		page_column(page, COLUMN_STATE);
		page_put(page, styles[part->state], "%s", part->word);
		put_right(page, COLUMN_UP_END, top_seconds(part->up_s, text));
		put_right(page, COLUMN_CPU_END, top_count(part->cpu_percent, text));
		put_right(page, COLUMN_MEMORY_END, top_bytes(part->memory_bytes, text));
		put_right(page, COLUMN_REQUESTS_END, top_count(part->requests, text));
		put_right(page, COLUMN_REPLY_END, top_seconds(part->reply_p95_s, text));
		page_column(page, COLUMN_WHY);
		page_put(page, styles[part->state], "%s", part->why);
		page_end_line(page);
	}
}

static const char *
number_text(const struct top_number *n, char text[16])
{
	if ((n->is & TOP_IS_SECONDS) != 0)
		return top_seconds(n->value, text);
	return (n->is & TOP_IS_BYTES) != 0 ? top_bytes(n->value, text) : top_count(n->value, text);
}

/* A heading and "word value" pairs; those that do not fit go on in a second line. */
static void
draw_group(const struct top_figures *f, enum top_group group, const char *head, struct page *page)
{
	char text[16], field[64];

	page_put(page, PAGE_STRONG, "%s", head);
	page_column(page, COLUMN_FIELDS);
	for (size_t i = 0; i < f->number_count; i++) {
		const struct top_number *n = &f->numbers[i];
		if (n->group != group || (n->from > 0 && !(n->value >= n->from)))
			continue;
		int len = snprintf(field, sizeof(field), "%s %s", n->word, number_text(n, text));
		if (page_room(page) < (unsigned)len) {
			page_end_line(page);
			page_column(page, COLUMN_FIELDS);
		}
		page_put(page, PAGE_PLAIN, "%s ", n->word);
		bool waits = group == TOP_QUEUES && n->value > 0;
		page_put(page, waits ? PAGE_STRONG : PAGE_PLAIN, "%s", text);
		page_put(page, PAGE_PLAIN, "  ");
	}
	page_end_line(page);
}

/* Gateways, and the promises of the law: what citizens wait for. */
static void
draw_ways(const struct top_figures *f, struct page *page)
{
	char text[16];

	page_put(page, PAGE_STRONG, "out");
	page_column(page, COLUMN_FIELDS);
	for (size_t i = 0; i < TOP_WAYS; i++) {
		const struct top_way *way = &f->ways[i];
		if (isnan(way->waiting) && !way->away)
			continue;
		page_put(page, PAGE_PLAIN, "%s ", way->channel);
		if (way->away)
			page_put(page, PAGE_BAD, "AWAY, ");
		page_put(page, PAGE_PLAIN, "%s wait  ", top_count(way->waiting, text));
	}
	page_put(page, PAGE_STRONG, "law ");
	for (size_t i = 0; i < f->number_count; i++)
		if (f->numbers[i].group == TOP_LEGAL)
			page_put(page, PAGE_PLAIN, "%s %s  ", f->numbers[i].word,
			    top_count(f->numbers[i].value, text));
	page_end_line(page);
}

static void
draw_work(const struct top_figures *f, struct page *page)
{
	char text[16], wait[16];

	page_put(page, PAGE_STRONG, "tickets");
	page_column(page, COLUMN_FIELDS);
	for (size_t i = 0; i < TOP_TICKET_STATES; i++)
		page_put(page, PAGE_PLAIN, "%s %s  ",
		    strcmp(top_ticket_words[i], "in_progress") == 0 ? "in progress"
								    : top_ticket_words[i],
		    top_count(f->tickets[i], text));
	page_end_line(page);
	page_put(page, PAGE_STRONG, "lock");
	page_column(page, COLUMN_FIELDS);
	if (f->lock_waiting > 0)
		page_put(page, f->lock_longest_wait_s > 1 ? PAGE_BAD : PAGE_PLAIN,
		    "held by %.20s, %s wait (%s)  ",
		    f->lock_holder[0] != '\0' ? f->lock_holder : "somebody",
		    top_count(f->lock_waiting, text), top_seconds(f->lock_longest_wait_s, wait));
	else if (f->lock_holder[0] != '\0')
		page_put(page, PAGE_PLAIN, "held by %.20s, nobody waits  ", f->lock_holder);
	else
		page_put(page, PAGE_PLAIN, "the log's is free  ");
	page_put(page, PAGE_PLAIN, "others %s  transaction %s", top_count(f->other_waits, text),
	    top_seconds(f->oldest_transaction_s, wait));
	page_end_line(page);
}

static void
draw_reader(const struct top_reader *reader, struct page *page)
{
	char text[16];

	page_put(page, PAGE_PLAIN, "%.33s", reader->name);
	put_right(page, 45, top_count(reader->seq, text));
	page_right(page, 55, (unsigned)strlen(top_count(reader->behind, text)));
	page_put(page, reader->behind > 0 ? PAGE_STRONG : PAGE_PLAIN, "%s", text);
	put_right(page, 63, top_count(reader->rate, text));
	page_column(page, 65);
	if (reader->frozen)
		page_put(page, PAGE_BAD, "frozen: %s", reader->why);
	page_end_line(page);
}

static void
draw_readers(const struct top_figures *f, unsigned lines, struct page *page)
{
	static const struct {
		unsigned end;
		const char *word;
	} heads[] = { { 45, "AT" }, { 55, "BEHIND" }, { 63, "PER SEC" } };
	size_t shown = f->reader_count;

	if (lines == 0)
		return;
	page_put(page, PAGE_STRONG, "READER");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		page_right(page, heads[i].end, (unsigned)strlen(heads[i].word));
		page_put(page, PAGE_STRONG, "%s", heads[i].word);
	}
	lines--;
	if (shown > lines)
		shown = lines;
	if (shown < f->reader_count) {
		page_column(page, 65);
		page_put(page, PAGE_PLAIN, "and %zu more", f->reader_count - shown);
	}
	page_end_line(page);
	for (size_t i = 0; i < shown; i++)
		draw_reader(&f->readers[i], page);
}

static void
draw_keys(const struct top_view *view, struct page *page)
{
	while (page_lines_left(page) > 1)
		page_end_line(page);
	page_put(page, PAGE_BAR, " q quit  space now  + - faster, slower (every %.3g s)  p pause ",
	    view->every_s);
	page_end_line(page);
}

/* Lines under the troubles when two lines are all that the readers get: log and store, the parts
 * with their heading, flow, stages, queues, out, tickets, lock, the readers' three. */
enum { LINES_BELOW = 2 + 1 + TOP_PARTS + 1 + 1 + 1 + 3 + 3 };

void
top_screen_draw(const struct top_view *view, struct page *page)
{
	const struct top_figures *f = view->figures;
	unsigned keys = view->every_s > 0;

	draw_bar(view, page);
	if (f != NULL) {
		unsigned left = page_lines_left(page);
		unsigned troubles = left == UINT_MAX                ? UINT_MAX
				    : left > LINES_BELOW + keys + 1 ? left - LINES_BELOW - keys
								    : 1;
		draw_troubles(f, troubles, page);
		draw_log(f, page);
		draw_parts(f, page);
		draw_group(f, TOP_FLOW, "per sec", page);
		draw_group(f, TOP_STAGES, "times", page);
		draw_group(f, TOP_QUEUES, "queues", page);
		draw_ways(f, page);
		draw_work(f, page);
		left = page_lines_left(page);
		draw_readers(f, left == UINT_MAX ? UINT_MAX : left > keys ? left - keys : 0, page);
	}
	if (keys)
		draw_keys(view, page);
}
