/* bus_internal - what the bus's own files (bus.c, bus_door.c, bus_session.c, doorbell.c) share. */
#ifndef TURUNC_BUS_INTERNAL_H
#define TURUNC_BUS_INTERNAL_H

#include <sys/queue.h>

#include "bus.h"
#include "bus_socket.h"
#include "uuid.h"
#include "zap.h"

/* --- the process's bus ------------------------------------------------------------------------ */

enum {
	BUS_DOMAINS_MAX = 8,
	BUS_DOMAIN_BYTES = 32,
	BUS_MEMORY_LIMIT_BYTES = 512 * 1024 * 1024,
	BUS_LINGER_MS = 1000, /* for answers on their way when a door closes */
};

struct bus_domain {
	char name[BUS_DOMAIN_BYTES];
	unsigned verbs; /* a key needs one of these to connect; 0: any key in force */
	bool used;
};

struct bus {
	struct event_base *loop;
	const struct acl *acl;
	struct key_pair keys;
	void *context;
	struct zap zap;
	struct bus_domain domains[BUS_DOMAINS_MAX];
	uint64_t counts[BUS_COUNTERS];
	uint64_t refused[FRAME_RESULTS];
	uint64_t closed[BUS_CLOSE_REASONS];
	uint64_t last_session_id;
	size_t memory_limit; /* resident bytes, 0: none */
};

/* False with errno: too many, name too long or already open. */
MUST_CHECK bool bus_domain_add(struct bus *bus, const char *name, unsigned verbs);
void bus_domain_remove(struct bus *bus, const char *name);

/* --- doors and sessions -------------------------------------------------------------------------
 */

/*
 * Routing ids as a ROUTER makes them: a zero byte and a number.  Those that peers choose for
 * themselves are refused, for one could be chosen to be somebody else's: a peer that takes the id
 * of a client just gone would be sent what was meant for that client.  One of five bytes that
 * begins with zero cannot be told from ours; it helps only who knows the id, so they are secret.
 */
enum { BUS_ROUTING_BYTES = 5 };

struct bus_waiting {
	STAILQ_ENTRY(bus_waiting) link;
	zmq_msg_t message;
	size_t len;
};
STAILQ_HEAD(bus_backlog, bus_waiting);

struct bus_session {
	struct bus_door *door;
	LIST_ENTRY(bus_session) bucket;
	TAILQ_ENTRY(bus_session) link;
	uint64_t id;
	uint8_t routing[BUS_ROUTING_BYTES];
	char key[KEYS_TEXT_SIZE];
	char client[ACL_NAME_BYTES + 1];
	char instance[UUID_TEXT_SIZE];
	const struct acl_client *rights; /* as of rights_generation */
	uint64_t rights_generation;
	uint64_t heard_ms, pinged_ms;
	unsigned bad_frames; /* fades with time */
	char software[BUS_SOFTWARE_BYTES];
	bool open; /* false: on_close was called; freed at the end of a turn */
	bool dying; /* lost while sending; closed (dying_of) at the end of a turn */
	enum bus_close_reason dying_of;
	bool wants_room; /* bus_offer() said BUS_LATER */
	struct bus_backlog backlog;
	size_t backlog_bytes;
	void *data;
};
LIST_HEAD(bus_bucket, bus_session);
TAILQ_HEAD(bus_sessions, bus_session);

/* What the next part to be read is. */
enum bus_reading { BUS_READING_ROUTING, BUS_READING_BODY, BUS_READING_REST };

struct bus_door {
	struct bus *bus;
	struct bus_door_options options;
	char name[BUS_DOMAIN_BYTES];
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];
	const struct bus_door_calls *calls;
	void *arg;
	struct bus_socket socket;
	struct event *tick;
	uint32_t tick_ms;
	uint64_t ticked_ms;
	uint64_t drain_until_ms;
	uint64_t weighed_ms; /* when memory is looked at next */
	uint64_t spared_ms; /* nobody is cut off for memory before */
	bool draining, listening;
	bool shut; /* until bus_door_listen() */

	enum bus_reading reading;
	uint8_t from[BUS_ROUTING_BYTES]; /* sender of the message being read */
	bool from_chosen; /* it chose its routing id itself */

	struct bus_bucket *buckets;
	size_t bucket_count; /* a power of two */
	struct bus_sessions sessions; /* open ones and those waiting to be freed */
	size_t open_sessions;
	size_t waiting_sessions; /* have a backlog */
	size_t ending_sessions; /* dying or no longer open */
	uint32_t strays_ms; /* fills with time, empties with each answer to a stranger */
	struct frame *frame; /* the one on_frame is looking at */
};

/* One message of an authenticated key, to be judged and answered. */
struct bus_message {
	const uint8_t *routing;
	const char *key;
	const uint8_t *data;
	size_t len;
};
void bus_session_receive(struct bus_door *door, const struct bus_message *message);
/* A peer without a session and with no way to get one is told why, if it is not too often. */
void bus_answer_stranger(struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES],
    uint64_t request, Turunc__V1__ErrorCode code, const char *text);

struct bus_session *bus_session_find(
    struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES]);
/* NULL: no memory. */
struct bus_session *bus_session_create(struct bus_door *door, const struct bus_message *message,
    const struct acl_client *client, const Turunc__V1__Hello *hello);
/* Lost while sending, where on_close must not be called: the end of the turn will. */
void bus_session_doom(struct bus_session *session, enum bus_close_reason reason);
/* On its way out; calls on_close. */
void bus_session_end(struct bus_session *session, enum bus_close_reason reason);
/* Keep-alive and rights of one session. */
void bus_session_tick(struct bus_session *session, uint64_t now_ms);
/* Sends what waits, as far as there is room. */
void bus_session_flush(struct bus_session *session);
/* Closes it if it is dying; unlinks and frees it if it is not open. */
void bus_session_reclaim(struct bus_session *session);

enum bus_sent { BUS_SENT, BUS_FULL, BUS_GONE };
/* Takes the message in any case but BUS_FULL. */
enum bus_sent bus_door_send(
    struct bus_door *door, const uint8_t routing[BUS_ROUTING_BYTES], zmq_msg_t *message);
/* False: over FRAME_MAX_BYTES or no memory; counted. */
MUST_CHECK bool bus_pack(
    struct bus *bus, const Turunc__V1__ServerFrame *frame, zmq_msg_t *ret_message);

#endif
