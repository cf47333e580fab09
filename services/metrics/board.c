/* Hands out the page, and tells everybody who has it open what changes. */
#include "board.h"

#include <event2/buffer.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "clock.h"
#include "http.h"
#include "http_peer.h"
#include "http_static.h"
#include "picture.h"
#include "registry.h"
#include "stats.h"
#include "statement.h"
#include "web_files.h"

enum { BEAT_MS = 2000 };

enum stat { STAT_EVENTS, STAT_FORBIDDEN, STAT_AGE, STAT_ROWS };
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
	[STAT_AGE] = { .name = "turunc_metrics_data_age_seconds",
	    .type = STAT_GAUGE,
	    .divisor = 1000,
	    .help = "Age of the figures, -0.001 when there are none" },
};

struct viewer {
	struct board *board;
	struct http_stream *stream;
	LIST_ENTRY(viewer) link;
};

struct board {
	const struct picture *picture;
	const struct registry *registry;
	struct http_static *files;
	struct stats *stats;
	struct http_peers shown_to; /* beside loopback */
	LIST_HEAD(, viewer) viewers;
	/* As the viewers know it. */
	struct figures told;
	enum projector_state told_state;
	json_t *told_departments;
	uint64_t beat_at_ms;
};

struct board *
board_create(const struct picture *picture, const struct registry *registry)
{
	const struct http_static_file files[] = {
		{ "index.html", web_index_html, (size_t)(web_index_html_end - web_index_html) },
		{ "board.css", web_board_css, (size_t)(web_board_css_end - web_board_css) },
		{ "board.js", web_board_js, (size_t)(web_board_js_end - web_board_js) },
		{ "satisfaction.css", web_satisfaction_css,
		    (size_t)(web_satisfaction_css_end - web_satisfaction_css) },
		{ "icon.svg", web_icon_svg, (size_t)(web_icon_svg_end - web_icon_svg) },
		{ "words.js", web_words_js, (size_t)(web_words_js_end - web_words_js) },
	};
	struct board *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	LIST_INIT(&b->viewers);
	b->picture = picture;
	b->registry = registry;
	b->files = http_static_create(files, ARRAY_LEN(files));
	b->stats = stats_create(rows, STAT_ROWS);
	b->told_departments = json_array();
	if (b->files == NULL || b->stats == NULL || b->told_departments == NULL) {
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
	json_decref(b->told_departments);
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

	stats_set(b->stats, STAT_AGE, picture_age_ms(b->picture, clock_monotonic_ms()));
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

/* The figures and departments as the viewers know them from now on. */
static bool
remember(struct board *b, json_t *departments)
{
	const struct figures *now = picture_figures(b->picture);

	figures_clear(&b->told);
	for (size_t i = 0; i < now->count; i++)
		if (!figures_set(&b->told, now->at[i].name, now->at[i].value))
			return false;
	b->told_state = picture_state(b->picture);
	if (departments != NULL && departments != b->told_departments) {
		json_decref(b->told_departments);
		b->told_departments = json_incref(departments);
	}
	return true;
}

static json_t *
snapshot(struct board *b)
{
	return statement_snapshot(b->picture, registry_catalogue(b->registry), b->told_departments);
}

void
board_changed(struct board *b)
{
	json_t *departments = statement_departments(
	    registry_catalogue(b->registry), picture_figures(b->picture));
	bool other_rows = departments == NULL || !json_equal(departments, b->told_departments);
	json_t *patch = statement_patch(b->picture, &b->told);
	bool changes = picture_state(b->picture) != b->told_state
		       || json_object_size(json_object_get(patch, "values")) > 0;

	/* When what is told cannot be remembered, everything is told again the next time. */
	if (!remember(b, departments))
		figures_clear(&b->told);
	if (other_rows)
		send_event(b, NULL, EVENT_SNAPSHOT, snapshot(b));
	else if (changes)
		send_event(b, NULL, EVENT_PATCH, json_incref(patch));
	json_decref(patch);
	json_decref(departments);
}

int64_t
board_tick(struct board *b, uint64_t now_ms)
{
	if (now_ms >= b->beat_at_ms) {
		b->beat_at_ms = now_ms + BEAT_MS;
		if (!LIST_EMPTY(&b->viewers))
			send_event(b, NULL, EVENT_BEAT, statement_beat(b->picture));
	}
	return (int64_t)(b->beat_at_ms - now_ms);
}

/* --- requests --------------------------------------------------------------------------------- */

bool
board_may_see(struct board *b, struct http_request *req)
{
	const char *text = http_client_address(req);
	struct http_address address;

	/* Loopback is among those trusted. */
	if (http_address_parse(text, strlen(text), &address)
	    && http_peers_trust(&b->shown_to, &address))
		return true;
	stats_incr(b->stats, STAT_FORBIDDEN);
	http_reply_error(req, 403, "The live board is not shown to this address.");
	return false;
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

	if (!board_may_see(b, req))
		return;
	struct viewer *v = calloc(1, sizeof(*v));
	if (v == NULL) {
		http_reply_retry(req, 503, "Out of memory.", 1);
		return;
	}
	v->board = b;
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

	if (!board_may_see(b, req))
		return;
	board_changed(b);
	board_reply_json(req, snapshot(b));
}

static void
get_file(struct http_request *req, void *arg)
{
	struct board *b = arg;

	if (board_may_see(b, req))
		http_static_reply(b->files, req, http_path_param(req, "path"));
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
	{ HTTP_GET, "/live/{path*}", get_file, 0 },
	{ HTTP_GET, "/live", get_root, 0 },
	{ HTTP_GET, "/", get_root, 0 },
};

bool
board_add_routes(struct board *b, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), b);
}
