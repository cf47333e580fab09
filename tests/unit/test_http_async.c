#include "http_lab.h"

#include <malloc.h>

#include "base.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* What the handlers keep for the test to answer later. */
struct desk {
	struct http_request *held;
	int handled;
	int gone;
	bool answer_when_gone;
	struct http_stream *stream;
	int ended;
	enum http_stream_end why;
};

static void
on_gone(void *arg, struct http_request *req)
{
	struct desk *desk = arg;

	desk->gone++;
	CHECK(http_request_gone(req));
	if (desk->answer_when_gone) {
		desk->held = NULL;
		http_reply_data(req, 200, "text/plain", "late", 4);
	}
}

static void
handle_later(struct http_request *req, void *arg)
{
	struct desk *desk = arg;

	desk->handled++;
	desk->held = req;
	http_request_on_gone(req, on_gone, desk);
}

static void
on_stream_end(void *arg, struct http_stream *stream, enum http_stream_end why)
{
	struct desk *desk = arg;

	CHECK(stream == desk->stream);
	desk->stream = NULL;
	desk->ended++;
	desk->why = why;
}

static void
handle_stream(struct http_request *req, void *arg)
{
	struct desk *desk = arg;

	desk->handled++;
	desk->stream = http_stream_begin(req, "text/event-stream", on_stream_end, desk);
}

static void
handle_now(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_data(req, 200, "text/plain", "now", 3);
}

static const struct http_route routes[] = {
	{ HTTP_GET | HTTP_POST, "/later", handle_later, 0 },
	{ HTTP_GET, "/stream", handle_stream, 0 },
	{ HTTP_GET, "/now", handle_now, 0 },
};

/* reply_deadline_ms: beyond what a busy machine takes, but where it is what is tested. */
static bool
open_lab_within(struct lab *lab, struct desk *desk, uint32_t reply_deadline_ms)
{
	*desk = (struct desk){ 0 };
	lab_prepare(lab);
	lab->settings.reply_deadline_ms = reply_deadline_ms;
	lab->settings.write_deadline_ms = 500;
	return lab_open(lab, routes, ARRAY_LEN(routes), desk);
}

static bool
open_lab(struct lab *lab, struct desk *desk)
{
	return open_lab_within(lab, desk, 30000);
}

static int64_t
stat_of(const struct lab *lab, enum http_stat row, size_t value)
{
	return stats_get(http_stats(lab->http), row, value);
}

/* --- answers that come later --- */

TEST(test_http_answer_later)
{
	static const char both[] = GET("/later") GET("/now");
	static struct answer a;
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, both, sizeof(both) - 1);
	LAB_UNTIL(&lab, desk.held != NULL);
	/* Long enough that the server has begun to watch whether the client goes. */
	uint64_t until_ms = check_now_ms() + 500;
	while (check_now_ms() < until_ms)
		lab_turn(&lab);
	answer_read(&a, fd);
	CHECK_U64("the one behind waits", a.len, 0);
	http_reply_data(desk.held, 200, "text/plain", "later", 5);
	LAB_UNTIL(&lab, (answer_read(&a, fd), answer_count(&a) == 2));
	CHECK(strstr(a.text, "later") < strstr(a.text, "now"));
	CHECK_I64("nobody was gone", desk.gone, 0);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_answer_after_the_client_has_gone)
{
	static const char post[] = "POST /later HTTP/1.1\r\nHost: a\r\nX-Mark: m\r\n"
				   "Content-Length: 4\r\n\r\nbody";
	struct lab lab;
	struct desk desk;

	for (int told = 0; told < 2; told++) {
		if (!open_lab(&lab, &desk))
			return;
		desk.answer_when_gone = told == 1;
		int fd = lab_connect(&lab);
		lab_send(fd, post, sizeof(post) - 1);
		LAB_UNTIL(&lab, desk.held != NULL);
		uint64_t left_ms = check_now_ms();
		close(fd);
		LAB_UNTIL(&lab, desk.gone == 1);
		CHECK(check_now_ms() - left_ms < 20000);
		CHECK_I64(
		    "not for lateness", stat_of(&lab, HTTP_STAT_REFUSED, HTTP_REFUSED_LATE), 0);
		if (desk.held != NULL) {
			/* What was asked can still be read. */
			CHECK_STR("body", http_body(desk.held, NULL), "body");
			CHECK_STR("header", http_header(desk.held, "x-mark"), "m");
			CHECK_STR("path", http_request_path(desk.held), "/later");
			CHECK_I64("its body counts", stat_of(&lab, HTTP_STAT_BUFFERED, 0), 4);
			http_reply_data(desk.held, 200, "text/plain", "late", 4);
		}
		CHECK_I64("until it is freed", stat_of(&lab, HTTP_STAT_BUFFERED, 0), 0);
		CHECK_I64("dropped", stat_of(&lab, HTTP_STAT_DROPPED, 0), 1);
		CHECK_I64("not sent", stat_of(&lab, HTTP_STAT_REPLIES, 1), 0);
		LAB_UNTIL(&lab, http_connections(lab.http) == 0);
		CHECK_I64("told once", desk.gone, 1);
		lab_close(&lab);
	}
}

