/* Much at once: bursts on an edge-triggered socket, slow readers, crowds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bus_world.h"

/* --- bursts
 * --------------------------------------------------------------------------------------- */

struct burst {
	uint64_t next; /* request expected, each exactly once and in order */
	unsigned out_of_order;
	unsigned ticks;
	uint64_t ticked_ms;
	bool answer;
};

static void
check_order(struct world *w, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct burst *b = w->arg;

	b->out_of_order += frame->request != b->next;
	b->next++;
	if (b->answer)
		(void)bus_send_error(session, frame->request, ERR(UNAVAILABLE), "answer");
}

static void
count_tick(evutil_socket_t fd, short what, void *arg)
{
	struct burst *b = arg;

	(void)fd;
	(void)what;
	b->ticks++;
	b->ticked_ms = check_now_ms();
}

/* Sends as many as the client's queue takes; returns the number of the next one. */
static uint64_t
send_burst(struct peer *p, uint64_t next, uint64_t end)
{
	uint8_t bytes[16] = { 0x08 };

	while (next < end) {
		size_t len = 1;
		for (uint64_t n = next; len == 1 || n != 0; n >>= 7)
			bytes[len++] = (uint8_t)((n & 0x7f) | (n >> 7 != 0 ? 0x80 : 0));
		bytes[len++] = 0x32; /* an empty Credit */
		bytes[len++] = 0;
		if (!peer_send_bytes(p, bytes, len, 0))
			break;
		next++;
	}
	return next;
}

