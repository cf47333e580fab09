/* Hands out the page, and tells everybody who has it open what changes. */
#include "board.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acl.h"
#include "alarm_watch.h"
#include "board_tables.h"
#include "board_wall.h"
#include "catalogue.h"
#include "chart_files.h"
#include "clock.h"
#include "digest.h"
#include "history.h"
#include "html.h"
#include "http.h"
#include "http_peer.h"
#include "http_static.h"
#include "picture.h"
#include "registry.h"
#include "said_page.h"
#include "stats.h"
#include "statement.h"
#include "web_files.h"

enum { BEAT_MS = 2000 };

enum stat { STAT_EVENTS, STAT_FORBIDDEN, STAT_ENDED, STAT_AGE, STAT_ROWS };
enum event_kind { EVENT_SNAPSHOT, EVENT_PATCH, EVENT_BEAT };
static const char *const event_kinds[] = {
	[EVENT_SNAPSHOT] = "snapshot",
	[EVENT_PATCH] = "patch",
	[EVENT_BEAT] = "beat",
	NULL,
};
static const struct stat_row rows[STAT_ROWS] = {
	[STAT_EVENTS] = { .name = "turunc_metrics_board_events_total",
	    .type = STAT_COUNTER,
	    .help = "Events sent to boards",
	    .label = "kind",
	    .label_values = event_kinds },
	[STAT_FORBIDDEN] = { .name = "turunc_metrics_board_forbidden_total",
	    .type = STAT_COUNTER,
	    .help = "Requests from where the board is not shown" },
	[STAT_ENDED] = { .name = "turunc_metrics_board_keys_ended_total",
	    .help = "Boards that were closed since their key is one no more" },
	[STAT_AGE] = { .name = "turunc_metrics_data_age_seconds",
	    .type = STAT_GAUGE,
	    .divisor = 1000,
	    .help = "Age of the figures, -0.001 when there are none" },
};

struct viewer {
	struct board *board;
	struct http_stream *stream;
	char client[ACL_NAME_BYTES + 1]; /* by whose key; "": by the address */
	LIST_ENTRY(viewer) link;
};

struct board {
	struct board_options world;
	struct http_static *files;
	char build[DIGEST_HEX_SIZE]; /* of the page's files */
	struct stats *stats;
	struct http_peers shown_to; /* beside loopback */
	LIST_HEAD(, viewer) viewers;
	/* As the viewers know it. */
	struct figures told;
	enum projector_state told_state;
	json_t *told_frame;
	uint64_t beat_at_ms;
};

static void
name_build(struct board *b, const struct http_static_file files[], size_t count)
{
	struct digest_sha256 d;
	struct digest digest;

	digest_sha256_init(&d);
	for (size_t i = 0; i < count; i++)
		digest_sha256_add_part(&d, files[i].data, files[i].len);
	digest_sha256_finish(&d, &digest);
	digest_format(&digest, b->build);
}

