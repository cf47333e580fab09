/* Watches the bytes of a connection before evhttp reads them, and moves it from phase to phase. */
#include "http_internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "stats.h"

enum {
	LINGER_MS = 1000,
	GONE_WATCH_MS = 200,
	SILENT_MS = 30000,
	/* Read ahead of evhttp at most; more for the time a longer body is coming. */
	READ_AHEAD_BYTES = 64 * 1024,
};

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg);
static void too_late_reading(struct http_conn *conn);
static void too_late_working(struct http_conn *conn);
static void too_late_writing(struct http_conn *conn);

/* Each phase's time limit: a member of the settings, or a fixed one, or none. */
static const struct {
	const char *name;
	size_t limit_at; /* offset in the settings, 0: fixed_ms */
	uint32_t fixed_ms; /* 0: no limit */
	void (*too_late)(struct http_conn *conn);
} phases[] = {
	[CONN_NEW] = { .name = "new" },
	[CONN_IDLE] = { "idle", offsetof(struct http_settings, idle_ms), 0, conn_cut },
	[CONN_HEAD] = { "head", offsetof(struct http_settings, header_deadline_ms), 0,
	    too_late_reading },
	[CONN_BODY] = { "body", offsetof(struct http_settings, body_deadline_ms), 0,
	    too_late_reading },
	[CONN_WORKING] = { "working", offsetof(struct http_settings, reply_deadline_ms), 0,
	    too_late_working },
	[CONN_WRITING] = { "writing", offsetof(struct http_settings, write_deadline_ms), 0,
	    too_late_writing },
	[CONN_STREAM] = { .name = "stream" },
	[CONN_REFUSING] = { "refusing", 0, LINGER_MS, conn_cut },
	[CONN_LINGERING] = { "lingering", 0, LINGER_MS, conn_cut },
};
_Static_assert(ARRAY_LEN(phases) == CONN_PHASES, "describe every phase");

static struct evbuffer *
input_of(const struct http_conn *conn)
{
	return bufferevent_get_input(conn->bev);
}

struct http_conn *
conn_create(struct http *http, struct bufferevent *bev)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->http = http;
	conn->bev = bev;
	conn->fd = -1;
	conn->watch = evbuffer_add_cb(input_of(conn), on_input, conn);
	if (conn->watch == NULL) {
		free(conn);
		return NULL;
	}
	bufferevent_setwatermark(bev, EV_READ, 0, READ_AHEAD_BYTES);
	conn->since_ms = clock_monotonic_ms();
	TAILQ_INSERT_TAIL(&http->phases[CONN_NEW], conn, in_phase);
	http->conn_count++;
	stats_set(http->stats, HTTP_STAT_OPEN, (int64_t)http->conn_count);
	return conn;
}

void
conn_start(struct http_conn *conn)
{
	int on = 1;
	unsigned silent_ms = SILENT_MS;

	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* A peer that vanished without a word is noticed by what it does not acknowledge. */
	setsockopt(conn->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof(silent_ms));
	conn_enter(conn, CONN_HEAD);
}

/* The only place a connection changes phase, and so the only place it changes list. */
void
conn_enter(struct http_conn *conn, enum conn_phase phase)
{
	struct http *http = conn->http;

	TAILQ_REMOVE(&http->phases[conn->phase], conn, in_phase);
	TAILQ_INSERT_TAIL(&http->phases[phase], conn, in_phase);
	conn->phase = phase;
	conn->since_ms = clock_monotonic_ms();
	conn->gone_watched = false;
}

void
conn_schedule(struct http_conn *conn, enum conn_todo todo)
{
	if (conn->todo == TODO_NOTHING) {
		TAILQ_INSERT_TAIL(&conn->http->todo, conn, in_todo);
		event_active(conn->http->turn, EV_TIMEOUT, 0);
	}
	if (todo > conn->todo)
		conn->todo = todo;
}

void
conn_cut(struct http_conn *conn)
{
	evhttp_connection_free(conn->evcon);
}

void
conn_release_body(struct http_conn *conn)
{
	struct http *http = conn->http;

	http->buffered_bytes -= conn->reserved_bytes;
	conn->reserved_bytes = 0;
	stats_set(http->stats, HTTP_STAT_BUFFERED, (int64_t)http->buffered_bytes);
}

void
conn_closed(struct evhttp_connection *evcon, void *arg)
{
	struct http_conn *conn = arg;
	struct http *http = conn->http;
	struct http_request *req = conn->req;
	struct http_stream *stream = conn->stream;

	(void)evcon;
	evbuffer_remove_cb_entry(input_of(conn), conn->watch);
	conn_release_body(conn);
	if (conn->todo != TODO_NOTHING)
		TAILQ_REMOVE(&http->todo, conn, in_todo);
	TAILQ_REMOVE(&http->phases[conn->phase], conn, in_phase);
	if (conn->fd >= 0 && (size_t)conn->fd < http->by_fd_count && http->by_fd[conn->fd] == conn)
		http->by_fd[conn->fd] = NULL;
	http->conn_count--;
	stats_set(http->stats, HTTP_STAT_OPEN, (int64_t)http->conn_count);

	/* The owners' callbacks come last, when nothing here is half done. */
	if (req != NULL)
		http_request_detach(req);
	if (conn->held != NULL)
		evbuffer_free(conn->held);
	free(conn);
	if (req != NULL)
		http_request_abandon(req);
	if (stream != NULL)
		http_stream_closed(stream);
}

