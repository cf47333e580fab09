/* Writes the board as tables. */
#include "board_tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alarm_watch.h"
#include "board_words.h"
#include "figures.h"
#include "html.h"
#include "istanbul.h"
#include "picture.h"
#include "table_page.h"

static const char *const channels[] = { "call", "web", "open311", "email", "cimer", "desk", "bus",
	"sms", "other" };
static const char *const statuses[] = { "opened", "triage", "routed", "accepted", "in_progress",
	"waiting", "resolved", "rejected", "forwarded", "duplicate", "withdrawn" };

/* --- cells ------------------------------------------------------------------------------------ */

static void
cell(struct html *h, const char *text)
{
	html_element(h, "td", "number", text);
}

static void
number_cell(struct html *h, bool known, int64_t n)
{
	char text[BOARD_TEXT_BYTES] = "—";

	if (known)
		board_number(n, h->language, text);
	cell(h, text);
}

static void
row_title(struct html *h, const char *text)
{
	html_raw(h, "<tr><th scope=\"row\">");
	html_text(h, text);
	html_raw(h, "</th>");
}

/* Turkish and English headings in turn, ended with NULL; the first is the row's. */
static void
head(struct html *h, const char *title, const char *const words[])
{
	html_element(h, "h2", NULL, title);
	table_begin(h, NULL, title);
	html_raw(h, "<thead><tr>");
	for (size_t i = 0; words[i] != NULL; i += 2) {
		html_raw(h, i == 0 ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"number\">");
		html_text(h, html_say(h, words[i], words[i + 1]));
		html_raw(h, "</th>");
	}
	html_raw(h, "</tr></thead><tbody>\n");
}

static void
figure_cell(struct html *h, const struct figures *f, const char *kind, const char *name)
{
	char full[FIGURE_NAME_SIZE];
	int64_t value = 0;

	(void)snprintf(full, sizeof(full), "%s%s", kind, name);
	bool known = figures_get(f, full, &value);
	number_cell(h, known || f->count > 0, value);
}

/* --- sections --------------------------------------------------------------------------------- */

static void
write_state(struct html *h, const struct board_tables *t)
{
	bool live = t->fresh;
	char age[BOARD_TEXT_BYTES];

	html_raw(h, live ? "<p class=\"hint\">" : "<p class=\"state\" role=\"status\">");
	html_text(h, live ? html_say(h, "Canlı. Bu sayfanın anı: ", "Live. This page's moment: ")
			  : html_say(h, "Rakamlar eski. Bu sayfanın anı: ",
			      "The figures are old. This page's moment: "));
	html_time(h, t->now_us, true);
	if (t->age_ms >= 0) {
		board_span(t->age_ms / 1000, h->language, age);
		html_text(h, html_say(h, "; veri yaşı ", "; age of the data "));
		html_text(h, age);
	}
	html_raw(h, ". ");
	html_raw(h, h->language == CATALOGUE_EN
			? "<a href=\"/live/tables?lang=en\">Again</a></p>\n"
			: "<a href=\"/live/tables?lang=tr\">Yenile</a></p>\n");
}

static void
write_alarm(struct html *h, const struct board_tables *t, const struct alarm_row *row)
{
	char value[BOARD_TEXT_BYTES], place[BOARD_PLACE_BYTES];

	row_title(h, board_alarm_word(row->alarm.kind, h->language));
	html_raw(h, "<td>");
	if (board_place(t->catalogue, row->alarm.about, h->language, place))
		html_text(h, place);
	html_raw(h, "</td>");
	board_alarm_value(row->alarm.kind, row->alarm.value, h->language, value);
	cell(h, value);
	html_raw(h, "<td class=\"number\">");
	html_time(h, row->raised_us, true);
	html_raw(h, "</td><td>");
	if (row->acknowledged_us == 0) {
		html_raw(h, "<b>");
		html_text(h, html_say(h, "kimse üstlenmedi", "nobody has acknowledged it"));
		html_raw(h, "</b>");
	} else {
		html_text(h, html_say(h, "üstlenildi, ", "acknowledged, "));
		html_time(h, row->acknowledged_us, true);
	}
	html_raw(h, "</td></tr>\n");
}

static void
write_alarms(struct html *h, const struct board_tables *t)
{
	static const char *const words[] = { "Alarm", "Alarm", "Yer ve konu", "Place and subject",
		"Değer", "Value", "Başlangıç", "Since", "Üstlenme", "Acknowledged", NULL };
	const char *title = html_say(h, "Alarmlar", "Alarms");
	const struct alarm_row *rows;
	size_t count = alarm_watch_rows(t->alarms, &rows);

	if (!alarm_watch_known(t->alarms) || count == 0) {
		html_element(h, "h2", NULL, title);
		html_element(h, "p", "hint",
		    alarm_watch_known(t->alarms)
			? html_say(h, "Açık alarm yok.", "No alarm is open.")
			: html_say(h, "Alarmlar henüz okunamadı.", "The alarms are not read yet."));
		return;
	}
	head(h, title, words);
	for (size_t i = 0; i < count; i++)
		write_alarm(h, t, &rows[i]);
	table_end(h);
}

