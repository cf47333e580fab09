/* Reads a month for whoever asks, and answers in the form that was asked for. */
#include "reports.h"

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "chart_files.h"
#include "db.h"
#include "html.h"
#include "http.h"
#include "log.h"
#include "report.h"
#include "report_csv.h"
#include "report_page.h"
#include "report_press.h"
#include "report_read.h"
#include "report_xlsx.h"
#include "said_page.h"
#include "stats.h"
#include "web_files.h"

enum { UNDER_WAY_MAX = 16, MONTHS_MAX = 240, RETRY_S = 2, RETRY_BEHIND_S = 5 };
enum { ADDRESS_BYTES = 80, WHY_BYTES = 128 };

enum form { FORM_INDEX, FORM_PAGE, FORM_JSON, FORM_CSV, FORM_XLSX, FORM_PRESS, FORM_PRESS_TEXT };

enum stat { STAT_SHOWN, STAT_AWAY, STAT_BEHIND, STAT_ROWS };
static const char *const forms[] = {
	[FORM_INDEX] = "index",
	[FORM_PAGE] = "page",
	[FORM_JSON] = "json",
	[FORM_CSV] = "csv",
	[FORM_XLSX] = "xlsx",
	[FORM_PRESS] = "press",
	[FORM_PRESS_TEXT] = "press_text",
	NULL,
};
static const struct stat_row rows[STAT_ROWS] = {
	[STAT_SHOWN] = { .name = "turunc_metrics_reports_shown_total",
	    .help = "Reports of months that were answered",
	    .label = "form",
	    .label_values = forms },
	[STAT_AWAY] = { .name = "turunc_metrics_reports_away_total",
	    .help = "Answers that the record is away or too many ask" },
	[STAT_BEHIND] = { .name = "turunc_metrics_reports_behind_total",
	    .help = "Answers that the log is being counted anew" },
};

struct reports {
	struct reports_options options;
	struct stats *stats;
	struct report_catalogue catalogue; /* of the last report */
	size_t under_way;
};

/* A question that is under way. */
struct asked {
	struct reports *r;
	struct http_request *req;
	enum form form;
	int32_t month;
};

