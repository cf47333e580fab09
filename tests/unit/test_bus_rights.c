/* Who gets in, and what happens to those inside when rights change. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bus_socket.h"
#include "bus_world.h"
#include "clock.h"

TEST(test_unlisted_key_never_gets_in)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.stranger);
	peer_hello(&p, INSTANCE_A);
	WORLD_WITHIN(&w, 5000, bus_count(w.bus, BUS_COUNT_TURNED_AWAY) >= 1);
	world_idle(&w, 300);
	CHECK_U64("nothing of it was read", bus_count(w.bus, BUS_COUNT_FRAMES_IN), 0);
	CHECK_U64("no session", w.opened, 0);
	/* Listing the key is all that was missing. */
	world_allow(&w, "stranger", &w.stranger, ACL_PUBLISH);
	struct frame *welcome = peer_expect(&p, BODY_WELCOME);
	CHECK_TRUE("now it is in", welcome != NULL);
	frame_destroy(welcome);
	peer_close(&p);
	world_close(&w);
}

/* As when a service has just started: who comes before its rights are read is not turned away, for
 * libzmq would have it stand still until its handshake has timed out. */
TEST(test_shut_door_lets_in_when_the_rights_are_known)
{
	const struct bus_door_options shut = { .shut = true };
	struct world w;
	struct peer p;
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];

	world_open(&w, &shut);
	strcpy(endpoint, bus_door_endpoint(w.door));
	CHECK_TRUE("the port is known", strstr(endpoint, ":*") == NULL);
	peer_open(&p, &w, &w.alo);
	peer_hello(&p, INSTANCE_A);
	world_idle(&w, 700);
	CHECK_FALSE("not listening", bus_door_listening(w.door));
	CHECK_TRUE("nobody to cut off", bus_door_cut_all(w.door));
	CHECK_FALSE("and still not listening", bus_door_listening(w.door));
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	CHECK_U64("no session", w.opened, 0);

	WORLD_WITHIN(&w, 2000, bus_door_listen(w.door));
	WORLD_WITHIN(&w, 2000, w.opened == 1);
	CHECK_U64("nobody was turned away", bus_count(w.bus, BUS_COUNT_TURNED_AWAY), 0);
	CHECK_STR("at the same place", bus_door_endpoint(w.door), endpoint);
	struct frame *welcome = peer_expect(&p, BODY_WELCOME);
	CHECK_TRUE("welcome", welcome != NULL);
	frame_destroy(welcome);
	peer_close(&p);
	world_close(&w);
}

TEST(test_revoked_and_expired_keys_do_not_get_in)
{
	struct world w;
	struct peer p, q;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	world_allow(&w, "park", &w.park, ACL_PUBLISH);
	world_row(&w, "alo")->revoked = true;
	world_row(&w, "park")->expires_us = clock_now_us() - 1;
	world_apply(&w);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.park);
	peer_hello(&p, INSTANCE_A);
	peer_hello(&q, INSTANCE_A);
	WORLD_WITHIN(&w, 5000, bus_count(w.bus, BUS_COUNT_TURNED_AWAY) >= 2);
	world_idle(&w, 200);
	CHECK_U64("none admitted", bus_count(w.bus, BUS_COUNT_ADMITTED), 0);
	CHECK_U64("none opened", w.opened, 0);
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}

/* Keys but the wrong server's, and no keys at all. */
TEST(test_other_handshakes_fail)
{
	struct world w;
	struct peer p, plain;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_prepare(&p, &w, &w.alo);
	CHECK(zmq_setsockopt(p.zmq, ZMQ_CURVE_SERVERKEY, w.park.public_key, 40) == 0);
	peer_connect(&p, bus_door_endpoint(w.door));
	plain = (struct peer){ .w = &w, .zmq = zmq_socket(w.peers, ZMQ_DEALER) };
	peer_connect(&plain, bus_door_endpoint(w.door));
	CHECK(peer_send_bytes(&p, "\x12\x00", 2, 0));
	CHECK(peer_send_bytes(&plain, "\x12\x00", 2, 0));
	world_idle(&w, 400);
	CHECK_U64("nothing read", bus_count(w.bus, BUS_COUNT_FRAMES_IN), 0);
	peer_close(&p);
	int none = 0;
	zmq_setsockopt(plain.zmq, ZMQ_LINGER, &none, sizeof(none));
	peer_close(&plain);
	world_close(&w);
}