static void
target_cell(struct html *h, const struct figures *f, const char *state)
{
	int64_t value;

	html_raw(h, "<td>");
	if (figures_get(f, state, &value) && value >= TARGET_MET && value <= TARGET_MISSED)
		html_text(h, board_target_word((enum target_state)value, h->language));
	else
		html_raw(h, "—");
	html_raw(h, "</td>");
}

static void
write_now(struct html *h, const struct board_tables *t)
{
	static const char *const words[] = { "Gösterge", "Figure", "Şimdi", "Now", "Dün bu saatte",
		"A day ago", "Hedefe göre", "Against the target", NULL };
	static const struct {
		const char *tr, *en, *name, *then, *state;
		bool percent;
	} rows[] = {
		{ "Açık başvuru", "Open tickets", "open", "then.open", "", false },
		{ "Süresi geçen", "Overdue", "overdue", "then.overdue", "state.overdue", false },
		{ "Bugünkü başvuru", "Tickets today", "today", "then.today", "", false },
		{ "Bugünkü çağrı", "Calls today", "calls.offered", "then.calls.offered", "",
		    false },
		{ "Bekleyen çağrı", "Calls waiting", "calls.waiting", "", "state.wait", false },
		{ "Hizmet düzeyi", "Service level", "calls.level", "then.calls.level",
		    "state.level", true },
		{ "Kaçan çağrı", "Abandoned calls", "calls.abandoned", "", "", false },
		{ "CİMER: açık", "CİMER: open", "open.cimer", "", "state.cimer", false },
		{ "Birime verilmemiş", "Without a department", "d.-.open", "", "state.triage",
		    false },
	};
	const struct figures *f = picture_figures(t->picture);

	head(h, html_say(h, "Şu anda", "Right now"), words);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const both[] = { rows[i].name, rows[i].then };
		row_title(h, html_say(h, rows[i].tr, rows[i].en));
		for (size_t k = 0; k < ARRAY_LEN(both); k++) {
			char text[BOARD_TEXT_BYTES] = "—";
			int64_t n;
			if (figures_get(f, both[k], &n)) {
				if (rows[i].percent)
					board_percent(n, h->language, text);
				else
					board_number(n, h->language, text);
			}
			cell(h, text);
		}
		target_cell(h, f, rows[i].state);
		html_raw(h, "</tr>\n");
	}
	table_end(h);
}

static void
write_channels(struct html *h, const struct board_tables *t)
{
	static const char *const words[] = { "Kanal", "Channel", "Bugün", "Today", "Açık", "Open",
		"En yakın yasal süre", "Nearest legal deadline", "Süresi yaklaşan", "Due soon",
		"Yasal süresi geçen", "Past the legal deadline", NULL };
	const struct figures *f = picture_figures(t->picture);
	char name[FIGURE_NAME_SIZE];

	head(h, html_say(h, "Kanallar", "Channels"), words);
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		int64_t due_us;
		row_title(h, board_name_word(channels[i], h->language));
		figure_cell(h, f, "today.", channels[i]);
		figure_cell(h, f, "open.", channels[i]);
		(void)snprintf(name, sizeof(name), "due.%s", channels[i]);
		html_raw(h, "<td class=\"number\">");
		if (figures_get(f, name, &due_us))
			html_time(h, due_us, true);
		else
			html_raw(h, "—");
		html_raw(h, "</td>");
		figure_cell(h, f, "soon.", channels[i]);
		figure_cell(h, f, "late.", channels[i]);
		html_raw(h, "</tr>\n");
	}
	table_end(h);
}

static void
department_row(
    struct html *h, const struct board_tables *t, const char *code, const char *name_shown)
{
	static const char *const parts[] = { "open", "overdue", "in", "out" };
	const struct figures *f = picture_figures(t->picture);
	char name[FIGURE_NAME_SIZE], text[BOARD_TEXT_BYTES] = "—";

	row_title(h, name_shown);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		(void)snprintf(name, sizeof(name), "d.%.70s.%s", code, parts[i]);
		number_cell(h, f->count > 0, figures_or(f, name, 0));
	}
	(void)snprintf(name, sizeof(name), "d.%.70s.oldest", code);
	int64_t seconds = targets_seconds_since(f, name, t->now_us);
	if (seconds >= 0)
		board_span(seconds, h->language, text);
	cell(h, text);
	html_raw(h, "</tr>\n");
}