struct board *
board_create(const struct board_options *options)
{
	const struct http_static_file files[] = {
		{ "index.html", web_index_html, (size_t)(web_index_html_end - web_index_html) },
		{ "board.css", web_board_css, (size_t)(web_board_css_end - web_board_css) },
		{ "board.js", web_board_js, (size_t)(web_board_js_end - web_board_js) },
		{ "satisfaction.css", web_satisfaction_css,
		    (size_t)(web_satisfaction_css_end - web_satisfaction_css) },
		{ "icon.svg", web_icon_svg, (size_t)(web_icon_svg_end - web_icon_svg) },
		{ "words.js", web_words_js, (size_t)(web_words_js_end - web_words_js) },
		{ "history.js", web_history_js, (size_t)(web_history_js_end - web_history_js) },
		{ "panels.css", web_panels_css, (size_t)(web_panels_css_end - web_panels_css) },
		{ "dom.js", web_dom_js, (size_t)(web_dom_js_end - web_dom_js) },
		{ "alarms.js", web_alarms_js, (size_t)(web_alarms_js_end - web_alarms_js) },
		{ "tables.css", web_tables_css, (size_t)(web_tables_css_end - web_tables_css) },
		/* The last two are left out where npm had no charts. */
		{ "uplot.js", chart_uplot_js, (size_t)(chart_uplot_js_end - chart_uplot_js) },
		{ "uplot.css", chart_uplot_css, (size_t)(chart_uplot_css_end - chart_uplot_css) },
	};
	const size_t count = charts_are_here ? ARRAY_LEN(files) : ARRAY_LEN(files) - 2;
	struct board *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	LIST_INIT(&b->viewers);
	b->world = *options;
	name_build(b, files, count);
	b->files = http_static_create(files, count);
	b->stats = stats_create(rows, STAT_ROWS);
	b->told_frame = json_object();
	if (b->files == NULL || b->stats == NULL || b->told_frame == NULL) {
		board_destroy(b);
		return NULL;
	}
	return b;
}

void
board_destroy(struct board *b)
{
	if (b == NULL)
		return;
	http_static_close(b->files);
	stats_destroy(b->stats);
	http_peers_finish(&b->shown_to);
	json_decref(b->told_frame);
	figures_finish(&b->told);
	free(b);
}

bool
board_show_to(struct board *b, const char *addresses)
{
	struct http_peers peers;

	if (!http_peers_parse(addresses, &peers))
		return false;
	http_peers_finish(&b->shown_to);
	b->shown_to = peers;
	return true;
}

const struct stats *
board_stats(const struct board *b)
{
	return b->stats;
}

void
board_refresh_stats(void *board)
{
	struct board *b = board;

	stats_set(b->stats, STAT_AGE, picture_age_ms(b->world.picture, clock_monotonic_ms()));
}

/* --- events ----------------------------------------------------------------------------------- */

/* Owns event, and takes NULL: no memory, which the next beat or patch makes good. */
static void
send_event(struct board *b, struct viewer *only, enum event_kind kind, json_t *event)
{
	char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);
	struct evbuffer *frame = evbuffer_new();
	struct viewer *v;

	json_decref(event);
	if (text != NULL && frame != NULL
	    && evbuffer_add_printf(frame, "event: %s\ndata: %s\n\n", event_kinds[kind], text) > 0) {
		size_t len = evbuffer_get_length(frame);
		const void *data = evbuffer_pullup(frame, -1);
		LIST_FOREACH (v, &b->viewers, link) {
			if (data == NULL || (only != NULL && v != only))
				continue;
			if (http_stream_send(v->stream, data, len))
				stats_add_at(b->stats, STAT_EVENTS, kind, 1);
		}
	}
	free(text);
	if (frame != NULL)
		evbuffer_free(frame);
}

static json_t *
frame_now(const struct board *b)
{
	struct statement_frame frame = {
		.catalogue = registry_catalogue(b->world.registry),
		.figures = picture_figures(b->world.picture),
		.alarms_known = alarm_watch_known(b->world.alarms),
		.history_version = history_version(b->world.history),
		.build = b->build,
		.charts = charts_are_here,
	};

	frame.alarm_count = alarm_watch_rows(b->world.alarms, &frame.alarms);
	return statement_frame(&frame);
}

/* The figures and the frame as the viewers know them from now on. */
static bool
remember(struct board *b, json_t *frame)
{
	const struct figures *now = picture_figures(b->world.picture);

	figures_clear(&b->told);
	for (size_t i = 0; i < now->count; i++)
		if (!figures_set(&b->told, now->at[i].name, now->at[i].value))
			return false;
	b->told_state = picture_state(b->world.picture);
	if (frame != NULL && frame != b->told_frame) {
		json_decref(b->told_frame);
		b->told_frame = json_incref(frame);
	}
	return true;
}

