/* Turns what evhttp has parsed into a request, finds its route, and lets the handler read it. */
#include "http_internal.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "stats.h"

static const char form_type[] = "application/x-www-form-urlencoded";
static const char multipart_type[] = "multipart/form-data";

static const struct {
	enum evhttp_cmd_type from;
	enum http_method method;
} methods[] = {
	{ EVHTTP_REQ_GET, HTTP_GET },
	{ EVHTTP_REQ_HEAD, HTTP_HEAD },
	{ EVHTTP_REQ_POST, HTTP_POST },
	{ EVHTTP_REQ_PUT, HTTP_PUT },
	{ EVHTTP_REQ_DELETE, HTTP_DELETE },
	{ EVHTTP_REQ_PATCH, HTTP_PATCH },
	{ EVHTTP_REQ_OPTIONS, HTTP_OPTIONS },
};

/* The connection this request came by, when it is one of ours and has a request under way. */
static struct http_conn *
conn_of(const struct http *http, struct evhttp_request *ev)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(ev);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(evcon));
	struct http_conn *conn = NULL;

	if (fd >= 0 && (size_t)fd < http->by_fd_count)
		conn = http->by_fd[fd];
	return conn != NULL && conn->evcon == evcon && conn->phase == CONN_BODY ? conn : NULL;
}

static struct http_request *
request_create(struct http *http, struct http_conn *conn, struct evhttp_request *ev)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(ev);
	size_t body_len = evbuffer_get_length(input);
	size_t target_len = strlen(evhttp_request_get_uri(ev));
	struct http_request *req = calloc(1, sizeof(*req));

	if (req == NULL)
		return NULL;
	req->path = malloc(2 * (target_len + 1));
	req->body = malloc(body_len + 1);
	if (req->path == NULL || req->body == NULL) {
		free(req->path);
		free(req->body);
		free(req);
		return NULL;
	}
	req->path[0] = '\0';
	req->path_parts = req->path + target_len + 1;
	evbuffer_remove(input, req->body, body_len);
	req->body[body_len] = '\0';
	req->body_len = body_len;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (methods[i].from == evhttp_request_get_command(ev))
			req->method = methods[i].method;
	req->head_only = req->method == HTTP_HEAD;
	req->since_us = clock_monotonic_us();
	req->reserved_bytes = conn->reserved_bytes;
	conn->reserved_bytes = 0;
	req->http = http;
	req->conn = conn;
	req->ev = ev;
	http_find_client(req);
	TAILQ_INIT(&req->headers);
	TAILQ_INSERT_TAIL(&http->live, req, in_live);
	conn->req = req;
	return req;
}

void
http_request_free(struct http_request *req)
{
	if (req->http != NULL) {
		TAILQ_REMOVE(&req->http->live, req, in_live);
		http_release_body(req->http, &req->reserved_bytes);
	}
	if (req->conn != NULL)
		req->conn->req = NULL;
	http_pairs_finish(&req->query);
	http_pairs_finish(&req->form);
	evhttp_clear_headers(&req->headers);
	free(req->path);
	free(req->body);
	free(req);
}

void
http_request_detach(struct http_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req->ev);

	TAILQ_CONCAT(&req->headers, headers, next);
	/* A request whose connection broke is left to us; else it goes with the connection. */
	if (evhttp_request_get_connection(req->ev) == NULL)
		evhttp_request_free(req->ev);
	req->conn->req = NULL;
	req->conn = NULL;
	req->ev = NULL;
}

void
http_request_abandon(struct http_request *req)
{
	http_gone_fn *on_gone = req->on_gone;

	req->on_gone = NULL;
	if (on_gone != NULL)
		on_gone(req->on_gone_arg, req);
}

/* Cuts the copy of the path after each capture, so that each is a string. */
static void
cut_path(struct http_request *req, const struct http_captures *captures)
{
	req->captures = *captures;
	memcpy(req->path_parts, req->path, strlen(req->path) + 1);
	for (size_t i = 0; i < captures->count; i++)
		req->path_parts[captures->of[i].at + captures->of[i].len] = '\0';
}

/* False: the pairs are not decent, and the client has been told.  bad: in which way. */
static bool
settle_pairs(struct http_request *req, enum http_pairs_result result, const char *bad)
{
	switch (result) {
	case HTTP_PAIRS_OK:
		return true;
	case HTTP_PAIRS_BAD:
		http_count_refusal(req->http, 400);
		http_reply_error(req, 400, bad);
		break;
	case HTTP_PAIRS_MANY:
		http_count_refusal(req->http, 413);
		http_reply_error(req, 413, "too many parameters");
		break;
	case HTTP_PAIRS_NO_MEMORY:
		http_count_refusal(req->http, 503);
		http_reply_error(req, 503, "out of memory, try again");
		break;
	}
	return false;
}

static void
refuse_method(struct http_request *req, unsigned methods_here)
{
	char allow[64];
	struct http_field field = { "Allow", allow };
	struct http_response response = { .status = 405, .fields = &field, .field_count = 1 };

	http_methods_format(methods_here, allow, sizeof(allow));
	http_count_refusal(req->http, 405);
	response.body = evbuffer_new();
	if (response.body != NULL)
		response.content_type = http_error_body(
		    req->http, req->path, 405, "this method is not for this path", response.body);
	struct evbuffer *body = response.body;
	http_reply(req, &response);
	if (body != NULL)
		evbuffer_free(body);
}

