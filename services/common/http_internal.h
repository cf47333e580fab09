/*
 * http_internal - what the files of the http module share; nobody else includes it.
 *
 * The way of a connection: http_accept.c lets it in (evhttp makes the connection object, and we
 * the bufferevent below it), http_watch.c checks its bytes, http_conn.c moves it from phase to
 * phase, http_request.c turns what evhttp parsed into a request and finds its route, http_reply.c
 * and http_stream.c answer.
 */
#ifndef TURUNC_HTTP_INTERNAL_H
#define TURUNC_HTTP_INTERNAL_H

#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http.h"
#include "http_head.h"
#include "http_multipart.h"
#include "http_peer.h"
#include "http_text.h"

struct bufferevent;
struct event;
struct evhttp;
struct evhttp_connection;
struct evhttp_request;
struct evbuffer_cb_entry;
struct evconnlistener;
struct evhttp_bound_socket;

enum conn_phase {
	CONN_NEW, /* accepted, evhttp's connection object not known yet */
	CONN_IDLE, /* between requests */
	CONN_HEAD, /* waiting for the rest of a head, or for the first byte after the connect */
	CONN_BODY, /* the head went to evhttp; the body is coming */
	CONN_WORKING, /* the handler has the request */
	CONN_WRITING, /* answered; bytes are leaving */
	CONN_STREAM,
	CONN_REFUSING, /* our refusal is leaving, evhttp is cut off */
	CONN_LINGERING, /* refusal sent; what still comes is thrown away, so that no reset eats it
			 */
	CONN_PHASES
};

/* What is left for the end of the turn, the strongest last. */
enum conn_todo { TODO_NOTHING, TODO_END_STREAM, TODO_REFUSE, TODO_CUT };

struct http_conn {
	struct http *http;
	struct bufferevent *bev; /* evhttp's to free, like evcon */
	struct evbuffer_cb_entry *watch;
	struct evhttp_connection *evcon;
	int fd;
	struct http_address peer;
	bool trusted;

	enum conn_phase phase;
	uint64_t since_ms;
	uint64_t lingers_ms; /* since when, in CONN_LINGERING */
	TAILQ_ENTRY(http_conn) in_phase;
	enum conn_todo todo;
	TAILQ_ENTRY(http_conn) in_todo;

	struct http_head_scan scan;
	struct evbuffer *held; /* a head's first pieces, or a refusal; NULL: nothing */
	bool moving; /* we are moving bytes about: not news */
	bool high_watermark_raised;
	bool gone_watched;
	bool close; /* after this answer */
	uint64_t come_bytes; /* all that came */
	uint64_t passed_bytes; /* heads and bodies that evhttp was to read */
	size_t answer_bytes; /* in CONN_WRITING: of the answer's body; 0 of a stream */
	size_t reserved_bytes; /* of http->buffered_bytes; the request's from CONN_WORKING on */
	struct http_address body_from; /* in CONN_BODY, of a large one: whose it is */

	struct http_request *req; /* in CONN_WORKING */
	struct http_stream *stream; /* in CONN_STREAM */
};
TAILQ_HEAD(http_conn_list, http_conn);

struct http_request {
	struct http *http; /* NULL once the server is closed */
	struct http_conn *conn; /* NULL once nobody is left to answer to */
	struct evhttp_request *ev; /* likewise */
	struct evkeyvalq headers; /* taken over when ev goes */
	enum http_method method;
	bool head_only;
	char *path;
	char *path_parts; /* the path again, cut after each parameter */
	struct http_captures captures;
	struct http_pairs query;
	struct http_pairs form;
	struct http_files files;
	char *body;
	size_t body_len;
	size_t reserved_bytes; /* of http->buffered_bytes, for as long as the body is held */
	char client[INET6_ADDRSTRLEN];
	char network[HTTP_NETWORK_SIZE];
	int64_t since_us;
	http_gone_fn *on_gone;
	void *on_gone_arg;
	TAILQ_ENTRY(http_request) in_live;
};

enum { ROUTE_TABLES = 12, LARGE_BODY_BYTES = 1024 * 1024 };

struct http {
	struct event_base *base;
	struct http_settings settings;
	struct evhttp *ev;
	struct evconnlistener *listener; /* evhttp's to free; NULL once draining */
	struct evhttp_bound_socket *bound;
	struct event *turn; /* made active to do the todo list */
	struct event *ticker;
	uint16_t port;
	struct route_table {
		const struct http_route *routes;
		size_t count;
		void *arg;
	} tables[ROUTE_TABLES];
	size_t table_count;
	struct http_peers trusted;

