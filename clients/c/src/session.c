/* The connection: a fresh encrypted socket for every attempt, Hello, signs of life, backoff. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <zmq.h>

#include "client_private.h"
#include "wire.h"

enum {
	READ_BATCH = 64,
	SOCKET_FRAME_BYTES = 256 * 1024,
	QUEUE_FRAMES = 4096,
	HANDSHAKE_MS = 3000,
	CONNECT_WAIT_MS = 1000, /* most to wait after an attempt that never stood */
	LASTED_MS = 1000, /* a session this old clears the count of failures */
	DOUBLINGS_MAX = 20
};

static void
enter(struct turunc_client *c, enum turunc_state state, const char *why)
{
	struct tc_session *s = &c->session;

	s->state = state;
	s->since_ms = tc_now_ms();
	if (c->options.handlers.on_state != NULL)
		c->options.handlers.on_state(c->options.arg, state, why);
}

void
tc_session_init(struct turunc_client *c)
{
	c->session = (struct tc_session){ .fd = -1, .state = TURUNC_DOWN };
}

static void
socket_close(struct turunc_client *c)
{
	struct tc_session *s = &c->session;

	if (s->socket == NULL)
		return;
	if (s->fd != -1)
		epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	zmq_close(s->socket);
	s->socket = NULL;
	s->fd = -1;
	s->writable = false;
}

void
tc_session_finish(struct turunc_client *c)
{
	socket_close(c);
}

/* Doubled at each failure up to the cap, then a random quarter less, so that many clients of a
 * restarted door do not come back in step. */
static uint32_t
backoff_ms(const struct turunc_client *c)
{
	uint32_t doublings = c->session.failures < DOUBLINGS_MAX ? c->session.failures
								 : DOUBLINGS_MAX;
	uint64_t ms = (uint64_t)c->options.backoff_ms << doublings;

	if (ms > c->options.backoff_max_ms)
		ms = c->options.backoff_max_ms;
	if (c->session.state == TURUNC_CONNECTING && ms > CONNECT_WAIT_MS)
		ms = CONNECT_WAIT_MS;
	return (uint32_t)ms - tc_random_below((uint32_t)ms / 4 + 1);
}

static void
end_session(struct turunc_client *c, const char *why, uint32_t wait_ms)
{
	struct tc_session *s = &c->session;

	s->retry_at_ms = tc_now_ms() + wait_ms;
	snprintf(s->why, sizeof(s->why), "%s", why);
	c->stats.drops++;
	socket_close(c);
	tc_publish_stop(c);
	tc_subscribe_stop(c);
	tc_commands_stop(c);
	tc_snapshot_stop(c);
	enter(c, TURUNC_DOWN, s->why);
}

void
tc_session_drop(
    struct turunc_client *c, Turunc__V1__ErrorCode code, const char *why, uint32_t least_ms)
{
	struct tc_session *s = &c->session;

	if (s->socket == NULL)
		return;
	if (s->state == TURUNC_READY && tc_now_ms() - s->since_ms >= LASTED_MS)
		s->failures = 0;
	uint32_t wait_ms = backoff_ms(c);
	if (s->failures < UINT32_MAX)
		s->failures++;
	s->endpoint_turn++;
	end_session(c, why, wait_ms > least_ms ? wait_ms : least_ms);
	tc_trouble(c, &(struct turunc_trouble){
			  .about = TURUNC_ABOUT_SESSION, .code = code, .text = s->why });
}

void
tc_session_leave(struct turunc_client *c)
{
	if (c->session.socket != NULL)
		end_session(c, "left, to begin anew", c->options.backoff_ms);
}

/* The endpoint whose turn it is, of the comma-separated ones. */
static void
endpoint_now(const struct turunc_client *c, char ret[TC_ENDPOINT_SIZE])
{
	const char *list = c->folder.endpoint;
	size_t count = 1;

	for (const char *p = list; *p != '\0'; p++)
		count += *p == ',';
	for (size_t skip = c->session.endpoint_turn % count; skip > 0; skip--)
		list = strchr(list, ',') + 1;
	while (*list == ' ')
		list++;
	size_t len = strcspn(list, ", ");
	memcpy(ret, list, len);
	ret[len] = '\0';
}

static bool
set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

/* IMMEDIATE makes the socket writable exactly while an encrypted connection stands.  No ZMTP
 * heartbeats: with a full queue they abort the process (libzmq 4.3.4); Ping does that work. */
