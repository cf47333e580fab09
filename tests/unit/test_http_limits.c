#include "http_lab.h"

#include "base.h"

#define H "Host: a\r\n"

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

static void
handle_client(struct http_request *req, void *arg)
{
	const char *client = http_client_address(req);

	(void)arg;
	http_reply_data(req, 200, "text/plain", client, strlen(client));
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/client", handle_client, 0 },
	{ HTTP_POST, "/echo", handle_echo, 0 },
	{ HTTP_POST, "/large", handle_echo, 300 * 1024 },
	{ HTTP_GET, "/page", handle_page, 0 },
};

static bool
open_lab(struct lab *lab)
{
	lab_prepare(lab);
	lab->settings.header_deadline_ms = 1000;
	lab->settings.body_deadline_ms = 1000;
	lab->settings.idle_ms = 2000;
	return lab_open(lab, routes, ARRAY_LEN(routes), NULL);
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
	static const char next[] = "GET /page HTTP/1.1\r\n" H "\r\n";
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
	CHECK_STR("the next one", answer_body(&a), "page");
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
		CHECK(check_now_ms() - begun_ms < 20000);
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

/* Room is not held by a length alone: a long body has more time only for what came of it. */
TEST(test_http_silent_long_body)
{
	static const char head[] = "POST /large HTTP/1.1\r\n" H "Content-Length: 307200\r\n\r\nx";
	static struct answer a;
	struct lab lab;

	if (!open_lab(&lab))
		return;
	uint64_t begun_ms = check_now_ms();
	lab_ask_and_close(&lab, head, sizeof(head) - 1, &a);
	CHECK_U64("status", answer_status(a.text), 408);
	CHECK(check_now_ms() - begun_ms < 20000);
	CHECK_I64("nothing is reserved", stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0), 0);
	lab_close(&lab);
}

