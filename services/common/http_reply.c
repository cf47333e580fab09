/* Answers requests: headers every answer carries, errors in the server's format, lateness. */
#include "http_internal.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "stats.h"

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

/* Under "no-referrer" browsers say `Origin: null` with a form of our own page, which is what a
 * stranger's page may say as well. */
static const struct http_field security_fields[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "same-origin" },
};

/* Pages come with their own scripts and styles as files; nothing inline, nobody frames them. */
static const struct http_field html_field = { "Content-Security-Policy",
	"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
	"object-src 'none'" };

static const struct {
	unsigned status;
	enum http_refusal refusal;
} refusals[] = {
	{ 400, HTTP_REFUSED_MALFORMED },
	{ 404, HTTP_REFUSED_NOT_FOUND },
	{ 405, HTTP_REFUSED_METHOD },
	{ 408, HTTP_REFUSED_SLOW },
	{ 411, HTTP_REFUSED_LENGTH },
	{ 413, HTTP_REFUSED_TOO_LARGE },
	{ 414, HTTP_REFUSED_TOO_LARGE },
	{ 415, HTTP_REFUSED_MEDIA },
	{ 417, HTTP_REFUSED_MEDIA },
	{ 431, HTTP_REFUSED_TOO_LARGE },
	{ 501, HTTP_REFUSED_METHOD },
	{ 503, HTTP_REFUSED_BUSY },
	{ 505, HTTP_REFUSED_VERSION },
};

const char *
http_reason(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

void
http_count_reply(struct http *http, unsigned status)
{
	assert(status >= 100 && status <= 599);
	stats_add_at(http->stats, HTTP_STAT_REPLIES, status / 100 - 1, 1);
}

void
http_count_refusal(struct http *http, unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i].status == status)
			stats_add_at(http->stats, HTTP_STAT_REFUSED, refusals[i].refusal, 1);
}

const char *
http_error_body(
    struct http *http, const char *path, unsigned status, const char *why, struct evbuffer *body)
{
	const char *type = NULL;

	if (http->settings.write_error != NULL)
		type = http->settings.write_error(
		    http->settings.write_error_arg, path, status, why, body);
	if (type != NULL)
		return type;
	evbuffer_add_printf(body, "%s\n", why);
	return "text/plain; charset=utf-8";
}

bool
http_error_message(
    struct http *http, const char *path, struct http_verdict verdict, struct evbuffer *out)
{
	struct evbuffer *body = evbuffer_new();
	bool written = false;

	if (body == NULL)
		return false;
	const char *type = http_error_body(http, path, verdict.status, verdict.why, body);
	if (evbuffer_add_printf(out,
		"HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n%s",
		verdict.status, http_reason(verdict.status), type, evbuffer_get_length(body),
		verdict.status == 503 ? "Retry-After: 1\r\n" : "")
	    == -1)
		goto out;
	for (size_t i = 0; i < ARRAY_LEN(security_fields); i++)
		if (evbuffer_add_printf(
			out, "%s: %s\r\n", security_fields[i].name, security_fields[i].value)
		    == -1)
			goto out;
	if (strncasecmp(type, "text/html", 9) == 0
	    && evbuffer_add_printf(out, "%s: %s\r\n", html_field.name, html_field.value) == -1)
		goto out;
	written = evbuffer_add(out, "\r\n", 2) == 0 && evbuffer_add_buffer(out, body) == 0;
out:
	evbuffer_free(body);
	return written;
}

static bool
may_have_body(unsigned status)
{
	return status >= 200 && status != 204 && status != 304;
}

bool
http_add_fields(
    const struct http_request *req, const struct http_response *response, size_t body_len)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req->ev);
	const char *cache = response->cache_control;
	const char *type = response->content_type;
	char number[24];
	bool fine = true;

	for (size_t i = 0; i < response->field_count; i++)
		fine = evhttp_add_header(out, response->fields[i].name, response->fields[i].value)
			   == 0
		       && fine;
	if (type != NULL)
		fine = evhttp_add_header(out, "Content-Type", type) == 0 && fine;
	if (may_have_body(response->status) && body_len != SIZE_MAX) {
		snprintf(number, sizeof(number), "%zu", body_len);
		evhttp_add_header(out, "Content-Length", number);
	}
	fine = evhttp_add_header(out, "Cache-Control", cache == NULL ? "no-store" : cache) == 0
	       && fine;
	for (size_t i = 0; i < ARRAY_LEN(security_fields); i++)
		evhttp_add_header(out, security_fields[i].name, security_fields[i].value);
	if (type != NULL && strncasecmp(type, "text/html", 9) == 0)
		evhttp_add_header(out, html_field.name, html_field.value);
	if (response->status == 429 || response->status == 503) {
		uint32_t wait_s = response->retry_after_s;
		snprintf(number, sizeof(number), "%" PRIu32, wait_s == 0 ? 1 : wait_s);
		evhttp_add_header(out, "Retry-After", number);
	}
	req->conn->close = req->conn->close || req->http->draining;
	if (req->conn->close)
		evhttp_add_header(out, "Connection", "close");
	return fine;
}

