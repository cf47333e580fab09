/*
 * bus - the server's side of the bus: doors that clients connect to, and their sessions.
 *
 * One struct bus per process: the ZeroMQ context and the authentication of every key that
 * connects (CURVE + ZAP, against the access list).  A door is a ROUTER socket on the loop.  A
 * client's session begins with Hello and ends for a reason (enum bus_close_reason) told to the
 * door's owner once.  Hello, Ping and Pong are answered here; other frames go to on_frame.
 *
 * A session is bound to the key of its connection: a frame under another key is dropped.  Rights
 * are looked up at every frame; a client revoked or expired loses its session at its next frame or
 * within a second.  All callbacks come from the loop, except on_close, which also comes from within
 * bus_session_close(), bus_door_drain(), bus_door_cut_all() and bus_door_close(); never from within
 * a function that sends.  A session that is closed stays readable until the end of the turn.
 */
#ifndef TURUNC_BUS_H
#define TURUNC_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "frame.h"
#include "keys.h"
#include "turunc/v1/bus.pb-c.h"

struct event_base;
struct bus;
struct bus_door;
struct bus_session;

enum { BUS_PROTOCOL = 1, BUS_SOFTWARE_BYTES = 64 };

enum bus_close_reason {
	BUS_CLOSE_HELLO_AGAIN, /* the client began anew on the same connection; on_open follows */
	BUS_CLOSE_SILENT, /* nothing heard for silent_ms */
	BUS_CLOSE_GONE, /* the connection is gone */
	BUS_CLOSE_SLOW, /* it does not read: its backlog is full */
	BUS_CLOSE_REVOKED, /* key revoked, expired or no longer listed */
	BUS_CLOSE_PROTOCOL, /* it sent too many frames that cannot be read */
	BUS_CLOSE_SUPERSEDED, /* another session took its subscription over */
	BUS_CLOSE_OWNER, /* the door's owner had another reason */
	BUS_CLOSE_SHUTTING_DOWN,
	BUS_CLOSE_REASONS
};
const char *bus_close_reason_name(enum bus_close_reason reason);

/* What Welcome and Pong say; lent until the callback that fills it is called again. */
struct bus_head {
	const char *log_id; /* "" while the record is not known */
	uint64_t seq;
	const uint8_t *hash; /* may be NULL */
	size_t hash_len;
};

/* Every function but head and on_frame may be NULL. */
struct bus_door_calls {
	void (*head)(void *arg, struct bus_head *ret_head);
	/* A session has begun; Welcome follows with the credit left in *credit_events (comes in as
	 * the client's max_events, or the door's default).  Do not send from here. */
	void (*on_open)(void *arg, struct bus_session *session, uint32_t *credit_events);
	/* Any frame but Hello, Ping and Pong.  Lent for the call; bus_take_frame() keeps it. */
	void (*on_frame)(
	    void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame);
	/* There may be room again after bus_offer() said BUS_LATER. */
	void (*on_writable)(void *arg, struct bus_session *session);
	/* The session is over; do not send to it. */
	void (*on_close)(void *arg, struct bus_session *session, enum bus_close_reason reason);
};

/* Zero means the value in brackets. */
struct bus_door_options {
	const char *name; /* ZAP domain and metric label: "publish", "stream" */
	const char *endpoint; /* "tcp://127.0.0.1:5601"; port * takes a free one */
	unsigned verbs; /* a client needs one of these, or gets FORBIDDEN; 0: any client */
	bool shut; /* nobody gets in before bus_door_listen() */
	uint32_t max_sessions; /* [256] */
	uint32_t max_sessions_per_client; /* [16] */
	uint32_t credit_events; /* [4096] when the client's row has none */
	uint32_t ping_ms; /* [2000] nothing heard for so long: Ping */
	uint32_t silent_ms; /* [6000] nothing heard for so long: dropped */
	uint32_t send_frames; /* [128] frames in flight to one client before the backlog: this times
				 the size of frames is what a client that does not read may hold */
	size_t backlog_bytes; /* [1 MiB] answers waiting for one client */
};

/* Counters since the start, of all doors. */
enum bus_counter {
	BUS_COUNT_ADMITTED, /* keys let in by ZAP */
	BUS_COUNT_TURNED_AWAY, /* keys not let in */
	BUS_COUNT_FRAMES_IN,
	BUS_COUNT_FRAMES_OUT,
	BUS_COUNT_BYTES_IN,
	BUS_COUNT_BYTES_OUT,
	BUS_COUNT_SESSIONS_OPENED,
	BUS_COUNT_SESSIONS_REFUSED, /* Hello refused: limits, rights, protocol */
	BUS_COUNT_NO_SESSION, /* frames before Hello */
	BUS_COUNT_MULTIPART, /* messages of more or fewer than one part, discarded */
	BUS_COUNT_NO_USER, /* frames without an authenticated key, discarded */
	BUS_COUNT_OTHER_KEY, /* frames under another key than the session's, discarded */
	BUS_COUNT_CHOSEN_ID, /* frames of peers that chose their routing id, discarded */
	BUS_COUNT_UNKNOWN_FRAME, /* a frame kind this version does not know */
	BUS_COUNT_DEFERRED, /* frames that had to wait for a slow client */
	BUS_COUNT_CUT_OFF, /* times everybody was cut off because memory ran high */
	BUS_COUNT_SEND_FAILED, /* frames lost because the client went or was too slow */
	BUS_COUNTERS
};
const char *bus_counter_name(enum bus_counter counter);