struct reports *
reports_create(const struct reports_options *options)
{
	struct reports *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->options = *options;
	r->stats = stats_create(rows, STAT_ROWS);
	if (r->stats == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
reports_destroy(struct reports *r)
{
	if (r == NULL)
		return;
	report_catalogue_finish(&r->catalogue);
	stats_destroy(r->stats);
	free(r);
}

const struct stats *
reports_stats(const struct reports *r)
{
	return r->stats;
}

/* --- pages ------------------------------------------------------------------------------------ */

static bool
is_page(enum form form)
{
	return form == FORM_INDEX || form == FORM_PAGE || form == FORM_PRESS;
}

static void
reply_away(struct reports *r, struct http_request *req, enum form form)
{
	stats_incr(r->stats, STAT_AWAY);
	if (is_page(form))
		said_page_reply(req, SAID_REPORTS_AWAY);
	else
		http_reply_retry(req, 503, "The record cannot be reached at the moment.", RETRY_S);
}

static void
reply_no_month(struct http_request *req, enum form form)
{
	if (is_page(form))
		said_page_reply(req, SAID_NO_REPORT);
	else
		http_reply_error(req, 404,
		    "There is no report of that month.  A month is asked for as 2026-03.");
}

/* path: behind "/reports/". */
static void
begin_page(struct html *h, enum catalogue_language language, const char *title, const char *path)
{
	bool english = language == CATALOGUE_EN;
	char other[ADDRESS_BYTES];
	const struct html_page page = {
		.title = title,
		.style = "/reports/files/report.css",
		.home = english ? "/live/?lang=en" : "/live/?lang=tr",
		.other = other,
	};

	(void)snprintf(other, sizeof(other), "/reports/%s?lang=%s", path, english ? "tr" : "en");
	html_begin_page(h, language, &page);
}

/* A number of records as people write it. */
static void
add_count(struct html *h, int64_t value)
{
	char text[REPORT_TEXT_SIZE];

	report_format(h->language, REPORT_COUNT, (struct report_value){ true, value }, text);
	html_text(h, text);
}

static void
reply_behind_page(struct asked *asked, const struct report_progress *progress)
{
	enum catalogue_language language = html_language(asked->req);
	char month[MONTH_TEXT_SIZE] = "", path[ADDRESS_BYTES];
	struct html h;

	if (asked->form != FORM_INDEX)
		month_format(asked->month, month);
	(void)snprintf(
	    path, sizeof(path), "%s%s", month, asked->form == FORM_PRESS ? "/press" : "");
	begin_page(&h, language,
	    language == CATALOGUE_EN ? "The months are being counted anew"
				     : "Aylık rakamlar yeniden sayılıyor",
	    path);
	html_raw(&h, "<p>");
	html_text(&h, html_say(&h, "Sayılan kayıt: ", "Records counted: "));
	html_raw(&h, "<b>");
	add_count(&h, progress->counted);
	html_raw(&h, "</b> / ");
	add_count(&h, progress->records);
	html_raw(&h, "</p>\n");
	html_element(&h, "p", NULL,
	    html_say(&h,
		"Sayım bitmeden rapor gösterilmez, çünkü rakamlar eksik olurdu. Birkaç dakika "
		"sonra yeniden bakınız.",
		"No report is shown before the count is complete, for its figures would be too "
		"low. Please look again in a few minutes."));
	h.retry_after_s = RETRY_BEHIND_S;
	html_reply(&h, asked->req, 503);
}

/* The figures would be those of a part of the log. */
static void
reply_behind(struct asked *asked, const struct report_progress *progress)
{
	char why[WHY_BYTES];

	stats_incr(asked->r->stats, STAT_BEHIND);
	if (is_page(asked->form)) {
		reply_behind_page(asked, progress);
		return;
	}
	(void)snprintf(why, sizeof(why),
	    "The months are being counted anew: %" PRId64 " of %" PRId64 " records so far.",
	    progress->counted, progress->records);
	http_reply_retry(asked->req, 503, why, RETRY_BEHIND_S);
}

static void
reply_index(struct asked *asked, const struct pg_result *answer)
{
	struct report_month months[MONTHS_MAX];
	struct http_request *req = asked->req;
	enum catalogue_language language = html_language(req);
	struct report_progress progress;
	struct html h;
	size_t count;

	if (report_take_months(answer, months, MONTHS_MAX, &progress, &count) == REPORT_BEHIND) {
		reply_behind(asked, &progress);
		return;
	}
	stats_add_at(asked->r->stats, STAT_SHOWN, FORM_INDEX, 1);
	begin_page(
	    &h, language, language == CATALOGUE_EN ? "Monthly reports" : "Aylık raporlar", "");
	report_index_page(&h, months, count);
	html_reply(&h, req, 200);
}

static void
reply_page(struct http_request *req, const struct report *report)
{
	char name[REPORT_TEXT_SIZE], title[2 * REPORT_TEXT_SIZE], month[MONTH_TEXT_SIZE];
	bool english = report->language == CATALOGUE_EN;
	struct html h;

	report_month_title(report, REPORT_NOW, name);
	(void)snprintf(title, sizeof(title), "%s%.60s%s", english ? "Report of " : "", name,
	    english ? "" : " raporu");
	month_format(report->month->month, month);
	begin_page(&h, report->language, title, month);
	report_page(&h, report);
	html_reply(&h, req, 200);
}

/* The sheet's paragraphs; it is Turkish, whatever the rest of the page is in. */
static void
reply_press(struct http_request *req, const struct report *report, const char *text)
{
	char month[MONTH_TEXT_SIZE], path[ADDRESS_BYTES];
	enum catalogue_language language = html_language(req);
	struct html h;

	month_format(report->month->month, month);
	(void)snprintf(path, sizeof(path), "%s/press", month);
	begin_page(&h, language, language == CATALOGUE_EN ? "Press sheet" : "Basın bülteni", path);
	html_raw(&h, "<nav class=\"forms\"><a href=\"/reports/");
	html_raw(&h, month);
	html_raw(&h, language == CATALOGUE_EN ? "?lang=en\">" : "?lang=tr\">");
	html_text(&h, html_say(&h, "Rapor", "The report"));
	html_raw(&h, "</a> <a href=\"/reports/");
	html_raw(&h, month);
	html_raw(&h, "/press.txt\">");
	html_text(&h, html_say(&h, "Düz metin", "Plain text"));
	html_raw(&h, "</a></nav>\n<article class=\"press\" lang=\"tr\">\n");
	for (bool first = true; *text != '\0'; first = false) {
		size_t len = strcspn(text, "\n");
		char *paragraph = strndup(text, len);
		html_element(&h, first ? "h2" : "p", NULL, paragraph);
		free(paragraph);
		text += len + strspn(text + len, "\n");
	}
	html_raw(&h, "</article>\n");
	html_reply(&h, req, 200);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Takes nothing; name is what a browser would save it as, NULL: it is to be looked at. */
static void
reply_file(struct http_request *req, const char *type, struct evbuffer *body, const char *name)
{
	const struct http_field saved = { "Content-Disposition", name };
	const struct http_response response = { .status = 200,
		.content_type = type,
		.body = body,
		.fields = &saved,
		.field_count = name == NULL ? 0 : 1 };

	http_reply(req, &response);
}

static void
reply_json(struct reports *r, struct http_request *req, const struct month_report *month)
{
	char *text = month_report_text(month);

	if (text == NULL)
		reply_away(r, req, FORM_JSON);
	else
		http_reply_data(req, 200, "application/json; charset=utf-8", text, strlen(text));
	free(text);
}

/* Everything that is first written into a buffer. */
static void
reply_written(struct asked *asked, const struct report *report)
{
	static const char workbook[] =
	    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
	struct evbuffer *out = evbuffer_new();
	char month[MONTH_TEXT_SIZE], name[ADDRESS_BYTES];
	bool good = out != NULL;

	month_format(report->month->month, month);
	(void)snprintf(name, sizeof(name), "attachment; filename=\"turunc-%s.%s\"", month,
	    asked->form == FORM_CSV ? "csv" : "xlsx");
	if (good && asked->form == FORM_CSV)
		good = report_csv(report, out);
	else if (good && asked->form == FORM_XLSX)
		good = report_xlsx(report, asked->r->options.scratch, out);
	else if (good)
		good = report_press(report, out) && evbuffer_add(out, "", 1) == 0;
	if (!good) {
		log_error("a report cannot be written form=%s why=%s", forms[asked->form],
		    log_quoted(strerror(errno)));
		reply_away(asked->r, asked->req, asked->form);
	} else if (asked->form == FORM_PRESS) {
		reply_press(asked->req, report, (const char *)evbuffer_pullup(out, -1));
	} else if (asked->form == FORM_PRESS_TEXT) {
		const char *text = (const char *)evbuffer_pullup(out, -1);
		http_reply_data(asked->req, 200, "text/plain; charset=utf-8", text, strlen(text));
	} else {
		reply_file(asked->req,
		    asked->form == FORM_CSV ? "text/csv; charset=utf-8" : workbook, out, name);
	}
	if (out != NULL)
		evbuffer_free(out);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
reply_month(struct asked *asked, const struct pg_result *answer)
{
	bool press = asked->form == FORM_PRESS || asked->form == FORM_PRESS_TEXT;
	struct month_report month;
	struct report report = { 0 };
	struct report_progress progress;

	switch (report_take(answer, asked->month, &asked->r->catalogue, &progress, &month)) {
	case REPORT_READ:
		break;
	case REPORT_BEHIND:
		reply_behind(asked, &progress);
		return;
	case REPORT_NO_MONTH:
		reply_no_month(asked->req, asked->form);
		return;
	case REPORT_NO_CATALOGUE:
		log_warn("a report's configuration cannot be read version=%" PRIu64,
		    asked->r->catalogue.version);
		reply_away(asked->r, asked->req, asked->form);
		return;
	case REPORT_NO_MEMORY:
		reply_away(asked->r, asked->req, asked->form);
		return;
	}
	stats_add_at(asked->r->stats, STAT_SHOWN, asked->form, 1);
	if (asked->form == FORM_JSON)
		reply_json(asked->r, asked->req, &month);
	else if (!report_init(&report, &month, press ? CATALOGUE_TR : html_language(asked->req)))
		reply_away(asked->r, asked->req, asked->form);
	else if (asked->form == FORM_PAGE)
		reply_page(asked->req, &report);
	else
		reply_written(asked, &report);
	report_finish(&report);
	month_report_finish(&month);
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct asked *asked = arg;
	struct reports *r = asked->r;

	r->under_way--;
	if (reply->outcome != DB_COMMITTED)
		reply_away(r, asked->req, asked->form);
	else if (asked->form == FORM_INDEX)
		reply_index(asked, reply->results[0]);
	else if (!report_take_catalogue(reply->results[1], &r->catalogue))
		reply_away(r, asked->req, asked->form);
	else
		reply_month(asked, reply->results[0]);
	free(asked);
}

static void
ask(struct reports *r, struct http_request *req, enum form form, int32_t month)
{
	struct asked *asked;

	if (!board_may_see(r->options.board, req))
		return;
	asked = r->under_way < UNDER_WAY_MAX ? malloc(sizeof(*asked)) : NULL;
	if (asked == NULL) {
		reply_away(r, req, form);
		return;
	}
	*asked = (struct asked){ r, req, form, month };
	struct db_unit *unit = db_unit_create(r->options.db);
	if (form == FORM_INDEX)
		report_ask_months(unit);
	else
		report_ask(unit, month, &r->catalogue);
	if (!db_submit(r->options.db, unit, on_read, asked)) {
		db_unit_destroy(unit);
		free(asked);
		reply_away(r, req, form);
		return;
	}
	r->under_way++;
}

/* --- requests --------------------------------------------------------------------------------- */

static void
ask_month(struct http_request *req, struct reports *r, enum form form)
{
	int32_t month;

	if (month_parse(http_path_param(req, "month"), &month))
		ask(r, req, form, month);
	else if (board_may_see(r->options.board, req))
		reply_no_month(req, form);
}

static void
get_index(struct http_request *req, void *arg)
{
	ask(arg, req, FORM_INDEX, 0);
}

static void
get_page(struct http_request *req, void *arg)
{
	ask_month(req, arg, FORM_PAGE);
}

static void
get_press(struct http_request *req, void *arg)
{
	ask_month(req, arg, FORM_PRESS);
}

static void
get_press_text(struct http_request *req, void *arg)
{
	ask_month(req, arg, FORM_PRESS_TEXT);
}

static void
get_form(struct http_request *req, void *arg)
{
	const char *format = http_path_param(req, "format");
	struct reports *r = arg;

	if (strcmp(format, "json") == 0)
		ask_month(req, r, FORM_JSON);
	else if (strcmp(format, "csv") == 0)
		ask_month(req, r, FORM_CSV);
	else if (strcmp(format, "xlsx") == 0)
		ask_month(req, r, FORM_XLSX);
	else if (board_may_see(r->options.board, req))
		http_reply_error(req, 404, "A report comes as json, csv or xlsx.");
}

/* Files of the program say nothing of anybody. */
static void
get_file(struct http_request *req, void *arg)
{
	const struct {
		const char *name, *type;
		const unsigned char *data, *end;
		bool here;
	} files[] = {
		{ "report.css", "text/css; charset=utf-8", web_report_css, web_report_css_end,
		    true },
		{ "charts.js", "text/javascript; charset=utf-8", web_charts_js, web_charts_js_end,
		    true },
		{ "uplot.js", "text/javascript; charset=utf-8", chart_uplot_js, chart_uplot_js_end,
		    charts_are_here },
		{ "uplot.css", "text/css; charset=utf-8", chart_uplot_css, chart_uplot_css_end,
		    charts_are_here },
	};
	const char *name = http_path_param(req, "file");

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i].here && strcmp(files[i].name, name) == 0) {
			const struct http_response response = { .status = 200,
				.content_type = files[i].type,
				.data = files[i].data,
				.len = (size_t)(files[i].end - files[i].data),
				.cache_control = "public, max-age=300" };
			http_reply(req, &response);
			return;
		}
	http_reply_error(req, 404, "There is no file of that name.");
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/reports/", get_index, 0 },
	{ HTTP_GET, "/reports/files/{file}", get_file, 0 },
	{ HTTP_GET, "/reports/{month}/press", get_press, 0 },
	{ HTTP_GET, "/reports/{month}/press.txt", get_press_text, 0 },
	{ HTTP_GET, "/reports/{month}.{format}", get_form, 0 },
	{ HTTP_GET, "/reports/{month}", get_page, 0 },
};

bool
reports_add_routes(struct reports *r, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), r);
}
