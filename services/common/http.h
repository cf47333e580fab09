/*
 * http - an HTTP/1.1 server on the loop: evhttp behind strict checks, deadlines and limits.
 *
 * A daemon opens one server with a table of routes.  Each accepted request reaches the handler
 * of its route as a struct http_request, already checked: one Host, one honest length, a path
 * and a query that decode to valid UTF-8, a body within the route's limit and received whole.
 * What does not pass is answered here and never reaches a handler (http_head.h says what is
 * refused with which status).  The handler answers with one call of http_reply(), at once or
 * later, or turns the request into a stream with http_stream_begin().
 *
 * Everything runs on the loop's thread.  Callbacks may call any function here but http_close().
 * The server keeps a timer of its own on the loop: a daemon that forgot to drive it would have no
 * deadlines at all.  SIGPIPE must be ignored, as daemon_command_line() does.
 */
#ifndef TURUNC_HTTP_H
#define TURUNC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct event_base;
struct evbuffer;
struct stats;

struct http;
struct http_request;
struct http_stream;

enum http_method {
	HTTP_GET = 1 << 0, /* a route for GET also answers HEAD */
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
	HTTP_PUT = 1 << 3,
	HTTP_DELETE = 1 << 4,
	HTTP_PATCH = 1 << 5,
	HTTP_OPTIONS = 1 << 6,
};

/* arg is the one given with the route's table.  The handler owns req until it answers. */
typedef void http_handler_fn(struct http_request *req, void *arg);

/*
 * path is literal but for {name}, which stands for a non-empty part of one segment:
 * "/requests/{id}", "/requests/{id}.{format}" (id then ends before the last dot), and as the last
 * segment {name*}, which stands for all the rest, slashes and nothing included.  First match wins.
 */
struct http_route {
	unsigned methods; /* of enum http_method */
	const char *path;
	http_handler_fn *handle;
	size_t max_body_bytes; /* 0: the server's */
};

/*
 * Writes the body of an error the server itself found (status is 4xx or 5xx, why an English
 * sentence; path is the decoded path, or "" when the request never had one).  Returns the
 * content type, or NULL to have `why` sent as plain text.
 */
typedef const char *http_error_fn(
    void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body);

struct http_settings {
	const char *host; /* numeric, "127.0.0.1" or "::1" (a struct setting_address has both) */
	uint16_t port; /* 0: any free one, see http_port() */
	const char *trusted_peers; /* addresses, comma separated; their X-Forwarded-For counts as
				      loopback's does; NULL: none */
	bool distrust_loopback; /* no proxy on this machine: loopback is a peer like any other */
	uint32_t max_connections;
	uint32_t max_connections_per_address; /* 0: no cap; trusted peers have none */
	uint32_t max_streams;
	uint32_t max_streams_per_address; /* as http_client_network() says; 0: no cap */
	uint32_t max_header_bytes; /* request line and headers together */
	uint32_t max_body_bytes; /* unless the route says otherwise */
	uint32_t max_buffered_bytes; /* bodies held at one time, all connections together; those
				      over a megabyte may be three quarters of it, so that however
				      many photos are under way a report without one is taken;
				      half of that from one address, but one body always */
	uint32_t stream_cap_bytes; /* unread by one stream's reader before it is cut */
	uint32_t idle_ms; /* between requests of one connection */
	uint32_t header_deadline_ms; /* from the first byte (or the connect) to the last header */
	uint32_t body_deadline_ms; /* from the last header to the whole body, and a second more for
				      each 64 KiB of it */
	uint32_t reply_deadline_ms; /* from the whole request to the answer; then 503 */
	uint32_t write_deadline_ms; /* from the answer to its last byte sent, and a second more for
				       each 64 KiB of it that its reader has taken */
	http_error_fn *write_error; /* NULL: plain text */
	void *write_error_arg;
};

/* Fills in the defaults; the caller sets host, port and whatever it wants otherwise. */
void http_settings_init(struct http_settings *settings);

