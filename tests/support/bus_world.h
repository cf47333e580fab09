/*
 * bus_world - a bus with one door and real CURVE clients over TCP, all in the test's own process.
 *
 *	struct world w;
 *	world_open(&w, NULL);
 *	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
 *	struct peer p;
 *	peer_open(&p, &w, &w.alo);
 *	peer_hello(&p, INSTANCE_A);
 *	struct frame *welcome = peer_expect(&p, BODY_WELCOME);
 *
 * Nothing moves but by world_turn(): WORLD_WITHIN() gives turns until a condition holds.  What the
 * door's owner is told is counted in the world.  Failures to set up end the test by assert.
 */
#ifndef TESTS_BUS_WORLD_H
#define TESTS_BUS_WORLD_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "acl.h"
#include "bus.h"
#include "check.h"
#include "frame.h"
#include "keys.h"

#define INSTANCE_A "0192f0c4-0000-7000-8000-00000000000a"
#define INSTANCE_B "0192f0c4-0000-7000-8000-00000000000b"
#define WORLD_LOG_ID "0192f0c4-1111-7000-8000-000000000001"

enum { WORLD_CLIENTS_MAX = 8, WORLD_HEAD_SEQ = 4711 };

/* Short names for what the generated code calls by long ones. */
#define BODY_WELCOME TURUNC__V1__SERVER_FRAME__BODY_WELCOME
#define BODY_PUBLISHED TURUNC__V1__SERVER_FRAME__BODY_PUBLISHED
#define BODY_ACKED TURUNC__V1__SERVER_FRAME__BODY_ACKED
#define BODY_DELIVER TURUNC__V1__SERVER_FRAME__BODY_DELIVER
#define BODY_PING TURUNC__V1__SERVER_FRAME__BODY_PING
#define BODY_PONG TURUNC__V1__SERVER_FRAME__BODY_PONG
#define BODY_ERROR TURUNC__V1__SERVER_FRAME__BODY_ERROR
#define ERR(code) TURUNC__V1__ERROR_CODE__ERROR_##code

struct world;
typedef void world_frame_fn(
    struct world *w, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

struct world {
	struct event_base *loop;
	struct acl *acl;
	struct bus *bus;
	struct bus_door *door;
	struct key_pair server, alo, park, stranger; /* alo and park are to be listed by the test */
	struct acl_row rows[WORLD_CLIENTS_MAX];
	size_t row_count;
	void *peers; /* the clients' ZeroMQ context */

	unsigned opened, closed, frames, writable;
	unsigned closed_for[BUS_CLOSE_REASONS];
	struct bus_session *session; /* the one opened last; NULL once it is closed */
	uint64_t last_request;
	uint32_t credit; /* what on_open says; 0 leaves it */
	world_frame_fn *on_frame; /* after counting; may be NULL */
	void *arg;
};

struct peer {
	struct world *w;
	void *zmq;
	unsigned passed_over; /* frames that peer_expect() was not waiting for */
};

/* options may be NULL; name and endpoint are filled in when NULL. */
void world_open(struct world *w, const struct bus_door_options *options);
void world_close(struct world *w);
/* Adds or replaces the row of that name, all sources, types and departments. */
void world_allow(struct world *w, const char *name, const struct key_pair *keys, unsigned verbs);
struct acl_row *world_row(struct world *w, const char *name);
/* Puts the rows in force. */
void world_apply(struct world *w);
void world_turn(struct world *w);
#define WORLD_WITHIN(w, limit_ms, cond) CHECK_WITHIN(limit_ms, (world_turn(w), (cond)))
/* Turns for a while: to see that something does not happen. */
void world_idle(struct world *w, unsigned ms);

/* Connects to the world's door with these keys. */
void peer_open(struct peer *p, struct world *w, const struct key_pair *keys);
/* The socket with CURVE set and not yet connected, for tests that set options of their own. */
void peer_prepare(struct peer *p, struct world *w, const struct key_pair *keys);
void peer_connect(struct peer *p, const char *endpoint);
void peer_close(struct peer *p);
bool peer_send_bytes(struct peer *p, const void *data, size_t len, int flags);
void peer_send(struct peer *p, const Turunc__V1__ClientFrame *frame);
void peer_hello(struct peer *p, const char *instance);
void peer_ping(struct peer *p, uint64_t request);
/* A Credit frame: a small one that goes to the door's owner. */
void peer_credit(struct peer *p, uint64_t request);
/* What has arrived, NULL: nothing yet. */
struct frame *peer_receive(struct peer *p);
/* Waits for a frame of that kind, passing over others; a failed check and NULL after 5 s. */
struct frame *peer_expect(struct peer *p, unsigned body_case);
/* Waits for an Error and checks its code; true when it was that. */
bool peer_expect_error(struct peer *p, Turunc__V1__ErrorCode code);
/* Hello and Welcome; true when it was let in. */
bool peer_enter(struct peer *p, const char *instance);

#endif
