/* Sends to sessions, and keeps in order what a slow one cannot take yet. */
#include "bus_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LATER_RETRY_MS = 1000 };

/* Takes the message. */
static bool
backlog_add(struct bus_session *session, zmq_msg_t *message)
{
	struct bus_waiting *waiting = malloc(sizeof(*waiting));
	size_t len = zmq_msg_size(message);

	if (waiting == NULL) {
		zmq_msg_close(message);
		return false;
	}
	zmq_msg_init(&waiting->message);
	zmq_msg_move(&waiting->message, message);
	zmq_msg_close(message);
	waiting->len = len;
	if (STAILQ_EMPTY(&session->backlog))
		session->door->waiting_sessions++;
	STAILQ_INSERT_TAIL(&session->backlog, waiting, link);
	session->backlog_bytes += len;
	session->door->bus->counts[BUS_COUNT_DEFERRED]++;
	return true;
}

/* Takes the message: sends it now or puts it at the end of the backlog. */
static bool
send_in_order(struct bus_session *session, zmq_msg_t *message)
{
	enum bus_sent sent = BUS_FULL;

	if (STAILQ_EMPTY(&session->backlog))
		sent = bus_door_send(session->door, session->routing, message);
	if (sent == BUS_SENT || (sent == BUS_FULL && backlog_add(session, message)))
		return true;
	session->door->bus->counts[BUS_COUNT_SEND_FAILED]++;
	bus_session_doom(session, sent == BUS_GONE ? BUS_CLOSE_GONE : BUS_CLOSE_SLOW);
	return false;
}

bool
bus_send(struct bus_session *session, const Turunc__V1__ServerFrame *frame)
{
	zmq_msg_t message;

	if (!bus_session_open(session) || !bus_pack(session->door->bus, frame, &message))
		return false;
	if (session->backlog_bytes + zmq_msg_size(&message)
	    > session->door->options.backlog_bytes) {
		zmq_msg_close(&message);
		session->door->bus->counts[BUS_COUNT_SEND_FAILED]++;
		bus_session_doom(session, BUS_CLOSE_SLOW);
		return false;
	}
	return send_in_order(session, &message);
}

/* One frame may wait in the backlog, so that trying costs nothing while it does. */
static enum bus_offer
may_offer(struct bus_session *session)
{
	if (!bus_session_open(session))
		return BUS_CLOSED;
	if (STAILQ_EMPTY(&session->backlog))
		return BUS_TAKEN;
	session->wants_room = true;
	return BUS_LATER;
}

enum bus_offer
bus_offer(struct bus_session *session, const Turunc__V1__ServerFrame *frame)
{
	zmq_msg_t message;
	enum bus_offer offer = may_offer(session);

	if (offer != BUS_TAKEN)
		return offer;
	if (!bus_pack(session->door->bus, frame, &message))
		return BUS_REFUSED;
	return send_in_order(session, &message) ? BUS_TAKEN : BUS_CLOSED;
}

enum bus_offer
bus_offer_bytes(struct bus_session *session, const uint8_t *data, size_t len)
{
	zmq_msg_t message;
	enum bus_offer offer = may_offer(session);

	if (offer != BUS_TAKEN)
		return offer;
	if (len > FRAME_MAX_BYTES || zmq_msg_init_size(&message, len) == -1) {
		session->door->bus->counts[BUS_COUNT_SEND_FAILED]++;
		return BUS_REFUSED;
	}
	if (len > 0)
		memcpy(zmq_msg_data(&message), data, len);
	return send_in_order(session, &message) ? BUS_TAKEN : BUS_CLOSED;
}

void
bus_session_flush(struct bus_session *session)
{
	struct bus_door *door = session->door;
	struct bus_waiting *waiting;

	while ((waiting = STAILQ_FIRST(&session->backlog)) != NULL) {
		enum bus_sent sent = bus_door_send(door, session->routing, &waiting->message);
		if (sent == BUS_FULL)
			return;
		STAILQ_REMOVE_HEAD(&session->backlog, link);
		session->backlog_bytes -= waiting->len;
		free(waiting);
		if (STAILQ_EMPTY(&session->backlog))
			door->waiting_sessions--;
		if (sent == BUS_GONE) {
			door->bus->counts[BUS_COUNT_SEND_FAILED]++;
			bus_session_doom(session, BUS_CLOSE_GONE);
			return;
		}
	}
}

bool
bus_send_error(
    struct bus_session *session, uint64_t request, Turunc__V1__ErrorCode code, const char *text)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;

	error.code = code;
	error.text = frame_lend(text);
	frame.request = request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
	frame.error = &error;
	if (code == TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE)
		error.retry_ms = LATER_RETRY_MS;
	return bus_send(session, &frame);
}
