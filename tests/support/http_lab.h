/*
 * http_lab - a server and raw clients on one loop, in the test's own process.
 *
 * The test turns the loop itself (lab_turn) while it waits for something, so it sees the server's
 * state between any two steps, and nothing depends on another process being quick.
 */
#ifndef TURUNC_HTTP_LAB_H
#define TURUNC_HTTP_LAB_H

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "http.h"
#include "stats.h"

enum { LAB_WAIT_MS = 5000, LAB_ANSWER_SIZE = 64 * 1024 };

struct lab {
	struct event_base *base;
	struct http_settings settings;
	struct http *http;
};

static inline void
lab_turn(struct lab *lab)
{
	event_base_loop(lab->base, EVLOOP_NONBLOCK);
}

/* Turns the loop until cond holds; a bound, and a failed check when it is passed. */
#define LAB_UNTIL(lab, cond) CHECK_WITHIN(LAB_WAIT_MS, (lab_turn(lab), (cond)))

/* Set what differs in lab->settings between lab_prepare() and lab_open(). */
static inline void
lab_prepare(struct lab *lab)
{
	struct event_config *config = event_config_new();

	signal(SIGPIPE, SIG_IGN);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	*lab = (struct lab){ .base = event_base_new_with_config(config) };
	event_config_free(config);
	http_settings_init(&lab->settings);
	lab->settings.host = "127.0.0.1";
}

static inline bool
lab_open(struct lab *lab, const struct http_route routes[], size_t count, void *arg)
{
	const char *why = "";

	lab->http = http_open(lab->base, &lab->settings, routes, count, arg, &why);
	return CHECK_STR("opens", why, "") && CHECK(lab->http != NULL);
}

static inline void
lab_close(struct lab *lab)
{
	http_close(lab->http);
	event_base_free(lab->base);
}

/* A connected client that never blocks. */
static inline int
lab_connect(const struct lab *lab)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
		.sin_port = htons(http_port(lab->http)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&where, sizeof(where)) == -1)
		CHECK_STR("connects", strerror(errno), "");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static inline void
lab_send(int fd, const char *bytes, size_t len)
{
	CHECK_I64("sent", send(fd, bytes, len, MSG_NOSIGNAL), (int64_t)len);
}

/* What a client has read so far. */
struct answer {
	char text[LAB_ANSWER_SIZE];
	size_t len;
	bool closed;
};

static inline void
answer_read(struct answer *a, int fd)
{
	while (!a->closed && a->len < sizeof(a->text) - 1) {
		ssize_t n = recv(fd, a->text + a->len, sizeof(a->text) - 1 - a->len, 0);
		if (n > 0)
			a->len += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			a->closed = true;
		else
			break;
		a->text[a->len] = '\0';
	}
}

/* How many whole answers are there?  Looks at Content-Length as a client does. */
static inline size_t
answer_count(const struct answer *a)
{
	size_t count = 0;
	const char *at = a->text;

	for (;;) {
		const char *end = strstr(at, "\r\n\r\n");
		if (end == NULL)
			return count;
		const char *length = strcasestr(at, "\r\nContent-Length: ");
		size_t len = length != NULL && length < end ? strtoul(length + 18, NULL, 10) : 0;
		if (strncmp(at, "HTTP/1.1 304", 12) == 0 || strncmp(at, "HTTP/1.1 204", 12) == 0
		    || strncmp(at, "HTTP/1.1 100", 12) == 0)
			len = 0;
		if (end + 4 + len > a->text + a->len)
			return count;
		at = end + 4 + len;
		count++;
	}
}

/* The status of the answer that begins at text; 0: none there. */
static inline unsigned
answer_status(const char *text)
{
	return strncmp(text, "HTTP/1.", 7) == 0 && strlen(text) > 12
		   ? (unsigned)strtoul(text + 9, NULL, 10)
		   : 0;
}

/* The value of a header of the first answer in static storage, or NULL. */
static inline const char *
answer_header(const struct answer *a, const char *name)
{
	static char value[512];
	char line[128];
	const char *end = strstr(a->text, "\r\n\r\n");

	snprintf(line, sizeof(line), "\r\n%s: ", name);
	const char *at = strcasestr(a->text, line);
	if (at == NULL || at >= end)
		return NULL;
	at += strlen(line);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static inline const char *
answer_body(const struct answer *a)
{
	const char *end = strstr(a->text, "\r\n\r\n");

	return end == NULL ? "" : end + 4;
}

/* Sends the bytes on a new connection; returns when an answer is whole or the server closed. */
static inline int
lab_ask(struct lab *lab, const char *bytes, size_t len, struct answer *a)
{
	int fd = lab_connect(lab);

	memset(a, 0, sizeof(*a));
	lab_send(fd, bytes, len);
	LAB_UNTIL(lab, (answer_read(a, fd), a->closed || answer_count(a) > 0));
	return fd;
}

/* The same, and then waits for the server to close. */
static inline void
lab_ask_and_close(struct lab *lab, const char *bytes, size_t len, struct answer *a)
{
	int fd = lab_ask(lab, bytes, len, a);

	LAB_UNTIL(lab, (answer_read(a, fd), a->closed));
	close(fd);
}

#endif
