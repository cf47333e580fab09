/* What clients with a key can do wrong, by mistake or not. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus_world.h"

struct scene {
	struct world w;
	struct peer p, other;
};

/* Two clients inside: one to misbehave, one to see that the door still works. */
static void
scene_open(struct scene *s)
{
	/* Its clients do not answer pings, and a busy machine must not make that matter. */
	world_open(&s->w, &(struct bus_door_options){ .ping_ms = 60000, .silent_ms = 120000 });
	world_allow(&s->w, "alo", &s->w.alo, ACL_PUBLISH);
	world_allow(&s->w, "park", &s->w.park, ACL_PUBLISH);
	peer_open(&s->p, &s->w, &s->w.alo);
	peer_open(&s->other, &s->w, &s->w.park);
	CHECK(peer_enter(&s->p, INSTANCE_A));
	CHECK(peer_enter(&s->other, INSTANCE_B));
}

static void
scene_close(struct scene *s)
{
	unsigned frames = s->w.frames;

	peer_credit(&s->other, 99);
	WORLD_WITHIN(&s->w, 5000, s->w.frames == frames + 1);
	CHECK_U64("the other one is still served", s->w.last_request, 99);
	peer_close(&s->p);
	peer_close(&s->other);
	world_close(&s->w);
}

TEST(test_frames_that_cannot_be_read)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		size_t len;
		uint64_t request;
		enum frame_result why;
		const char *text;
	} bad[] = {
		{ "garbage", { 0xff, 0xff, 0xff }, 3, 0, FRAME_UNDECODABLE,
		    "not a frame of this protocol" },
		{ "cut short", { 0x08, 0x05, 0x1a, 0x7f }, 4, 5, FRAME_UNDECODABLE,
		    "not a frame of this protocol" },
		{ "invalid UTF-8", { 0x08, 0x06, 0x22, 3, 0x0a, 1, 0xff }, 7, 6, FRAME_BAD_UTF8,
		    "subscribe.name: text is not valid UTF-8" },
		{ "a NUL", { 0x08, 0x87, 0x01, 0x22, 5, 0x0a, 3, 'a', 0, 'b' }, 10, 135,
		    FRAME_HAS_NUL, "subscribe.name: text holds a NUL" },
	};
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(peer_send_bytes(&s.p, bad[i].bytes, bad[i].len, 0));
		struct frame *frame = peer_expect(&s.p, BODY_ERROR);
		if (frame == NULL)
			continue;
		CHECK_U64(bad[i].name, frame_server(frame)->error->code, ERR(MALFORMED));
		CHECK_U64(bad[i].name, frame_server(frame)->request, bad[i].request);
		CHECK_STR(bad[i].name, frame_server(frame)->error->text, bad[i].text);
		CHECK_FALSE(bad[i].name, frame_server(frame)->error->fatal);
		CHECK_TRUE(bad[i].name, bus_count_refused(s.w.bus, bad[i].why) > 0);
		frame_destroy(frame);
	}
	CHECK_U64("none reached the owner", s.w.frames, 0);
	peer_credit(&s.p, 8);
	WORLD_WITHIN(&s.w, 5000, s.w.frames == 1);
	CHECK_U64("the session lives on", bus_door_sessions(s.w.door), 2);
	scene_close(&s);
}

TEST(test_a_frame_of_a_later_version)
{
	static const uint8_t later[] = { 0x08, 7, 0xfa, 0x01, 1, 'x' };
	struct scene s;

	scene_open(&s);
	CHECK(peer_send_bytes(&s.p, later, sizeof(later), 0));
	struct frame *frame = peer_expect(&s.p, BODY_ERROR);
	if (frame != NULL) {
		CHECK_U64("code", frame_server(frame)->error->code, ERR(PROTOCOL));
		CHECK_U64("request", frame_server(frame)->request, 7);
	}
	frame_destroy(frame);
	CHECK_U64("counted", bus_count(s.w.bus, BUS_COUNT_UNKNOWN_FRAME), 1);
	scene_close(&s);
}

TEST(test_too_many_bad_frames_end_the_session)
{
	struct scene s;

	scene_open(&s);
	for (int i = 0; i < 200; i++)
		CHECK(peer_send_bytes(&s.p, "\xff", 1, 0));
	WORLD_WITHIN(&s.w, 5000, s.w.closed_for[BUS_CLOSE_PROTOCOL] == 1);
	CHECK_TRUE("and it may begin again", peer_enter(&s.p, INSTANCE_A));
	scene_close(&s);
}

