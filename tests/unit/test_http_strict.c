#include "http_lab.h"

#include "base.h"

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
	(void)arg;
	http_reply_data(req, 200, "text/html; charset=utf-8", "page", 4);
}

static const struct http_route routes[] = {
	{ HTTP_POST | HTTP_PUT, "/echo", handle_echo, 0 },
	{ HTTP_POST, "/small", handle_echo, 10 },
	{ HTTP_GET, "/page", handle_page, 0 },
};

static bool
open_lab(struct lab *lab)
{
	lab_prepare(lab);
	return lab_open(lab, routes, ARRAY_LEN(routes), NULL);
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
	ROW("bare LF and nothing more", "GET /page HTTP/1.1\n", 400),
	ROW("bare LF in the headers and nothing more", "GET /page HTTP/1.1\r\nHost: a\n", 400),
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
