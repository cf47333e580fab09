/* Bodies without a known end, such as server-sent events, to readers that may not read. */
#include "http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stats.h"

enum { SEND_BUFFER_BYTES = 128 * 1024, RETRY_S = 10 };

struct http_stream {
	struct http *http;
	struct http_conn *conn; /* NULL while on_close tells that it has gone */
	struct evhttp_request *ev;
	http_stream_close_fn *on_close;
	void *arg;
	bool stalled;
	char network[HTTP_NETWORK_SIZE];
	LIST_ENTRY(http_stream) in_list;
};

static void
answer_head(struct http_request *req, const char *content_type)
{
	const struct http_response response = { .status = 200, .content_type = content_type };

	http_reply(req, &response);
}

static bool
address_has_its_share(const struct http *http, const char *network)
{
	uint32_t most = http->settings.max_streams_per_address, count = 0;
	const struct http_stream *stream;

	if (most == 0)
		return false;
	LIST_FOREACH (stream, &http->streams, in_list)
		count += strcmp(stream->network, network) == 0;
	return count >= most;
}

struct http_stream *
http_stream_begin(
    struct http_request *req, const char *content_type, http_stream_close_fn *on_close, void *arg)
{
	const struct http_response response = { .status = 200, .content_type = content_type };
	struct http *http = req->http;
	struct http_conn *conn = req->conn;

	if (conn == NULL || req->head_only) {
		answer_head(req, content_type);
		return NULL;
	}
	if (address_has_its_share(http, req->network)) {
		stats_incr(http->stats, HTTP_STAT_STREAMS_HOGGED);
		http_reply_retry(
		    req, 429, "this address has as many streams open as one may", RETRY_S);
		return NULL;
	}
	struct http_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL || http->stream_count >= http->settings.max_streams || http->draining) {
		free(stream);
		http_count_refusal(http, 503);
		http_reply_error(req, 503, "too many streams, try again later");
		return NULL;
	}
	conn->close = true;
	if (!http_add_fields(req, &response, SIZE_MAX)) {
		evhttp_clear_headers(evhttp_request_get_output_headers(req->ev));
		free(stream);
		http_reply_error(req, 500, "the content type is not valid");
		return NULL;
	}
	*stream = (struct http_stream){
		.http = http, .conn = conn, .ev = req->ev, .on_close = on_close, .arg = arg
	};
	_Static_assert(sizeof(stream->network) == sizeof(req->network), "an address fits");
	memcpy(stream->network, req->network, sizeof(stream->network));
	LIST_INSERT_HEAD(&http->streams, stream, in_list);
	/* What the kernel takes for a reader that does not read is bounded too. */
	int bytes = SEND_BUFFER_BYTES;
	setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	http_count_reply(http, 200);
	stats_incr(http->stats, HTTP_STAT_STREAMS);
	stats_set(http->stats, HTTP_STAT_OPEN_STREAMS, (int64_t)++http->stream_count);

	conn->req = NULL;
	conn->stream = stream;
	req->conn = NULL;
	http_request_free(req);
	conn_enter(conn, CONN_STREAM);
	evhttp_send_reply_start(stream->ev, 200, http_reason(200));
	return stream;
}

size_t
http_stream_pending(const struct http_stream *stream)
{
	return stream->conn == NULL
		   ? 0
		   : evbuffer_get_length(bufferevent_get_output(stream->conn->bev));
}

bool
http_stream_send(struct http_stream *stream, const void *data, size_t len)
{
	struct evbuffer *scratch = stream->http->scratch;

	if (stream->stalled || stream->conn == NULL)
		return false;
	if (len > stream->http->settings.stream_cap_bytes
	    || http_stream_pending(stream) > stream->http->settings.stream_cap_bytes - len
	    || evbuffer_add(scratch, data, len) == -1) {
		stream->stalled = true;
		stats_incr(stream->http->stats, HTTP_STAT_STALLED);
		conn_schedule(stream->conn, TODO_CUT);
		return false;
	}
	evhttp_send_reply_chunk(stream->ev, scratch);
	return true;
}

static void
stream_free(struct http_stream *stream)
{
	struct http *http = stream->http;

	LIST_REMOVE(stream, in_list);
	stats_set(http->stats, HTTP_STAT_OPEN_STREAMS, (int64_t)--http->stream_count);
	free(stream);
}

void
http_stream_end(struct http_stream *stream)
{
	struct http_conn *conn = stream->conn;
	struct evhttp_request *ev = stream->ev;
	bool stalled = stream->stalled;

	conn->stream = NULL;
	stream_free(stream);
	if (stalled)
		return; /* to be cut in this turn anyway */
	conn_enter(conn, CONN_WRITING);
	evhttp_send_reply_end(ev);
}

void
http_stream_closed(struct http_stream *stream)
{
	http_stream_close_fn *on_close = stream->on_close;
	void *arg = stream->arg;
	enum http_stream_end why = stream->stalled ? HTTP_STREAM_STALLED : HTTP_STREAM_GONE;

	stream->conn = NULL;
	/* A request whose connection broke is left to us; else it goes with the connection. */
	if (evhttp_request_get_connection(stream->ev) == NULL)
		evhttp_request_free(stream->ev);
	on_close(arg, stream, why);
	stream_free(stream);
}

void
http_stream_drain(struct http_stream *stream)
{
	stream->on_close(stream->arg, stream, HTTP_STREAM_DRAINED);
	http_stream_end(stream);
}
