/* The desk as a whole: its visits, the frame of its pages, its files and routes. */
#include "desk.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "desk_live.h"
#include "desk_visit.h"
#include "web_files.h"

static const char *const pages[] = { "queue", "ticket", "step", "bulk", "search", "operator",
	NULL };

static const char *const photos[] = { "stored", "turned_down", "dropped", NULL };

static const struct stat_row stat_rows[DESK_STATS] = {
	[DESK_STAT_TIME] = { .name = "turunc_desk_page_seconds",
	    .help = "From knowing who asks to the answer",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .label = "page",
	    .label_values = pages,
	    .bounds = stats_bounds_us },
	[DESK_STAT_FORBIDDEN] = { .name = "turunc_desk_forbidden_total",
	    .help = "Tickets, steps and pages asked for that the person's roles do not cover" },
	[DESK_STAT_STALE] = { .name = "turunc_desk_stale_total",
	    .help = "Steps that somebody else's change made void" },
	[DESK_STAT_REFUSED] = { .name = "turunc_desk_refused_total",
	    .help = "Steps refused for another reason" },
	[DESK_STAT_AWAY] = { .name = "turunc_desk_away_total",
	    .help = "Pages that could not be made: the record was away, or took too long" },
	[DESK_STAT_LOOKS] = { .name = "turunc_desk_looks_noted_total",
	    .help = "Views of tickets of a special category written into the log" },
	[DESK_STAT_EVENTS] = { .name = "turunc_desk_events_total",
	    .help = "Changes sent to open pages" },
	[DESK_STAT_VIEWERS] = { .name = "turunc_desk_viewers",
	    .help = "Pages that are told of changes",
	    .type = STAT_GAUGE },
	[DESK_STAT_PHOTOS] = { .name = "turunc_desk_photos_total",
	    .help = "Photos that came with a step, by what became of them",
	    .label = "as",
	    .label_values = photos },
	[DESK_STAT_CROWDED] = { .name = "turunc_desk_crowded_total",
	    .help = "Pages that are not told of changes: their person has twenty already" },
};

/* --- visits ----------------------------------------------------------------------------------- */

void *
visit_begin(struct desk *d, struct http_request *req, const struct person *who, enum desk_page kind,
    size_t bytes, void (*finish)(struct visit *v))
{
	struct visit *v = calloc(1, bytes);
	bool ok = v != NULL && strlen(who->form_token) < sizeof(v->form_token)
		  && asker_take(&v->who, who);

	if (!ok || registry_catalogue(d->world.registry) == NULL) {
		if (ok)
			asker_finish(&v->who);
		free(v);
		stats_incr(d->stats, DESK_STAT_AWAY);
		http_reply_retry(req, 503, "The desk cannot answer at the moment.", 1);
		return NULL;
	}
	v->desk = d;
	v->req = req;
	v->language = html_language(req);
	v->began_us = clock_monotonic_us();
	v->kind = kind;
	v->since = desk_live_head(d->live);
	v->finish = finish;
	(void)snprintf(v->form_token, sizeof(v->form_token), "%s", who->form_token);
	TAILQ_INSERT_TAIL(&d->visits, v, link);
	return v;
}

static void
visit_free(struct visit *v)
{
	TAILQ_REMOVE(&v->desk->visits, v, link);
	if (v->finish != NULL)
		v->finish(v);
	asker_finish(&v->who);
	free(v);
}

void
visit_end(struct visit *v)
{
	stats_observe_at(
	    v->desk->stats, DESK_STAT_TIME, v->kind, clock_monotonic_us() - v->began_us);
	visit_free(v);
}

/* --- pages ------------------------------------------------------------------------------------ */

const char *
page_lang(const struct html *h)
{
	return h->language == CATALOGUE_EN ? "lang=en" : "lang=tr";
}

void
page_form_token(struct html *h, const struct visit *v)
{
	html_raw(h, "<input type=\"hidden\" name=\"csrf\" value=\"");
	html_text(h, v->form_token);
	html_raw(h, "\">");
}

void
page_link(struct html *h, const char *class, const char *path, const char *text)
{
	html_raw(h, "<a");
	if (class != NULL) {
		html_raw(h, " class=\"");
		html_raw(h, class);
		html_raw(h, "\"");
	}
	html_raw(h, " href=\"/desk/");
	html_text(h, path);
	html_raw(h, strchr(path, '?') == NULL ? "?" : "&amp;");
	html_raw(h, page_lang(h));
	html_raw(h, "\">");
	html_text(h, text);
	html_raw(h, "</a>");
}