static void
write_departments(struct html *h, const struct board_tables *t)
{
	static const char *const words[] = { "Birim", "Department", "Açık", "Open", "Geciken",
		"Overdue", "Gelen (1 saat)", "Came (1 hour)", "Sonuçlanan (1 saat)",
		"Ended (1 hour)", "En eski", "Oldest", NULL };

	head(h, html_say(h, "Birimler", "Departments"), words);
	for (size_t i = 0; t->catalogue != NULL && i < t->catalogue->department_count; i++) {
		const struct catalogue_department *d = &t->catalogue->departments[i];
		if (d->active)
			department_row(h, t, d->code, d->name.in[h->language]);
	}
	department_row(h, t, "-", html_say(h, "Henüz birime verilmemiş", "Not yet assigned"));
	table_end(h);
}

static void
write_statuses(struct html *h, const struct board_tables *t)
{
	static const char *const words[] = { "Durum", "Status", "Başvuru", "Tickets", NULL };

	head(h, html_say(h, "Durumlar", "Statuses"), words);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		row_title(h, board_name_word(statuses[i], h->language));
		figure_cell(h, picture_figures(t->picture), "status.", statuses[i]);
		html_raw(h, "</tr>\n");
	}
	table_end(h);
}

static void
write_history_head(struct html *h, const struct board_tables *t)
{
	html_element(h, "h2", NULL, html_say(h, "Geçmiş", "History"));
	html_raw(h, "<p class=\"forms\" id=\"history\">");
	for (int s = 0; s < HISTORY_SPANS; s++) {
		char link[120];
		(void)snprintf(link, sizeof(link),
		    "<a href=\"/live/tables?lang=%s&amp;span=%s#history\"%s>",
		    catalogue_language_name(h->language), history_span_name((enum history_span)s),
		    s == (int)t->span ? " aria-current=\"true\"" : "");
		html_raw(h, link);
		html_text(h, board_span_word((enum history_span)s, h->language));
		html_raw(h, "</a> ");
	}
	html_raw(h, "</p>\n");
	html_element(h, "p", "hint",
	    html_say(h,
		"Her satır, o andan başlayan aralıktaki beş dakikalık örneklerin ortalamasıdır.",
		"Each row is the mean of the five-minute samples of the time that begins there."));
}

static void
write_history(struct html *h, const struct board_tables *t)
{
	const struct history_row *rows;
	size_t count = history_rows(t->history, t->span, &rows);
	char text[BOARD_TEXT_BYTES];

	write_history_head(h, t);
	if (count == 0) {
		html_element(h, "p", "hint", html_say(h, "Henüz örnek yok.", "No sample yet."));
		return;
	}
	table_begin(h, "history-rows", html_say(h, "Geçmiş", "History"));
	html_raw(h, "<thead><tr><th scope=\"col\">");
	html_text(h, html_say(h, "Başlangıç", "From"));
	html_raw(h, "</th>");
	for (int v = 0; v < HISTORY_VALUES; v++) {
		html_raw(h, "<th scope=\"col\" class=\"number\">");
		html_text(h, board_value_word((enum history_value)v, h->language));
		html_raw(h, "</th>");
	}
	html_raw(h, "</tr></thead><tbody>\n");
	for (size_t i = count; i-- > 0;) {
		html_raw(h, "<tr><th scope=\"row\">");
		html_time(h, rows[i].at_us, true);
		html_raw(h, "</th>");
		for (int v = 0; v < HISTORY_VALUES; v++) {
			bool known = rows[i].values[v] != HISTORY_UNKNOWN;
			if (known && v == HISTORY_LEVEL) {
				board_percent(rows[i].values[v], h->language, text);
				cell(h, text);
			} else {
				number_cell(h, known, rows[i].values[v]);
			}
		}
		html_raw(h, "</tr>\n");
	}
	table_end(h);
}

void
board_tables_write(struct html *h, enum catalogue_language language, const struct board_tables *t)
{
	bool english = language == CATALOGUE_EN;
	const struct html_page page = {
		.title = english ? "Live board as tables" : "Canlı pano, tablo olarak",
		.style = "/live/tables.css",
		.home = english ? "/live/?lang=en" : "/live/?lang=tr",
		.other = english ? "/live/tables?lang=tr" : "/live/tables?lang=en",
	};

	html_begin_page(h, language, &page);
	write_state(h, t);
	write_alarms(h, t);
	write_now(h, t);
	write_channels(h, t);
	write_departments(h, t);
	write_statuses(h, t);
	write_history(h, t);
}
