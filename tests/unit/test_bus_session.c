/* How sessions of the bus begin, live and end. */
#include <string.h>

#include "bus_world.h"

TEST(test_hello_is_welcomed)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo-153", &w.alo, ACL_PUBLISH);
	w.credit = 77;
	peer_open(&p, &w, &w.alo);
	peer_hello(&p, INSTANCE_A);
	struct frame *frame = peer_expect(&p, BODY_WELCOME);
	if (frame != NULL) {
		const Turunc__V1__Welcome *welcome = frame_server(frame)->welcome;
		CHECK_U64("request is echoed", frame_server(frame)->request, 1);
		CHECK_U64("protocol", welcome->protocol, 1);
		CHECK_STR("log", welcome->log_id, WORLD_LOG_ID);
		CHECK_U64("head", welcome->head_seq, WORLD_HEAD_SEQ);
		CHECK_U64("credit", welcome->credit_events, 77);
		CHECK_U64("event limit", welcome->max_event_bytes, 65536);
		CHECK_STR("client", welcome->client, "alo-153");
		frame_destroy(frame);
	}
	CHECK_U64("sessions", bus_door_sessions(w.door), 1);
	if (CHECK(w.session != NULL)) {
		CHECK_STR("instance", bus_session_instance(w.session), INSTANCE_A);
		CHECK_STR("software", bus_session_software(w.session), "test/1");
		CHECK_STR("client", bus_session_client(w.session), "alo-153");
	}
	peer_close(&p);
	world_close(&w);
	CHECK_U64("closing the door closes the session", w.closed_for[BUS_CLOSE_SHUTTING_DOWN], 1);
}

TEST(test_frames_before_hello_are_answered_but_not_too_often)
{
	enum { FRAMES = 400 };
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	peer_credit(&p, 5);
	struct frame *frame = peer_expect(&p, BODY_ERROR);
	if (frame != NULL) {
		CHECK_U64("code", frame_server(frame)->error->code, ERR(NO_SESSION));
		CHECK_U64("request is echoed", frame_server(frame)->request, 5);
		CHECK_TRUE("fatal", frame_server(frame)->error->fatal);
		frame_destroy(frame);
	}
	for (unsigned i = 1; i < FRAMES; i++)
		peer_credit(&p, 5);
	WORLD_WITHIN(&w, 5000, bus_count(w.bus, BUS_COUNT_NO_SESSION) == FRAMES);
	CHECK_TRUE("answers are rationed", bus_count(w.bus, BUS_COUNT_FRAMES_OUT) < FRAMES / 2);
	CHECK_U64("nothing reached the owner", w.frames, 0);
	CHECK_TRUE("Hello is welcome all the same", peer_enter(&p, INSTANCE_A));
	peer_credit(&p, 6);
	WORLD_WITHIN(&w, 5000, w.frames == 1 && w.last_request == 6);
	peer_close(&p);
	world_close(&w);
}

static void
hello_with(struct peer *p, uint32_t protocol, const char *instance)
{
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	Turunc__V1__Hello hello = TURUNC__V1__HELLO__INIT;
	char text[64];

	strcpy(text, instance);
	hello.protocol = protocol;
	hello.instance = text;
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_HELLO;
	frame.hello = &hello;
	peer_send(p, &frame);
}

TEST(test_hello_refused)
{
	struct world w;
	struct peer p, q;

	world_open(&w, &(struct bus_door_options){ .verbs = ACL_PUBLISH | ACL_INTERNAL });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	world_allow(&w, "park", &w.park, ACL_SUBSCRIBE);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.park);
	hello_with(&p, 2, INSTANCE_A);
	peer_expect_error(&p, ERR(PROTOCOL));
	hello_with(&p, 1, "");
	peer_expect_error(&p, ERR(MALFORMED));
	hello_with(&p, 1, "not-a-uuid");
	peer_expect_error(&p, ERR(MALFORMED));
	peer_hello(&q, INSTANCE_A);
	peer_expect_error(&q, ERR(FORBIDDEN));
	CHECK_U64("counted", bus_count(w.bus, BUS_COUNT_SESSIONS_REFUSED), 4);
	CHECK_U64("none opened", w.opened, 0);
	CHECK_TRUE("the right one is welcome", peer_enter(&p, INSTANCE_A));
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}

