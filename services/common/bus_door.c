/* A door: a ROUTER socket on the loop, what it reads and sends, and its tick. */
#include "bus_internal.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum {
	DEFAULT_MAX_SESSIONS = 256,
	DEFAULT_MAX_SESSIONS_PER_CLIENT = 16,
	DEFAULT_CREDIT_EVENTS = 4096,
	DEFAULT_PING_MS = 2000,
	DEFAULT_SILENT_MS = 6000,
	DEFAULT_SEND_FRAMES = 128,
	DEFAULT_BACKLOG_BYTES = 1024 * 1024,
	RECEIVE_FRAMES = 128, /* read ahead for one client before TCP slows it down */
	TICK_MAX_MS = 250,
	TICK_MIN_MS = 10,
	STRANGER_COST_MS = 20, /* so at most 50 answers a second to peers without a session */
	STRANGERS_MAX_MS = 1000,
	DRAIN_MS = 2000, /* for a client to read the answers it was given before the door closed */
	WEIGH_EVERY_MS = 500,
	SPARED_AFTER_CUT_MS = 5000, /* libzmq's threads free what they held in their own time */
};

static bool take_turn(void *arg);
static void reclaim(struct bus_door *door);
static void tick(evutil_socket_t fd, short what, void *arg);

/* --- opening and closing ------------------------------------------------------------------------
 */

static void
fill_defaults(struct bus_door_options *o)
{
	if (o->max_sessions == 0)
		o->max_sessions = DEFAULT_MAX_SESSIONS;
	if (o->max_sessions_per_client == 0)
		o->max_sessions_per_client = DEFAULT_MAX_SESSIONS_PER_CLIENT;
	if (o->credit_events == 0)
		o->credit_events = DEFAULT_CREDIT_EVENTS;
	if (o->ping_ms == 0)
		o->ping_ms = DEFAULT_PING_MS;
	if (o->silent_ms == 0)
		o->silent_ms = DEFAULT_SILENT_MS;
	if (o->send_frames == 0)
		o->send_frames = DEFAULT_SEND_FRAMES;
	if (o->backlog_bytes == 0)
		o->backlog_bytes = DEFAULT_BACKLOG_BYTES;
}

static bool
make_tables(struct bus_door *door)
{
	size_t count = 16;

	while (count < 2 * (size_t)door->options.max_sessions)
		count *= 2;
	door->bucket_count = count;
	door->buckets = calloc(count, sizeof(*door->buckets));
	door->tick = event_new(door->bus->loop, -1, EV_PERSIST, tick, door);
	return door->buckets != NULL && door->tick != NULL;
}

static bool
start_tick(struct bus_door *door)
{
	uint32_t ms = door->options.ping_ms / 8;

	door->tick_ms = ms > TICK_MAX_MS ? TICK_MAX_MS : ms < TICK_MIN_MS ? TICK_MIN_MS : ms;
	door->ticked_ms = clock_monotonic_ms();
	door->strays_ms = STRANGERS_MAX_MS;
	const struct timeval every = { .tv_sec = door->tick_ms / 1000,
		.tv_usec = (suseconds_t)(door->tick_ms % 1000) * 1000 };
	return event_add(door->tick, &every) == 0;
}

static bool
open_socket(struct bus_door *door, const char *endpoint)
{
	struct bus_socket *s = &door->socket;

	/* MANDATORY: sending to nobody is an error, not a silence.  The receive limit matters for
	 * memory when the loop is busy, the send limit for clients that do not read. */
	return bus_socket_open(s, door->bus->context, ZMQ_ROUTER)
	       && bus_socket_set(s, ZMQ_ROUTER_MANDATORY, 1)
	       && bus_socket_set(s, ZMQ_SNDHWM, (int)door->options.send_frames)
	       && bus_socket_set(s, ZMQ_RCVHWM, RECEIVE_FRAMES)
	       && bus_socket_serve(s, &door->bus->keys, door->name)
	       && (door->listening ? bus_socket_bind(s, endpoint, door->endpoint)
				   : bus_socket_reserve(s, endpoint, door->endpoint))
	       && bus_socket_watch(s, door->bus->loop, take_turn, door);
}

