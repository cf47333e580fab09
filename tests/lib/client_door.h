/*
 * client_door - a door in the test's own process: a CURVE ROUTER whose every answer the test gives.
 *
 * The test and the client take turns: door_expect() steps the client until the door has a frame
 * from it.  Pings are answered on the way unless the test wants to see them.
 */
#ifndef TESTS_CLIENT_DOOR_H
#define TESTS_CLIENT_DOOR_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "check.h"
#include "turunc/client.h"

#define LOG_A "11111111-1111-4111-8111-111111111111"
#define LOG_B "22222222-2222-4222-8222-222222222222"

enum { DOOR_LIMIT_MS = 30000, DOOR_FRAME_BYTES = 256 * 1024 };

typedef Turunc__V1__ClientFrame said;
typedef Turunc__V1__ServerFrame answer;

struct door {
	void *context, *socket;
	char endpoint[128];
	char public_key[41], secret_key[41];
	char client_public[41], client_secret[41];
	said *hello; /* read while waiting for something else */
	uint8_t peer[64]; /* whoever spoke last */
	int peer_len;
	uint32_t credit; /* for Welcome */
	const char *log_id;
	bool mute; /* answers no Ping */
};

static inline bool
door_listen(struct door *d, const char *endpoint)
{
	size_t len = sizeof(d->endpoint);
	int zero = 0, one = 1;

	d->socket = zmq_socket(d->context, ZMQ_ROUTER);
	return d->socket != NULL && zmq_setsockopt(d->socket, ZMQ_LINGER, &zero, sizeof(zero)) == 0
	       && zmq_setsockopt(d->socket, ZMQ_CURVE_SERVER, &one, sizeof(one)) == 0
	       && zmq_setsockopt(d->socket, ZMQ_CURVE_SECRETKEY, d->secret_key, 41) == 0
	       && zmq_bind(d->socket, endpoint) == 0
	       && zmq_getsockopt(d->socket, ZMQ_LAST_ENDPOINT, d->endpoint, &len) == 0;
}

static inline bool
door_open(struct door *d)
{
	memset(d, 0, sizeof(*d));
	d->credit = 1024;
	d->log_id = LOG_A;
	d->context = zmq_ctx_new();
	return d->context != NULL && zmq_curve_keypair(d->public_key, d->secret_key) == 0
	       && zmq_curve_keypair(d->client_public, d->client_secret) == 0
	       && door_listen(d, "tcp://127.0.0.1:*");
}

static inline void
said_free(said *frame)
{
	if (frame != NULL)
		turunc__v1__client_frame__free_unpacked(frame, NULL);
}

static inline void
door_close(struct door *d)
{
	said_free(d->hello);
	zmq_close(d->socket);
	zmq_ctx_term(d->context);
}

/* As if the door's process had died and come back at the same address.  The endpoint is free only
 * once the old socket is really gone, hence the patience. */
static inline bool
door_restart(struct door *d)
{
	char endpoint[128];
	uint64_t limit_ms = check_now_ms() + DOOR_LIMIT_MS;

	memcpy(endpoint, d->endpoint, sizeof(endpoint));
	said_free(d->hello);
	d->hello = NULL;
	zmq_close(d->socket);
	while (!door_listen(d, endpoint)) {
		zmq_close(d->socket);
		if (check_now_ms() > limit_ms)
			return false;
		check_pause();
	}
	return true;
}

/* Options for a client of this door, with tight times. */
static inline struct turunc_options
door_options(const struct door *d, enum turunc_door door)
{
	return (struct turunc_options){ .door = door,
		.endpoint = d->endpoint,
		.client_secret = d->client_secret,
		.client_public = d->client_public,
		.server_public = d->public_key,
		.backoff_ms = 5,
		.backoff_max_ms = 50 };
}

