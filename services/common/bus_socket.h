/*
 * bus_socket - one ZeroMQ socket on the loop; the only place that touches ZMQ_FD and options.
 *
 * ZMQ_FD tells of changes, not of levels: whoever stops reading early, or sends, may never be
 * woken again.  So a turn reads a batch and says whether more may be there, and whoever sends
 * calls bus_socket_touch(); both book a turn on a timer without delay, which comes after the other
 * events' turns.  Every option that keeps a peer from taking memory or time is set here, and
 * checked.
 */
#ifndef TURUNC_BUS_SOCKET_H
#define TURUNC_BUS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <zmq.h>

#include "base.h"
#include "keys.h"

struct event_base;

enum {
	BUS_SOCKET_MESSAGE_BYTES = 256 * 1024, /* a larger part costs its sender the connection */
	BUS_SOCKET_BATCH = 128, /* parts to read in one turn */
	BUS_SOCKET_ENDPOINT_BYTES = 256,
};

/* Reads until it would block (returns false) or its batch is full (true: another turn). */
typedef bool bus_socket_turn_fn(void *arg);

struct bus_socket {
	void *zmq;
	struct event *readable, *again;
	bool booked; /* `again` is pending, without delay */
	bus_socket_turn_fn *on_turn;
	void *arg;
};

/* Every function below returns false with errno.  bus_socket_close() takes a half-open one. */
MUST_CHECK bool bus_socket_open(struct bus_socket *s, void *context, int type);
MUST_CHECK bool bus_socket_set(struct bus_socket *s, int option, int value);
/* Only keys that the ZAP handler lets into this domain, and nobody when there is no handler. */
MUST_CHECK bool bus_socket_serve(
    struct bus_socket *s, const struct key_pair *keys, const char *domain);
/* The other side: ours to show, and the only server key to accept. */
MUST_CHECK bool bus_socket_present(
    struct bus_socket *s, const struct key_pair *keys, const char *server_key);
/* ret_endpoint: where it listens, with the port it got. */
MUST_CHECK bool bus_socket_bind(
    struct bus_socket *s, const char *endpoint, char ret_endpoint[BUS_SOCKET_ENDPOINT_BYTES]);
/*
 * Learns the port and that it can be had, and lets go of it again; bus_socket_bind() at
 * ret_endpoint follows.  Who connects meanwhile is refused by the kernel and tries again in
 * milliseconds, where a key refused by ZAP stands still until its handshake has timed out
 * (ZMQ_HANDSHAKE_IVL).
 */
MUST_CHECK bool bus_socket_reserve(
    struct bus_socket *s, const char *endpoint, char ret_endpoint[BUS_SOCKET_ENDPOINT_BYTES]);
MUST_CHECK bool bus_socket_connect(struct bus_socket *s, const char *endpoint);
/* From now on the loop gives it turns, the first one at once. */
MUST_CHECK bool bus_socket_watch(
    struct bus_socket *s, struct event_base *loop, bus_socket_turn_fn *on_turn, void *arg);
void bus_socket_touch(struct bus_socket *s);
/* A turn within a few milliseconds: for what waits on a peer, where no delay would be a busy loop
 * and the signal may have been eaten. */
void bus_socket_touch_soon(struct bus_socket *s);
/* What is still to be sent has linger_ms. */
void bus_socket_close(struct bus_socket *s, int linger_ms);

/* zmq_msg_recv and zmq_msg_send that never block and start again after a signal. */
int bus_socket_recv(struct bus_socket *s, zmq_msg_t *message);
int bus_socket_send(struct bus_socket *s, zmq_msg_t *message, int flags);

#endif