/* A reset rather than an orderly end, and an answer before anybody noticed. */
TEST(test_http_answer_into_a_reset)
{
	static const char get[] = GET("/later");
	const struct linger reset = { .l_onoff = 1 };
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.held != NULL);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	http_reply_data(desk.held, 200, "text/plain", "later", 5);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	lab_close(&lab);
}

TEST(test_http_reply_deadline)
{
	static const char get[] = "GET /later HTTP/1.1\r\nHost: a\r\nX-Mark: m\r\n\r\n";
	static struct answer a;
	struct lab lab;
	struct desk desk;

	if (!open_lab_within(&lab, &desk, 1000))
		return;
	lab_ask_and_close(&lab, get, sizeof(get) - 1, &a);
	CHECK_U64("status", answer_status(a.text), 503);
	CHECK_STR("when to come back", answer_header(&a, "Retry-After"), "1");
	CHECK_STR("closed", answer_header(&a, "Connection"), "close");
	CHECK_I64("the owner is told", desk.gone, 1);
	CHECK_I64("counted", stat_of(&lab, HTTP_STAT_REFUSED, HTTP_REFUSED_LATE), 1);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	CHECK_STR("header", http_header(desk.held, "X-Mark"), "m");
	http_reply_data(desk.held, 200, "text/plain", "late", 4);
	CHECK_I64("dropped", stat_of(&lab, HTTP_STAT_DROPPED, 0), 1);
	lab_close(&lab);
}

/* The server may be closed while a database still works for a request. */
TEST(test_http_close_with_requests_held)
{
	static const char get[] = GET("/later");
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.held != NULL);
	http_close(lab.http);
	CHECK_I64("gone", desk.gone, 1);
	CHECK_STR("path", http_request_path(desk.held), "/later");
	http_reply_data(desk.held, 200, "text/plain", "late", 4);
	close(fd);
	event_base_free(lab.base);
}

static void
handle_large(struct http_request *req, void *arg)
{
	static char large[8 * 1024 * 1024];

	(void)arg;
	http_reply_data(req, 200, "application/octet-stream", large, sizeof(large));
}