static inline void
door_say(struct door *d, answer *frame)
{
	size_t len = turunc__v1__server_frame__get_packed_size(frame);
	uint8_t *bytes = malloc(len + 1);

	turunc__v1__server_frame__pack(frame, bytes);
	CHECK(zmq_send(d->socket, d->peer, (size_t)d->peer_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1);
	CHECK(zmq_send(d->socket, bytes, len, ZMQ_DONTWAIT) != -1);
	free(bytes);
}

static inline said *
door_read(struct door *d)
{
	static uint8_t bytes[DOOR_FRAME_BYTES];

	int id_len = zmq_recv(d->socket, d->peer, sizeof(d->peer), ZMQ_DONTWAIT);
	if (id_len == -1)
		return NULL;
	d->peer_len = id_len;
	int len = zmq_recv(d->socket, bytes, sizeof(bytes), ZMQ_DONTWAIT);
	if (!CHECK(len >= 0 && len <= TURUNC_FRAME_BYTES_MAX))
		return NULL;
	said *frame = turunc__v1__client_frame__unpack(NULL, (size_t)len, bytes);
	CHECK(frame != NULL);
	return frame;
}

static inline void
door_pong(struct door *d, uint64_t request)
{
	Turunc__V1__Pong pong = TURUNC__V1__PONG__INIT;
	answer frame = TURUNC__V1__SERVER_FRAME__INIT;
	char log_id[64];

	snprintf(log_id, sizeof(log_id), "%s", d->log_id);
	pong.log_id = log_id;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_PONG;
	frame.pong = &pong;
	door_say(d, &frame);
}

/* One turn of the client, and of the door's reading; waits a moment if nothing moves. */
static inline said *
door_turn(struct door *d, struct turunc_client *c)
{
	struct pollfd watched = { .fd = turunc_client_fd(c), .events = POLLIN };

	turunc_client_step(c);
	said *frame = door_read(d);
	if (frame == NULL)
		(void)poll(&watched, 1, 1);
	return frame;
}

/* The next frame that is neither Ping (answered) nor Credit; NULL after the limit. */
static inline said *
door_next(struct door *d, struct turunc_client *c, uint64_t limit_ms)
{
	uint64_t until_ms = check_now_ms() + limit_ms;
	said *kept = d->hello;

	d->hello = NULL;
	if (kept != NULL)
		return kept;
	while (check_now_ms() < until_ms) {
		said *frame = door_turn(d, c);
		if (frame == NULL)
			continue;
		if (frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_PING) {
			if (!d->mute)
				door_pong(d, frame->request);
		} else if (frame->body_case != TURUNC__V1__CLIENT_FRAME__BODY_CREDIT) {
			return frame;
		}
		said_free(frame);
	}
	return NULL;
}

/* That frame, which must be of this kind; NULL (and a failed check) when it is not. */
static inline said *
door_expect(struct door *d, struct turunc_client *c, Turunc__V1__ClientFrame__BodyCase kind)
{
	said *frame = door_next(d, c, DOOR_LIMIT_MS);

	if (CHECK(frame != NULL)
	    && CHECK_U64("kind of frame", (uint64_t)frame->body_case, (uint64_t)kind))
		return frame;
	said_free(frame);
	return NULL;
}

static inline bool
door_greet(struct door *d, struct turunc_client *c)
{
	Turunc__V1__Welcome welcome = TURUNC__V1__WELCOME__INIT;
	answer frame = TURUNC__V1__SERVER_FRAME__INIT;
	char log_id[64], name[] = "tester";

	said *hello = door_expect(d, c, TURUNC__V1__CLIENT_FRAME__BODY_HELLO);
	if (hello == NULL)
		return false;
	snprintf(log_id, sizeof(log_id), "%s", d->log_id);
	welcome.protocol = hello->hello->protocol;
	welcome.log_id = log_id;
	welcome.credit_events = d->credit;
	welcome.max_event_bytes = TURUNC_EVENT_BYTES_MAX;
	welcome.client = name;
	frame.request = hello->request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	door_say(d, &frame);
	said_free(hello);
	return true;
}

static inline void
door_error(struct door *d, uint64_t request, Turunc__V1__ErrorCode code, bool fatal)
{
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;
	answer frame = TURUNC__V1__SERVER_FRAME__INIT;
	char text[] = "said the door";

	error.code = code;
	error.text = text;
	error.fatal = fatal;
	error.last_common_seq = code == TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED ? 7 : 0;
	error.retry_ms = 20;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
	frame.error = &error;
	door_say(d, &frame);
}

/* Steps the client; a Hello that comes is kept for door_greet(), other frames are dropped. */
static inline void
door_wait_step(struct door *d, struct turunc_client *c)
{
	if (d->hello != NULL) {
		turunc_client_step(c);
		check_pause();
		return;
	}
	said *frame = door_next(d, c, 5);
	if (frame != NULL && frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_HELLO)
		d->hello = frame;
	else
		said_free(frame);
}

/* Steps the client until cond holds; false after the limit. */
#define DOOR_UNTIL(d, c, cond)                                                  \
	__extension__({                                                         \
		uint64_t until_ms_ = check_now_ms() + DOOR_LIMIT_MS;            \
		while (!(cond) && check_now_ms() < until_ms_)                   \
			door_wait_step(d, c);                                   \
		check_true(__FILE__, __LINE__, "in time", #cond, (cond), true); \
	})

#endif
