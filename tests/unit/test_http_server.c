#include "http_lab.h"

#include "base.h"

/* --- a server that says what it was asked --- */

static void
handle_echo(struct http_request *req, void *arg)
{
	size_t len;
	const char *body = http_body(req, &len);

	(void)arg;
	http_reply_data(req, 200, "text/plain; charset=utf-8", body, len);
}

static void
handle_page(struct http_request *req, void *arg)
{
	static const char page[] = "<!doctype html><title>Turunç</title>";

	(void)arg;
	http_reply_data(req, 200, "text/html; charset=utf-8", page, sizeof(page) - 1);
}

static void
handle_item(struct http_request *req, void *arg)
{
	char text[512];
	size_t count;
	const char *q = http_query(req, "q", &count);

	(void)arg;
	snprintf(text, sizeof(text), "%s|%s|%s|%zu|%s|%s", http_path_param(req, "id"),
	    http_path_param(req, "format"), q == NULL ? "-" : q, count, http_client_address(req),
	    http_language(req));
	http_reply_data(req, 200, "text/plain; charset=utf-8", text, strlen(text));
}

static void
handle_form(struct http_request *req, void *arg)
{
	char text[512] = "";
	size_t used = 0;

	(void)arg;
	for (size_t i = 0; i < http_form_count(req); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%s;",
		    http_form_at(req, i)->name, http_form_at(req, i)->value);
	http_reply_data(req, 200, "text/plain; charset=utf-8", text, used);
}

static void
handle_cached(struct http_request *req, void *arg)
{
	static const struct http_field fields[] = { { "ETag", "\"v1\"" } };
	struct http_response response = { .status = 200,
		.content_type = "text/plain",
		.data = "fresh",
		.len = 5,
		.cache_control = "max-age=60",
		.fields = fields,
		.field_count = 1 };

	(void)arg;
	if (http_etag_matches(req, "\"v1\""))
		response =
		    (struct http_response){ .status = 304, .fields = fields, .field_count = 1 };
	http_reply(req, &response);
}

static void
handle_bad_field(struct http_request *req, void *arg)
{
	static const struct http_field fields[] = { { "X-A", "b\r\nSet-Cookie: c=d" } };
	const struct http_response response = { .status = 200,
		.content_type = "text/plain",
		.data = "x",
		.len = 1,
		.fields = fields,
		.field_count = 1 };

	(void)arg;
	http_reply(req, &response);
}

static void
handle_busy(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_retry(req, 429, "slower, please", 7);
}

static const struct http_route routes[] = {
	{ HTTP_POST | HTTP_PUT, "/echo", handle_echo, 0 },
	{ HTTP_POST, "/small", handle_echo, 10 },
	{ HTTP_POST, "/large", handle_echo, 300 * 1024 },
	{ HTTP_GET, "/page", handle_page, 0 },
	{ HTTP_GET, "/items/{id}.{format}", handle_item, 0 },
	{ HTTP_POST, "/form", handle_form, 0 },
	{ HTTP_GET, "/cached", handle_cached, 0 },
	{ HTTP_GET, "/bad-field", handle_bad_field, 0 },
	{ HTTP_GET, "/busy", handle_busy, 0 },
};

static const char *write_error(
    void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body);

static bool
open_lab(struct lab *lab)
{
	lab_prepare(lab);
	lab->settings.write_error = write_error;
	lab->settings.header_deadline_ms = 300;
	lab->settings.body_deadline_ms = 300;
	lab->settings.idle_ms = 600;
	return lab_open(lab, routes, ARRAY_LEN(routes), NULL);
}

#include <event2/buffer.h>

static const char *
write_error(void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body)
{
	(void)arg;
	if (strncmp(path, "/items/", 7) != 0 && strncmp(path, "/small", 6) != 0)
		return NULL;
	evbuffer_add_printf(body, "{\"status\":%u,\"why\":\"%s\"}", status, why);
	return "application/json";
}

/* --- strictness, by the bytes --- */

