/* Judges what clients send: Hello begins a session, the rest needs one. */
#include "bus_internal.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

enum {
	HELLO_MAX_BYTES = 1024, /* nothing longer is looked at before a session has begun */
	BAD_FRAMES_MAX = 64, /* then the session ends; one is forgotten at each tick */
	TEXT_BYTES = 192,
};

/* --- Hello ------------------------------------------------------------------------------------ */

static size_t
count_of_client(struct bus_door *door, const char *key)
{
	struct bus_session *session;
	size_t n = 0;

	TAILQ_FOREACH (session, &door->sessions, link)
		n += bus_session_open(session) && strcmp(session->key, key) == 0;
	return n;
}

struct refusal {
	Turunc__V1__ErrorCode code;
	const char *text;
};

/* False, with why, when no session may begin. */
static bool
hello_welcome(struct bus_door *door, const struct acl_client *client,
    const Turunc__V1__Hello *hello, struct refusal *why)
{
	const struct bus_door_options *options = &door->options;
	struct uuid instance;

	if (door->draining)
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN,
			"shutting down, come back later" };
	else if (hello->protocol != BUS_PROTOCOL)
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL,
			"this is protocol 1" };
	else if (!uuid_parse(hello->instance, strlen(hello->instance), &instance))
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_MALFORMED,
			"hello.instance: not a UUID" };
	else if (options->verbs != 0 && (client->verbs & options->verbs) == 0)
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
			"this key has no right to use this door" };
	else if (count_of_client(door, client->public_key) >= options->max_sessions_per_client)
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
			"too many sessions of this client" };
	else if (door->open_sessions >= options->max_sessions)
		*why = (struct refusal){ TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
			"too many sessions" };
	else
		return true;
	return false;
}

static void
send_welcome(struct bus_session *session, uint64_t request, uint32_t credit_events)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Welcome welcome = TURUNC__V1__WELCOME__INIT;
	struct bus_head head = { "", 0, NULL, 0 };

	session->door->calls->head(session->door->arg, &head);
	welcome.protocol = BUS_PROTOCOL;
	welcome.log_id = frame_lend(head.log_id);
	welcome.head_seq = head.seq;
	welcome.credit_events = credit_events;
	welcome.max_event_bytes = FRAME_EVENT_MAX_BYTES;
	welcome.client = session->client;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	bus_send(session, &frame);
}

static void
handle_hello(struct bus_door *door, const struct bus_message *message,
    const struct acl_client *client, const Turunc__V1__ClientFrame *frame)
{
	struct bus_session *old = bus_session_find(door, message->routing);
	unsigned bad_frames = old == NULL ? 0 : old->bad_frames + 1;
	struct refusal why;

	/* A session costs its owner more than a frame: the one it has must do for a while. */
	if (bad_frames > BAD_FRAMES_MAX) {
		door->bus->counts[BUS_COUNT_SESSIONS_REFUSED]++;
		bus_send_error(
		    old, frame->request, TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH, "too many Hellos");
		return;
	}
	if (old != NULL)
		bus_session_end(old, BUS_CLOSE_HELLO_AGAIN);
	if (!hello_welcome(door, client, frame->hello, &why)) {
		door->bus->counts[BUS_COUNT_SESSIONS_REFUSED]++;
		bus_answer_stranger(door, message->routing, frame->request, why.code, why.text);
		return;
	}
	struct bus_session *session = bus_session_create(door, message, client, frame->hello);
	if (session == NULL) {
		door->bus->counts[BUS_COUNT_SESSIONS_REFUSED]++;
		bus_answer_stranger(door, message->routing, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, "no memory, try again");
		return;
	}
	session->bad_frames = bad_frames;
	uint32_t credit = client->max_events != 0 ? client->max_events
						  : door->options.credit_events;
	if (door->calls->on_open != NULL)
		door->calls->on_open(door->arg, session, &credit);
	send_welcome(session, frame->request, credit);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Encoders put `request`, field 1, first: so the answer to a frame that cannot be read can still
 * say which one it was. */
static uint64_t
peek_request(const struct bus_message *message)
{
	uint64_t request = 0;

	if (message->len < 2 || message->data[0] != 0x08)
		return 0;
	for (size_t i = 1; i < message->len && i <= 10; i++) {
		request |= (uint64_t)(message->data[i] & 0x7f) << (7 * (i - 1));
		if ((message->data[i] & 0x80) == 0)
			return request;
	}
	return 0;
}

static void
bad_frame(
    struct bus_session *session, uint64_t request, Turunc__V1__ErrorCode code, const char *text)
{
	if (++session->bad_frames > BAD_FRAMES_MAX)
		bus_session_close(session, BUS_CLOSE_PROTOCOL, code, text);
	else
		bus_send_error(session, request, code, text);
}

static void
handle_unreadable(struct bus_door *door, struct bus_session *session,
    const struct bus_message *message, enum frame_result why, const char *where)
{
	uint64_t request = peek_request(message);
	char text[TEXT_BYTES];

	door->bus->refused[why]++;
	snprintf(text, sizeof(text), "%s%s%s", where, where[0] == '\0' ? "" : ": ",
	    frame_result_text(why));
	if (session == NULL)
		bus_answer_stranger(
		    door, message->routing, request, TURUNC__V1__ERROR_CODE__ERROR_MALFORMED, text);
	else if (why == FRAME_NO_MEMORY)
		bus_send_error(session, request, TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, text);
	else
		bad_frame(session, request, TURUNC__V1__ERROR_CODE__ERROR_MALFORMED, text);
}

static void
no_session(struct bus_door *door, const struct bus_message *message)
{
	door->bus->counts[BUS_COUNT_NO_SESSION]++;
	bus_answer_stranger(door, message->routing, peek_request(message),
	    TURUNC__V1__ERROR_CODE__ERROR_NO_SESSION, "begin with Hello");
}

static void
send_pong(struct bus_session *session, uint64_t request)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Pong pong = TURUNC__V1__PONG__INIT;
	struct bus_head head = { "", 0, NULL, 0 };

	session->door->calls->head(session->door->arg, &head);
	pong.log_id = frame_lend(head.log_id);
	pong.head_seq = head.seq;
	pong.head_hash.data = (uint8_t *)(uintptr_t)head.hash;
	pong.head_hash.len = head.hash == NULL ? 0 : head.hash_len;
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_PONG;
	frame.pong = &pong;
	bus_send(session, &frame);
}

