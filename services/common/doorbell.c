/* The doorbell: a ring is an encoded Pong, which says just what the ring does. */
#include "doorbell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus_internal.h"

enum { RINGS_WAITING = 2 };

static const char domain[] = "doorbell";

struct doorbell {
	struct bus *bus;
	struct bus_socket socket;
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];
	doorbell_ring_fn *on_ring;
	void *arg;
	bool in_domain;
	bool listening;
	bool discarding; /* in the middle of a message of several parts */
	uint64_t refused;
};

struct doorbell_button {
	struct bus_socket socket;
};

/* The ring when this part is one; NULL and counted otherwise. */
static struct frame *
read_ring(struct doorbell *bell, zmq_msg_t *part)
{
	bool more = zmq_msg_more(part) != 0;
	bool whole = !more && !bell->discarding;
	struct frame *frame = NULL;

	bell->discarding = more;
	if (more)
		return NULL;
	if (!whole || zmq_msg_gets(part, "User-Id") == NULL
	    || frame_unpack(&turunc__v1__pong__descriptor, zmq_msg_data(part), zmq_msg_size(part),
		   &frame, NULL)
		   != FRAME_OK) {
		bell->refused++;
		return NULL;
	}
	return frame;
}

static bool
answer(void *arg)
{
	struct doorbell *bell = arg;
	struct frame *last = NULL, *frame;
	zmq_msg_t part;
	int n;

	zmq_msg_init(&part);
	for (n = 0; n < BUS_SOCKET_BATCH && bus_socket_recv(&bell->socket, &part) != -1; n++) {
		frame = read_ring(bell, &part);
		if (frame == NULL)
			continue;
		frame_destroy(last);
		last = frame;
	}
	zmq_msg_close(&part);
	if (last != NULL) {
		const Turunc__V1__Pong *ring =
		    (const Turunc__V1__Pong *)(const void *)frame_message(last);
		bell->on_ring(bell->arg, ring->log_id, ring->head_seq);
		frame_destroy(last);
	}
	return n == BUS_SOCKET_BATCH;
}

struct doorbell *
doorbell_open(struct bus *bus, const char *endpoint, doorbell_ring_fn *on_ring, void *arg)
{
	struct doorbell *bell = calloc(1, sizeof(*bell));

	if (bell == NULL)
		return NULL;
	bell->bus = bus;
	bell->on_ring = on_ring;
	bell->arg = arg;
	bell->in_domain = bus_domain_add(bus, domain, ACL_INTERNAL);
	if (!bell->in_domain || !bus_socket_open(&bell->socket, bus->context, ZMQ_PULL)
	    || !bus_socket_set(&bell->socket, ZMQ_RCVHWM, RINGS_WAITING)
	    || !bus_socket_serve(&bell->socket, &bus->keys, domain)
	    || !bus_socket_reserve(&bell->socket, endpoint, bell->endpoint)
	    || !bus_socket_watch(&bell->socket, bus->loop, answer, bell)) {
		doorbell_close(bell);
		return NULL;
	}
	return bell;
}

bool
doorbell_listen(struct doorbell *bell)
{
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];

	bell->listening = bell->listening
			  || bus_socket_bind(&bell->socket, bell->endpoint, endpoint);
	return bell->listening;
}

void
doorbell_close(struct doorbell *bell)
{
	int saved_errno = errno;

	if (bell == NULL)
		return;
	bus_socket_close(&bell->socket, 0);
	if (bell->in_domain)
		bus_domain_remove(bell->bus, domain);
	free(bell);
	errno = saved_errno;
}

const char *
doorbell_endpoint(const struct doorbell *bell)
{
	return bell->endpoint;
}

uint64_t
doorbell_refused(const struct doorbell *bell)
{
	return bell->refused;
}

/* IMMEDIATE: no ring is kept for a router that is not there; it looks at the log when it starts. */
struct doorbell_button *
doorbell_button_open(struct bus *bus, const char *endpoint, const char *server_key)
{
	struct doorbell_button *button = calloc(1, sizeof(*button));

	if (button == NULL)
		return NULL;
	if (!bus_socket_open(&button->socket, bus->context, ZMQ_PUSH)
	    || !bus_socket_set(&button->socket, ZMQ_SNDHWM, RINGS_WAITING)
	    || !bus_socket_set(&button->socket, ZMQ_IMMEDIATE, 1)
	    || !bus_socket_present(&button->socket, &bus->keys, server_key)
	    || !bus_socket_connect(&button->socket, endpoint)) {
		doorbell_button_close(button);
		return NULL;
	}
	return button;
}

void
doorbell_button_close(struct doorbell_button *button)
{
	if (button == NULL)
		return;
	bus_socket_close(&button->socket, 0);
	free(button);
}

bool
doorbell_button_press(struct doorbell_button *button, const char *log_id, uint64_t head_seq)
{
	Turunc__V1__Pong ring = TURUNC__V1__PONG__INIT;
	zmq_msg_t message;

	ring.log_id = frame_lend(log_id);
	ring.head_seq = head_seq;
	if (zmq_msg_init_size(&message, turunc__v1__pong__get_packed_size(&ring)) == -1)
		return false;
	turunc__v1__pong__pack(&ring, zmq_msg_data(&message));
	if (bus_socket_send(&button->socket, &message, 0) != -1)
		return true;
	zmq_msg_close(&message);
	return false;
}