/* What is counted (see http_stats). */
enum http_stat {
	HTTP_STAT_REQUESTS, /* that reached a handler */
	HTTP_STAT_REPLIES, /* by class: 0 is 1xx, 4 is 5xx */
	HTTP_STAT_REFUSED, /* by enum http_refusal */
	HTTP_STAT_CONNECTIONS, /* accepted */
	HTTP_STAT_DROPPED, /* replies nobody was left to read */
	HTTP_STAT_CUT, /* answers whose reader was too slow */
	HTTP_STAT_STREAMS,
	HTTP_STAT_STALLED, /* streams cut at the cap */
	HTTP_STAT_STREAMS_HOGGED, /* streams refused: their address has its share */
	HTTP_STAT_OPEN, /* connections now */
	HTTP_STAT_OPEN_STREAMS, /* streams now */
	HTTP_STAT_BUFFERED, /* bytes reserved for bodies now */
	HTTP_STAT_TIME, /* from the whole request to its answer */
	HTTP_STAT_COUNT
};

enum http_refusal {
	HTTP_REFUSED_MALFORMED, /* 400 by the strict checks */
	HTTP_REFUSED_TOO_LARGE, /* 413, 414, 431 */
	HTTP_REFUSED_LENGTH, /* 411 */
	HTTP_REFUSED_METHOD, /* 405, 501 */
	HTTP_REFUSED_VERSION, /* 505 */
	HTTP_REFUSED_NOT_FOUND, /* 404 of the routes */
	HTTP_REFUSED_MEDIA, /* 415, 417 */
	HTTP_REFUSED_SLOW, /* 408: header or body deadline */
	HTTP_REFUSED_BUSY, /* 503: connections, streams or bodies at their limit */
	HTTP_REFUSED_LATE, /* 503: the handler did not answer in time */
	HTTP_REFUSED_DESYNC, /* cut: evhttp read other bytes than were checked */
	HTTP_REFUSAL_COUNT
};

/*
 * Listens from now on.  routes must outlive the server; settings are read here and then the
 * caller's again.  NULL: *ret_why says why, in words of static storage, and errno may add to it.
 */
struct http *http_open(struct event_base *base, const struct http_settings *settings,
    const struct http_route routes[], size_t count, void *arg, const char **ret_why);

/* More routes, looked at after those already there; false when there are too many tables. */
MUST_CHECK bool http_add_routes(
    struct http *http, const struct http_route routes[], size_t count, void *arg);

/* Stops at once: streams get their on_close, requests still held are gone.  Accepts NULL. */
void http_close(struct http *http);

/* Stops accepting, closes idle connections, ends streams; what is in flight is finished, each
 * answer with `Connection: close`.  http_drained: nothing is left. */
void http_drain(struct http *http);
bool http_drained(const struct http *http);

uint16_t http_port(const struct http *http);
size_t http_connections(const struct http *http);
size_t http_streams(const struct http *http);
/* Lent; goes with the server. */
struct stats *http_stats(const struct http *http);

/*
 * Reading a request.  Pointers stay valid until the request is answered, also after the client
 * has gone.  Strings are NUL-terminated; decoded ones are valid UTF-8 without NUL.
 */
enum http_method http_request_method(const struct http_request *req); /* never HEAD: see below */
bool http_request_is_head(const struct http_request *req); /* told as GET; the body is left out */
const char *http_request_path(const struct http_request *req); /* decoded, without the query */

/* The part of the path that {name} stood for; name must be in the route's path. */
const char *http_path_param(const struct http_request *req, const char *name);

/* Pairs of the query or of a urlencoded form, decoded, in the order sent. */
struct http_pair {
	const char *name;
	const char *value; /* "" when there was no = */
};
size_t http_query_count(const struct http_request *req);
const struct http_pair *http_query_at(const struct http_request *req, size_t i);
/* The first value of that name, or NULL.  *ret_count (may be NULL): how many there are. */
const char *http_query(const struct http_request *req, const char *name, size_t *ret_count);

/* The same for a body of application/x-www-form-urlencoded or multipart/form-data; empty for any
 * other type. */
size_t http_form_count(const struct http_request *req);
const struct http_pair *http_form_at(const struct http_request *req, size_t i);
const char *http_form(const struct http_request *req, const char *name, size_t *ret_count);