/* Moves bytes without on_input() taking them for new ones. */
static void
drop_input(struct http_conn *conn)
{
	conn->moving = true;
	evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
	conn->moving = false;
}

void
conn_refuse(struct http_conn *conn, const char *path, struct http_verdict verdict)
{
	http_count_refusal(conn->http, verdict.status);
	http_count_reply(conn->http, verdict.status);
	log_debug("http refused status=%u why=\"%s\"", verdict.status, verdict.why);

	drop_input(conn);
	conn_release_body(conn);
	conn_enter(conn, CONN_REFUSING);
	if (conn->held == NULL)
		conn->held = evbuffer_new();
	else
		evbuffer_drain(conn->held, evbuffer_get_length(conn->held));
	if (conn->held == NULL || !http_error_message(conn->http, path, verdict, conn->held))
		conn_schedule(conn, TODO_CUT);
	else
		conn_schedule(conn, TODO_REFUSE);
}

static void
on_refusal_sent(struct bufferevent *bev, void *arg)
{
	struct http_conn *conn = arg;

	if (conn->phase != CONN_REFUSING || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	shutdown(conn->fd, SHUT_WR);
	conn_enter(conn, CONN_LINGERING);
}

static void
on_refusal_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	conn_schedule(arg, TODO_CUT);
}

/* evhttp is out of it from here: it neither reads nor is told of anything. */
static void
send_refusal(struct http_conn *conn)
{
	bufferevent_setcb(conn->bev, NULL, on_refusal_sent, on_refusal_event, conn);
	if (evbuffer_add_buffer(bufferevent_get_output(conn->bev), conn->held) == -1
	    || bufferevent_enable(conn->bev, EV_READ | EV_WRITE) == -1)
		conn_cut(conn);
}

void
conn_do(struct http_conn *conn)
{
	enum conn_todo todo = conn->todo;

	conn->todo = TODO_NOTHING;
	if (todo == TODO_CUT)
		conn_cut(conn);
	else if (todo == TODO_REFUSE)
		send_refusal(conn);
	else if (conn->stream != NULL)
		http_stream_drain(conn->stream);
}

/* Does the body fit its route and what we hold already? */
static struct http_verdict
check_body(struct http_conn *conn, const struct http_head *head, const char *path)
{
	struct http *http = conn->http;
	struct http_match match;

	http_route_find(http, path, head->method, &match);
	if (head->content_length > http_max_body(http, match.route))
		return (struct http_verdict){ 413, "the body is too large" };
	if (head->content_length > http->settings.max_buffered_bytes - http->buffered_bytes)
		return (struct http_verdict){ 503, "too many bodies at once, try again" };
	return (struct http_verdict){ 0, NULL };
}

/* Makes room for the body, which evhttp takes over only when all of it is there. */
static void
reserve_body(struct http_conn *conn, size_t head_len, size_t body_len)
{
	conn->http->buffered_bytes += body_len;
	conn->reserved_bytes = body_len;
	stats_set(conn->http->stats, HTTP_STAT_BUFFERED, (int64_t)conn->http->buffered_bytes);
	if (head_len + body_len > READ_AHEAD_BYTES) {
		conn->high_watermark_raised = true;
		bufferevent_setwatermark(conn->bev, EV_READ, 0, head_len + body_len + 1);
	}
}

/* A whole head is there, data is its bytes: evhttp may have it, or not. */
static void
pass_head(struct http_conn *conn, const char *data, size_t head_len)
{
	struct http_head head;
	struct http_verdict verdict = http_head_parse(data, head_len, &head);
	char *path = NULL;
	const char *query;
	size_t query_len;

	if (head.target != NULL && (verdict.status != 0 || head.content_length > 0)) {
		path = malloc(head.target_len + 1);
		if (path != NULL
		    && http_path_decode(head.target, head.target_len, path, &query, &query_len)
			   != NULL)
			path[0] = '\0';
	}
	if (verdict.status == 0 && head.content_length > 0)
		verdict = check_body(conn, &head, path == NULL ? "" : path);
	if (verdict.status != 0) {
		conn_refuse(conn, path == NULL ? "" : path, verdict);
		free(path);
		return;
	}
	free(path);
	conn->close = head.close;
	conn->passed_bytes += head_len + head.content_length;
	reserve_body(conn, head_len, (size_t)head.content_length);
	conn_enter(conn, CONN_BODY);
}

/* Puts the first pieces of a head aside, where evhttp does not see them. */
static void
hold_input(struct http_conn *conn)
{
	if (conn->held == NULL)
		conn->held = evbuffer_new();
	conn->moving = true;
	bool held = conn->held != NULL && evbuffer_add_buffer(conn->held, input_of(conn)) == 0;
	conn->moving = false;
	if (!held)
		conn_schedule(conn, TODO_CUT);
}

