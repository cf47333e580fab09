/* Moves a connection from phase to phase, refuses, keeps its deadlines, and lets it go. */
#include "http_internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "stats.h"

enum {
	LINGER_MS = 1000, /* after the last byte that came */
	LINGER_MOST_MS = 20000,
	GONE_WATCH_MS = 200,
	SILENT_MS = 30000,
	MS_PER_S = 1000,
	BODY_BYTES_PER_S = 64 * 1024,
};

static void too_late_reading(struct http_conn *conn);
static void too_late_working(struct http_conn *conn);
static void too_late_writing(struct http_conn *conn);

#define BIT(phase) (1u << (phase))
#define LIMIT(member) .limit_at = offsetof(struct http_settings, member)

/* Each phase: what may follow, its time limit (a member of the settings, or a fixed one, or none)
 * and what happens at its end. */
static const struct {
	const char *name;
	unsigned next;
	size_t limit_at; /* offset in the settings, 0: fixed_ms */
	uint32_t fixed_ms; /* 0: no limit */
	void (*too_late)(struct http_conn *conn);
} phases[] = {
	[CONN_NEW] = { "new", BIT(CONN_HEAD), 0, 0, NULL },
	[CONN_IDLE] = { "idle", BIT(CONN_HEAD), LIMIT(idle_ms), .too_late = conn_cut },
	[CONN_HEAD] = { "head", BIT(CONN_BODY) | BIT(CONN_REFUSING), LIMIT(header_deadline_ms),
	    .too_late = too_late_reading },
	[CONN_BODY] = { "body", BIT(CONN_WORKING) | BIT(CONN_REFUSING), LIMIT(body_deadline_ms),
	    .too_late = too_late_reading },
	[CONN_WORKING] = { "working", BIT(CONN_WRITING) | BIT(CONN_STREAM),
	    LIMIT(reply_deadline_ms), .too_late = too_late_working },
	[CONN_WRITING] = { "writing", BIT(CONN_IDLE), LIMIT(write_deadline_ms),
	    .too_late = too_late_writing },
	[CONN_STREAM] = { "stream", BIT(CONN_WRITING), 0, 0, NULL },
	[CONN_REFUSING] = { "refusing", BIT(CONN_LINGERING), 0, LINGER_MS, conn_cut },
	[CONN_LINGERING] = { "lingering", 0, 0, LINGER_MS, conn_cut },
};
_Static_assert(ARRAY_LEN(phases) == CONN_PHASES, "describe every phase");

struct http_conn *
conn_create(struct http *http, struct bufferevent *bev)
{
	struct http_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->http = http;
	conn->bev = bev;
	conn->fd = -1;
	if (!conn_watch(conn)) {
		free(conn);
		return NULL;
	}
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

	assert((phases[conn->phase].next & BIT(phase)) != 0);
	log_debug("http fd=%d %s -> %s", conn->fd, phases[conn->phase].name, phases[phase].name);
	TAILQ_REMOVE(&http->phases[conn->phase], conn, in_phase);
	TAILQ_INSERT_TAIL(&http->phases[phase], conn, in_phase);
	conn->phase = phase;
	conn->since_ms = clock_monotonic_ms();
	conn->answer_bytes = 0;
	if (phase == CONN_LINGERING)
		conn->lingers_ms = conn->since_ms;
	conn->gone_watched = false;
}

