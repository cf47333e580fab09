/* Answers libzmq's question about each connecting key. */
#include "zap.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST_PARTS = 7, PART_BYTES = 256 };

/* A request's parts in the order of RFC 27. */
enum { VERSION, REQUEST_ID, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };

struct part {
	uint8_t data[PART_BYTES];
	size_t len; /* true length, also when over PART_BYTES */
};

/* Reads one whole request; ret_count may pass REQUEST_PARTS, the rest is dropped.  False: none. */
static bool
receive(struct zap *zap, struct part parts[REQUEST_PARTS], size_t *ret_count)
{
	zmq_msg_t message;
	size_t count = 0;
	bool more = true, any = false;

	zmq_msg_init(&message);
	while (more && bus_socket_recv(&zap->socket, &message) != -1) {
		any = true;
		more = zmq_msg_more(&message) != 0;
		if (count < REQUEST_PARTS) {
			size_t len = zmq_msg_size(&message);
			memcpy(parts[count].data, zmq_msg_data(&message),
			    len < PART_BYTES ? len : PART_BYTES);
			parts[count].len = len;
		}
		count++;
	}
	zmq_msg_close(&message);
	*ret_count = count;
	return any;
}

static bool
is_text(const struct part *part, const char *text)
{
	return part->len == strlen(text) && memcmp(part->data, text, part->len) == 0;
}

/* True: let in, and user is the key as text. */
static bool
decide(struct zap *zap, struct part *parts, size_t count, char user[KEYS_TEXT_SIZE])
{
	if (count != REQUEST_PARTS || !is_text(&parts[VERSION], "1.0")
	    || !is_text(&parts[MECHANISM], "CURVE") || parts[CREDENTIALS].len != KEYS_RAW_BYTES
	    || parts[DOMAIN].len >= PART_BYTES)
		return false;
	parts[DOMAIN].data[parts[DOMAIN].len] = '\0';
	return keys_text_from_raw(parts[CREDENTIALS].data, user)
	       && zap->decide(zap->arg, (const char *)parts[DOMAIN].data, user);
}

static bool
send_part(struct zap *zap, const void *data, size_t len, int flags)
{
	zmq_msg_t message;

	if (zmq_msg_init_size(&message, len) == -1)
		return false;
	if (len > 0)
		memcpy(zmq_msg_data(&message), data, len);
	if (bus_socket_send(&zap->socket, &message, flags) != -1)
		return true;
	zmq_msg_close(&message);
	return false;
}

/*
 * A request must be answered, or the REP socket is stuck.  So the one part that needs memory is
 * made first (the others fit into zmq_msg_t itself); without it the key is not let in this time.
 *
 * "Not let in" is 300, try again: after 400 libzmq's client gives up for good, so a key listed a
 * minute later, or a client that came while the list was not read yet, would need a restart.
 * With 300 the connection ends with the handshake's time, so a stranger asks every 3 s.
 */
static void
reply(struct zap *zap, const struct part *request_id, bool admit, const char *user)
{
	size_t id_len = request_id->len < PART_BYTES ? request_id->len : PART_BYTES;
	size_t user_len = admit ? strlen(user) : 0;
	zmq_msg_t user_part;

	if (zmq_msg_init_size(&user_part, user_len) == -1) {
		admit = false;
		user_len = 0;
		zmq_msg_init(&user_part);
	}
	memcpy(zmq_msg_data(&user_part), user, user_len);
	(void)(send_part(zap, "1.0", 3, ZMQ_SNDMORE)
	       && send_part(zap, request_id->data, id_len, ZMQ_SNDMORE)
	       && send_part(zap, admit ? "200" : "300", 3, ZMQ_SNDMORE)
	       && send_part(zap, "", 0, ZMQ_SNDMORE)
	       && bus_socket_send(&zap->socket, &user_part, ZMQ_SNDMORE) != -1
	       && send_part(zap, "", 0, 0));
	zmq_msg_close(&user_part);
}

static bool
answer_all(void *arg)
{
	struct zap *zap = arg;
	struct part parts[REQUEST_PARTS];
	size_t count;
	int n;

	for (n = 0; n < BUS_SOCKET_BATCH && receive(zap, parts, &count); n++) {
		char user[KEYS_TEXT_SIZE] = "";
		if (count <= REQUEST_ID)
			parts[REQUEST_ID].len = 0;
		bool admit = decide(zap, parts, count, user);
		if (admit)
			zap->admitted++;
		else
			zap->turned_away++;
		reply(zap, &parts[REQUEST_ID], admit, user);
	}
	/* Having sent, look again: the reply may have eaten the next request's signal. */
	return n > 0;
}

bool
zap_open(
    struct zap *zap, struct event_base *loop, void *context, zap_decide_fn *decide_key, void *arg)
{
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];

	*zap = (struct zap){ .decide = decide_key, .arg = arg };
	return bus_socket_open(&zap->socket, context, ZMQ_REP)
	       && bus_socket_bind(&zap->socket, "inproc://zeromq.zap.01", endpoint)
	       && bus_socket_watch(&zap->socket, loop, answer_all, zap);
}

void
zap_close(struct zap *zap)
{
	bus_socket_close(&zap->socket, 0);
}