TEST(test_session_limits)
{
	struct world w;
	struct peer p[4];

	world_open(
	    &w, &(struct bus_door_options){ .max_sessions_per_client = 2, .max_sessions = 3 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	world_allow(&w, "park", &w.park, ACL_PUBLISH);
	for (int i = 0; i < 3; i++)
		peer_open(&p[i], &w, &w.alo);
	CHECK_TRUE("two sessions of one key", peer_enter(&p[0], INSTANCE_A));
	CHECK_TRUE("two sessions of one key", peer_enter(&p[1], INSTANCE_A));
	peer_hello(&p[2], INSTANCE_B);
	peer_expect_error(&p[2], ERR(TOO_MUCH));
	peer_close(&p[2]);

	peer_open(&p[2], &w, &w.park);
	peer_open(&p[3], &w, &w.park);
	CHECK_TRUE("a third in all", peer_enter(&p[2], INSTANCE_A));
	peer_hello(&p[3], INSTANCE_A);
	peer_expect_error(&p[3], ERR(TOO_MUCH));
	CHECK_U64("open", bus_door_sessions(w.door), 3);
	CHECK_TRUE("Hello again takes no second place", peer_enter(&p[0], INSTANCE_A));
	for (int i = 0; i < 4; i++)
		peer_close(&p[i]);
	world_close(&w);
}

TEST(test_two_sessions_of_one_key_are_apart)
{
	struct world w;
	struct peer p, q;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	struct bus_session *first = w.session;
	CHECK(peer_enter(&q, INSTANCE_B));
	struct bus_session *second = w.session;
	CHECK_TRUE("two", first != second && bus_session_id(first) != bus_session_id(second));
	CHECK(bus_send_error(first, 11, ERR(UNAVAILABLE), "to the first"));
	struct frame *frame = peer_expect(&p, BODY_ERROR);
	if (frame != NULL) {
		CHECK_U64("request", frame_server(frame)->request, 11);
		CHECK_STR("text", frame_server(frame)->error->text, "to the first");
		CHECK_FALSE("not fatal", frame_server(frame)->error->fatal);
		CHECK_TRUE("says when", frame_server(frame)->error->retry_ms > 0);
	}
	frame_destroy(frame);
	bus_session_close(first, BUS_CLOSE_SUPERSEDED, ERR(SUPERSEDED), "taken over");
	CHECK_U64("closed at once", w.closed_for[BUS_CLOSE_SUPERSEDED], 1);
	CHECK_FALSE("a closed session takes nothing", bus_send_error(first, 1, ERR(IN_USE), ""));
	bus_session_close(first, BUS_CLOSE_OWNER, ERR(IN_USE), "again");
	CHECK_U64("closed once", w.closed, 1);
	peer_expect_error(&p, ERR(SUPERSEDED));
	peer_ping(&q, 3);
	struct frame *pong = peer_expect(&q, BODY_PONG);
	CHECK_TRUE("the second lives", pong != NULL);
	frame_destroy(pong);
	CHECK_U64("the second was told nothing of it", q.passed_over, 0);
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}

TEST(test_hello_again_begins_anew)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	uint64_t id = bus_session_id(w.session);
	CHECK(peer_enter(&p, INSTANCE_A));
	CHECK_U64("the old one was closed", w.closed_for[BUS_CLOSE_HELLO_AGAIN], 1);
	CHECK_U64("one is open", bus_door_sessions(w.door), 1);
	CHECK_TRUE("a new one", w.session != NULL && bus_session_id(w.session) != id);

	/* A client that does nothing else is stopped. */
	for (int i = 0; i < 200; i++)
		peer_hello(&p, INSTANCE_A);
	peer_expect_error(&p, ERR(TOO_MUCH));
	CHECK_TRUE("few of them opened", w.opened < 150);
	peer_close(&p);
	world_close(&w);
}

TEST(test_ping_is_answered_with_the_head)
{
	static const uint8_t hash[] = { 1, 2, 3, 4 };
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	peer_ping(&p, 42);
	struct frame *frame = peer_expect(&p, BODY_PONG);
	if (frame != NULL) {
		const Turunc__V1__Pong *pong = frame_server(frame)->pong;
		CHECK_U64("request", frame_server(frame)->request, 42);
		CHECK_STR("log", pong->log_id, WORLD_LOG_ID);
		CHECK_U64("seq", pong->head_seq, WORLD_HEAD_SEQ);
		CHECK_MEM("hash", pong->head_hash.data, pong->head_hash.len, hash, sizeof(hash));
	}
	frame_destroy(frame);
	CHECK_U64("not the owner's business", w.frames, 0);
	peer_close(&p);
	world_close(&w);
}

static void
peer_pong(struct peer *p)
{
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	Turunc__V1__Pong pong = TURUNC__V1__PONG__INIT;

	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_PONG;
	frame.pong = &pong;
	peer_send(p, &frame);
}

TEST(test_silence)
{
	struct world w;
	struct peer talker, silent;
	unsigned pings = 0;

	world_open(&w, &(struct bus_door_options){ .ping_ms = 100, .silent_ms = 3000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&talker, &w, &w.alo);
	peer_open(&silent, &w, &w.alo);
	uint64_t began_ms = check_now_ms();
	CHECK(peer_enter(&talker, INSTANCE_A));
	CHECK(peer_enter(&silent, INSTANCE_B));
	/* The one that answers pings stays, the one that does not is dropped. */
	uint64_t until_ms = check_now_ms() + 30000;
	while (w.closed_for[BUS_CLOSE_SILENT] == 0 && check_now_ms() < until_ms) {
		struct frame *frame = peer_receive(&talker);
		if (frame != NULL && frame_server(frame)->body_case == BODY_PING) {
			pings++;
			peer_pong(&talker);
		}
		frame_destroy(frame);
		world_turn(&w);
		check_pause();
	}
	CHECK_U64("one dropped", w.closed_for[BUS_CLOSE_SILENT], 1);
	CHECK_U64("one stays", bus_door_sessions(w.door), 1);
	CHECK_TRUE("pings came, though not in a flood",
	    pings >= 3 && pings <= (check_now_ms() - began_ms) / 100 + 1);
	struct frame *ping = peer_expect(&silent, BODY_PING);
	CHECK_TRUE("the silent one was asked", ping != NULL);
	frame_destroy(ping);
	peer_expect_error(&silent, ERR(NO_SESSION));
	peer_close(&talker);
	peer_close(&silent);
	world_close(&w);
}

TEST(test_own_standstill_is_not_held_against_clients)
{
	struct world w;
	struct peer p;

	world_open(&w, &(struct bus_door_options){ .ping_ms = 80, .silent_ms = 300 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	uint64_t until_ms = check_now_ms() + 800;
	while (check_now_ms() < until_ms)
		check_pause(); /* nobody turns the loop */
	world_turn(&w);
	world_turn(&w);
	CHECK_U64("still there", bus_door_sessions(w.door), 1);
	WORLD_WITHIN(&w, 5000, w.closed_for[BUS_CLOSE_SILENT] == 1);
	peer_close(&p);
	world_close(&w);
}

TEST(test_drain)
{
	struct world w;
	struct peer p, q;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	peer_open(&q, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	CHECK(bus_send_error(w.session, 9, ERR(UNAVAILABLE), "the last answer"));
	CHECK_TRUE("drained", bus_door_drain(w.door));
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_SHUTTING_DOWN], 1);
	peer_expect_error(&p, ERR(UNAVAILABLE));
	peer_expect_error(&p, ERR(SHUTTING_DOWN));
	peer_hello(&q, INSTANCE_B);
	peer_expect_error(&q, ERR(SHUTTING_DOWN));
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
}

/* What is sent last must arrive although the door closes at once. */
TEST(test_close_sends_what_is_on_its_way)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	bus_door_close(w.door);
	w.door = NULL;
	peer_expect_error(&p, ERR(SHUTTING_DOWN));
	peer_close(&p);
	world_close(&w);
}

static void
keep_frame(struct world *w, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct frame **kept = w->arg;

	*kept = bus_take_frame(session);
	CHECK_TRUE("it is that frame", frame_client(*kept) == frame);
}

TEST(test_a_frame_can_be_kept)
{
	struct world w;
	struct peer p;
	struct frame *kept = NULL;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	w.on_frame = keep_frame;
	w.arg = &kept;
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	peer_credit(&p, 31);
	WORLD_WITHIN(&w, 5000, kept != NULL);
	w.on_frame = NULL;
	peer_credit(&p, 32);
	WORLD_WITHIN(&w, 5000, w.last_request == 32);
	if (kept != NULL)
		CHECK_U64("still readable", frame_client(kept)->request, 31);
	frame_destroy(kept);
	peer_close(&p);
	world_close(&w);
}

static void
close_in_callback(
    struct world *w, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	bus_session_close(session, BUS_CLOSE_OWNER, ERR(TOO_MUCH), "enough");
	CHECK_FALSE("over", bus_session_open(session));
	CHECK_STR("still readable", bus_session_client(session), "alo");
	CHECK_U64("the frame too", frame->request, w->last_request);
}

TEST(test_closing_inside_a_callback)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	w.on_frame = close_in_callback;
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	peer_credit(&p, 1);
	peer_credit(&p, 2);
	peer_expect_error(&p, ERR(TOO_MUCH));
	peer_expect_error(&p, ERR(NO_SESSION));
	CHECK_U64("one frame", w.frames, 1);
	CHECK_U64("one close", w.closed_for[BUS_CLOSE_OWNER], 1);
	peer_close(&p);
	world_close(&w);
}

TEST(test_a_client_that_vanishes)
{
	struct world w;
	struct peer p;

	world_open(&w, NULL);
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	peer_close(&p);
	struct bus_session *session = w.session;
	/* ZeroMQ tells it when something is sent. */
	WORLD_WITHIN(&w, 5000, !bus_send_error(session, 1, ERR(UNAVAILABLE), "are you there?"));
	CHECK_U64("not told inside the call that sends", w.closed, 0);
	WORLD_WITHIN(&w, 5000, w.closed_for[BUS_CLOSE_GONE] == 1);
	CHECK_U64("none left", bus_door_sessions(w.door), 0);
	world_close(&w);
}
