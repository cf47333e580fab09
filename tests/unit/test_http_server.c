#include "http_lab.h"

#include <event2/buffer.h>

#include "base.h"

#define H "Host: a\r\n"

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
	{ HTTP_GET, "/page", handle_page, 0 },
	{ HTTP_GET, "/items/{id}.{format}", handle_item, 0 },
	{ HTTP_POST, "/form", handle_form, 0 },
	{ HTTP_GET, "/cached", handle_cached, 0 },
	{ HTTP_GET, "/bad-field", handle_bad_field, 0 },
	{ HTTP_GET, "/busy", handle_busy, 0 },
};

static const char *
write_error(void *arg, const char *path, unsigned status, const char *why, struct evbuffer *body)
{
	(void)arg;
	if (strncmp(path, "/items/", 7) != 0 && strncmp(path, "/small", 6) != 0)
		return NULL;
	evbuffer_add_printf(body, "{\"status\":%u,\"why\":\"%s\"}", status, why);
	return "application/json";
}
static bool
open_lab(struct lab *lab)
{
	lab_prepare(lab);
	lab->settings.write_error = write_error;
	return lab_open(lab, routes, ARRAY_LEN(routes), NULL);
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
	CHECK_STR("referrer", answer_header(&a, "Referrer-Policy"), "same-origin");
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