/* Looks at what came while a head is expected; evhttp finds the input empty until it is whole. */
static void
watch_head(struct http_conn *conn)
{
	struct evbuffer *input = input_of(conn);
	size_t max_bytes = conn->http->settings.max_header_bytes;

	if (conn->phase == CONN_IDLE)
		conn_enter(conn, CONN_HEAD);
	bool was_held = conn->held != NULL;
	if (was_held)
		hold_input(conn);
	struct evbuffer *source = was_held ? conn->held : input;
	size_t len = evbuffer_get_length(source);
	size_t look = len < max_bytes ? len : max_bytes;
	const char *data = (const char *)evbuffer_pullup(source, (ev_ssize_t)look);

	if (data == NULL) {
		conn_schedule(conn, TODO_CUT);
		drop_input(conn);
		return;
	}
	struct http_verdict verdict = http_head_scan(&conn->scan, data, look, max_bytes);
	if (verdict.status != 0) {
		conn_refuse(conn, "", verdict);
		return;
	}
	if (conn->scan.head_len == 0) {
		if (!was_held)
			hold_input(conn);
		return;
	}
	pass_head(conn, data, conn->scan.head_len);
	conn->scan = (struct http_head_scan){ 0 };
	if (was_held && conn->phase == CONN_BODY) {
		conn->moving = true;
		evbuffer_prepend_buffer(input, conn->held);
		conn->moving = false;
		evbuffer_free(conn->held);
		conn->held = NULL;
	}
}

/* Called by the input buffer before evhttp hears that it has grown. */
static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_conn *conn = arg;

	(void)input;
	if (conn->moving || info->n_added == 0)
		return;
	conn->come_bytes += info->n_added;
	switch (conn->phase) {
	case CONN_IDLE:
	case CONN_HEAD:
		watch_head(conn);
		break;
	case CONN_NEW:
	case CONN_STREAM:
	case CONN_REFUSING:
	case CONN_LINGERING:
		drop_input(conn);
		break;
	case CONN_BODY:
	case CONN_WORKING:
	case CONN_WRITING:
	case CONN_PHASES:
		break;
	}
}

void
conn_replied(struct evhttp_request *ev, void *arg)
{
	struct http_conn *conn = arg;
	size_t waiting = evbuffer_get_length(input_of(conn));

	(void)ev;
	conn_enter(conn, CONN_IDLE);
	if (conn->high_watermark_raised) {
		conn->high_watermark_raised = false;
		bufferevent_setwatermark(conn->bev, EV_READ, 0, READ_AHEAD_BYTES);
	}
	if (conn->close)
		return;
	/* evhttp must have read exactly the bytes that were looked at. */
	if (conn->come_bytes - waiting != conn->passed_bytes) {
		stats_add_at(conn->http->stats, HTTP_STAT_REFUSED, HTTP_REFUSED_DESYNC, 1);
		drop_input(conn);
		conn_schedule(conn, TODO_CUT);
	} else if (conn->http->draining) {
		drop_input(conn);
		conn_schedule(conn, TODO_CUT);
	} else if (waiting > 0) {
		watch_head(conn);
	}
}

static void
too_late_reading(struct http_conn *conn)
{
	/* Nothing has come at all: a connection made ahead of need, not a request. */
	if (conn->phase == CONN_HEAD && conn->held == NULL) {
		conn_cut(conn);
		return;
	}
	conn_refuse(conn, "", (struct http_verdict){ 408, "the request came too slowly" });
}

static void
too_late_working(struct http_conn *conn)
{
	http_reply_late(conn->req);
}

static void
too_late_writing(struct http_conn *conn)
{
	stats_incr(conn->http->stats, HTTP_STAT_CUT);
	conn_cut(conn);
}

/* evhttp stops reading while a handler works, and so would not see the client go. */
static void
watch_gone(struct http_conn *conn)
{
	bufferevent_data_cb on_write;
	bufferevent_event_cb on_event;
	void *arg;

	bufferevent_getcb(conn->bev, NULL, &on_write, &on_event, &arg);
	bufferevent_setcb(conn->bev, NULL, on_write, on_event, arg);
	bufferevent_enable(conn->bev, EV_READ);
	conn->gone_watched = true;
}

void
conn_check_deadlines(struct http *http, uint64_t now_ms)
{
	struct http_conn *conn;

	for (size_t p = 0; p < CONN_PHASES; p++) {
		uint32_t limit_ms = phases[p].fixed_ms;
		if (phases[p].limit_at != 0)
			memcpy(&limit_ms, (const char *)&http->settings + phases[p].limit_at,
			    sizeof(limit_ms));
		while (limit_ms != 0 && (conn = TAILQ_FIRST(&http->phases[p])) != NULL
		       && now_ms >= conn->since_ms + limit_ms)
			phases[p].too_late(conn);
	}
	TAILQ_FOREACH (conn, &http->phases[CONN_WORKING], in_phase) {
		if (now_ms < conn->since_ms + GONE_WATCH_MS)
			break;
		if (!conn->gone_watched)
			watch_gone(conn);
	}
}