TEST(test_http_long_body_that_keeps_coming)
{
	enum { BODY_BYTES = 300 * 1024, PIECE_BYTES = 16 * 1024, PIECE_MS = 150 };
	static const char head[] = "POST /large HTTP/1.1\r\n" H "Content-Length: 307200\r\n\r\n";
	static const char body[BODY_BYTES];
	static char in[64 * 1024];
	struct lab lab;
	size_t sent = 0;
	ssize_t got = -1;

	if (!open_lab(&lab))
		return;
	int fd = lab_connect(&lab);
	uint64_t begun_ms = check_now_ms();
	lab_send(fd, head, sizeof(head) - 1);
	while (sent < BODY_BYTES && got <= 0) {
		size_t left = BODY_BYTES - sent;
		ssize_t n = send(fd, body + sent, left < PIECE_BYTES ? left : PIECE_BYTES,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		uint64_t until_ms = check_now_ms() + PIECE_MS;
		while (check_now_ms() < until_ms)
			lab_turn(&lab);
		got = sent < BODY_BYTES ? recv(fd, in, sizeof(in), MSG_DONTWAIT) : -1;
	}
	CHECK_U64("all of it went", sent, BODY_BYTES);
	CHECK(check_now_ms() - begun_ms > 2 * lab.settings.body_deadline_ms);
	LAB_UNTIL(&lab, (got = recv(fd, in, sizeof(in) - 1, MSG_DONTWAIT)) > 0);
	CHECK_U64("status", answer_status(in), 200);
	close(fd);
	lab_close(&lab);
}

/* Begins a large body that never comes.  Returns the connection, or -1 and the answer. */
static int
begin_large(struct lab *lab, const char *from, size_t bytes, struct answer *a)
{
	char head[400];
	size_t before = (size_t)stats_get(http_stats(lab->http), HTTP_STAT_BUFFERED, 0);
	int fd = lab_connect(lab);
	int n = snprintf(head, sizeof(head),
	    "POST /photos HTTP/1.1\r\n" H "X-Forwarded-For: %s\r\nContent-Length: %zu\r\n\r\n",
	    from, bytes);

	memset(a, 0, sizeof(*a));
	lab_send(fd, head, (size_t)n);
	LAB_UNTIL(lab,
	    (answer_read(a, fd),
		answer_count(a) > 0
		    || (size_t)stats_get(http_stats(lab->http), HTTP_STAT_BUFFERED, 0) > before));
	if (answer_count(a) == 0)
		return fd;
	close(fd);
	return -1;
}

/* However slowly somebody sends photos, people elsewhere still can. */
TEST(test_http_large_bodies_of_one_address)
{
	enum { MIB = 1024 * 1024 };
	static const struct http_route photos[] = {
		{ HTTP_POST, "/photos", handle_echo, 6 * MIB },
	};
	static struct answer a;
	struct lab lab;
	int fds[3];

	lab_prepare(&lab);
	lab.settings.max_buffered_bytes = 8 * MIB;
	lab.settings.body_deadline_ms = 60000;
	if (!lab_open(&lab, photos, ARRAY_LEN(photos), NULL))
		return;
	int alone = begin_large(&lab, "192.0.2.1", 5 * MIB, &a);
	CHECK(alone >= 0);
	close(alone);
	LAB_UNTIL(&lab, stats_get(http_stats(lab.http), HTTP_STAT_BUFFERED, 0) == 0);

	fds[0] = begin_large(&lab, "192.0.2.1", 2 * MIB, &a);
	CHECK(fds[0] >= 0);
	CHECK_I64("no second", begin_large(&lab, "203.0.113.9, 192.0.2.1", 2 * MIB, &a), -1);
	CHECK_U64("come again", answer_status(a.text), 503);
	CHECK(strstr(a.text, "from your address") != NULL);
	fds[1] = begin_large(&lab, "192.0.2.1, 127.0.0.1", 64 * 1024, &a);
	CHECK(fds[1] >= 0);
	/* All of a /64 is one. */
	fds[2] = begin_large(&lab, "2001:db8::2", 2 * MIB, &a);
	CHECK(fds[2] >= 0);
	CHECK_I64("no neighbour", begin_large(&lab, "2001:db8::ffff:1", 2 * MIB, &a), -1);
	CHECK(strstr(a.text, "from your address") != NULL);
	CHECK_I64("no room", begin_large(&lab, "192.0.2.3", 5 * MIB / 2, &a), -1);
	CHECK(strstr(a.text, "at once, try") != NULL);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
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

/* Everybody behind a proxy has the proxy's address, so a trusted peer has no cap. */
TEST(test_http_connections_per_address)
{
	static struct answer a;
	struct lab lab;

	for (int trusted = 0; trusted < 2; trusted++) {
		lab_prepare(&lab);
		lab.settings.max_connections_per_address = 2;
		lab.settings.distrust_loopback = trusted == 0;
		if (!lab_open(&lab, routes, ARRAY_LEN(routes), NULL))
			return;
		int one = lab_connect(&lab), two = lab_connect(&lab), three = lab_connect(&lab);
		memset(&a, 0, sizeof(a));
		if (trusted == 1) {
			LAB_UNTIL(&lab, http_connections(lab.http) == 3);
		} else {
			LAB_UNTIL(&lab, (answer_read(&a, three), a.closed));
			CHECK_U64("one too many", answer_status(a.text), 503);
			CHECK_U64("the others stay", http_connections(lab.http), 2);
		}
		close(one);
		close(two);
		close(three);
		lab_close(&lab);
	}
}

/* Without a proxy nobody may say where he comes from. */
TEST(test_http_distrusted_loopback)
{
	static const char get[] = "GET /client HTTP/1.1\r\n" H "X-Forwarded-For: 1.2.3.4\r\n\r\n";
	static struct answer a;
	struct lab lab;

	lab_prepare(&lab);
	lab.settings.distrust_loopback = true;
	if (!lab_open(&lab, routes, ARRAY_LEN(routes), NULL))
		return;
	close(lab_ask(&lab, get, sizeof(get) - 1, &a));
	CHECK_STR("client", answer_body(&a), "127.0.0.1");
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