	struct http_conn_list phases[CONN_PHASES];
	struct http_conn_list todo;
	struct http_conn **by_fd;
	size_t by_fd_count;
	size_t conn_count;
	size_t stream_count;
	LIST_HEAD(, http_stream) streams;
	size_t buffered_bytes;
	size_t large_bytes; /* of them, those of large bodies */
	TAILQ_HEAD(, http_request) live;
	struct evbuffer *scratch;
	struct stats *stats;
	bool draining;
};

/* http_server.c */
/* The next look at the deadlines: soon when there are connections. */
void http_arm_ticker(struct http *http);

/* http_accept.c */
/* evhttp asks for the bufferevent of a connection just accepted. */
struct bufferevent *http_on_accept(struct event_base *base, void *arg);
void http_on_accept_failed(struct evconnlistener *listener, void *arg);
/* Learns what evhttp made around our bufferevent, and lets the connection in or not. */
void http_adopt(struct http_conn *conn);

/* http_conn.c */
struct http_conn *conn_create(struct http *http, struct bufferevent *bev);
/* Half of the adoption: evcon is known now. */
void conn_start(struct http_conn *conn);
/* The connection is going: evhttp calls it through the close callback. */
void conn_closed(struct evhttp_connection *evcon, void *arg);
void conn_enter(struct http_conn *conn, enum conn_phase phase);
/* More came of what is thrown away: its sender has not read the refusal yet, and a reset would eat
 * it. */
void conn_linger_on(struct http_conn *conn);
void conn_schedule(struct http_conn *conn, enum conn_todo todo);
void conn_do(struct http_conn *conn);
/* Frees the connection; not from within its own callbacks, see conn_schedule(). */
void conn_cut(struct http_conn *conn);
/* Answers in evhttp's place and closes.  path may be "". */
void conn_refuse(struct http_conn *conn, const char *path, struct http_verdict verdict);
/* The answer has left: on to the next request.  evhttp's on-complete callback. */
void conn_replied(struct evhttp_request *ev, void *arg);
/* Gives back to http->buffered_bytes; *reserved_bytes is 0 then. */
void http_release_body(struct http *http, size_t *reserved_bytes);
/* Looks at everything whose time is up. */
void conn_check_deadlines(struct http *http, uint64_t now_ms);

/* http_watch.c */
/* Begins to watch the input of conn->bev; false: no memory. */
MUST_CHECK bool conn_watch(struct http_conn *conn);
/* Looks at what is in the input while a head is expected; evhttp finds it empty until the head is
 * whole. */
void conn_watch_head(struct http_conn *conn);
void conn_drop_input(struct http_conn *conn);
void conn_restore_read_ahead(struct http_conn *conn);

/* http_route.c */
struct http_match {
	const struct http_route *route; /* NULL: 404, or 405 when methods is not 0 */
	void *arg;
	unsigned methods;
	struct http_captures captures;
};
void http_route_find(
    const struct http *http, const char *path, enum http_method method, struct http_match *ret);
bool http_routes_valid(const struct http_route routes[], size_t count);
size_t http_max_body(const struct http *http, const struct http_route *route);
/* "GET, HEAD, POST" */
void http_methods_format(unsigned methods, char *out, size_t size);

/* http_request.c */
void http_on_request(struct evhttp_request *ev, void *arg);
/* ev is no longer ours to use; what it holds of the request is taken over. */
void http_request_detach(struct http_request *req);
/* Nobody will read the answer: tells the owner. */
void http_request_abandon(struct http_request *req);
void http_request_free(struct http_request *req);

/* http_fields.c */
/* Fills req->client; needs the connection. */
void http_find_client(struct http_request *req);

/* http_reply.c */
const char *http_reason(unsigned status);
/* Writes an error body; returns its content type. */
const char *http_error_body(
    struct http *http, const char *path, unsigned status, const char *why, struct evbuffer *body);
/* A whole error answer as text, for connections evhttp no longer serves; false: no memory. */
MUST_CHECK bool http_error_message(
    struct http *http, const char *path, struct http_verdict verdict, struct evbuffer *out);
/* Fills ev's output headers; false: a field evhttp does not take. */
MUST_CHECK bool http_add_fields(
    const struct http_request *req, const struct http_response *response, size_t body_len);
/* 503, for the handler is late; the owner keeps req. */
void http_reply_late(struct http_request *req);
void http_count_reply(struct http *http, unsigned status);
void http_count_refusal(struct http *http, unsigned status);

/* http_stream.c */
void http_stream_closed(struct http_stream *stream);
void http_stream_drain(struct http_stream *stream);

#endif