static void
percent(struct html *h, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char escape[4];

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL) {
			html_raw(h, (char[]){ *text, '\0' });
		} else {
			(void)snprintf(escape, sizeof(escape), "%%%02X", (unsigned char)*text);
			html_raw(h, escape);
		}
	}
}

/* This page in the other language.  What a form brought is not asked again. */
static void
other_language(struct html *h, const struct visit *v)
{
	const char *path = http_request_path(v->req);
	bool english = h->language == CATALOGUE_EN;

	html_raw(h, english ? "<a lang=\"tr\" href=\"" : "<a lang=\"en\" href=\"");
	html_text(h, strcmp(path, "/desk/bulk") == 0 ? "/desk/" : path);
	html_raw(h, english ? "?lang=tr" : "?lang=en");
	for (size_t i = 0; i < http_query_count(v->req); i++) {
		const struct http_pair *pair = http_query_at(v->req, i);
		if (strcmp(pair->name, "lang") == 0 || strcmp(pair->name, "done") == 0
		    || strcmp(pair->name, "csrf") == 0)
			continue;
		html_raw(h, "&amp;");
		percent(h, pair->name);
		html_raw(h, "=");
		percent(h, pair->value);
	}
	html_raw(h, english ? "\">Türkçe</a>" : "\">English</a>");
}

/* Searching tells whose a ticket is, so it is for those who may know. */
static void
find_form(struct html *h)
{
	html_raw(h, "<form class=\"find\" role=\"search\" action=\"/desk/search\">"
		    "<input type=\"hidden\" name=\"lang\" value=\"");
	html_raw(h, h->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\"><input name=\"q\" type=\"search\" maxlength=\"200\" autocomplete=\"off\" "
		    "id=\"find\" aria-label=\"");
	html_text(h, html_say(h, "Numara, ad, telefon, adres ya da sözcük ara",
			 "Find by number, name, phone, address or word"));
	html_raw(h, "\" placeholder=\"");
	html_text(h, html_say(h, "Numara, ad, adres, sözcük", "Number, name, address, word"));
	html_raw(h, "\"><button>");
	html_text(h, html_say(h, "Bul", "Find"));
	html_raw(h, "</button></form>\n");
}

/* A page of intake's, which alone makes tickets. */
static void
unassigned_link(struct html *h)
{
	html_raw(h, "<a href=\"/call/unassigned?");
	html_raw(h, page_lang(h));
	html_raw(h, "\">");
	html_text(h, html_say(h, "Başvurusuz iletiler", "Without a ticket"));
	html_raw(h, "</a>");
}

static void
masthead(struct html *h, const struct visit *v)
{
	html_raw(h, "<header class=\"mast\"><a class=\"skip\" href=\"#main\">");
	html_text(h, html_say(h, "İçeriğe geç", "To the content"));
	html_raw(h, "</a>");
	page_link(h, "home", "", "Turunç");
	html_raw(h, "<nav aria-label=\"");
	html_text(h, html_say(h, "Masa", "Desk"));
	html_raw(h, "\">");
	if (asker_is_operator(&v->who))
		page_link(h, NULL, "?department=-",
		    html_say(h, "Triyaj ve birimler", "Triage, departments"));
	else
		page_link(h, NULL, "", html_say(h, "Başvurular", "Queue"));
	if (asker_is_operator(&v->who))
		page_link(h, NULL, "failed", html_say(h, "Takılanlar", "What failed"));
	if (asker_is_operator(&v->who))
		page_link(h, NULL, "alarms", html_say(h, "Alarmlar", "Alarms"));
	if (asker_is_operator(&v->who))
		unassigned_link(h);
	html_raw(h, "</nav>\n");
	if ((v->who.roles & DESK_WORKERS) != 0)
		find_form(h);
	html_raw(h, "<div class=\"me\">");
	page_link(h, NULL, "password", v->who.shown_as);
	html_raw(h, " ");
	other_language(h, v);
	html_raw(h, "<form method=\"post\" action=\"/desk/sign-out\">");
	page_form_token(h, v);
	html_raw(h, "<button class=\"quiet\">");
	html_text(h, html_say(h, "Çıkış", "Sign out"));
	html_raw(h, "</button></form></div></header>\n");
}

void
page_open(struct html *h, const struct visit *v, const char *title)
{
	page_open_list(h, v, title, "");
}