/*
 * One per process, before any other use of ZeroMQ in it.  loop, acl and keys are lent for the
 * life of the bus.  NULL with errno when ZeroMQ cannot be set up (no CURVE, out of sockets).
 * Destroy after every door and doorbell; it waits at most 200 ms for answers still on their way.
 */
struct bus *bus_create(struct event_base *loop, const struct acl *acl, const struct key_pair *keys);
void bus_destroy(struct bus *bus);
/*
 * libzmq gathers a message of several parts whole before it shows any of it, so a client that sends
 * parts without end takes memory that no option bounds.  When the process holds more than this
 * [512 MiB], each door cuts everybody off, which frees it; honest clients are back in a second.
 * 0: never.
 */
void bus_limit_memory(struct bus *bus, size_t resident_bytes);
uint64_t bus_count(const struct bus *bus, enum bus_counter counter);
uint64_t bus_count_refused(const struct bus *bus, enum frame_result why);
uint64_t bus_count_closed(const struct bus *bus, enum bus_close_reason why);

/* NULL with errno, e.g. EADDRINUSE.  calls is lent for the life of the door; options is not. */
struct bus_door *bus_door_open(struct bus *bus, const struct bus_door_options *options,
    const struct bus_door_calls *calls, void *arg);
/* Accepts NULL.  Closes the sessions left (SHUTTING_DOWN) and the socket. */
void bus_door_close(struct bus_door *door);
/* Where it listens, with the port it got. */
const char *bus_door_endpoint(const struct bus_door *door);
/* The rights are known: a shut door lets in from now on.  A client that came before them would have
 * been turned away and stand still for 3 s; refused by the kernel, it is back in a second at most.
 * False: could not listen yet; it is tried until it works. */
bool bus_door_listen(struct bus_door *door);
/* Whether clients can connect just now. */
bool bus_door_listening(const struct bus_door *door);
size_t bus_door_sessions(const struct bus_door *door);
/* No new sessions; every session gets Error SHUTTING_DOWN after the answers already sent, and is
 * closed.  Call when the work in hand is answered, and again until it is true: a client has two
 * seconds to read what waits for it. */
bool bus_door_drain(struct bus_door *door);
/* Cuts every connection, so that clients authenticate again and whatever a half-sent message
 * holds is freed; their sessions end as BUS_CLOSE_GONE.  False: could not listen again yet; it is
 * tried until it works. */
bool bus_door_cut_all(struct bus_door *door);
/* Calls each for every open session; each may close the one it is given. */
void bus_door_each(
    struct bus_door *door, void (*each)(void *arg, struct bus_session *session), void *arg);

/* True: it will be sent, in order, or is lost with the session.  False: the session is closed (a
 * full backlog closes it as SLOW), or the frame is over FRAME_MAX_BYTES; counted here, and the
 * caller need not do anything.  Strings are taken as they are: they came through frame_unpack()
 * or PostgreSQL. */
bool bus_send(struct bus_session *session, const Turunc__V1__ServerFrame *frame);

/* For what can wait with the caller (Deliver, SnapshotPage): never enters the backlog. */
enum bus_offer {
	BUS_TAKEN,
	BUS_LATER, /* nothing sent; on_writable will come */
	BUS_REFUSED, /* over FRAME_MAX_BYTES */
	BUS_CLOSED, /* the session is over */
};
MUST_CHECK enum bus_offer bus_offer(
    struct bus_session *session, const Turunc__V1__ServerFrame *frame);
/* The same with bytes already encoded as a ServerFrame; not checked but for size. */
MUST_CHECK enum bus_offer bus_offer_bytes(
    struct bus_session *session, const uint8_t *data, size_t len);

/* Sends Error{code, text} for request; text is lent. */
bool bus_send_error(
    struct bus_session *session, uint64_t request, Turunc__V1__ErrorCode code, const char *text);
/* Ends the session.  code other than UNSPECIFIED: tells the client first (fatal). */
void bus_session_close(struct bus_session *session, enum bus_close_reason reason,
    Turunc__V1__ErrorCode code, const char *text);

/* Inside on_frame only: the frame is the caller's now, to be given to frame_destroy(). */
struct frame *bus_take_frame(struct bus_session *session);

/* A number for logs and tables, never used twice in a process.  (Routing ids are secret.) */
uint64_t bus_session_id(const struct bus_session *session);
/* The name its key was registered under. */
const char *bus_session_client(const struct bus_session *session);
const char *bus_session_instance(const struct bus_session *session);
/* "name/version" as the client says, cut to BUS_SOFTWARE_BYTES - 1; for operators. */
const char *bus_session_software(const struct bus_session *session);
/* Rights as they are now; NULL when the key is no longer listed or in force.  Lent until the
 * access list changes.  Never NULL inside on_open and on_frame. */
const struct acl_client *bus_session_rights(struct bus_session *session);
/* Milliseconds since anything was heard from it. */
uint64_t bus_session_silent_ms(const struct bus_session *session);
bool bus_session_open(const struct bus_session *session);
/* The owner's own pointer, NULL at on_open; freeing it in on_close is the owner's job. */
void bus_session_set_data(struct bus_session *session, void *data);
void *bus_session_data(const struct bus_session *session);

#endif