void
conn_linger_on(struct http_conn *conn)
{
	struct http_conn_list *list = &conn->http->phases[CONN_LINGERING];
	uint64_t now_ms = clock_monotonic_ms();

	assert(conn->phase == CONN_LINGERING);
	if (now_ms - conn->lingers_ms >= LINGER_MOST_MS)
		return;
	conn->since_ms = now_ms;
	TAILQ_REMOVE(list, conn, in_phase);
	TAILQ_INSERT_TAIL(list, conn, in_phase);
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
http_release_body(struct http *http, size_t *reserved_bytes)
{
	http->buffered_bytes -= *reserved_bytes;
	if (*reserved_bytes > LARGE_BODY_BYTES)
		http->large_bytes -= *reserved_bytes;
	*reserved_bytes = 0;
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
	evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->watch);
	http_release_body(http, &conn->reserved_bytes);
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

void
conn_refuse(struct http_conn *conn, const char *path, struct http_verdict verdict)
{
	http_count_refusal(conn->http, verdict.status);
	http_count_reply(conn->http, verdict.status);
	log_debug("http refused status=%u why=\"%s\"", verdict.status, verdict.why);

	conn_drop_input(conn);
	http_release_body(conn->http, &conn->reserved_bytes);
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

void
conn_replied(struct evhttp_request *ev, void *arg)
{
	struct http_conn *conn = arg;
	size_t waiting = evbuffer_get_length(bufferevent_get_input(conn->bev));

	(void)ev;
	conn_enter(conn, CONN_IDLE);
	conn_restore_read_ahead(conn);
	if (conn->close)
		return;
	/* evhttp must have read exactly the bytes that were looked at. */
	if (conn->come_bytes - waiting != conn->passed_bytes) {
		stats_add_at(conn->http->stats, HTTP_STAT_REFUSED, HTTP_REFUSED_DESYNC, 1);
		conn_drop_input(conn);
		conn_schedule(conn, TODO_CUT);
	} else if (conn->http->draining) {
		conn_drop_input(conn);
		conn_schedule(conn, TODO_CUT);
	} else if (waiting > 0) {
		conn_watch_head(conn);
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

/* What has come of a body. */
static uint64_t
come_of_body(const struct http_conn *conn)
{
	uint64_t missing = conn->come_bytes < conn->passed_bytes
			       ? conn->passed_bytes - conn->come_bytes
			       : 0;

	return missing >= conn->reserved_bytes ? 0 : conn->reserved_bytes - missing;
}

/* What the reader has of an answer: neither our buffer nor the kernel's has it any more. */
static uint64_t
gone_of_answer(const struct http_conn *conn)
{
	size_t left = evbuffer_get_length(bufferevent_get_output(conn->bev));
	int queued = 0;

	if (ioctl(conn->fd, SIOCOUTQ, &queued) == -1 || queued < 0)
		return 0;
	left += (size_t)queued;
	return left >= conn->answer_bytes ? 0 : conn->answer_bytes - left;
}

/* A long body or answer may take longer than its phase's limit, by half a megabit a second: for
 * what has come or gone of it, for who declares or asks much and then does nothing holds the room
 * of others. */
static uint64_t
allowance_ms(const struct http_conn *conn)
{
	uint64_t moved = 0;

	if (conn->phase == CONN_BODY)
		moved = come_of_body(conn);
	else if (conn->phase == CONN_WRITING)
		moved = gone_of_answer(conn);
	return moved * MS_PER_S / BODY_BYTES_PER_S;
}

void
conn_check_deadlines(struct http *http, uint64_t now_ms)
{
	struct http_conn *conn, *next;

	for (size_t p = 0; p < CONN_PHASES; p++) {
		uint32_t limit_ms = phases[p].fixed_ms;
		if (phases[p].limit_at != 0)
			memcpy(&limit_ms, (const char *)&http->settings + phases[p].limit_at,
			    sizeof(limit_ms));
		conn = limit_ms == 0 ? NULL : TAILQ_FIRST(&http->phases[p]);
		for (; conn != NULL && now_ms >= conn->since_ms + limit_ms; conn = next) {
			next = TAILQ_NEXT(conn, in_phase);
			if (now_ms >= conn->since_ms + limit_ms + allowance_ms(conn))
				phases[p].too_late(conn);
		}
	}
	TAILQ_FOREACH (conn, &http->phases[CONN_WORKING], in_phase) {
		if (now_ms < conn->since_ms + GONE_WATCH_MS)
			break;
		if (!conn->gone_watched)
			watch_gone(conn);
	}
}