TEST(test_http_reader_too_slow_for_an_answer)
{
	static const struct http_route large[] = { { HTTP_GET, "/large", handle_large, 0 } };
	static const char get[] = GET("/large");
	struct lab lab;
	struct desk desk = { 0 };

	lab_prepare(&lab);
	lab.settings.write_deadline_ms = 500;
	if (!lab_open(&lab, large, 1, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, http_connections(lab.http) == 1);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	CHECK_I64("counted", stat_of(&lab, HTTP_STAT_CUT, 0), 1);
	close(fd);
	lab_close(&lab);
}

/* A slow line is no idle reader: who goes on taking the answer gets all of it. */
TEST(test_http_reader_slow_but_steady)
{
	enum { PIECE = 128 * 1024, LARGE = 8 * 1024 * 1024, PAUSE_MS = 250, SLOW_MS = 6000 };
	static const struct http_route large[] = { { HTTP_GET, "/large", handle_large, 0 } };
	static const char get[] = GET("/large");
	static char piece[PIECE];
	struct lab lab;
	struct desk desk = { 0 };
	size_t taken = 0;
	ssize_t got = -1;

	lab_prepare(&lab);
	lab.settings.write_deadline_ms = 2000;
	if (!lab_open(&lab, large, 1, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	uint64_t began_ms = check_now_ms(), next_ms = began_ms;
	while (check_now_ms() < began_ms + SLOW_MS) {
		lab_turn(&lab);
		if (check_now_ms() < next_ms)
			continue;
		next_ms += PAUSE_MS;
		got = recv(fd, piece, sizeof(piece), 0);
		taken += got > 0 ? (size_t)got : 0;
	}
	CHECK_I64("not cut", stat_of(&lab, HTTP_STAT_CUT, 0), 0);
	CHECK_TRUE("but slow", taken < LARGE / 2);
	LAB_UNTIL(&lab, (got = recv(fd, piece, sizeof(piece), 0),
			    taken += got > 0 ? (size_t)got : 0, got == 0 || taken > LARGE));
	CHECK_TRUE("all of it", taken > LARGE);
	close(fd);
	lab_close(&lab);
}

/* --- streams --- */

TEST(test_http_stream)
{
	static const char get[] = GET("/stream");
	static struct answer a;
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	CHECK(http_stream_send(desk.stream, "data: 1\n\n", 9));
	LAB_UNTIL(&lab, (answer_read(&a, fd), strstr(a.text, "data: 1\n\n") != NULL));
	CHECK_STR("type", answer_header(&a, "Content-Type"), "text/event-stream");
	CHECK_STR("cache", answer_header(&a, "Cache-Control"), "no-store");
	CHECK_STR("chunks", answer_header(&a, "Transfer-Encoding"), "chunked");
	/* What the reader says meanwhile is thrown away. */
	lab_send(fd, get, sizeof(get) - 1);
	CHECK(http_stream_send(desk.stream, "data: 2\n\n", 9));
	LAB_UNTIL(&lab, (answer_read(&a, fd), strstr(a.text, "data: 2\n\n") != NULL));
	CHECK_U64("streams", http_streams(lab.http), 1);
	http_stream_end(desk.stream);
	LAB_UNTIL(&lab, (answer_read(&a, fd), a.closed));
	CHECK(a.len > 5 && strcmp(a.text + a.len - 5, "0\r\n\r\n") == 0);
	CHECK_I64("on_close is not called", desk.ended, 0);
	CHECK_U64("streams", http_streams(lab.http), 0);
	CHECK_I64("handled", desk.handled, 1);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_stream_reader_goes)
{
	static const char get[] = GET("/stream");
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	CHECK(http_stream_send(desk.stream, "data: 1\n\n", 9));
	lab_turn(&lab);
	uint64_t left_ms = check_now_ms();
	close(fd);
	LAB_UNTIL(&lab, desk.ended == 1);
	CHECK(check_now_ms() - left_ms < 20000);
	CHECK_I64("why", desk.why, HTTP_STREAM_GONE);
	CHECK_U64("connections", http_connections(lab.http), 0);
	lab_close(&lab);
}

/* One that never reads costs the cap and no more, however much is sent to it. */
TEST(test_http_stream_stalled_is_bounded)
{
	static const char get[] = GET("/stream");
	static char event[4096];
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	memset(event, 'x', sizeof(event));
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	size_t before = mallinfo2().uordblks, most = 0, sent = 0;
	while (desk.stream != NULL && sent < 64u << 20) {
		if (http_stream_send(desk.stream, event, sizeof(event)))
			sent += sizeof(event);
		size_t now = mallinfo2().uordblks;
		most = now > before + most ? now - before : most;
		CHECK(desk.stream == NULL || http_stream_pending(desk.stream) <= 256 * 1024);
		lab_turn(&lab);
	}
	CHECK_I64("ended", desk.ended, 1);
	CHECK_I64("why", desk.why, HTTP_STREAM_STALLED);
	CHECK_I64("counted", stat_of(&lab, HTTP_STAT_STALLED, 0), 1);
	CHECK(sent < 8u << 20);
	if (!CHECK(most < 2 * 256 * 1024 + 64 * 1024))
		printf("%zu bytes held at most, %zu sent\n", most, sent);
	CHECK_U64("connections", http_connections(lab.http), 0);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_stream_sent_too_much_at_once)
{
	static const char get[] = GET("/stream");
	static char event[300 * 1024];
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	CHECK(!http_stream_send(desk.stream, event, sizeof(event)));
	CHECK(!http_stream_send(desk.stream, "a", 1));
	CHECK_I64("not within the call", desk.ended, 0);
	LAB_UNTIL(&lab, desk.ended == 1);
	CHECK_I64("why", desk.why, HTTP_STREAM_STALLED);
	close(fd);
	lab_close(&lab);
}

TEST(test_http_stream_limits)
{
	static const char get[] = GET("/stream");
	static const char head[] = "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n";
	static const char old[] = "GET /stream HTTP/1.0\r\n\r\n";
	static struct answer a;
	struct lab lab;
	struct desk desk = { 0 };

	lab_prepare(&lab);
	lab.settings.max_streams = 1;
	if (!lab_open(&lab, routes, ARRAY_LEN(routes), &desk))
		return;
	close(lab_ask(&lab, head, sizeof(head) - 1, &a));
	CHECK_U64("HEAD", answer_status(a.text), 200);
	CHECK(desk.stream == NULL);

	int fd = lab_connect(&lab);
	lab_send(fd, old, sizeof(old) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	struct http_stream *first = desk.stream;
	http_stream_send(first, "data: 1\n\n", 9);
	memset(&a, 0, sizeof(a));
	LAB_UNTIL(&lab, (answer_read(&a, fd), answer_body(&a)[0] != '\0'));
	CHECK_STR("no chunks in HTTP/1.0", answer_body(&a), "data: 1\n\n");
	close(lab_ask(&lab, get, sizeof(get) - 1, &a));
	CHECK_U64("one too many", answer_status(a.text), 503);
	http_stream_end(first);
	close(fd);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	lab_close(&lab);
}

/* Behind a proxy the address is the reader's own, so one cannot take everybody's seats. */
TEST(test_http_streams_of_one_address)
{
	static const char first[] = "GET /stream HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: "
				    "192.0.2.1\r\n\r\n";
	static const char other[] = "GET /stream HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: "
				    "192.0.2.2\r\n\r\n";
	static struct answer a;
	struct lab lab;
	struct desk desk = { 0 };
	int open[3];

	lab_prepare(&lab);
	lab.settings.max_streams_per_address = 2;
	if (!lab_open(&lab, routes, ARRAY_LEN(routes), &desk))
		return;
	struct http_stream *held = NULL;
	for (size_t i = 0; i < 2; i++) {
		held = desk.stream;
		desk.stream = NULL;
		open[i] = lab_connect(&lab);
		lab_send(open[i], first, sizeof(first) - 1);
		LAB_UNTIL(&lab, desk.stream != NULL);
	}
	struct http_stream *second = desk.stream;
	close(lab_ask(&lab, first, sizeof(first) - 1, &a));
	CHECK_U64("one too many of it", answer_status(a.text), 429);
	CHECK_STR("when to come again", answer_header(&a, "Retry-After"), "10");
	desk.stream = NULL;
	open[2] = lab_connect(&lab);
	lab_send(open[2], other, sizeof(other) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	struct http_stream *third = desk.stream;
	CHECK_U64("another is let in", http_streams(lab.http), 3);

	http_stream_end(held);
	LAB_UNTIL(&lab, http_connections(lab.http) == 2);
	desk.stream = NULL;
	close(open[0]);
	open[0] = lab_connect(&lab);
	lab_send(open[0], first, sizeof(first) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	http_stream_end(desk.stream);
	http_stream_end(second);
	http_stream_end(third);
	for (size_t i = 0; i < 3; i++)
		close(open[i]);
	LAB_UNTIL(&lab, http_connections(lab.http) == 0);
	lab_close(&lab);
}

TEST(test_http_close_with_a_stream)
{
	static const char get[] = GET("/stream");
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int fd = lab_connect(&lab);
	lab_send(fd, get, sizeof(get) - 1);
	LAB_UNTIL(&lab, desk.stream != NULL);
	lab_close(&lab);
	CHECK_I64("told", desk.ended, 1);
	close(fd);
}

/* --- draining --- */

TEST(test_http_drain)
{
	static const char later[] = GET("/later"), stream[] = GET("/stream"), now[] = GET("/now");
	static struct answer a, b, c;
	struct lab lab;
	struct desk desk;

	if (!open_lab(&lab, &desk))
		return;
	int working = lab_connect(&lab), streaming = lab_connect(&lab);
	int idle = lab_ask(&lab, now, sizeof(now) - 1, &c);
	lab_send(working, later, sizeof(later) - 1);
	lab_send(streaming, stream, sizeof(stream) - 1);
	LAB_UNTIL(&lab, desk.held != NULL && desk.stream != NULL);
	uint16_t port = http_port(lab.http);
	http_drain(lab.http);
	CHECK_FALSE("not yet", http_drained(lab.http));
	LAB_UNTIL(&lab, (answer_read(&c, idle), c.closed));
	LAB_UNTIL(&lab, (answer_read(&b, streaming), b.closed));
	CHECK_I64("the stream's owner is told", desk.why, HTTP_STREAM_DRAINED);
	CHECK(b.len > 5 && strcmp(b.text + b.len - 5, "0\r\n\r\n") == 0);

	struct sockaddr_in where = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_I64("nobody listens", connect(fd, (struct sockaddr *)&where, sizeof(where)), -1);
	close(fd);

	CHECK_FALSE("the request in hand is waited for", http_drained(lab.http));
	http_reply_data(desk.held, 200, "text/plain", "later", 5);
	LAB_UNTIL(&lab, (answer_read(&a, working), a.closed));
	CHECK_STR("answered", answer_body(&a), "later");
	CHECK_STR("and closed", answer_header(&a, "Connection"), "close");
	LAB_UNTIL(&lab, http_drained(lab.http));
	close(working);
	close(streaming);
	close(idle);
	lab_close(&lab);
}