TEST(test_sizes_on_the_wire)
{
	struct scene s;
	size_t huge = 256 * 1024 + 1;
	uint8_t *data = calloc(1, huge);

	scene_open(&s);
	/* Over the protocol's limit but within the socket's: an answer. */
	CHECK(peer_send_bytes(&s.p, data, FRAME_MAX_BYTES + 1, 0));
	peer_expect_error(&s.p, ERR(MALFORMED));
	CHECK_U64("counted", bus_count_refused(s.w.bus, FRAME_TOO_BIG), 1);
	peer_ping(&s.p, 3);
	struct frame *pong = peer_expect(&s.p, BODY_PONG);
	CHECK_TRUE("the connection survives", pong != NULL);
	frame_destroy(pong);

	/* Over the socket's: the connection is dropped and made anew, without its session. */
	uint64_t read = bus_count(s.w.bus, BUS_COUNT_FRAMES_IN);
	uint64_t admitted = bus_count(s.w.bus, BUS_COUNT_ADMITTED);
	CHECK(peer_send_bytes(&s.p, data, huge, 0));
	WORLD_WITHIN(&s.w, 5000, bus_count(s.w.bus, BUS_COUNT_ADMITTED) > admitted);
	CHECK_U64("nothing of it was read", bus_count(s.w.bus, BUS_COUNT_FRAMES_IN), read);
	peer_ping(&s.p, 4);
	peer_expect_error(&s.p, ERR(NO_SESSION));
	CHECK_TRUE("the client may come again", peer_enter(&s.p, INSTANCE_A));
	free(data);
	scene_close(&s);
}

TEST(test_messages_of_several_parts)
{
	enum { PARTS = 5000 };
	struct scene s;

	scene_open(&s);
	CHECK(peer_send_bytes(&s.p, "", 0, ZMQ_SNDMORE)); /* as a REQ would */
	CHECK(peer_send_bytes(&s.p, "\x4a\x00", 2, 0));
	WORLD_WITHIN(&s.w, 5000, bus_count(s.w.bus, BUS_COUNT_MULTIPART) == 1);
	for (unsigned i = 0; i < PARTS; i++)
		CHECK(peer_send_bytes(&s.p, "part", 4, ZMQ_SNDMORE));
	CHECK(peer_send_bytes(&s.p, "last", 4, 0));
	peer_credit(&s.p, 12);
	WORLD_WITHIN(&s.w, 5000, s.w.frames == 1 && s.w.last_request == 12);
	CHECK_U64("one message, counted once", bus_count(s.w.bus, BUS_COUNT_MULTIPART), 2);
	CHECK_U64("both sessions live", bus_door_sessions(s.w.door), 2);
	scene_close(&s);
}

TEST(test_a_chosen_routing_id_is_not_served)
{
	static const char *const ids[] = { "victim", "five5", "x" };
	struct scene s;

	scene_open(&s);
	for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
		struct peer forger;
		peer_prepare(&forger, &s.w, &s.w.park);
		CHECK(zmq_setsockopt(forger.zmq, ZMQ_ROUTING_ID, ids[i], strlen(ids[i])) == 0);
		peer_connect(&forger, bus_door_endpoint(s.w.door));
		peer_hello(&forger, INSTANCE_A);
		WORLD_WITHIN(&s.w, 5000, bus_count(s.w.bus, BUS_COUNT_CHOSEN_ID) == i + 1);
		peer_close(&forger);
	}
	CHECK_U64("no session", bus_door_sessions(s.w.door), 2);
	scene_close(&s);
}

/* Reading the session's own id here is what no program may do; the test plays a leak.  While the
 * connection lives ZeroMQ refuses its id to anybody else. */
#include "bus_internal.h"

TEST(test_a_forged_routing_id_is_not_served)
{
	struct scene s;
	struct peer forger;

	scene_open(&s);
	struct bus_session *victim = s.w.session;
	peer_prepare(&forger, &s.w, &s.w.alo);
	CHECK(zmq_setsockopt(forger.zmq, ZMQ_ROUTING_ID, victim->routing, BUS_ROUTING_BYTES) == 0);
	peer_connect(&forger, bus_door_endpoint(s.w.door));
	peer_hello(&forger, INSTANCE_A);
	world_idle(&s.w, 300);
	CHECK_TRUE("the victim's session is as it was", bus_session_open(victim));
	CHECK(bus_send_error(victim, 5, ERR(UNAVAILABLE), "for the victim's eyes"));
	struct frame *frame = peer_expect(&s.other, BODY_ERROR);
	CHECK_TRUE("the victim gets it", frame != NULL);
	frame_destroy(frame);
	world_idle(&s.w, 50);
	frame = peer_receive(&forger);
	CHECK_TRUE("the forger gets nothing", frame == NULL);
	frame_destroy(frame);
	peer_close(&forger);
	scene_close(&s);
}

/* Should ZeroMQ ever let it through: the same id under another key. */
TEST(test_the_same_id_under_another_key)
{
	static const uint8_t ping[] = { 0x4a, 0 };
	struct scene s;

	scene_open(&s);
	struct bus_session *victim = s.w.session;
	struct bus_message message = { victim->routing, s.w.alo.public_key, ping, sizeof(ping) };
	uint64_t sent = bus_count(s.w.bus, BUS_COUNT_FRAMES_OUT);
	bus_session_receive(s.w.door, &message);
	CHECK_U64("dropped", bus_count(s.w.bus, BUS_COUNT_OTHER_KEY), 1);
	CHECK_U64("not answered", bus_count(s.w.bus, BUS_COUNT_FRAMES_OUT), sent);
	message.key = s.w.park.public_key;
	bus_session_receive(s.w.door, &message);
	CHECK_U64("under its own it is", bus_count(s.w.bus, BUS_COUNT_FRAMES_OUT), sent + 1);
	scene_close(&s);
}

