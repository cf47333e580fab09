/* Watches the bytes of a connection before evhttp reads them: no head passes unchecked. */
#include "http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stats.h"

/* Read ahead of evhttp at most; more for the time a longer body is coming. */
enum { READ_AHEAD_BYTES = 64 * 1024 };

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg);

static struct evbuffer *
input_of(const struct http_conn *conn)
{
	return bufferevent_get_input(conn->bev);
}

bool
conn_watch(struct http_conn *conn)
{
	bufferevent_setwatermark(conn->bev, EV_READ, 0, READ_AHEAD_BYTES);
	conn->watch = evbuffer_add_cb(input_of(conn), on_input, conn);
	return conn->watch != NULL;
}

/* Moves bytes without on_input() taking them for new ones. */
void
conn_drop_input(struct http_conn *conn)
{
	conn->moving = true;
	evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
	conn->moving = false;
}

void
conn_restore_read_ahead(struct http_conn *conn)
{
	if (!conn->high_watermark_raised)
		return;
	conn->high_watermark_raised = false;
	bufferevent_setwatermark(conn->bev, EV_READ, 0, READ_AHEAD_BYTES);
}

/* Whose request this is, of a head that passed: as http_find_client() finds it later, when evhttp
 * has read it. */
static struct http_address
client_of(const struct http_conn *conn, const char *data, size_t head_len)
{
	static const char name[] = "\r\nX-Forwarded-For:";
	const size_t name_len = sizeof(name) - 1;
	struct http_address address = conn->peer;

	for (size_t at = head_len; conn->trusted && at-- > 0;) {
		if (head_len - at <= name_len || strncasecmp(data + at, name, name_len) != 0)
			continue;
		const char *value = data + at + name_len;
		const char *end = memchr(value, '\r', head_len - at - name_len);
		if (end == NULL
		    || !http_peers_follow(
			&conn->http->trusted, value, (size_t)(end - value), &address))
			break;
	}
	return address;
}

/* The large bodies that are coming from where this one comes from. */
static size_t
coming_from(const struct http *http, const struct http_address *client)
{
	const struct http_conn *conn;
	size_t bytes = 0;

	TAILQ_FOREACH (conn, &http->phases[CONN_BODY], in_phase) {
		if (conn->reserved_bytes > LARGE_BODY_BYTES
		    && http_network_equal(&conn->body_from, client))
			bytes += conn->reserved_bytes;
	}
	return bytes;
}

/* Does a large body fit beside the others, and is some room left for people elsewhere? */
static struct http_verdict
check_large_body(struct http_conn *conn, size_t length)
{
	struct http *http = conn->http;
	size_t room = http->settings.max_buffered_bytes / 4 * 3;
	size_t theirs = coming_from(http, &conn->body_from);

	if (length > room - http->large_bytes)
		return (struct http_verdict){ 503, "too many large bodies at once, try again" };
	if (theirs > 0 && length > room / 2 - (theirs < room / 2 ? theirs : room / 2))
		return (struct http_verdict){ 503,
			"too many large bodies at once from your address, try again" };
	return (struct http_verdict){ 0, NULL };
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
	if (head->content_length > LARGE_BODY_BYTES)
		return check_large_body(conn, (size_t)head->content_length);
	return (struct http_verdict){ 0, NULL };
}

/* Makes room for the body, which evhttp takes over only when all of it is there. */
static void
reserve_body(struct http_conn *conn, size_t head_len, size_t body_len)
{
	conn->http->buffered_bytes += body_len;
	conn->reserved_bytes = body_len;
	if (body_len > LARGE_BODY_BYTES)
		conn->http->large_bytes += body_len;
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
	if (head.content_length > LARGE_BODY_BYTES)
		conn->body_from = client_of(conn, data, head_len);
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
void
conn_watch_head(struct http_conn *conn)
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
		conn_drop_input(conn);
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
		conn_watch_head(conn);
		break;
	case CONN_NEW:
	case CONN_STREAM:
	case CONN_REFUSING:
		conn_drop_input(conn);
		break;
	case CONN_LINGERING:
		conn_drop_input(conn);
		conn_linger_on(conn);
		break;
	case CONN_BODY:
	case CONN_WORKING:
	case CONN_WRITING:
	case CONN_PHASES:
		break;
	}
}