/* A socket served as a door is, in a context where nobody answers for keys. */
static bool
heard_without_handler(bool enforce)
{
	void *context = zmq_ctx_new(), *peers = zmq_ctx_new();
	struct bus_socket s;
	struct key_pair server, client;
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES], data[16];
	int wait_ms = 700, none = 0;

	bool ready = keys_generate(&server) && keys_generate(&client)
		     && bus_socket_open(&s, context, ZMQ_ROUTER)
		     && (!enforce || bus_socket_serve(&s, &server, "publish"));
	if (!enforce)
		ready = ready && bus_socket_set(&s, ZMQ_CURVE_SERVER, 1)
			&& zmq_setsockopt(s.zmq, ZMQ_CURVE_SECRETKEY, server.secret_key, 40) == 0;
	ready = ready && bus_socket_bind(&s, "tcp://127.0.0.1:*", endpoint)
		&& bus_socket_set(&s, ZMQ_RCVTIMEO, wait_ms);
	struct bus_socket c;
	ready = ready && bus_socket_open(&c, peers, ZMQ_DEALER)
		&& bus_socket_present(&c, &client, server.public_key)
		&& bus_socket_connect(&c, endpoint);
	assert(ready);
	zmq_send(c.zmq, "hello", 5, 0);
	bool heard = zmq_recv(s.zmq, data, sizeof(data), 0) != -1;
	bus_socket_close(&c, none);
	bus_socket_close(&s, none);
	zmq_ctx_term(peers);
	zmq_ctx_term(context);
	return heard;
}

TEST(test_without_a_handler_nobody_gets_in)
{
	CHECK_TRUE("as ZeroMQ does it by itself: any key is heard", heard_without_handler(false));
	CHECK_FALSE("as a door does it", heard_without_handler(true));
}

TEST(test_revoked_while_inside)
{
	struct world w;
	struct peer p, q;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	world_allow(&w, "park", &w.park, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.park);
	CHECK(peer_enter(&p, INSTANCE_A));
	CHECK(peer_enter(&q, INSTANCE_A));

	/* At its next frame... */
	world_row(&w, "alo")->revoked = true;
	world_apply(&w);
	peer_credit(&p, 1);
	peer_expect_error(&p, ERR(REVOKED));
	CHECK_U64("its frame was not taken", w.frames, 0);
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_REVOKED], 1);
	peer_hello(&p, INSTANCE_A);
	peer_expect_error(&p, ERR(REVOKED));
	CHECK_U64("and it does not come back", w.opened, 2);

	/* ...or at the next tick. */
	world_row(&w, "park")->revoked = true;
	world_apply(&w);
	struct frame *error = peer_expect(&q, BODY_ERROR);
	if (error != NULL) {
		CHECK_U64("code", frame_server(error)->error->code, ERR(REVOKED));
		CHECK_TRUE("fatal", frame_server(error)->error->fatal);
	}
	frame_destroy(error);
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_REVOKED], 2);
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}

TEST(test_expiring_while_inside)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	world_row(&w, "alo")->expires_us = clock_now_us() + 3000000;
	world_apply(&w);
	CHECK_TRUE("rights as they are now", bus_session_rights(w.session) != NULL);
	world_idle(&w, 50);
	CHECK_U64("not yet", w.closed, 0);
	peer_expect_error(&p, ERR(REVOKED));
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_REVOKED], 1);
	peer_close(&p);
	world_close(&w);
}

TEST(test_a_key_given_to_another_name_is_another_client)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	world_row(&w, "alo")->name = "zabita";
	world_apply(&w);
	peer_expect_error(&p, ERR(REVOKED));
	CHECK_TRUE("it may begin anew under that name", peer_enter(&p, INSTANCE_A));
	CHECK_STR("name", w.session == NULL ? NULL : bus_session_client(w.session), "zabita");
	peer_close(&p);
	world_close(&w);
}

/* The table changes under sessions that are sending all the while. */
TEST(test_tables_swapped_under_living_sessions)
{
	enum { SWAPS = 200 };
	struct world w;
	struct peer p, q;
	unsigned sent = 0;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	world_allow(&w, "park", &w.park, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.park);
	CHECK(peer_enter(&p, INSTANCE_A));
	CHECK(peer_enter(&q, INSTANCE_A));
	for (unsigned i = 0; i < SWAPS; i++) {
		world_row(&w, "alo")->verbs = i % 2 == 0 ? ACL_PUBLISH : ACL_SUBSCRIBE;
		world_apply(&w);
		peer_credit(&p, i);
		peer_credit(&q, i);
		sent += 2;
		world_turn(&w);
	}
	WORLD_WITHIN(&w, 5000, w.frames == sent);
	CHECK_U64("none was closed", w.closed, 0);
	world_row(&w, "alo")->verbs = ACL_SNAPSHOT;
	world_apply(&w);
	struct bus_session *session = w.session;
	CHECK_U64("rights of the other", bus_session_rights(session)->verbs, ACL_PUBLISH);
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}
