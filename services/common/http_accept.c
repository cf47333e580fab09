/* Lets connections in, as many as the limits allow. */
#include "http_internal.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stats.h"

enum { FD_STEP = 64 };

/* evhttp asks for the bufferevent of a connection just accepted, and says no more about it; by
 * the end of this turn it will have set itself as the bufferevent's callback (see http_adopt()). */
struct bufferevent *
http_on_accept(struct event_base *base, void *arg)
{
	struct http *http = arg;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	if (bev == NULL)
		return NULL;
	struct http_conn *conn = conn_create(http, bev);
	if (conn == NULL)
		return bev; /* unwatched: http_on_request() will not know it and cut it */
	if (http->conn_count == 1)
		http_arm_ticker(http);
	bufferevent_incref(bev); /* until http_adopt(), should evhttp fail and free it */
	/* Active within this turn: before the first byte can be read. */
	TAILQ_INSERT_TAIL(&http->todo, conn, in_todo);
	event_active(http->turn, EV_TIMEOUT, 0);
	return bev;
}

/* Out of files or memory: the queue of the kernel must wait for the next tick. */
void
http_on_accept_failed(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	evconnlistener_disable(listener);
}

static bool
remember_fd(struct http *http, struct http_conn *conn)
{
	size_t fd = (size_t)conn->fd;

	if (fd >= http->by_fd_count) {
		size_t count = fd + FD_STEP;
		struct http_conn **grown = reallocarray(http->by_fd, count, sizeof(*grown));
		if (grown == NULL)
			return false;
		memset(grown + http->by_fd_count, 0,
		    (count - http->by_fd_count) * sizeof(struct http_conn *));
		http->by_fd = grown;
		http->by_fd_count = count;
	}
	http->by_fd[fd] = conn;
	return true;
}

static bool
address_full(const struct http *http, const struct http_conn *conn)
{
	uint32_t most = http->settings.max_connections_per_address, count = 0;
	const struct http_conn *other;

	if (most == 0 || conn->trusted)
		return false;
	for (size_t p = 0; p < CONN_PHASES; p++) {
		TAILQ_FOREACH (other, &http->phases[p], in_phase)
			count += http_network_equal(&other->peer, &conn->peer);
	}
	return count > most;
}

/* One line and the door: there is no room even for a proper refusal. */
static void
turn_away(struct http *http, struct http_conn *conn)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
				   "Content-Length: 0\r\nConnection: close\r\n\r\n";

	http_count_refusal(http, 503);
	http_count_reply(http, 503);
	/* Nothing was sent yet on this socket: it fits, or the client has gone. */
	(void)!send(conn->fd, busy, sizeof(busy) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	conn_cut(conn);
}

/* Learns what evhttp made around our bufferevent: its connection object is the argument of the
 * callbacks it has set. */
void
http_adopt(struct http_conn *conn)
{
	struct http *http = conn->http;
	void *evcon;
	char *address;
	ev_uint16_t port;

	bufferevent_getcb(conn->bev, NULL, NULL, NULL, &evcon);
	if (evcon == NULL) {
		/* evhttp ran out of memory and has freed what it had made. */
		struct bufferevent *bev = conn->bev;
		conn_closed(NULL, conn);
		bufferevent_decref(bev);
		return;
	}
	bufferevent_decref(conn->bev);
	assert(evhttp_connection_get_bufferevent(evcon) == conn->bev);
	conn->fd = bufferevent_getfd(conn->bev);
	conn->evcon = evcon;
	evhttp_connection_set_closecb(evcon, conn_closed, conn);
	stats_incr(http->stats, HTTP_STAT_CONNECTIONS);

	evhttp_connection_get_peer(evcon, &address, &port);
	bool known = http_address_parse(address, strlen(address), &conn->peer);
	conn->trusted = known && http_peers_trust(&http->trusted, &conn->peer);
	if (!known || !remember_fd(http, conn))
		conn_cut(conn);
	else if (http->draining || http->conn_count > http->settings.max_connections
		 || address_full(http, conn))
		turn_away(http, conn);
	else
		conn_start(conn);
}