static bool
socket_configure(void *socket, const struct tc_folder *folder)
{
	return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_IMMEDIATE, 1)
	       && set_int(socket, ZMQ_SNDHWM, QUEUE_FRAMES)
	       && set_int(socket, ZMQ_RCVHWM, QUEUE_FRAMES)
	       && zmq_setsockopt(
		      socket, ZMQ_MAXMSGSIZE, &(int64_t){ SOCKET_FRAME_BYTES }, sizeof(int64_t))
		      == 0
	       && set_int(socket, ZMQ_RECONNECT_IVL, 100)
	       && set_int(socket, ZMQ_RECONNECT_IVL_MAX, 1000)
	       && set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS)
	       && set_int(socket, ZMQ_TCP_KEEPALIVE, 1)
	       && set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, 30)
	       && set_int(socket, ZMQ_TCP_KEEPALIVE_INTVL, 5)
	       && set_int(socket, ZMQ_TCP_KEEPALIVE_CNT, 3) && set_int(socket, ZMQ_TCP_MAXRT, 15000)
	       && zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, folder->server_public, TC_KEY_SIZE)
		      == 0
	       && zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, folder->client_public, TC_KEY_SIZE)
		      == 0
	       && zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, folder->client_secret, TC_KEY_SIZE)
		      == 0;
}

static void
socket_open(struct turunc_client *c)
{
	struct tc_session *s = &c->session;
	char endpoint[TC_ENDPOINT_SIZE];
	size_t fd_len = sizeof(s->fd);

	endpoint_now(c, endpoint);
	s->socket = zmq_socket(c->context, ZMQ_DEALER);
	if (s->socket == NULL) {
		s->retry_at_ms = tc_now_ms() + c->options.backoff_max_ms;
		tc_trouble(c, &(struct turunc_trouble){
				  .about = TURUNC_ABOUT_SESSION, .text = zmq_strerror(errno) });
		return;
	}
	if (!socket_configure(s->socket, &c->folder) || zmq_connect(s->socket, endpoint) == -1
	    || zmq_getsockopt(s->socket, ZMQ_FD, &s->fd, &fd_len) == -1
	    || epoll_ctl(
		   c->epoll_fd, EPOLL_CTL_ADD, s->fd, &(struct epoll_event){ .events = EPOLLIN })
		   == -1) {
		char why[TC_WHY_SIZE];
		snprintf(why, sizeof(why), "cannot connect: %s", zmq_strerror(errno));
		tc_session_drop(c, 0, why, 0);
		return;
	}
	enter(c, TURUNC_CONNECTING, endpoint);
}

bool
tc_session_say_bytes(struct turunc_client *c, const uint8_t *frame, size_t len)
{
	struct tc_session *s = &c->session;
	int rc;

	if (s->socket == NULL)
		return false;
	do
		rc = zmq_send(s->socket, frame, len, ZMQ_DONTWAIT);
	while (rc == -1 && errno == EINTR);
	if (rc == -1) {
		tc_session_drop(c, 0, errno == EAGAIN ? "disconnected" : zmq_strerror(errno), 0);
		return false;
	}
	s->said_ms = tc_now_ms();
	c->stats.frames_out++;
	return true;
}

bool
tc_session_say(struct turunc_client *c, Turunc__V1__ClientFrame *frame)
{
	uint8_t small[4096];
	size_t len = turunc__v1__client_frame__get_packed_size(frame);

	/* What is packed here is bounded by its makers: Hello, Subscribe and the like. */
	if (len > sizeof(small)) {
		tc_session_drop(c, 0, "a frame of ours is too large", 0);
		return false;
	}
	turunc__v1__client_frame__pack(frame, small);
	return tc_session_say_bytes(c, small, len);
}

static void
say_hello(struct turunc_client *c)
{
	Turunc__V1__Hello hello = TURUNC__V1__HELLO__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;

	hello.protocol = TURUNC_PROTOCOL;
	hello.instance = c->instance;
	hello.software = c->software;
	frame.request = c->session.hello_request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_HELLO;
	frame.hello = &hello;
	enter(c, TURUNC_GREETING, "");
	(void)tc_session_say(c, &frame);
}

/* Due when we have said nothing, or heard nothing since the last time, for so long. */
static uint64_t
ping_due_ms(const struct turunc_client *c)
{
	const struct tc_session *s = &c->session;
	uint64_t heard_ms = s->heard_ms > s->pinged_ms ? s->heard_ms : s->pinged_ms;

	return (s->said_ms < heard_ms ? s->said_ms : heard_ms) + c->options.ping_ms;
}