#define H "Host: a\r\n"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	unsigned status;
} strict[] = {
#define ROW(name, bytes, status)                       \
	{                                              \
		name, bytes, sizeof(bytes) - 1, status \
	}
	ROW("Host is missing", "GET /page HTTP/1.1\r\n\r\n", 400),
	ROW("Host twice", "GET /page HTTP/1.1\r\n" H H "\r\n", 400),
	ROW("Host twice in another case", "GET /page HTTP/1.1\r\n" H "hOsT: a\r\n\r\n", 400),
	ROW("Host is empty", "GET /page HTTP/1.1\r\nHost:\r\n\r\n", 400),
	ROW("Host with a slash", "GET /page HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
	ROW("space before the colon", "GET /page HTTP/1.1\r\nHost : a\r\n\r\n", 400),
	ROW("header without a name", "GET /page HTTP/1.1\r\n" H ": x\r\n\r\n", 400),
	ROW("header without a colon", "GET /page HTTP/1.1\r\n" H "Nonsense\r\n\r\n", 400),
	ROW("two lengths",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
	ROW("length and chunks",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
	    400),
	ROW("a list of lengths", "POST /echo HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx", 400),
	ROW("length in words", "POST /echo HTTP/1.1\r\n" H "Content-Length: one\r\n\r\nx", 400),
	ROW("length with a sign", "POST /echo HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx", 400),
	ROW("length below zero", "POST /echo HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400),
	ROW("length in hex", "POST /echo HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx", 400),
	ROW("length empty", "POST /echo HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400),
	ROW("length past 64 bits",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", 400),
	ROW("folded header", "GET /page HTTP/1.1\r\n" H "X-A: b\r\n c\r\n\r\n", 400),
	ROW("folded with a tab", "GET /page HTTP/1.1\r\n" H "X-A: b\r\n\tc\r\n\r\n", 400),
	ROW("NUL in a value", "GET /page HTTP/1.1\r\n" H "X-A: b\0c\r\n\r\n", 400),
	ROW("control character in a value", "GET /page HTTP/1.1\r\n" H "X-A: b\001c\r\n\r\n", 400),
	ROW("CR in a value", "GET /page HTTP/1.1\r\n" H "X-A: b\rc\r\n\r\n", 400),
	ROW("DEL in a value", "GET /page HTTP/1.1\r\n" H "X-A: b\177c\r\n\r\n", 400),
	ROW("value that is no UTF-8", "GET /page HTTP/1.1\r\n" H "X-A: \xc3\x28\r\n\r\n", 400),
	ROW("bare LF after the request line", "GET /page HTTP/1.1\n" H "\r\n", 400),
	ROW("bare LF after a header", "GET /page HTTP/1.1\r\nHost: a\n\r\n", 400),
	ROW("bare LF at the end", "GET /page HTTP/1.1\r\n" H "\n", 400),
	ROW("empty line first", "\r\nGET /page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("absolute-form", "GET http://a/page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("absolute-form of another host", "GET http://b/page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("authority-form", "GET a:80 HTTP/1.1\r\n" H "\r\n", 400),
	ROW("asterisk-form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 400),
	ROW("path that begins with //", "GET //b/page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("fragment", "GET /page#a HTTP/1.1\r\n" H "\r\n", 400),
	ROW("quotation mark in the path", "GET /pa\"ge HTTP/1.1\r\n" H "\r\n", 400),
	ROW("high byte in the path", "GET /pag\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400),
	ROW("two spaces", "GET  /page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("space in the target", "GET /pa ge HTTP/1.1\r\n" H "\r\n", 400),
	ROW("space at the end of the line", "GET /page HTTP/1.1 \r\n" H "\r\n", 400),
	ROW("HTTP/0.9", "GET /page\r\n\r\n", 400),
	ROW("version in lower case", "GET /page http/1.1\r\n" H "\r\n", 400),
	ROW("method that is no token", "GE(T /page HTTP/1.1\r\n" H "\r\n", 400),
	ROW("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
	ROW("body with GET", "GET /page HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 400),
	ROW("body with DELETE", "DELETE /page HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 400),
	ROW("two content types",
	    "POST /echo HTTP/1.1\r\n" H "Content-Type: a/b\r\nContent-Type: c/d\r\n"
	    "Content-Length: 0\r\n\r\n",
	    400),
	ROW("two authorizations",
	    "GET /page HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n", 400),
	ROW("chunks in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	ROW("chunks", "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    411),
	ROW("no length", "POST /echo HTTP/1.1\r\n" H "\r\n", 411),
	ROW("another transfer coding",
	    "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
	ROW("body past the route's limit",
	    "POST /small HTTP/1.1\r\n" H "Content-Length: 11\r\n\r\nhello world", 413),
	ROW("body past the server's limit",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 99999999999\r\n\r\n", 413),
	ROW("Expect of something else",
	    "POST /echo HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: wonders\r\n\r\n", 417),
	ROW("unknown method", "BREW /page HTTP/1.1\r\n" H "\r\n", 501),
	ROW("method in lower case", "get /page HTTP/1.1\r\n" H "\r\n", 501),
	ROW("TRACE", "TRACE /page HTTP/1.1\r\n" H "\r\n", 501),
	ROW("CONNECT of a path", "CONNECT /page HTTP/1.1\r\n" H "\r\n", 501),
	ROW("HTTP/1.2", "GET /page HTTP/1.2\r\n" H "\r\n", 505),
	ROW("HTTP/2.0", "PRI / HTTP/2.0\r\n\r\n", 505),
#undef ROW
};

TEST(test_http_strictness_closes_the_connection)
{
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	for (size_t i = 0; i < ARRAY_LEN(strict); i++) {
		lab_ask_and_close(&lab, strict[i].bytes, strict[i].len, &a);
		CHECK_U64(strict[i].name, answer_status(a.text), strict[i].status);
		CHECK_U64(strict[i].name, answer_count(&a), 1);
		CHECK_STR(strict[i].name, answer_header(&a, "Connection"), "close");
	}
	CHECK_I64("requests that reached a handler",
	    stats_get(http_stats(lab.http), HTTP_STAT_REQUESTS, 0), 0);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	lab_close(&lab);
}

TEST(test_http_strictness_byte_by_byte)
{
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	lab.settings.header_deadline_ms = 5000;
	for (size_t i = 0; i < ARRAY_LEN(strict); i++) {
		int fd = lab_connect(&lab);
		memset(&a, 0, sizeof(a));
		for (size_t n = 0; n < strict[i].len && !a.closed && a.len == 0; n++) {
			if (send(fd, strict[i].bytes + n, 1, MSG_NOSIGNAL) == -1)
				break;
			lab_turn(&lab);
			lab_turn(&lab);
			answer_read(&a, fd);
		}
		LAB_UNTIL(&lab, (answer_read(&a, fd), answer_count(&a) > 0 || a.closed));
		CHECK_U64(strict[i].name, answer_status(a.text), strict[i].status);
		close(fd);
	}
	CHECK_I64("requests that reached a handler",
	    stats_get(http_stats(lab.http), HTTP_STAT_REQUESTS, 0), 0);
	lab_close(&lab);
}

/* --- what is right --- */

static const struct {
	const char *name;
	const char *request;
	unsigned status;
	const char *body;
} good[] = {
	{ "a POST", "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", 200, "hello" },
	{ "an empty POST", "POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 200, "" },
	{ "a PUT", "PUT /echo HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nhi", 200, "hi" },
	{ "parameters", "GET /items/a%20b.c.json?q=%C3%BC+x&q=2 HTTP/1.1\r\n" H "\r\n", 200,
	    "a b.c|json|\xc3\xbc x|2|127.0.0.1|tr" },
	{ "a trusted peer's client",
	    "GET /items/1.x HTTP/1.1\r\n" H "X-Forwarded-For: 9.9.9.9, 10.1.2.3\r\n"
	    "Accept-Language: en-GB, tr;q=0.5\r\n\r\n",
	    200, "1|x|-|0|10.1.2.3|en" },
	{ "a form",
	    "POST /form HTTP/1.1\r\n" H
	    "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
	    "Content-Length: 17\r\n\r\na=1&b=%C4%B0&&a=2",
	    200, "a=1;b=\xc4\xb0;a=2;" },
	{ "a form that is none",
	    "POST /form HTTP/1.1\r\n" H "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\na=1",
	    200, "" },
	{ "a form with a bad escape",
	    "POST /form HTTP/1.1\r\n" H "Content-Type: application/x-www-form-urlencoded\r\n"
	    "Content-Length: 5\r\n\r\na=%G1",
	    400, "a parameter is not valid percent-encoded UTF-8\n" },
	{ "a form with NUL",
	    "POST /form HTTP/1.1\r\n" H "Content-Type: application/x-www-form-urlencoded\r\n"
	    "Content-Length: 5\r\n\r\na=%00",
	    400, "a parameter is not valid percent-encoded UTF-8\n" },
	{ "a query that is no UTF-8", "GET /page?q=%FF HTTP/1.1\r\n" H "\r\n", 400,
	    "a parameter is not valid percent-encoded UTF-8\n" },
	{ "NUL in the path", "GET /page%00 HTTP/1.1\r\n" H "\r\n", 400,
	    "the path holds a bad escape\n" },
	{ "a slash escaped", "GET /items%2Fa.b HTTP/1.1\r\n" H "\r\n", 400,
	    "the path holds a bad escape\n" },
	{ "up the tree", "GET /a/../page HTTP/1.1\r\n" H "\r\n", 400,
	    "the path holds a . or .. segment\n" },
	{ "up the tree, escaped", "GET /a/%2e%2E/page HTTP/1.1\r\n" H "\r\n", 400,
	    "the path holds a . or .. segment\n" },
	{ "nothing there", "GET /nothing HTTP/1.1\r\n" H "\r\n", 404,
	    "there is nothing at this path\n" },
	{ "nothing there, in the format asked for", "GET /items/a HTTP/1.1\r\n" H "\r\n", 404,
	    "{\"status\":404,\"why\":\"there is nothing at this path\"}" },
	{ "a compressed body",
	    "POST /echo HTTP/1.1\r\n" H "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415,
	    "send the body without Content-Encoding\n" },
	{ "a response field with a line end", "GET /bad-field HTTP/1.1\r\n" H "\r\n", 500, "" },
};

TEST(test_http_answers)
{
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int fd = lab_ask(&lab, good[i].request, strlen(good[i].request), &a);
		CHECK_U64(good[i].name, answer_status(a.text), good[i].status);
		CHECK_STR(good[i].name, answer_body(&a), good[i].body);
		close(fd);
	}
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	lab_close(&lab);
}

TEST(test_http_headers_of_an_answer)
{
	static const char get[] = "GET /page HTTP/1.1\r\n" H "\r\n";
	static const char head[] = "HEAD /page HTTP/1.1\r\n" H "Connection: close\r\n\r\n";
	static const char wrong[] = "DELETE /page HTTP/1.1\r\n" H "\r\n";
	static const char busy[] = "GET /busy HTTP/1.1\r\n" H "\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	close(lab_ask(&lab, get, sizeof(get) - 1, &a));
	CHECK_STR("type", answer_header(&a, "Content-Type"), "text/html; charset=utf-8");
	CHECK_STR("length", answer_header(&a, "Content-Length"), "37");
	CHECK_STR("cache", answer_header(&a, "Cache-Control"), "no-store");
	CHECK_STR("sniffing", answer_header(&a, "X-Content-Type-Options"), "nosniff");
	CHECK_STR("referrer", answer_header(&a, "Referrer-Policy"), "no-referrer");
	const char *policy = answer_header(&a, "Content-Security-Policy");
	CHECK(policy != NULL && strncmp(policy, "default-src 'self';", 19) == 0
	      && strstr(policy, "unsafe") == NULL);
	CHECK_STR("stays open", answer_header(&a, "Connection"), NULL);

	lab_ask_and_close(&lab, head, sizeof(head) - 1, &a);
	CHECK_U64("HEAD", answer_status(a.text), 200);
	CHECK_STR("HEAD tells the length", answer_header(&a, "Content-Length"), "37");
	CHECK_STR("HEAD has no body", answer_body(&a), "");

	close(lab_ask(&lab, wrong, sizeof(wrong) - 1, &a));
	CHECK_U64("another method", answer_status(a.text), 405);
	CHECK_STR("Allow", answer_header(&a, "Allow"), "GET, HEAD");

	close(lab_ask(&lab, busy, sizeof(busy) - 1, &a));
	CHECK_U64("too many", answer_status(a.text), 429);
	CHECK_STR("Retry-After", answer_header(&a, "Retry-After"), "7");
	lab_close(&lab);
}

TEST(test_http_refusal_in_the_routes_format)
{
	static const char large[] = "POST /small HTTP/1.1\r\n" H
				    "Content-Length: 11\r\n\r\nhello world";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	lab_ask_and_close(&lab, large, sizeof(large) - 1, &a);
	CHECK_STR("type", answer_header(&a, "Content-Type"), "application/json");
	CHECK_STR("body", answer_body(&a), "{\"status\":413,\"why\":\"the body is too large\"}");
	lab_close(&lab);
}

TEST(test_http_conditional)
{
	static const char stale[] = "GET /cached HTTP/1.1\r\n" H "If-None-Match: \"v0\"\r\n\r\n";
	static const char fresh[] = "GET /cached HTTP/1.1\r\n" H
				    "If-None-Match: \"a,b\", W/\"v1\"\r\n\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	close(lab_ask(&lab, stale, sizeof(stale) - 1, &a));
	CHECK_U64("stale", answer_status(a.text), 200);
	CHECK_STR("cache", answer_header(&a, "Cache-Control"), "max-age=60");
	close(lab_ask(&lab, fresh, sizeof(fresh) - 1, &a));
	CHECK_U64("fresh", answer_status(a.text), 304);
	CHECK_STR("no body", answer_body(&a), "");
	CHECK_STR("no length", answer_header(&a, "Content-Length"), NULL);
	lab_close(&lab);
}

/* --- several requests on one connection --- */

TEST(test_http_pipeline)
{
	static const char two[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\none"
				  "GET /items/2.x HTTP/1.1\r\n" H "\r\n"
				  "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nthree";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	/* At every cut between two pieces the answers are the same. */
	for (size_t cut = 1; cut < sizeof(two) - 1; cut++) {
		int fd = lab_connect(&lab);
		memset(&a, 0, sizeof(a));
		lab_send(fd, two, cut);
		for (int i = 0; i < 3; i++)
			lab_turn(&lab);
		lab_send(fd, two + cut, sizeof(two) - 1 - cut);
		if (!LAB_UNTIL(&lab, (answer_read(&a, fd), answer_count(&a) == 3)))
			printf("cut at %zu: %s\n", cut, a.text);
		const char *one = strstr(a.text, "\r\n\r\none"), *next = strstr(a.text, "2|x|");
		CHECK(one != NULL && next != NULL && one < next);
		CHECK(a.len > 5 && memcmp(a.text + a.len - 5, "three", 5) == 0);
		CHECK(!a.closed);
		close(fd);
	}
	CHECK_I64("none out of step",
	    stats_get(http_stats(lab.http), HTTP_STAT_REFUSED, HTTP_REFUSED_DESYNC), 0);
	lab_close(&lab);
}

TEST(test_http_bad_request_behind_a_good_one)
{
	static const char bytes[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\none"
				    "GET /page HTTP/1.1\r\nHost : a\r\n\r\n"
				    "GET /page HTTP/1.1\r\n" H "\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	lab_ask_and_close(&lab, bytes, sizeof(bytes) - 1, &a);
	CHECK_U64("answers", answer_count(&a), 2);
	CHECK_U64("first", answer_status(a.text), 200);
	CHECK_U64("second", answer_status(strstr(a.text, "one") + 3), 400);
	lab_close(&lab);
}

TEST(test_http_1_0_closes)
{
	static const char plain[] = "GET /page HTTP/1.0\r\n\r\n";
	static const char keep[] = "GET /page HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
				   "GET /page HTTP/1.0\r\n\r\n";
	static const char close_list[] = "GET /page HTTP/1.1\r\n" H "Connection: te, Close\r\n\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	lab_ask_and_close(&lab, plain, sizeof(plain) - 1, &a);
	CHECK_U64("plain", answer_status(a.text), 200);
	lab_ask_and_close(&lab, keep, sizeof(keep) - 1, &a);
	CHECK_U64("keep-alive is not offered", answer_count(&a), 1);
	CHECK_STR("says so", answer_header(&a, "Connection"), "close");
	CHECK(strcasestr(a.text, "Connection: keep-alive") == NULL);
	lab_ask_and_close(&lab, close_list, sizeof(close_list) - 1, &a);
	CHECK_STR("close in a list", answer_header(&a, "Connection"), "close");
	lab_close(&lab);
}

/* --- sizes --- */

TEST(test_http_head_limits)
{
	static char bytes[64 * 1024];
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	size_t n = (size_t)snprintf(bytes, sizeof(bytes), "GET /%09000d HTTP/1.1\r\n", 0);
	lab_ask_and_close(&lab, bytes, n, &a);
	CHECK_U64("request line", answer_status(a.text), 414);

	n = (size_t)snprintf(bytes, sizeof(bytes), "GET /%030000d", 0);
	lab_ask_and_close(&lab, bytes, n, &a);
	CHECK_U64("request line that does not end", answer_status(a.text), 414);

	n = (size_t)snprintf(
	    bytes, sizeof(bytes), "GET /page HTTP/1.1\r\n" H "X-A: %017000d\r\n\r\n", 0);
	lab_ask_and_close(&lab, bytes, n, &a);
	CHECK_U64("headers", answer_status(a.text), 431);

	n = (size_t)snprintf(bytes, sizeof(bytes), "GET /page HTTP/1.1\r\n" H);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "X-%d: a\r\n", i);
	n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "\r\n");
	lab_ask_and_close(&lab, bytes, n, &a);
	CHECK_U64("101 headers", answer_status(a.text), 431);

	n = (size_t)snprintf(
	    bytes, sizeof(bytes), "GET /page HTTP/1.1\r\n" H "X-A: %016000d\r\n\r\n", 0);
	close(lab_ask(&lab, bytes, n, &a));
	CHECK_U64("a head that just fits", answer_status(a.text), 200);
	lab_close(&lab);
}

/* A long body passes the read-ahead limit, and the next request still works. */
TEST(test_http_long_body)
{
	enum { BODY_BYTES = 300 * 1024 };
	static const char head[] = "POST /large HTTP/1.1\r\n" H "Content-Length: 307200\r\n\r\n";
	static const char next[] = "GET /items/a.b HTTP/1.1\r\n" H "\r\n";
	struct lab lab;
	size_t sent = 0, got = 0;
	char *body = calloc(1, BODY_BYTES), *in = malloc(BODY_BYTES);

	if (!open_lab(&lab))
		return;
	memset(body, 'x', BODY_BYTES);
	int fd = lab_connect(&lab);
	lab_send(fd, head, sizeof(head) - 1);
	while (sent < BODY_BYTES) {
		ssize_t n = send(fd, body + sent, BODY_BYTES - sent, MSG_NOSIGNAL);
		if (n > 0)
			sent += (size_t)n;
		lab_turn(&lab);
	}
	LAB_UNTIL(&lab,
	    (sent = (size_t)recv(fd, in, BODY_BYTES, 0)) != SIZE_MAX && (got += sent) > BODY_BYTES);
	lab_send(fd, next, sizeof(next) - 1);
	static struct answer a;
	LAB_UNTIL(&lab, (answer_read(&a, fd), answer_count(&a) > 0));
	CHECK_STR("the next one", answer_body(&a), "a|b|-|0|127.0.0.1|tr");
	CHECK_I64("nothing is reserved", stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0), 0);
	close(fd);
	lab_close(&lab);
	free(body);
	free(in);
}

TEST(test_http_expect_continue)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" H
				   "Content-Length: 4\r\nExpect: 100-Continue\r\n\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, head, sizeof(head) - 1);
	LAB_UNTIL(&lab, (answer_read(&a, fd), a.len > 0));
	CHECK_STR("goes on", a.text, "HTTP/1.1 100 Continue\r\n\r\n");
	lab_send(fd, "body", 4);
	LAB_UNTIL(&lab, (answer_read(&a, fd), answer_count(&a) == 2));
	CHECK(strstr(a.text, "\r\n\r\nbody") != NULL);
	close(fd);
	lab_close(&lab);
}

/* --- slow and many --- */

TEST(test_http_slow_header)
{
	static const char *const starts[] = { "G", "GET /page HTTP/1.1\r\nHost: a\r\nX: " };
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		int fd = lab_connect(&lab);
		uint64_t begun_ms = check_now_ms();
		memset(&a, 0, sizeof(a));
		lab_send(fd, starts[i], strlen(starts[i]));
		/* A byte now and then does not move the deadline. */
		LAB_UNTIL(&lab, (send(fd, "x", 1, MSG_NOSIGNAL), answer_read(&a, fd), a.closed));
		CHECK_U64("status", answer_status(a.text), 408);
		CHECK(check_now_ms() - begun_ms < 2500);
		close(fd);
	}
	/* Nothing at all is closed without a word. */
	int fd = lab_connect(&lab);
	memset(&a, 0, sizeof(a));
	LAB_UNTIL(&lab, (answer_read(&a, fd), a.closed));
	CHECK_U64("bytes", a.len, 0);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_slow_body)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 9000\r\n\r\nx";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, head, sizeof(head) - 1);
	LAB_UNTIL(&lab, (send(fd, "x", 1, MSG_NOSIGNAL), answer_read(&a, fd), a.closed));
	CHECK_U64("status", answer_status(a.text), 408);
	CHECK_I64("nothing is reserved", stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0), 0);
	CHECK_I64(
	    "counted", stats_get(http_stats(lab.http), HTTP_STAT_REFUSED, HTTP_REFUSED_SLOW), 1);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_idle_is_closed)
{
	static const char get[] = "GET /page HTTP/1.1\r\n" H "\r\n";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	lab_ask_and_close(&lab, get, sizeof(get) - 1, &a);
	CHECK_U64("one answer, then nothing", answer_count(&a), 1);
	lab_close(&lab);
}

TEST(test_http_connection_limits)
{
	static const char get[] = "GET /page HTTP/1.1\r\n" H "\r\n";
	static struct answer a;
	struct lab lab;
	int fds[4];

	lab_prepare(&lab);
	lab.settings.max_connections = ARRAY_LEN(fds);
	if (!lab_open(&lab, routes, ARRAY_LEN(routes), NULL))
		return;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = lab_connect(&lab);
	LAB_UNTIL(&lab, http_connections(lab.http) == ARRAY_LEN(fds));
	int fd = lab_connect(&lab);
	LAB_UNTIL(&lab, (answer_read(&a, fd), a.closed));
	CHECK_U64("one too many", answer_status(a.text), 503);
	CHECK_STR("when to come back", answer_header(&a, "Retry-After"), "1");
	close(fd);
	close(fds[0]);
	LAB_UNTIL(&lab, http_connections(lab.http) == ARRAY_LEN(fds) - 1);
	close(lab_ask(&lab, get, sizeof(get) - 1, &a));
	CHECK_U64("there is room again", answer_status(a.text), 200);
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	lab_close(&lab);
}

TEST(test_http_buffered_bodies_limit)
{
	static const char head[] = "POST /echo HTTP/1.1\r\n" H "Content-Length: 60000\r\n\r\n";
	static struct answer a;
	struct lab lab;

	lab_prepare(&lab);
	lab.settings.max_buffered_bytes = 400 * 1024;
	if (!lab_open(&lab, routes, ARRAY_LEN(routes), NULL))
		return;
	int fds[6];
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = lab_connect(&lab);
		lab_send(fds[i], head, sizeof(head) - 1);
	}
	LAB_UNTIL(&lab, stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0) == 360000);
	close(lab_ask(&lab, head, sizeof(head) - 1, &a));
	CHECK_U64("one body too many", answer_status(a.text), 503);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	LAB_UNTIL(&lab, stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0) == 0);
	lab_close(&lab);
}

TEST(test_http_open_refuses)
{
	static const struct http_route bad_route[] = { { HTTP_GET, "/{a}{b}", handle_page, 0 } };
	static const struct http_route huge[] = { { HTTP_POST, "/a", handle_page, 1 << 30 } };
	static const char *const bad_hosts[] = { "localhost", "", "127.0.0.1:80", "127.1" };
	const char *why;
	struct lab lab;

	lab_prepare(&lab);
	CHECK(http_open(lab.base, &lab.settings, bad_route, 1, NULL, &why) == NULL);
	CHECK_STR("route", why, "a route is not valid");
	CHECK(http_open(lab.base, &lab.settings, huge, 1, NULL, &why) == NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad_hosts); i++) {
		lab.settings.host = bad_hosts[i];
		CHECK(http_open(lab.base, &lab.settings, routes, 1, NULL, &why) == NULL);
		CHECK_STR(bad_hosts[i], why, "the host to listen on is not a numeric address");
	}
	lab.settings.host = "127.0.0.1";
	lab.settings.trusted_peers = "10.0.0.1, proxy";
	CHECK(http_open(lab.base, &lab.settings, routes, 1, NULL, &why) == NULL);
	lab.settings.trusted_peers = NULL;
	if (lab_open(&lab, routes, ARRAY_LEN(routes), NULL)) {
		lab.settings.port = http_port(lab.http);
		CHECK(http_open(lab.base, &lab.settings, routes, 1, NULL, &why) == NULL);
		CHECK_STR("taken", why, "cannot listen on this address");
		CHECK_I64("errno", errno, EADDRINUSE);
	}
	lab_close(&lab);
}