TEST(test_bursts_are_read_whole_and_timers_keep_firing)
{
	/* libevent's clock moves in steps of up to 10 ms, so a 1 ms ticker is late by that. */
	enum { FRAMES = 10000, BURST = 997, COARSE_MS = 12 };
	struct world w;
	struct peer p;
	struct burst b = { .answer = true };
	uint64_t sent = 0, began_ms, answers = 0;
	unsigned starved = 0;

	world_open(&w, &(struct bus_door_options){ .silent_ms = 60000, .backlog_bytes = 8 << 20 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	w.on_frame = check_order;
	w.arg = &b;
	struct event *ticker = event_new(w.loop, -1, EV_PERSIST, count_tick, &b);
	CHECK(ticker != NULL && event_add(ticker, &(struct timeval){ .tv_usec = 1000 }) == 0);
	began_ms = b.ticked_ms = check_now_ms();
	/* One turn of the loop per round, never more: whatever is not booked would be lost. */
	while ((b.next < FRAMES || answers < FRAMES) && check_now_ms() - began_ms < 20000) {
		uint64_t end = sent + BURST < FRAMES ? sent + BURST : FRAMES;
		if (sent - b.next < BURST)
			sent = send_burst(&p, sent, end);
		bool due = check_now_ms() > b.ticked_ms + COARSE_MS;
		unsigned ticks = b.ticks;
		event_base_loop(w.loop, EVLOOP_ONCE);
		starved += due && b.ticks == ticks;
		for (struct frame *f; (f = peer_receive(&p)) != NULL; frame_destroy(f))
			answers += frame_server(f)->body_case == BODY_ERROR;
	}
	CHECK_U64("every frame came once", b.next, FRAMES);
	CHECK_U64("in order", b.out_of_order, 0);
	CHECK_U64("every answer too", answers, FRAMES);
	CHECK_TRUE("the ticker was due many times", b.ticks > 5);
	CHECK_U64("and fired in each turn in which it was", starved, 0);
	CHECK_U64("nobody was dropped", w.closed, 0);
	event_free(ticker);
	peer_close(&p);
	world_close(&w);
}

/* The loop sleeps between bursts: a signal that was eaten would leave a burst unread. */
TEST(test_no_burst_is_left_lying)
{
	enum { BURSTS = 40, EACH = 300 };
	struct world w;
	struct peer p;
	struct burst b = { 0 };
	uint64_t sent = 0;

	world_open(&w, &(struct bus_door_options){ .ping_ms = 60000, .silent_ms = 120000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	w.on_frame = check_order;
	w.arg = &b;
	for (unsigned i = 0; i < BURSTS; i++) {
		sent = send_burst(&p, sent, sent + EACH);
		/* Sending from outside a turn is what may eat the signal. */
		if (w.session != NULL && i % 2 == 0)
			(void)bus_send_error(w.session, 0, ERR(UNAVAILABLE), "just so");
		if (!WORLD_WITHIN(&w, 1000, b.next == sent))
			break;
	}
	CHECK_U64("all", b.next, (uint64_t)BURSTS * EACH);
	peer_close(&p);
	world_close(&w);
}

/* --- slow readers
 * --------------------------------------------------------------------------------- */

static Turunc__V1__ServerFrame
make_frame(Turunc__V1__Error *error, char *text)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;

	turunc__v1__error__init(error);
	error->text = text;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
	frame.error = error;
	return frame;
}

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

/* A client that has room for little and is going to read nothing.  (One that reads should not be
 * made like this: with a buffer below the loopback's segment size TCP itself crawls.) */
static void
open_sluggard(struct peer *p, struct world *w)
{
	int few = 1, small = 4096;

	peer_prepare(p, w, &w->alo);
	CHECK(zmq_setsockopt(p->zmq, ZMQ_RCVBUF, &small, sizeof(small)) == 0);
	CHECK(zmq_setsockopt(p->zmq, ZMQ_RCVHWM, &few, sizeof(few)) == 0);
	peer_connect(p, bus_door_endpoint(w->door));
	CHECK(peer_enter(p, INSTANCE_A));
}

TEST(test_a_client_that_does_not_read_is_dropped_within_bounds)
{
	enum { TEXT = 60000, ROUNDS = 5000 };
	struct world w;
	struct peer p, q;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);
	unsigned sent = 0;

	world_open(&w, &(struct bus_door_options){
			   .silent_ms = 60000, .send_frames = 16, .backlog_bytes = 600000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	open_sluggard(&p, &w);
	struct bus_session *slow = w.session;
	peer_open(&q, &w, &w.alo);
	CHECK(peer_enter(&q, INSTANCE_B));
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	long before_kib = resident_kib();
	while (sent < ROUNDS && bus_send(slow, &frame))
		sent++;
	CHECK_TRUE("it ended", sent < ROUNDS);
	CHECK_TRUE("after what it may have waiting", sent >= 600000 / TEXT);
	CHECK_TRUE("memory stays bounded", resident_kib() - before_kib < 40 * 1024);
	CHECK_U64("not told inside the call that sends", w.closed, 0);
	WORLD_WITHIN(&w, 1000, w.closed_for[BUS_CLOSE_SLOW] == 1);
	peer_credit(&q, 1);
	WORLD_WITHIN(&w, 1000, w.frames == 1);
	peer_close(&p);
	peer_close(&q);
	world_close(&w);
	free(text);
}

TEST(test_offers_wait_for_room)
{
	enum { TEXT = 60000, FRAMES = 300 };
	struct world w;
	struct peer p;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);
	uint64_t offered = 0, arrived = 0, wrong = 0, later = 0;
	unsigned woken = 0;

	world_open(&w,
	    &(struct bus_door_options){ .send_frames = 4, .ping_ms = 60000, .silent_ms = 60000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	uint64_t until_ms = check_now_ms() + 20000;
	while (arrived < FRAMES && check_now_ms() < until_ms) {
		enum bus_offer offer = BUS_TAKEN;
		/* Like a stream: go on until told to wait, and then only when woken. */
		while (
		    offered < FRAMES && offer == BUS_TAKEN && (later == 0 || w.writable > woken)) {
			frame.request = offered;
			offer = bus_offer(w.session, &frame);
			offered += offer == BUS_TAKEN;
		}
		if (offer == BUS_LATER) {
			later++;
			woken = w.writable;
		}
		for (struct frame *f; (f = peer_receive(&p)) != NULL; frame_destroy(f)) {
			wrong += frame_server(f)->request != arrived;
			arrived++;
		}
		world_turn(&w);
	}
	CHECK_U64("every frame arrived", arrived, FRAMES);
	CHECK_U64("in order", wrong, 0);
	CHECK_TRUE("some had to wait", later > 0 && w.writable > 0);
	if (CHECK_U64("nobody was dropped", w.closed, 0))
		CHECK_U64("a frame over the limit is refused",
		    bus_offer_bytes(w.session, (const uint8_t *)text, FRAME_MAX_BYTES + 1),
		    BUS_REFUSED);
	peer_close(&p);
	world_close(&w);
	free(text);
}

static uint64_t
cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000
	       + (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(test_waiting_for_a_slow_client_costs_little)
{
	enum { TEXT = 60000, MS = 600 };
	struct world w;
	struct peer p;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);

	world_open(&w,
	    &(struct bus_door_options){ .send_frames = 4, .ping_ms = 60000, .silent_ms = 60000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	open_sluggard(&p, &w);
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	uint64_t until_ms = check_now_ms() + 5000;
	/* Fill every buffer on the way, until nothing moves for a while. */
	for (unsigned stuck = 0; stuck < 100 && check_now_ms() < until_ms;) {
		stuck = bus_offer(w.session, &frame) == BUS_TAKEN ? 0 : stuck + 1;
		world_idle(&w, 1);
	}
	uint64_t before_us = cpu_us();
	CHECK(event_base_loopexit(w.loop, &(struct timeval){ .tv_usec = MS * 1000 }) == 0);
	event_base_loop(w.loop, 0);
	CHECK_TRUE("no busy loop", cpu_us() - before_us < MS * 1000 / 4);
	CHECK_U64("nobody was dropped", w.closed, 0);
	peer_close(&p);
	world_close(&w);
	free(text);
}

/* Answers and offers to one client stay in the order they were made. */
TEST(test_answers_wait_in_order)
{
	enum { TEXT = 30000, FRAMES = 60 };
	struct world w;
	struct peer p;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);
	uint64_t arrived = 0, wrong = 0;

	world_open(&w,
	    &(struct bus_door_options){
		.send_frames = 4, .ping_ms = 60000, .silent_ms = 60000, .backlog_bytes = 4 << 20 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	for (frame.request = 0; frame.request < FRAMES; frame.request++)
		CHECK(bus_send(w.session, &frame));
	CHECK_TRUE("some wait", bus_count(w.bus, BUS_COUNT_DEFERRED) > 0);
	CHECK_U64("so an offer waits, too", bus_offer(w.session, &frame), BUS_LATER);
	uint64_t until_ms = check_now_ms() + 10000;
	while (arrived < FRAMES && check_now_ms() < until_ms) {
		for (struct frame *f; (f = peer_receive(&p)) != NULL; frame_destroy(f)) {
			wrong += frame_server(f)->request != arrived;
			arrived++;
		}
		world_turn(&w);
	}
	CHECK_U64("all arrived", arrived, FRAMES);
	CHECK_U64("in order", wrong, 0);
	CHECK_U64("and there was room again", w.writable, 1);
	peer_close(&p);
	world_close(&w);
	free(text);
}

/* What was answered before the door closes arrives, however much of it waits. */
TEST(test_a_drain_waits_for_answers_to_be_read)
{
	enum { TEXT = 30000, FRAMES = 60 };
	struct world w;
	struct peer p;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);
	uint64_t arrived = 0;

	world_open(&w,
	    &(struct bus_door_options){
		.send_frames = 4, .ping_ms = 60000, .silent_ms = 60000, .backlog_bytes = 4 << 20 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	peer_open(&p, &w, &w.alo);
	CHECK(peer_enter(&p, INSTANCE_A));
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	for (frame.request = 0; frame.request < FRAMES; frame.request++)
		CHECK(bus_send(w.session, &frame));
	CHECK_TRUE("some wait", bus_count(w.bus, BUS_COUNT_DEFERRED) > 0);
	CHECK_TRUE("so does the door", !bus_door_drain(w.door));
	uint64_t until_ms = check_now_ms() + 10000;
	bool over = false;
	while (arrived < FRAMES + 1 && check_now_ms() < until_ms) {
		for (struct frame *f; (f = peer_receive(&p)) != NULL; frame_destroy(f))
			arrived++;
		world_turn(&w);
		over = bus_door_drain(w.door);
	}
	CHECK_U64("all answers, and why it closed", arrived, FRAMES + 1);
	CHECK_TRUE("drained", over);
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_SHUTTING_DOWN], 1);
	peer_close(&p);
	world_close(&w);
	free(text);
}

TEST(test_a_drain_does_not_wait_for_who_does_not_read)
{
	enum { TEXT = 60000 };
	struct world w;
	struct peer p;
	Turunc__V1__Error error;
	char *text = calloc(1, TEXT + 1);

	world_open(&w,
	    &(struct bus_door_options){
		.send_frames = 4, .ping_ms = 60000, .silent_ms = 60000, .backlog_bytes = 4 << 20 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	open_sluggard(&p, &w);
	memset(text, 't', TEXT);
	Turunc__V1__ServerFrame frame = make_frame(&error, text);
	while (bus_count(w.bus, BUS_COUNT_DEFERRED) < 20 && bus_send(w.session, &frame))
		world_idle(&w, 1);
	uint64_t began_ms = check_now_ms();
	CHECK_TRUE("it waits at first", !bus_door_drain(w.door));
	while (!bus_door_drain(w.door) && check_now_ms() < began_ms + 30000)
		world_idle(&w, 10);
	uint64_t took_ms = check_now_ms() - began_ms;
	CHECK_TRUE("two seconds", took_ms >= 1900 && took_ms < 20000);
	CHECK_U64("closed", w.closed_for[BUS_CLOSE_SHUTTING_DOWN], 1);
	peer_close(&p);
	world_close(&w);
	free(text);
}

/* --- crowds
 * --------------------------------------------------------------------------------------- */

TEST_WITHIN(test_clients_come_and_go, 60)
{
	enum { CLIENTS = 200, AT_ONCE = 25 };
	struct world w;
	struct peer peers[AT_ONCE];
	unsigned welcomed = 0;

	world_open(&w, &(struct bus_door_options){
			   .max_sessions_per_client = CLIENTS, .ping_ms = 100, .silent_ms = 3000 });
	world_allow(&w, "alo", &w.alo, ACL_PUBLISH);
	for (unsigned round = 0; round < CLIENTS / AT_ONCE; round++) {
		for (unsigned i = 0; i < AT_ONCE; i++) {
			peer_open(&peers[i], &w, &w.alo);
			peer_hello(&peers[i], INSTANCE_A);
		}
		for (unsigned i = 0; i < AT_ONCE; i++) {
			struct frame *frame = peer_expect(&peers[i], BODY_WELCOME);
			welcomed += frame != NULL;
			frame_destroy(frame);
			if (i % 2 == 0) /* half of them in the middle of something */
				peer_credit(&peers[i], i);
			peer_close(&peers[i]);
		}
	}
	CHECK_U64("all were welcome", welcomed, CLIENTS);
	WORLD_WITHIN(&w, 5000, bus_door_sessions(w.door) == 0);
	CHECK_U64("every session was closed once", w.closed, CLIENTS);
	peer_open(&peers[0], &w, &w.alo);
	CHECK_TRUE("and the door is as new", peer_enter(&peers[0], INSTANCE_B));
	peer_close(&peers[0]);
	world_close(&w);
}