static void
handle_frame(struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct bus_door *door = session->door;

	switch (frame->body_case) {
	case TURUNC__V1__CLIENT_FRAME__BODY__NOT_SET:
		door->bus->counts[BUS_COUNT_UNKNOWN_FRAME]++;
		bad_frame(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL,
		    "this kind of frame is not known here");
		break;
	case TURUNC__V1__CLIENT_FRAME__BODY_PING:
		send_pong(session, frame->request);
		break;
	case TURUNC__V1__CLIENT_FRAME__BODY_PONG:
		break; /* it was heard, which is all */
	default:
		door->calls->on_frame(door->arg, session, frame);
		break;
	}
}

/* The client behind the message when its key is still in force; otherwise the end is told. */
static const struct acl_client *
rights_of(struct bus_door *door, struct bus_session *session, const struct bus_message *message)
{
	const struct acl *acl = door->bus->acl;
	const struct acl_client *client = session != NULL ? bus_session_rights(session)
							  : acl_find_key(acl, message->key);

	if (client != NULL && acl_in_force(client, clock_now_us()))
		return client;
	if (session != NULL)
		bus_session_close(session, BUS_CLOSE_REVOKED, TURUNC__V1__ERROR_CODE__ERROR_REVOKED,
		    "this key is not in force");
	else
		bus_answer_stranger(door, message->routing, peek_request(message),
		    TURUNC__V1__ERROR_CODE__ERROR_REVOKED, "this key is not in force");
	return NULL;
}

void
bus_session_receive(struct bus_door *door, const struct bus_message *message)
{
	struct bus_session *session = bus_session_find(door, message->routing);
	char where[FRAME_WHERE_BYTES];

	if (session != NULL && strcmp(session->key, message->key) != 0) {
		door->bus->counts[BUS_COUNT_OTHER_KEY]++;
		return;
	}
	if (session != NULL && session->dying) {
		bus_session_end(session, session->dying_of);
		session = NULL;
	}
	if (session != NULL)
		session->heard_ms = clock_monotonic_ms();
	const struct acl_client *client = rights_of(door, session, message);
	if (client == NULL)
		return;
	if (session == NULL && message->len > HELLO_MAX_BYTES) {
		no_session(door, message);
		return;
	}
	enum frame_result result = frame_unpack(&turunc__v1__client_frame__descriptor,
	    message->data, message->len, &door->frame, where);
	if (result != FRAME_OK) {
		handle_unreadable(door, session, message, result, where);
		return;
	}
	const Turunc__V1__ClientFrame *frame = frame_client(door->frame);
	if (frame->body_case == TURUNC__V1__CLIENT_FRAME__BODY_HELLO)
		handle_hello(door, message, client, frame);
	else if (session == NULL)
		no_session(door, message);
	else
		handle_frame(session, frame);
	frame_destroy(door->frame);
	door->frame = NULL;
}

struct frame *
bus_take_frame(struct bus_session *session)
{
	struct frame *frame = session->door->frame;

	session->door->frame = NULL;
	return frame;
}