struct bus_door *
bus_door_open(struct bus *bus, const struct bus_door_options *options,
    const struct bus_door_calls *calls, void *arg)
{
	struct bus_door *door = calloc(1, sizeof(*door));

	if (door == NULL)
		return NULL;
	TAILQ_INIT(&door->sessions);
	door->options = *options;
	fill_defaults(&door->options);
	door->calls = calls;
	door->arg = arg;
	if (!bus_domain_add(bus, options->name, 0)) {
		free(door);
		return NULL;
	}
	door->bus = bus;
	strcpy(door->name, options->name); /* bus_domain_add looked at its length */
	door->shut = options->shut;
	door->listening = !door->shut;
	errno = ENOMEM;
	if (!make_tables(door) || !open_socket(door, options->endpoint) || !start_tick(door)) {
		bus_door_close(door);
		return NULL;
	}
	door->options.name = door->name;
	door->options.endpoint = door->endpoint;
	return door;
}

void
bus_door_close(struct bus_door *door)
{
	int saved_errno = errno;

	if (door == NULL)
		return;
	door->drain_until_ms = 0;
	if (door->socket.zmq != NULL) {
		door->draining = true;
		(void)bus_door_drain(door);
	}
	reclaim(door);
	if (door->tick != NULL)
		event_free(door->tick);
	bus_socket_close(&door->socket, BUS_LINGER_MS);
	bus_domain_remove(door->bus, door->name);
	free(door->buckets);
	free(door);
	errno = saved_errno;
}

const char *
bus_door_endpoint(const struct bus_door *door)
{
	return door->endpoint;
}

bool
bus_door_listening(const struct bus_door *door)
{
	return door->listening;
}

size_t
bus_door_sessions(const struct bus_door *door)
{
	return door->open_sessions;
}

/* Sessions are freed at the end of a turn only, so a callback may close any of them. */
void
bus_door_each(
    struct bus_door *door, void (*each)(void *arg, struct bus_session *session), void *arg)
{
	struct bus_session *session;

	TAILQ_FOREACH (session, &door->sessions, link)
		if (bus_session_open(session))
			each(arg, session);
}

static void
end_by_shutdown(struct bus_session *session)
{
	bus_session_close(session, BUS_CLOSE_SHUTTING_DOWN,
	    TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN, "shutting down, come back later");
}

bool
bus_door_drain(struct bus_door *door)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct bus_session *session;
	bool waiting = false;

	if (!door->draining)
		door->drain_until_ms = now_ms + DRAIN_MS;
	door->draining = true;
	TAILQ_FOREACH (session, &door->sessions, link) {
		if (!bus_session_open(session))
			continue;
		bus_session_flush(session);
		if (!STAILQ_EMPTY(&session->backlog) && now_ms < door->drain_until_ms)
			waiting = true;
		else if (bus_session_open(session))
			end_by_shutdown(session);
	}
	return !waiting;
}

static void
end_as_gone(void *arg, struct bus_session *session)
{
	(void)arg;
	bus_session_close(session, BUS_CLOSE_GONE, TURUNC__V1__ERROR_CODE__ERROR_UNSPECIFIED, NULL);
}

static bool
listen_again(struct bus_door *door)
{
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];

	door->listening = bus_socket_bind(&door->socket, door->endpoint, endpoint);
	return door->listening;
}

bool
bus_door_listen(struct bus_door *door)
{
	door->shut = false;
	return door->listening || listen_again(door);
}

bool
bus_door_cut_all(struct bus_door *door)
{
	bus_door_each(door, end_as_gone, NULL);
	if (door->shut)
		return true;
	if (door->listening && zmq_unbind(door->socket.zmq, door->endpoint) == -1)
		return false;
	bus_socket_touch(&door->socket);
	return listen_again(door);
}

/* --- sending ---------------------------------------------------------------------------------- */