static bool
read_query(struct http_request *req, const char *query, size_t len)
{
	return settle_pairs(req, http_pairs_parse(query, len, &req->query),
	    "a parameter is not valid percent-encoded UTF-8");
}

/* A route may take long bodies for their files; texts have the server's own limit. */
static bool
read_form(struct http_request *req)
{
	if (http_content_type_is(req, form_type)
	    && req->body_len > req->http->settings.max_body_bytes)
		return settle_pairs(req, HTTP_PAIRS_MANY, "");
	if (http_content_type_is(req, form_type))
		return settle_pairs(req, http_pairs_parse(req->body, req->body_len, &req->form),
		    "a parameter is not valid percent-encoded UTF-8");
	if (http_content_type_is(req, multipart_type))
		return settle_pairs(req,
		    http_multipart_parse(req->body, req->body_len, http_header(req, "Content-Type"),
			&req->form, &req->files),
		    "the body is not multipart/form-data as browsers write it");
	return true;
}

/* Only bodies as they are: nothing is unpacked here. */
static bool
is_encoded(const struct http_request *req)
{
	const char *encoding = http_header(req, "Content-Encoding");

	return encoding != NULL && strcasecmp(encoding, "identity") != 0;
}

static void
dispatch(struct http_request *req)
{
	const char *target = evhttp_request_get_uri(req->ev), *query;
	size_t query_len;
	struct http_match match;
	struct http *http = req->http;

	const char *why = http_path_decode(target, strlen(target), req->path, &query, &query_len);
	if (why != NULL) {
		req->path[0] = '\0';
		http_count_refusal(http, 400);
		http_reply_error(req, 400, why);
		return;
	}
	http_route_find(http, req->path, req->method, &match);
	if (match.route == NULL && match.methods != 0) {
		refuse_method(req, match.methods);
		return;
	}
	if (match.route == NULL) {
		http_count_refusal(http, 404);
		http_reply_error(req, 404, "there is nothing at this path");
		return;
	}
	cut_path(req, &match.captures);
	if (is_encoded(req)) {
		http_count_refusal(http, 415);
		http_reply_error(req, 415, "send the body without Content-Encoding");
		return;
	}
	if (!read_query(req, query, query_len) || !read_form(req))
		return;
	stats_incr(http->stats, HTTP_STAT_REQUESTS);
	match.route->handle(req, match.arg);
}

/* evhttp's callback for every request it has read to the end. */
void
http_on_request(struct evhttp_request *ev, void *arg)
{
	struct http *http = arg;
	struct http_conn *conn = conn_of(http, ev);

	if (conn == NULL) {
		stats_add_at(http->stats, HTTP_STAT_REFUSED, HTTP_REFUSED_DESYNC, 1);
		evhttp_connection_free(evhttp_request_get_connection(ev));
		return;
	}
	struct http_request *req = request_create(http, conn, ev);
	if (req == NULL) {
		evhttp_connection_free(conn->evcon);
		return;
	}
	/* Or else evhttp would say keep-alive to HTTP/1.0, beside our close. */
	while (conn->close
	       && evhttp_remove_header(evhttp_request_get_input_headers(ev), "Connection") == 0)
		;
	evhttp_request_set_on_complete_cb(ev, conn_replied, conn);
	conn_enter(conn, CONN_WORKING);
	dispatch(req);
}

/* --- accessors --- */

enum http_method
http_request_method(const struct http_request *req)
{
	return req->head_only ? HTTP_GET : req->method;
}

bool
http_request_is_head(const struct http_request *req)
{
	return req->head_only;
}

const char *
http_request_path(const struct http_request *req)
{
	return req->path;
}

const char *
http_path_param(const struct http_request *req, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < req->captures.count; i++) {
		const struct http_capture *c = &req->captures.of[i];
		if (c->name_len == len && memcmp(c->name, name, len) == 0)
			return req->path_parts + c->at;
	}
	return NULL;
}

size_t
http_query_count(const struct http_request *req)
{
	return req->query.count;
}

const struct http_pair *
http_query_at(const struct http_request *req, size_t i)
{
	return &req->query.at[i];
}

const char *
http_query(const struct http_request *req, const char *name, size_t *ret_count)
{
	return http_pairs_find(&req->query, name, ret_count);
}

size_t
http_form_count(const struct http_request *req)
{
	return req->form.count;
}

const struct http_pair *
http_form_at(const struct http_request *req, size_t i)
{
	return &req->form.at[i];
}

const char *
http_form(const struct http_request *req, const char *name, size_t *ret_count)
{
	return http_pairs_find(&req->form, name, ret_count);
}

size_t
http_file_count(const struct http_request *req)
{
	return req->files.count;
}

const struct http_file *
http_file_at(const struct http_request *req, size_t i)
{
	return &req->files.at[i];
}

const char *
http_body(const struct http_request *req, size_t *ret_len)
{
	if (ret_len != NULL)
		*ret_len = req->body_len;
	return req->body;
}

bool
http_request_gone(const struct http_request *req)
{
	return req->conn == NULL;
}

void
http_request_on_gone(struct http_request *req, http_gone_fn *fn, void *arg)
{
	req->on_gone = fn;
	req->on_gone_arg = arg;
}