static void
say_ping(struct turunc_client *c)
{
	Turunc__V1__Ping ping = TURUNC__V1__PING__INIT;
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;

	frame.request = tc_next_request(c);
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_PING;
	frame.ping = &ping;
	c->session.pinged_ms = tc_now_ms();
	(void)tc_session_say(c, &frame);
}

/* A bounded portion of what has arrived; true when more may be waiting. */
static bool
read_frames(struct turunc_client *c)
{
	struct tc_session *s = &c->session;
	zmq_msg_t msg;
	int n = 0;

	zmq_msg_init(&msg);
	while (n < READ_BATCH && s->socket != NULL) {
		if (zmq_msg_recv(&msg, s->socket, ZMQ_DONTWAIT) == -1) {
			if (errno == EINTR)
				continue;
			break;
		}
		n++;
		s->heard_ms = tc_now_ms();
		c->stats.frames_in++;
		if (zmq_msg_more(&msg)) {
			c->stats.bad_frames++;
			tc_session_drop(c, 0, "a frame of more than one part", 0);
			break;
		}
		tc_dispatch(c, zmq_msg_data(&msg), zmq_msg_size(&msg));
	}
	zmq_msg_close(&msg);
	return n == READ_BATCH;
}

static int
socket_events(struct tc_session *s)
{
	int events = 0;
	size_t len = sizeof(events);

	while (zmq_getsockopt(s->socket, ZMQ_EVENTS, &events, &len) == -1 && errno == EINTR)
		;
	return events;
}

/* A door that has just started turns away keys it has not read yet, and a socket once turned away
 * may not try again: so attempts are shorter than the silence of a session that stood. */
static uint64_t
connect_due_ms(const struct turunc_client *c)
{
	return c->session.since_ms + c->options.silence_ms / 3;
}

/* What has become of the connection since the last look. */
static void
look(struct turunc_client *c, uint64_t now_ms)
{
	struct tc_session *s = &c->session;

	s->writable = (socket_events(s) & ZMQ_POLLOUT) != 0;
	if (s->state == TURUNC_CONNECTING && s->writable) {
		s->heard_ms = now_ms;
		say_hello(c);
	} else if (s->state == TURUNC_CONNECTING) {
		if (now_ms >= connect_due_ms(c))
			tc_session_drop(c, 0,
			    "no encrypted connection: door away, its key another one, or this key "
			    "not admitted",
			    0);
	} else if (!s->writable) {
		tc_session_drop(c, 0, "disconnected", 0);
	} else if (now_ms >= s->heard_ms + c->options.silence_ms) {
		tc_session_drop(c, 0, "the door is silent", 0);
	} else if (s->state == TURUNC_READY && now_ms >= ping_due_ms(c)) {
		say_ping(c);
	}
}

bool
tc_session_step(struct turunc_client *c)
{
	struct tc_session *s = &c->session;

	if (s->socket == NULL) {
		if (tc_now_ms() < s->retry_at_ms)
			return false;
		socket_open(c);
		if (s->socket == NULL)
			return false;
	}
	bool more = read_frames(c);
	if (s->socket != NULL)
		look(c, tc_now_ms());
	return more && s->socket != NULL;
}

/* ZMQ_FD reports changes only, and sending swallows them too: so look once more at the end. */
bool
tc_session_peek(struct turunc_client *c)
{
	struct tc_session *s = &c->session;

	if (s->socket == NULL)
		return false;
	int events = socket_events(s);
	bool writable = (events & ZMQ_POLLOUT) != 0;
	return (events & ZMQ_POLLIN) != 0 || writable != s->writable;
}

uint64_t
tc_session_deadline(const struct turunc_client *c)
{
	const struct tc_session *s = &c->session;

	switch (s->state) {
	case TURUNC_DOWN:
		return s->retry_at_ms;
	case TURUNC_CONNECTING:
		return connect_due_ms(c);
	case TURUNC_GREETING:
		return s->heard_ms + c->options.silence_ms;
	case TURUNC_READY:
		break;
	}
	uint64_t ping_ms = ping_due_ms(c);
	uint64_t silent_ms = s->heard_ms + c->options.silence_ms;
	return ping_ms < silent_ms ? ping_ms : silent_ms;
}