bool
bus_pack(struct bus *bus, const Turunc__V1__ServerFrame *frame, zmq_msg_t *ret_message)
{
	size_t len = turunc__v1__server_frame__get_packed_size(frame);

	if (len > FRAME_MAX_BYTES || zmq_msg_init_size(ret_message, len) == -1) {
		bus->counts[BUS_COUNT_SEND_FAILED]++;
		return false;
	}
	turunc__v1__server_frame__pack(frame, zmq_msg_data(ret_message));
	return true;
}

enum bus_sent
bus_door_send(struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES], zmq_msg_t *message)
{
	zmq_msg_t to;
	size_t len = zmq_msg_size(message);

	zmq_msg_init_size(&to, BUS_ROUTING_BYTES); /* small enough to need no memory */
	memcpy(zmq_msg_data(&to), routing, BUS_ROUTING_BYTES);
	if (bus_socket_send(&door->socket, &to, ZMQ_SNDMORE) == -1) {
		bool full = errno == EAGAIN;
		zmq_msg_close(&to);
		bus_socket_touch_soon(&door->socket);
		if (full)
			return BUS_FULL;
		zmq_msg_close(message);
		return BUS_GONE;
	}
	bus_socket_touch(&door->socket);
	if (bus_socket_send(&door->socket, message, 0) == -1) {
		zmq_msg_close(message);
		return BUS_GONE;
	}
	door->bus->counts[BUS_COUNT_FRAMES_OUT]++;
	door->bus->counts[BUS_COUNT_BYTES_OUT] += len;
	return BUS_SENT;
}

void
bus_answer_stranger(struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES],
    uint64_t request, Turunc__V1__ErrorCode code, const char *text)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;
	zmq_msg_t message;

	if (door->strays_ms < STRANGER_COST_MS)
		return;
	door->strays_ms -= STRANGER_COST_MS;
	error.code = code;
	error.text = frame_lend(text);
	error.fatal = true;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
	frame.error = &error;
	if (bus_pack(door->bus, &frame, &message)
	    && bus_door_send(door, routing, &message) == BUS_FULL)
		zmq_msg_close(&message);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
read_routing(struct bus_door *door, zmq_msg_t *part)
{
	const uint8_t *data = zmq_msg_data(part);

	door->from_chosen = zmq_msg_size(part) != BUS_ROUTING_BYTES || data[0] != 0;
	if (!door->from_chosen)
		memcpy(door->from, data, BUS_ROUTING_BYTES);
	door->reading = zmq_msg_more(part) ? BUS_READING_BODY : BUS_READING_ROUTING;
}

static void
read_body(struct bus_door *door, zmq_msg_t *part)
{
	uint64_t *counts = door->bus->counts;
	/* Of this part, not of the first: once ZMQ_EVENTS was read, 4.3.4 shows no properties
	 * on the part with the routing id. */
	const char *key = zmq_msg_gets(part, "User-Id");

	counts[BUS_COUNT_FRAMES_IN]++;
	counts[BUS_COUNT_BYTES_IN] += zmq_msg_size(part);
	door->reading = BUS_READING_ROUTING;
	if (zmq_msg_more(part)) {
		counts[BUS_COUNT_MULTIPART]++;
		door->reading = BUS_READING_REST;
	} else if (key == NULL || strlen(key) != KEYS_TEXT_LEN) {
		counts[BUS_COUNT_NO_USER]++;
	} else if (door->from_chosen) {
		counts[BUS_COUNT_CHOSEN_ID]++;
	} else {
		struct bus_message message = { door->from, key, zmq_msg_data(part),
			zmq_msg_size(part) };
		bus_session_receive(door, &message);
	}
}

static void
reclaim(struct bus_door *door)
{
	struct bus_session *session = TAILQ_FIRST(&door->sessions), *next;

	for (; session != NULL && door->ending_sessions > 0; session = next) {
		next = TAILQ_NEXT(session, link);
		bus_session_reclaim(session);
	}
}