static json_t *
snapshot(struct board *b)
{
	return statement_snapshot(b->world.picture, b->told_frame);
}

void
board_changed(struct board *b)
{
	json_t *frame = frame_now(b);
	bool other_frame = frame == NULL || !json_equal(frame, b->told_frame);
	json_t *patch = statement_patch(b->world.picture, &b->told);
	bool changes = picture_state(b->world.picture) != b->told_state
		       || json_object_size(json_object_get(patch, "values")) > 0;

	/* When what is told cannot be remembered, everything is told again the next time. */
	if (!remember(b, frame))
		figures_clear(&b->told);
	if (other_frame)
		send_event(b, NULL, EVENT_SNAPSHOT, snapshot(b));
	else if (changes)
		send_event(b, NULL, EVENT_PATCH, json_incref(patch));
	json_decref(patch);
	json_decref(frame);
}

/* A key that was revoked or has expired shows nothing more, also where a board is open. */
static void
end_keyless(struct board *b)
{
	struct viewer *v, *next;

	for (v = LIST_FIRST(&b->viewers); v != NULL; v = next) {
		next = LIST_NEXT(v, link);
		if (v->client[0] == '\0' || wall_still(b->world.acl, v->client, clock_now_us()))
			continue;
		stats_incr(b->stats, STAT_ENDED);
		LIST_REMOVE(v, link);
		http_stream_end(v->stream);
		free(v);
	}
}

int64_t
board_tick(struct board *b, uint64_t now_ms)
{
	if (now_ms >= b->beat_at_ms) {
		b->beat_at_ms = now_ms + BEAT_MS;
		end_keyless(b);
		if (!LIST_EMPTY(&b->viewers))
			send_event(b, NULL, EVENT_BEAT, statement_beat(b->world.picture));
	}
	return (int64_t)(b->beat_at_ms - now_ms);
}

/* --- requests --------------------------------------------------------------------------------- */

static bool
refuse(struct board *b, struct http_request *req)
{
	const char *accept = http_header(req, "Accept");

	stats_incr(b->stats, STAT_FORBIDDEN);
	if (accept != NULL && strstr(accept, "text/html") != NULL)
		said_page_reply(req, SAID_NOT_SHOWN);
	else
		http_reply_error(req, 403, "The live board is not shown to this address.");
	return false;
}

static bool
shown_to(const struct board *b, const struct http_request *req)
{
	const char *text = http_client_address(req);
	struct http_address address;

	/* Loopback is among those trusted. */
	return http_address_parse(text, strlen(text), &address)
	       && http_peers_trust(&b->shown_to, &address);
}

bool
board_may_see(struct board *b, struct http_request *req)
{
	return shown_to(b, req) || refuse(b, req);
}

/* A key counts also where the address would do: who was given one is shut out with it. */
static bool
may_watch(struct board *b, struct http_request *req, const char **ret_client)
{
	const struct acl_client *client = wall_client(b->world.acl, req, clock_now_us());

	*ret_client = client == NULL ? "" : client->name;
	return client != NULL || shown_to(b, req) || refuse(b, req);
}

static bool
may_look(struct board *b, struct http_request *req)
{
	const char *client;

	return may_watch(b, req, &client);
}

static void
on_close(void *arg, struct http_stream *stream, enum http_stream_end why)
{
	struct viewer *v = arg;

	(void)stream;
	(void)why;
	LIST_REMOVE(v, link);
	free(v);
}

static void
get_events(struct http_request *req, void *arg)
{
	static const char retry[] = "retry: 1000\n\n";
	struct board *b = arg;
	const char *client;

	if (!may_watch(b, req, &client))
		return;
	struct viewer *v = calloc(1, sizeof(*v));
	if (v == NULL) {
		http_reply_retry(req, 503, "Out of memory.", 1);
		return;
	}
	v->board = b;
	(void)snprintf(v->client, sizeof(v->client), "%s", client);
	v->stream = http_stream_begin(req, "text/event-stream", on_close, v);
	if (v->stream == NULL) {
		free(v);
		return;
	}
	/* The others are told what this snapshot already says. */
	board_changed(b);
	LIST_INSERT_HEAD(&b->viewers, v, link);
	(void)http_stream_send(v->stream, retry, sizeof(retry) - 1);
	send_event(b, v, EVENT_SNAPSHOT, snapshot(b));
}

