/*
 * zap - decides which CURVE keys may connect (ZeroMQ Authentication Protocol, RFC 27).
 *
 * libzmq asks once per connection, at the handshake, over inproc://zeromq.zap.01, and waits for
 * the answer: so this is open before any socket binds, and the decision is a look into a table.
 * A key let in is shown on each of its messages as User-Id: the key itself as z85 text.
 */
#ifndef TURUNC_ZAP_H
#define TURUNC_ZAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "bus_socket.h"

/* May this key (z85) connect to sockets of this domain?  Both are lent. */
typedef bool zap_decide_fn(void *arg, const char *domain, const char *public_key);

struct zap {
	struct bus_socket socket;
	zap_decide_fn *decide;
	void *arg;
	uint64_t admitted, turned_away;
};

/* False with errno.  Close takes a half-open one. */
MUST_CHECK bool zap_open(
    struct zap *zap, struct event_base *loop, void *context, zap_decide_fn *decide, void *arg);
void zap_close(struct zap *zap);

#endif
