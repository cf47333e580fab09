/* Sessions: the table of them, their rights and keep-alive, and how they end. */
#include "bus_internal.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "utf8.h"

/* --- the table of sessions ----------------------------------------------------------------------
 */

static struct bus_bucket *
bucket_of(struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES])
{
	uint32_t number;

	/* ROUTERs number their peers in turn: the low bits spread them well. */
	memcpy(&number, routing + 1, sizeof(number));
	number = __builtin_bswap32(number);
	return &door->buckets[number & (uint32_t)(door->bucket_count - 1)];
}

struct bus_session *
bus_session_find(struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES])
{
	struct bus_session *session;

	LIST_FOREACH (session, bucket_of(door, routing), bucket)
		if (memcmp(session->routing, routing, BUS_ROUTING_BYTES) == 0)
			return session;
	return NULL;
}

struct bus_session *
bus_session_create(struct bus_door *door, const struct bus_message *message,
    const struct acl_client *client, const Turunc__V1__Hello *hello)
{
	struct bus_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->door = door;
	session->id = ++door->bus->last_session_id;
	memcpy(session->routing, message->routing, BUS_ROUTING_BYTES);
	memcpy(session->key, message->key, KEYS_TEXT_SIZE);
	memcpy(session->client, client->name, strlen(client->name) + 1);
	memcpy(session->instance, hello->instance, UUID_TEXT_SIZE);
	memcpy(session->software, hello->software,
	    utf8_prefix_len(hello->software, strlen(hello->software), BUS_SOFTWARE_BYTES - 1));
	session->rights = client;
	session->rights_generation = acl_generation(door->bus->acl);
	session->heard_ms = session->pinged_ms = clock_monotonic_ms();
	session->open = true;
	STAILQ_INIT(&session->backlog);
	LIST_INSERT_HEAD(bucket_of(door, session->routing), session, bucket);
	TAILQ_INSERT_TAIL(&door->sessions, session, link);
	door->open_sessions++;
	door->bus->counts[BUS_COUNT_SESSIONS_OPENED]++;
	return session;
}

static void
drop_backlog(struct bus_session *session)
{
	struct bus_waiting *waiting;

	if (!STAILQ_EMPTY(&session->backlog))
		session->door->waiting_sessions--;
	while ((waiting = STAILQ_FIRST(&session->backlog)) != NULL) {
		STAILQ_REMOVE_HEAD(&session->backlog, link);
		zmq_msg_close(&waiting->message);
		free(waiting);
		session->door->bus->counts[BUS_COUNT_SEND_FAILED]++;
	}
	session->backlog_bytes = 0;
}

void
bus_session_doom(struct bus_session *session, enum bus_close_reason reason)
{
	session->dying = true;
	session->dying_of = reason;
	session->door->ending_sessions++;
	drop_backlog(session);
	bus_socket_touch(&session->door->socket);
}

void
bus_session_end(struct bus_session *session, enum bus_close_reason reason)
{
	struct bus_door *door = session->door;

	if (!session->dying)
		door->ending_sessions++;
	session->dying = false;
	session->open = false;
	LIST_REMOVE(session, bucket);
	drop_backlog(session);
	door->open_sessions--;
	door->bus->closed[reason]++;
	bus_socket_touch(&door->socket);
	if (door->calls->on_close != NULL)
		door->calls->on_close(door->arg, session, reason);
}

void
bus_session_reclaim(struct bus_session *session)
{
	struct bus_door *door = session->door;

	if (session->dying)
		bus_session_end(session, session->dying_of);
	if (session->open)
		return;
	door->ending_sessions--;
	TAILQ_REMOVE(&door->sessions, session, link);
	free(session);
}

void
bus_session_close(struct bus_session *session, enum bus_close_reason reason,
    Turunc__V1__ErrorCode code, const char *text)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;

	if (!session->open)
		return;
	if (!session->dying && code != TURUNC__V1__ERROR_CODE__ERROR_UNSPECIFIED) {
		error.code = code;
		error.text = frame_lend(text);
		error.fatal = true;
		frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
		frame.error = &error;
		bus_session_flush(session);
		bus_send(session, &frame);
	}
	bus_session_end(session, reason);
}

/* --- time ------------------------------------------------------------------------------------- */

void
bus_session_tick(struct bus_session *session, uint64_t now_ms)
{
	const struct bus_door_options *options = &session->door->options;
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Ping ping = TURUNC__V1__PING__INIT;
	uint64_t silent_ms = now_ms > session->heard_ms ? now_ms - session->heard_ms : 0;

	if (session->bad_frames > 0)
		session->bad_frames--;
	if (bus_session_rights(session) == NULL) {
		bus_session_close(session, BUS_CLOSE_REVOKED, TURUNC__V1__ERROR_CODE__ERROR_REVOKED,
		    "this key is not in force");
		return;
	}
	if (silent_ms >= options->silent_ms) {
		bus_session_close(session, BUS_CLOSE_SILENT,
		    TURUNC__V1__ERROR_CODE__ERROR_NO_SESSION, "nothing heard for too long");
		return;
	}
	/* A client with a backlog has enough to answer to already. */
	if (silent_ms < options->ping_ms || now_ms - session->pinged_ms < options->ping_ms
	    || !STAILQ_EMPTY(&session->backlog))
		return;
	session->pinged_ms = now_ms;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_PING;
	frame.ping = &ping;
	bus_send(session, &frame);
}

/* --- what owners ask ----------------------------------------------------------------------------
 */

const struct acl_client *
bus_session_rights(struct bus_session *session)
{
	const struct acl *acl = session->door->bus->acl;

	if (session->rights_generation != acl_generation(acl)) {
		session->rights = acl_find_key(acl, session->key);
		session->rights_generation = acl_generation(acl);
	}
	/* A key that now belongs to another name is another client. */
	if (session->rights == NULL || strcmp(session->rights->name, session->client) != 0
	    || !acl_in_force(session->rights, clock_now_us()))
		return NULL;
	return session->rights;
}

uint64_t
bus_session_id(const struct bus_session *session)
{
	return session->id;
}

const char *
bus_session_client(const struct bus_session *session)
{
	return session->client;
}

const char *
bus_session_instance(const struct bus_session *session)
{
	return session->instance;
}

const char *
bus_session_software(const struct bus_session *session)
{
	return session->software;
}

uint64_t
bus_session_silent_ms(const struct bus_session *session)
{
	uint64_t now_ms = clock_monotonic_ms();

	return now_ms > session->heard_ms ? now_ms - session->heard_ms : 0;
}

bool
bus_session_open(const struct bus_session *session)
{
	return session->open && !session->dying;
}

void
bus_session_set_data(struct bus_session *session, void *data)
{
	session->data = data;
}

void *
bus_session_data(const struct bus_session *session)
{
	return session->data;
}
