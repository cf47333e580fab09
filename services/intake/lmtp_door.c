/* Lets mail servers in, and keeps time for them. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "lmtp_internal.h"

enum { READ_AHEAD_BYTES = 64 * 1024, TICK_MS = 500, BACKLOG = 64 };

/* --- the door ----------------------------------------------------------------------------------
 */

/* The one place where sessions go, when nobody is in the middle of one. */
static void
reclaim(evutil_socket_t fd, short what, void *arg)
{
	struct lmtp *l = arg;
	struct lmtp_session *s, *next;

	(void)fd;
	(void)what;
	for (s = TAILQ_FIRST(&l->sessions); s != NULL; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->dead)
			lmtp_session_free(s);
	}
}

static bool
let_in(const struct lmtp *l, const struct sockaddr *peer)
{
	struct http_address address = { { 0 } };

	if (peer->sa_family == AF_INET6) {
		memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr,
		    16);
	} else if (peer->sa_family == AF_INET) {
		address.bytes[10] = address.bytes[11] = 0xff;
		memcpy(address.bytes + 12,
		    &((const struct sockaddr_in *)(const void *)peer)->sin_addr, 4);
	} else {
		return false;
	}
	return http_peers_trust(&l->peers, &address);
}

/* One line and the door: it fits into an empty socket, or the peer has gone. */
static void
turn_away(struct lmtp *l, evutil_socket_t fd, const char *line)
{
	l->calls->on_count(l->arg, LMTP_COUNT_TURNED_AWAY);
	(void)!send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	evutil_closesocket(fd);
}

static void
on_accept(
    struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int len, void *arg)
{
	struct lmtp *l = arg;

	(void)listener;
	(void)len;
	if (!let_in(l, peer)) {
		turn_away(l, fd, "554 5.7.1 Who you are is not known here.\r\n");
		return;
	}
	if (l->count >= l->settings.max_connections || l->draining) {
		turn_away(l, fd, "421 4.3.2 Too many connections, come again.\r\n");
		return;
	}
	struct lmtp_session *s = calloc(1, sizeof(*s));
	struct bufferevent *bev = s == NULL
				      ? NULL
				      : bufferevent_socket_new(l->loop, fd, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		free(s);
		turn_away(l, fd, "421 4.3.1 Out of memory, come again.\r\n");
		return;
	}
	s->lmtp = l;
	s->bev = bev;
	TAILQ_INSERT_TAIL(&l->sessions, s, link);
	l->count++;
	l->calls->on_count(l->arg, LMTP_COUNT_CONNECTIONS);
	lmtp_wait_for_mail(s);
	bufferevent_setcb(bev, lmtp_on_readable, lmtp_on_written, lmtp_on_event, s);
	bufferevent_setwatermark(bev, EV_READ, 0, READ_AHEAD_BYTES);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	lmtp_say(s, "220 Turunc LMTP");
}

/* Out of files: the kernel's queue waits for the next tick. */
static void
on_accept_failed(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	evconnlistener_disable(listener);
}

static bool
listen_at(struct lmtp *l, const char **ret_why)
{
	struct sockaddr_storage at = { 0 };
	struct sockaddr_in *four = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&at;
	int len = sizeof(*four);

	if (evutil_inet_pton(AF_INET, l->settings.host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(l->settings.port);
	} else if (evutil_inet_pton(AF_INET6, l->settings.host, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(l->settings.port);
		len = sizeof(*six);
	} else {
		*ret_why = "not a numeric address";
		return false;
	}
	l->listener = evconnlistener_new_bind(l->loop, on_accept, l,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
	    (struct sockaddr *)&at, len);
	if (l->listener == NULL) {
		*ret_why = strerror(errno);
		return false;
	}
	evconnlistener_set_error_cb(l->listener, on_accept_failed);
	return true;
}

struct lmtp *
lmtp_open(struct event_base *loop, const struct lmtp_settings *settings,
    const struct lmtp_calls *calls, void *arg, const char **ret_why)
{
	struct lmtp *l = calloc(1, sizeof(*l));

	*ret_why = "out of memory";
	if (l == NULL)
		return NULL;
	l->settings = *settings;
	l->calls = calls;
	l->arg = arg;
	l->loop = loop;
	TAILQ_INIT(&l->sessions);
	l->turn = evtimer_new(loop, reclaim, l);
	bool peers = http_peers_parse(settings->trusted_peers, &l->peers);
	if (!peers)
		*ret_why = "not addresses, or out of memory";
	if (l->turn != NULL && peers && listen_at(l, ret_why))
		return l;
	lmtp_close(l);
	return NULL;
}

void
lmtp_close(struct lmtp *l)
{
	if (l == NULL)
		return;
	while (!TAILQ_EMPTY(&l->sessions))
		lmtp_session_free(TAILQ_FIRST(&l->sessions));
	if (l->listener != NULL)
		evconnlistener_free(l->listener);
	if (l->turn != NULL)
		event_free(l->turn);
	http_peers_finish(&l->peers);
	free(l);
}

uint16_t
lmtp_port(const struct lmtp *l)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(evconnlistener_get_fd(l->listener), (struct sockaddr *)&at, &len) != 0)
		return 0;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					      : ((struct sockaddr_in *)&at)->sin_port);
}

size_t
lmtp_connections(const struct lmtp *l)
{
	return l->count;
}

void
lmtp_drain(struct lmtp *l)
{
	struct lmtp_session *s;

	l->draining = true;
	evconnlistener_disable(l->listener);
	TAILQ_FOREACH (s, &l->sessions, link)
		if (s->state < SESSION_DATA)
			lmtp_say_last(s, "421 4.3.2 The service is stopping, come again.");
}

bool
lmtp_drained(const struct lmtp *l)
{
	return l->draining && l->count == 0;
}

int64_t
lmtp_tick(struct lmtp *l, uint64_t now_ms)
{
	struct lmtp_session *s;

	if (!l->draining)
		evconnlistener_enable(l->listener);
	TAILQ_FOREACH (s, &l->sessions, link) {
		if (s->dead || s->deadline_ms == 0 || now_ms < s->deadline_ms)
			continue;
		l->calls->on_count(l->arg, LMTP_COUNT_TIMED_OUT);
		if (s->state == SESSION_CLOSING) {
			lmtp_session_end(s);
			continue;
		}
		lmtp_say_last(s, "421 4.4.2 That took too long, closing.");
		s->deadline_ms = now_ms + l->settings.command_ms;
	}
	return TICK_MS;
}