void
page_open_list(struct html *h, const struct visit *v, const char *title, const char *department)
{
	char since[32];

	*h = (struct html){ .out = evbuffer_new(), .language = v->language };
	html_raw(h, "<!doctype html>\n<html lang=\"");
	html_raw(h, v->language == CATALOGUE_EN ? "en" : "tr");
	html_raw(h, "\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<meta name=\"robots\" content=\"noindex\">\n<title>");
	html_text(h, title);
	html_raw(h, " · Turunç</title>\n"
		    "<link rel=\"icon\" href=\"/desk/assets/icon.svg\" type=\"image/svg+xml\">\n"
		    "<link rel=\"stylesheet\" href=\"/desk/assets/desk.css\">\n"
		    "<script type=\"module\" src=\"/desk/assets/desk.js\"></script>\n"
		    "</head>\n<body>\n");
	masthead(h, v);
	(void)snprintf(since, sizeof(since), "%llu", (unsigned long long)v->since);
	html_raw(h, "<main id=\"main\" data-since=\"");
	html_raw(h, since);
	html_raw(h, "\" data-department=\"");
	html_text(h, department);
	html_raw(h, "\">\n");
	html_element(h, "h1", NULL, title);
}

void
page_reply(struct html *h, struct visit *v, unsigned status)
{
	html_reply(h, v->req, status);
	visit_end(v);
}

void
page_say(struct visit *v, unsigned status, enum desk_word word)
{
	struct html h;

	page_open(&h, v, v->language == CATALOGUE_EN ? "Desk" : "Masa");
	html_complaint(&h, desk_word(word, v->language));
	html_raw(&h, "<p>");
	page_link(&h, "button", "", html_say(&h, "Başvurulara dön", "Back to the queue"));
	html_raw(&h, "</p>\n");
	if (status >= 500)
		stats_incr(v->desk->stats, DESK_STAT_AWAY);
	else if (status == 403)
		stats_incr(v->desk->stats, DESK_STAT_FORBIDDEN);
	page_reply(&h, v, status);
}

void
page_go(struct visit *v, const char *path)
{
	const struct http_field to[] = { { "Location", path } };

	http_reply(v->req,
	    &(struct http_response){ .status = 303, .fields = to, .field_count = ARRAY_LEN(to) });
	visit_end(v);
}

/* --- files and routes ------------------------------------------------------------------------- */

static void
get_file(struct http_request *req, void *arg)
{
	http_static_reply(((struct desk *)arg)->files, req, http_path_param(req, "path"));
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/desk/assets/{path*}", get_file, 0 },
	{ HTTP_GET, "/desk/", desk_get_queue, 0 },
	{ HTTP_GET, "/desk/search", desk_get_search, 0 },
	{ HTTP_GET, "/desk/ticket/{number}", desk_get_ticket, 0 },
	{ HTTP_POST, "/desk/ticket/{number}", desk_post_ticket, PHOTOS_BODY_BYTES },
	{ HTTP_POST, "/desk/bulk", desk_post_bulk, DESK_BODY_BYTES },
	{ HTTP_GET, "/desk/failed", desk_get_failed, 0 },
	{ HTTP_POST, "/desk/failed", desk_post_failed, 4096 },
	{ HTTP_GET, "/desk/alarms", desk_get_alarms, 0 },
	{ HTTP_POST, "/desk/alarms", desk_post_alarms, 4096 },
	{ HTTP_GET, "/desk/events", desk_get_events, 0 },
};

bool
desk_add_routes(struct desk *d, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), d);
}

struct desk *
desk_create(const struct desk_world *world)
{
	const struct http_static_file files[] = {
		{ "desk.css", web_desk_css, (size_t)(web_desk_css_end - web_desk_css) },
		{ "desk.js", web_desk_js, (size_t)(web_desk_js_end - web_desk_js) },
		{ "icon.svg", web_icon_svg, (size_t)(web_icon_svg_end - web_icon_svg) },
	};
	struct desk *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->world = *world;
	TAILQ_INIT(&d->visits);
	d->files = http_static_create(files, ARRAY_LEN(files));
	d->stats = stats_create(stat_rows, DESK_STATS);
	d->live = desk_live_create(d);
	if (d->files == NULL || d->stats == NULL || d->live == NULL) {
		desk_destroy(d);
		return NULL;
	}
	return d;
}

void
desk_destroy(struct desk *d)
{
	if (d == NULL)
		return;
	while (!TAILQ_EMPTY(&d->visits))
		visit_free(TAILQ_FIRST(&d->visits));
	desk_live_destroy(d->live);
	http_static_close(d->files);
	stats_destroy(d->stats);
	free(d);
}

const struct stats *
desk_stats(const struct desk *d)
{
	return d->stats;
}

void
desk_log_grew(struct desk *d, uint64_t seq)
{
	if (d != NULL)
		desk_live_grew(d->live, seq);
}

int64_t
desk_tick(struct desk *d, uint64_t now_ms)
{
	return desk_live_tick(d->live, now_ms);
}