void
board_reply_json(struct http_request *req, json_t *value)
{
	char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);

	json_decref(value);
	if (text == NULL)
		http_reply_retry(req, 503, "Out of memory.", 1);
	else
		http_reply_data(req, 200, "application/json; charset=utf-8", text, strlen(text));
	free(text);
}

static void
get_state(struct http_request *req, void *arg)
{
	struct board *b = arg;

	if (!may_look(b, req))
		return;
	board_changed(b);
	board_reply_json(req, snapshot(b));
}

static void
get_file(struct http_request *req, void *arg)
{
	struct board *b = arg;
	const char *path = http_path_param(req, "path");

	/* The mark stands on every page, those of citizens too. */
	if (strcmp(path, "icon.svg") == 0 || may_look(b, req))
		http_static_reply(b->files, req, path);
}

static void
get_history(struct http_request *req, void *arg)
{
	struct board *b = arg;
	const char *name = http_query(req, "span", NULL);

	if (!may_look(b, req))
		return;
	enum history_span span = name == NULL ? HISTORY_DAY : history_span_parse(name);
	if (span == HISTORY_SPANS)
		http_reply_error(req, 400, "span is day, week or month.");
	else
		board_reply_json(req, history_json(b->world.history, span));
}

static void
get_tables(struct http_request *req, void *arg)
{
	struct board *b = arg;
	const char *name = http_query(req, "span", NULL);
	struct html h;

	if (!may_look(b, req))
		return;
	const enum history_span span = name == NULL ? HISTORY_DAY : history_span_parse(name);
	const struct board_tables tables = {
		.catalogue = registry_catalogue(b->world.registry),
		.picture = b->world.picture,
		.alarms = b->world.alarms,
		.history = b->world.history,
		.span = span == HISTORY_SPANS ? HISTORY_DAY : span,
		.now_us = clock_now_us(),
		.age_ms = picture_age_ms(b->world.picture, clock_monotonic_ms()),
		.fresh = picture_fresh(b->world.picture, clock_monotonic_ms()),
	};
	board_tables_write(&h, html_language(req), &tables);
	html_reply(&h, req, 200);
}

/* A wrong key is told what a wrong address is told. */
static void
get_wall(struct http_request *req, void *arg)
{
	struct board *b = arg;
	const char *key = http_path_param(req, "key");
	const struct catalogue *catalogue = registry_catalogue(b->world.registry);

	if (wall_client_of(b->world.acl, key, clock_now_us()) == NULL) {
		(void)refuse(b, req);
		return;
	}
	wall_welcome(req, key,
	    catalogue != NULL && strncmp(catalogue->municipality.base_url, "https:", 6) == 0);
}

static void
get_root(struct http_request *req, void *arg)
{
	static const struct http_field to_board[] = { { "Location", "/live/" } };

	(void)arg;
	http_reply(
	    req, &(struct http_response){ .status = 308, .fields = to_board, .field_count = 1 });
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/live/events", get_events, 0 },
	{ HTTP_GET, "/live/state.json", get_state, 0 },
	{ HTTP_GET, "/live/history.json", get_history, 0 },
	{ HTTP_GET, "/live/tables", get_tables, 0 },
	{ HTTP_GET, "/live/wall/{key}", get_wall, 0 },
	{ HTTP_GET, "/live/{path*}", get_file, 0 },
	{ HTTP_GET, "/live", get_root, 0 },
	{ HTTP_GET, "/", get_root, 0 },
};

bool
board_add_routes(struct board *b, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), b);
}
