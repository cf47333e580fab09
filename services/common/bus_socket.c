/* Sets ZeroMQ sockets up safely and gives them turns on the loop. */
#include "bus_socket.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

/* A draft macro in zmq.h, a working option in libzmq 4.3: without it a missing ZAP handler would
 * let everybody in. */
enum { ZAP_ENFORCE_DOMAIN = 93 };

enum { SOON_US = 2000 };

/* No ZMQ_HEARTBEAT_IVL: with a full receive queue it loses messages (or aborts the peer).
 * No ZMQ_ROUTER_HANDOVER: it lets one client take another's place.
 * RECONNECT_IVL_MAX: a server that starts refuses connections until it knows its clients. */
static const struct {
	int option;
	int value;
} safe[] = {
	{ ZMQ_LINGER, 0 },
	{ ZMQ_HANDSHAKE_IVL, 3000 },
	{ ZMQ_TCP_KEEPALIVE, 1 },
	{ ZMQ_TCP_KEEPALIVE_IDLE, 30 },
	{ ZMQ_TCP_KEEPALIVE_INTVL, 5 },
	{ ZMQ_TCP_KEEPALIVE_CNT, 3 },
	{ ZMQ_TCP_MAXRT, 15000 },
	{ ZMQ_BACKLOG, 512 },
	{ ZMQ_RECONNECT_IVL, 100 },
	{ ZMQ_RECONNECT_IVL_MAX, 1000 },
};

static void
take_turn(evutil_socket_t fd, short what, void *arg)
{
	struct bus_socket *s = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) != 0)
		s->booked = false;
	if (s->on_turn(s->arg))
		bus_socket_touch(s);
}

bool
bus_socket_open(struct bus_socket *s, void *context, int type)
{
	const int64_t message_bytes = BUS_SOCKET_MESSAGE_BYTES;

	*s = (struct bus_socket){ .zmq = zmq_socket(context, type) };
	if (s->zmq == NULL)
		return false;
	if (zmq_setsockopt(s->zmq, ZMQ_MAXMSGSIZE, &message_bytes, sizeof(message_bytes)) == -1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		if (!bus_socket_set(s, safe[i].option, safe[i].value))
			return false;
	return true;
}

bool
bus_socket_set(struct bus_socket *s, int option, int value)
{
	return zmq_setsockopt(s->zmq, option, &value, sizeof(value)) == 0;
}

bool
bus_socket_serve(struct bus_socket *s, const struct key_pair *keys, const char *domain)
{
	int enforced = 0;
	size_t size = sizeof(enforced);

	if (!bus_socket_set(s, ZMQ_CURVE_SERVER, 1)
	    || zmq_setsockopt(s->zmq, ZMQ_CURVE_SECRETKEY, keys->secret_key, KEYS_TEXT_LEN) == -1
	    || zmq_setsockopt(s->zmq, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == -1
	    || !bus_socket_set(s, ZAP_ENFORCE_DOMAIN, 1)
	    || zmq_getsockopt(s->zmq, ZAP_ENFORCE_DOMAIN, &enforced, &size) == -1)
		return false;
	if (enforced != 1) {
		errno = ENOTSUP;
		return false;
	}
	return true;
}

bool
bus_socket_present(struct bus_socket *s, const struct key_pair *keys, const char *server_key)
{
	return zmq_setsockopt(s->zmq, ZMQ_CURVE_SERVERKEY, server_key, KEYS_TEXT_LEN) == 0
	       && zmq_setsockopt(s->zmq, ZMQ_CURVE_PUBLICKEY, keys->public_key, KEYS_TEXT_LEN) == 0
	       && zmq_setsockopt(s->zmq, ZMQ_CURVE_SECRETKEY, keys->secret_key, KEYS_TEXT_LEN) == 0;
}

bool
bus_socket_bind(
    struct bus_socket *s, const char *endpoint, char ret_endpoint[BUS_SOCKET_ENDPOINT_BYTES])
{
	size_t size = BUS_SOCKET_ENDPOINT_BYTES;

	return zmq_bind(s->zmq, endpoint) == 0
	       && zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, ret_endpoint, &size) == 0;
}

bool
bus_socket_reserve(
    struct bus_socket *s, const char *endpoint, char ret_endpoint[BUS_SOCKET_ENDPOINT_BYTES])
{
	return bus_socket_bind(s, endpoint, ret_endpoint) && zmq_unbind(s->zmq, ret_endpoint) == 0;
}

bool
bus_socket_connect(struct bus_socket *s, const char *endpoint)
{
	return zmq_connect(s->zmq, endpoint) == 0;
}

bool
bus_socket_watch(
    struct bus_socket *s, struct event_base *loop, bus_socket_turn_fn *on_turn, void *arg)
{
	int fd;
	size_t size = sizeof(fd);

	s->on_turn = on_turn;
	s->arg = arg;
	if (zmq_getsockopt(s->zmq, ZMQ_FD, &fd, &size) == -1)
		return false;
	errno = ENOMEM;
	s->again = evtimer_new(loop, take_turn, s);
	s->readable = event_new(loop, fd, EV_READ | EV_PERSIST, take_turn, s);
	if (s->again == NULL || s->readable == NULL || event_add(s->readable, NULL) == -1)
		return false;
	bus_socket_touch(s);
	return true;
}

void
bus_socket_touch(struct bus_socket *s)
{
	if (s->booked || s->again == NULL)
		return;
	s->booked = evtimer_add(s->again, &(struct timeval){ 0 }) == 0;
}

void
bus_socket_touch_soon(struct bus_socket *s)
{
	if (s->booked || s->again == NULL || evtimer_pending(s->again, NULL))
		return;
	(void)evtimer_add(s->again, &(struct timeval){ .tv_usec = SOON_US });
}

void
bus_socket_close(struct bus_socket *s, int linger_ms)
{
	int saved_errno = errno;

	if (s->readable != NULL)
		event_free(s->readable);
	if (s->again != NULL)
		event_free(s->again);
	if (s->zmq != NULL) {
		(void)zmq_setsockopt(s->zmq, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
		zmq_close(s->zmq);
	}
	*s = (struct bus_socket){ 0 };
	errno = saved_errno;
}

int
bus_socket_recv(struct bus_socket *s, zmq_msg_t *message)
{
	int n;

	do
		n = zmq_msg_recv(message, s->zmq, ZMQ_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n;
}

int
bus_socket_send(struct bus_socket *s, zmq_msg_t *message, int flags)
{
	int n;

	do
		n = zmq_msg_send(message, s->zmq, flags | ZMQ_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n;
}