static void
flush_waiting(struct bus_door *door)
{
	struct bus_session *session;

	if (door->waiting_sessions == 0)
		return;
	TAILQ_FOREACH (session, &door->sessions, link) {
		if (!bus_session_open(session) || STAILQ_EMPTY(&session->backlog))
			continue;
		bus_session_flush(session);
		if (!session->wants_room || !STAILQ_EMPTY(&session->backlog)
		    || !bus_session_open(session))
			continue;
		session->wants_room = false;
		if (door->calls->on_writable != NULL)
			door->calls->on_writable(door->arg, session);
	}
}

/* A part is read at a time and the place kept, so that a message of very many parts takes as many
 * turns as it needs and no longer ones. */
static bool
take_turn(void *arg)
{
	struct bus_door *door = arg;
	zmq_msg_t part;
	int n;

	zmq_msg_init(&part);
	for (n = 0; n < BUS_SOCKET_BATCH && bus_socket_recv(&door->socket, &part) != -1; n++) {
		if (door->reading == BUS_READING_ROUTING)
			read_routing(door, &part);
		else if (door->reading == BUS_READING_BODY)
			read_body(door, &part);
		else if (!zmq_msg_more(&part))
			door->reading = BUS_READING_ROUTING;
	}
	zmq_msg_close(&part);
	flush_waiting(door);
	reclaim(door);
	return n == BUS_SOCKET_BATCH;
}

/* --- time ------------------------------------------------------------------------------------- */

/*
 * When this process itself stood still (stopped, a suspended machine), its clients' answers are
 * still in the queue: what it could not hear is not held against them.
 */
static void
forgive_standstill(struct bus_door *door, uint64_t now_ms)
{
	uint64_t late_ms = now_ms - door->ticked_ms;
	struct bus_session *session;

	if (late_ms < door->options.silent_ms / 2 || late_ms < 2 * (uint64_t)door->tick_ms)
		return;
	TAILQ_FOREACH (session, &door->sessions, link) {
		uint64_t heard_ms = session->heard_ms + late_ms;
		session->heard_ms = heard_ms > now_ms ? now_ms : heard_ms;
	}
}

/* 0 when it cannot be told: then nobody is cut off. */
static size_t
resident_bytes(void)
{
	char text[64];
	unsigned long size, resident;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	if (sscanf(text, "%lu %lu", &size, &resident) != 2)
		return 0;
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* What malloc keeps of memory freed long ago is nobody's fault: it is given back first, and again
 * while a cut takes its effect. */
static void
weigh_memory(struct bus_door *door, uint64_t now_ms)
{
	struct bus *bus = door->bus;

	if (bus->memory_limit == 0 || now_ms < door->weighed_ms)
		return;
	door->weighed_ms = now_ms + WEIGH_EVERY_MS;
	bool spared = now_ms < door->spared_ms;
	if (!spared && resident_bytes() <= bus->memory_limit)
		return;
	(void)malloc_trim(0);
	if (spared || resident_bytes() <= bus->memory_limit)
		return;
	door->spared_ms = now_ms + SPARED_AFTER_CUT_MS;
	bus->counts[BUS_COUNT_CUT_OFF]++;
	(void)bus_door_cut_all(door);
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	struct bus_door *door = arg;
	uint64_t now_ms = clock_monotonic_ms();
	struct bus_session *session;

	(void)fd;
	(void)what;
	forgive_standstill(door, now_ms);
	uint64_t filled_ms = door->strays_ms + (now_ms - door->ticked_ms);
	door->strays_ms = filled_ms > STRANGERS_MAX_MS ? STRANGERS_MAX_MS : (uint32_t)filled_ms;
	door->ticked_ms = now_ms;
	TAILQ_FOREACH (session, &door->sessions, link)
		if (bus_session_open(session))
			bus_session_tick(session, now_ms);
	if (!door->shut)
		(void)bus_door_listen(door);
	weigh_memory(door, now_ms);
	bus_socket_touch(&door->socket);
}