/* Random bytes, with and without a session. */
TEST(test_random_bytes)
{
	enum { ROUNDS = 3000, MAX = 400 };
	struct scene s;
	struct peer outside;
	uint8_t data[MAX];
	unsigned seed = 311;

	scene_open(&s);
	peer_open(&outside, &s.w, &s.w.alo);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t len = (size_t)rand_r(&seed) % MAX;
		for (size_t b = 0; b < len; b++)
			data[b] = (uint8_t)rand_r(&seed);
		if (len > 2 && i % 2 == 0) {
			data[0] = (uint8_t)(0x12 + 8 * (i % 9)); /* a known body, at least */
			data[1] = (uint8_t)(len - 2 < 128 ? len - 2 : 5);
		}
		(void)peer_send_bytes(i % 3 == 0 ? &outside : &s.p, data, len, 0);
		world_turn(&s.w);
	}
	WORLD_WITHIN(&s.w, 5000, bus_count(s.w.bus, BUS_COUNT_FRAMES_IN) >= ROUNDS / 2);
	peer_close(&outside);
	scene_close(&s);
}

/* AddressSanitizer keeps what was freed, so memory says nothing there. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FREED_MEMORY_STAYS /* clang's word for it */
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FREED_MEMORY_STAYS /* gcc's */
#endif

#ifndef FREED_MEMORY_STAYS
static long
resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (f != NULL)
		fclose(f);
	return resident * 4;
}

/* A process of its own, so that what it holds itself does not count; never comes back.  libzmq's
 * client begins to send when it has the last part; the door sees none of it before it has all. */
_Noreturn static void
send_huge_message(const struct scene *s)
{
	enum { PART = 200 * 1024, PARTS = 1500 };
	struct world elsewhere = s->w;
	struct peer p;
	uint8_t *data = calloc(1, PART);

	elsewhere.peers = zmq_ctx_new();
	peer_prepare(&p, &elsewhere, &s->w.alo);
	peer_connect(&p, bus_door_endpoint(s->w.door));
	for (int i = 0; i < PARTS; i++)
		zmq_send(p.zmq, data, PART, ZMQ_SNDMORE);
	zmq_send(p.zmq, "", 0, 0);
	for (;;)
		pause();
}

TEST_WITHIN(test_a_huge_message_of_many_parts, 60)
{
	struct scene s;
	long limit_kib = 100 * 1024;

	scene_open(&s);
	pid_t flood = fork();
	if (flood == 0)
		send_huge_message(&s);
	bus_limit_memory(s.w.bus, (size_t)limit_kib * 1024);
	WORLD_WITHIN(&s.w, 30000, bus_count(s.w.bus, BUS_COUNT_CUT_OFF) == 1);
	CHECK_U64("nothing of it was seen", bus_count(s.w.bus, BUS_COUNT_MULTIPART), 0);
	CHECK_U64("the sessions are gone", s.w.closed_for[BUS_CLOSE_GONE], 2);
	kill(flood, SIGKILL);
	waitpid(flood, NULL, 0);
	uint64_t admitted = bus_count(s.w.bus, BUS_COUNT_ADMITTED);
	WORLD_WITHIN(&s.w, 9000, bus_count(s.w.bus, BUS_COUNT_ADMITTED) >= admitted + 2);
	CHECK_TRUE("the others come back", peer_enter(&s.other, INSTANCE_B));
	WORLD_WITHIN(&s.w, 5000, resident_kib() < limit_kib / 2);
	CHECK_U64("once was enough", bus_count(s.w.bus, BUS_COUNT_CUT_OFF), 1);
	scene_close(&s);
}

#endif

TEST(test_cutting_everybody_off)
{
	struct scene s;
	char endpoint[BUS_SOCKET_ENDPOINT_BYTES];

	scene_open(&s);
	strcpy(endpoint, bus_door_endpoint(s.w.door));
	uint64_t admitted = bus_count(s.w.bus, BUS_COUNT_ADMITTED);
	(void)bus_door_cut_all(s.w.door);
	CHECK_U64("sessions are over", s.w.closed_for[BUS_CLOSE_GONE], 2);
	WORLD_WITHIN(&s.w, 9000, bus_count(s.w.bus, BUS_COUNT_ADMITTED) >= admitted + 2);
	CHECK_STR("at the same place", bus_door_endpoint(s.w.door), endpoint);
	CHECK_TRUE("everybody comes back", peer_enter(&s.p, INSTANCE_A));
	CHECK_TRUE("everybody comes back", peer_enter(&s.other, INSTANCE_B));
	scene_close(&s);
}