/* The files of a body of multipart/form-data, in the order sent; its texts are the form's pairs
 * above.  What a file calls itself is the sender's word and proves nothing. */
struct http_file {
	const char *field;
	const char *name; /* of the file, "" when it has none */
	const void *data;
	size_t len;
};
size_t http_file_count(const struct http_request *req);
const struct http_file *http_file_at(const struct http_request *req, size_t i);

/* The body, NUL-terminated for convenience (it may hold NULs itself).  Never NULL.  That of
 * multipart/form-data was taken apart where it stands. */
const char *http_body(const struct http_request *req, size_t *ret_len);

/* The header's (first) value, or NULL.  Host, Content-Type, Authorization, Cookie,
 * Idempotency-Key, If-None-Match, Origin and Referer are known to come once at most. */
const char *http_header(const struct http_request *req, const char *name);

/* Is Content-Type this media type?  Parameters and ASCII case do not matter. */
bool http_content_type_is(const struct http_request *req, const char *media_type);

/* Where the request came from: the peer, or what a trusted peer's X-Forwarded-For says. */
const char *http_client_address(const struct http_request *req);
/* What limits of one client go by: the address, or the /64 of an IPv6 one. */
const char *http_client_network(const struct http_request *req);

/* "tr" or "en", whichever Accept-Language likes better; "tr" when it does not say. */
const char *http_language(const struct http_request *req);

/* Does If-None-Match name this entity tag (written with its quotes)? */
bool http_etag_matches(const struct http_request *req, const char *etag);

/* Nobody is left to read the answer: the client has gone, or was told 503 for lateness. */
bool http_request_gone(const struct http_request *req);

/* fn is called once if that happens before the answer; it may answer (a no-op) there. */
typedef void http_gone_fn(void *arg, struct http_request *req);
void http_request_on_gone(struct http_request *req, http_gone_fn *fn, void *arg);

/*
 * Answering.  Exactly one of these per request, after which req is no more; when the client has
 * gone the answer is dropped.
 */
struct http_field {
	const char *name;
	const char *value;
};

struct http_response {
	unsigned status;
	const char *content_type; /* NULL only without a body; text/html also gets a CSP */
	const void *data; /* the body, copied; or: */
	size_t len;
	struct evbuffer *body; /* the body, drained by the call (stays the caller's) */
	const char *cache_control; /* NULL: "no-store" */
	const struct http_field *fields;
	size_t field_count;
	uint32_t retry_after_s; /* for 429 and 503; 0 there means 1 */
};

void http_reply(struct http_request *req, const struct http_response *response);

/* A body of one type, nothing else. */
void http_reply_data(struct http_request *req, unsigned status, const char *content_type,
    const void *data, size_t len);

/* An error in the server's error format (see write_error); 429 and 503 say to retry in 1 s. */
void http_reply_error(struct http_request *req, unsigned status, const char *why);
void http_reply_retry(
    struct http_request *req, unsigned status, const char *why, uint32_t retry_after_s);

/*
 * Server-sent events, or any body without a known end.
 */
enum http_stream_end {
	HTTP_STREAM_GONE, /* the reader closed the connection */
	HTTP_STREAM_STALLED, /* the reader did not read: cut at the cap */
	HTTP_STREAM_DRAINED, /* the server stops */
};

/* Called once, never from within another call here; the stream is no more after it. */
typedef void http_stream_close_fn(void *arg, struct http_stream *stream, enum http_stream_end why);

/* Sends the header and takes the request, in any case.  NULL: there will be no stream, for the
 * client has gone, asked with HEAD, was told 503 since all max_streams are taken, or 429 since
 * its address has as many as one may. */
MUST_CHECK struct http_stream *http_stream_begin(
    struct http_request *req, const char *content_type, http_stream_close_fn *on_close, void *arg);

/* False: this reader is being cut, nothing was queued; on_close follows. */
bool http_stream_send(struct http_stream *stream, const void *data, size_t len);

/* Bytes the reader has not taken yet. */
size_t http_stream_pending(const struct http_stream *stream);

/* Ends the stream in order; on_close is not called. */
void http_stream_end(struct http_stream *stream);

#endif