/* Hands the answer to evhttp; req stays, without its evhttp request. */
static void
send_response(struct http_request *req, const struct http_response *response)
{
	struct http *http = req->http;
	struct http_conn *conn = req->conn;
	struct evbuffer *body = response->body != NULL ? response->body : http->scratch;
	struct evhttp_request *ev = req->ev;

	if (response->len > 0)
		evbuffer_add(body, response->data, response->len);
	size_t body_len = evbuffer_get_length(body);
	unsigned status = response->status;
	if (!http_add_fields(req, response, body_len)) {
		/* A field with a line end in it: the handler's mistake, and not the client's. */
		status = 500;
		evhttp_clear_headers(evhttp_request_get_output_headers(ev));
		evbuffer_drain(body, body_len);
		evhttp_add_header(evhttp_request_get_output_headers(ev), "Content-Length", "0");
		evhttp_add_header(evhttp_request_get_output_headers(ev), "Connection", "close");
		conn->close = true;
	}
	http_count_reply(http, status);
	stats_observe(http->stats, HTTP_STAT_TIME, clock_monotonic_us() - req->since_us);

	if (req->head_only || !may_have_body(status))
		evbuffer_drain(body, evbuffer_get_length(body));
	conn->req = NULL;
	conn_enter(conn, CONN_WRITING);
	conn->answer_bytes = evbuffer_get_length(body);
	evhttp_send_reply(ev, (int)status, http_reason(status), body);
	/* What evhttp did not take (it takes all) must not meet the next answer. */
	evbuffer_drain(body, evbuffer_get_length(body));
}

void
http_reply(struct http_request *req, const struct http_response *response)
{
	assert(response->status >= 200 && response->status <= 599);
	if (req->conn != NULL) {
		send_response(req, response);
		req->conn = NULL;
	} else {
		if (req->http != NULL)
			stats_incr(req->http->stats, HTTP_STAT_DROPPED);
		if (response->body != NULL)
			evbuffer_drain(response->body, evbuffer_get_length(response->body));
	}
	http_request_free(req);
}

void
http_reply_data(struct http_request *req, unsigned status, const char *content_type,
    const void *data, size_t len)
{
	const struct http_response response = {
		.status = status, .content_type = content_type, .data = data, .len = len
	};
	http_reply(req, &response);
}

void
http_reply_retry(struct http_request *req, unsigned status, const char *why, uint32_t retry_after_s)
{
	struct http_response response = { .status = status, .retry_after_s = retry_after_s };
	struct evbuffer *body = req->conn != NULL ? evbuffer_new() : NULL;

	if (body != NULL) {
		response.body = body;
		response.content_type = http_error_body(req->http, req->path, status, why, body);
	}
	http_reply(req, &response);
	if (body != NULL)
		evbuffer_free(body);
}

void
http_reply_error(struct http_request *req, unsigned status, const char *why)
{
	http_reply_retry(req, status, why, 0);
}

void
http_reply_late(struct http_request *req)
{
	struct http *http = req->http;
	struct http_response response = { .status = 503 };
	struct evhttp_request *ev = req->ev;
	struct evbuffer *body = evbuffer_new();

	stats_add_at(http->stats, HTTP_STAT_REFUSED, HTTP_REFUSED_LATE, 1);
	if (body != NULL) {
		response.body = body;
		response.content_type = http_error_body(
		    http, req->path, 503, "no answer in time, try again later", body);
	}
	/* evhttp may look at its request's headers until the answer has left, unless it knows
	 * already that the connection ends with it: then the owner can have them. */
	req->conn->close = true;
	send_response(req, &response);
	TAILQ_CONCAT(&req->headers, evhttp_request_get_input_headers(ev), next);
	req->conn = NULL;
	req->ev = NULL;
	if (body != NULL)
		evbuffer_free(body);
	http_request_abandon(req);
}
