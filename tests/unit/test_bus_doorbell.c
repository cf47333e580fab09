/* The doorbell rings, for internal keys only, and nobody waits for it. */
#include "doorbell.h"

#include <assert.h>
#include <string.h>

#include "bus_world.h"

struct rings {
	unsigned count;
	uint64_t last_seq;
	char last_log[64];
};

static void
on_ring(void *arg, const char *log_id, uint64_t head_seq)
{
	struct rings *r = arg;

	r->count++;
	r->last_seq = head_seq;
	strncpy(r->last_log, log_id, sizeof(r->last_log) - 1);
}

/* The ringing side is another process's bus, with its own keys and loop. */
struct ringer {
	struct event_base *loop;
	struct acl *acl;
	struct bus *bus;
	struct doorbell_button *button;
};

static void
ringer_open(struct ringer *r, struct world *w, const char *endpoint, const struct key_pair *keys)
{
	r->loop = event_base_new();
	r->acl = acl_create();
	r->bus = bus_create(r->loop, r->acl, keys);
	assert(r->bus != NULL);
	r->button = doorbell_button_open(r->bus, endpoint, w->server.public_key);
	assert(r->button != NULL);
}

static void
ringer_close(struct ringer *r)
{
	doorbell_button_close(r->button);
	bus_destroy(r->bus);
	acl_destroy(r->acl);
	event_base_free(r->loop);
}

static struct doorbell *
bell_open(struct world *w, struct rings *heard)
{
	struct doorbell *bell = doorbell_open(w->bus, "tcp://127.0.0.1:*", on_ring, heard);

	assert(bell != NULL);
	WORLD_WITHIN(w, 5000, doorbell_listen(bell));
	return bell;
}

TEST(test_doorbell_rings)
{
	struct world w;
	struct rings heard = { 0 };
	struct ringer r;

	world_open(&w, NULL);
	world_allow(&w, "intake", &w.alo, ACL_INTERNAL);
	struct doorbell *bell = bell_open(&w, &heard);
	ringer_open(&r, &w, doorbell_endpoint(bell), &w.alo);
	WORLD_WITHIN(
	    &w, 5000, (doorbell_button_press(r.button, WORLD_LOG_ID, 17), heard.count > 0));
	CHECK_U64("seq", heard.last_seq, 17);
	CHECK_STR("log", heard.last_log, WORLD_LOG_ID);
	/* Many presses without a turn: some are dropped, and none makes the ringer wait. */
	unsigned dropped = 0;
	for (uint64_t seq = 18; seq < 20018; seq++)
		dropped += !doorbell_button_press(r.button, WORLD_LOG_ID, seq);
	CHECK_TRUE("dropped", dropped > 0);
	WORLD_WITHIN(&w, 5000,
	    (doorbell_button_press(r.button, WORLD_LOG_ID, 30000), heard.last_seq == 30000));
	CHECK_U64("all could be read", doorbell_refused(bell), 0);
	ringer_close(&r);
	doorbell_close(bell);
	world_close(&w);
}

TEST(test_doorbell_is_for_internal_keys_only)
{
	struct world w;
	struct rings heard = { 0 };
	struct ringer r;

	world_open(&w, NULL);
	world_allow(&w, "park", &w.park, ACL_PUBLISH | ACL_SUBSCRIBE | ACL_SNAPSHOT | ACL_COMMAND);
	struct doorbell *bell = bell_open(&w, &heard);
	ringer_open(&r, &w, doorbell_endpoint(bell), &w.park);
	WORLD_WITHIN(&w, 5000, bus_count(w.bus, BUS_COUNT_TURNED_AWAY) > 0);
	bool pressed = doorbell_button_press(r.button, WORLD_LOG_ID, 1);
	world_idle(&w, 200);
	CHECK_FALSE("nobody to ring", pressed);
	CHECK_U64("not heard", heard.count, 0);
	ringer_close(&r);
	doorbell_close(bell);
	world_close(&w);
}

/* As when the router has just started: its rights come, and the bell is heard soon after. */
TEST(test_doorbell_pressed_before_the_rights_are_known)
{
	struct world w;
	struct rings heard = { 0 };
	struct ringer r;

	world_open(&w, NULL);
	struct doorbell *bell = doorbell_open(w.bus, "tcp://127.0.0.1:*", on_ring, &heard);
	if (!CHECK(bell != NULL))
		return;
	ringer_open(&r, &w, doorbell_endpoint(bell), &w.alo);
	CHECK_FALSE("nobody hears", doorbell_button_press(r.button, WORLD_LOG_ID, 1));
	world_idle(&w, 300);
	world_allow(&w, "intake", &w.alo, ACL_INTERNAL);
	WORLD_WITHIN(&w, 1000, doorbell_listen(bell));
	CHECK_TRUE("and stays so", doorbell_listen(bell));
	WORLD_WITHIN(
	    &w, 2000, (doorbell_button_press(r.button, WORLD_LOG_ID, 17), heard.count > 0));
	CHECK_U64("nobody was turned away", bus_count(w.bus, BUS_COUNT_TURNED_AWAY), 0);
	ringer_close(&r);
	doorbell_close(bell);
	world_close(&w);
}

TEST(test_doorbell_without_a_router)
{
	struct world w;
	struct ringer r;

	world_open(&w, NULL);
	ringer_open(&r, &w, "tcp://127.0.0.1:9", &w.alo);
	for (int i = 0; i < 1000; i++)
		CHECK_FALSE("dropped", doorbell_button_press(r.button, WORLD_LOG_ID, 1));
	ringer_close(&r);
	world_close(&w);
}

TEST(test_doorbell_takes_only_rings)
{
	struct world w;
	struct peer p;
	struct rings heard = { 0 };
	int none = 0;

	world_open(&w, NULL);
	world_allow(&w, "intake", &w.alo, ACL_INTERNAL);
	struct doorbell *bell = bell_open(&w, &heard);
	CHECK_TRUE("one only", doorbell_open(w.bus, "tcp://127.0.0.1:*", on_ring, &heard) == NULL);
	p = (struct peer){ .w = &w, .zmq = zmq_socket(w.peers, ZMQ_PUSH) };
	CHECK(zmq_setsockopt(p.zmq, ZMQ_CURVE_SERVERKEY, w.server.public_key, 40) == 0
	      && zmq_setsockopt(p.zmq, ZMQ_CURVE_PUBLICKEY, w.alo.public_key, 40) == 0
	      && zmq_setsockopt(p.zmq, ZMQ_CURVE_SECRETKEY, w.alo.secret_key, 40) == 0
	      && zmq_setsockopt(p.zmq, ZMQ_LINGER, &none, sizeof(none)) == 0);
	peer_connect(&p, doorbell_endpoint(bell));
	CHECK(peer_send_bytes(&p, "\xff\xff", 2, 0));
	CHECK(peer_send_bytes(&p, "\x0a\x01\xff", 3, 0));
	CHECK(peer_send_bytes(&p, "\x10", 1, ZMQ_SNDMORE));
	CHECK(peer_send_bytes(&p, "\x05", 1, 0));
	WORLD_WITHIN(&w, 5000, doorbell_refused(bell) == 3);
	CHECK_U64("nothing rang", heard.count, 0);
	CHECK(peer_send_bytes(&p, "\x10\x05", 2, 0));
	WORLD_WITHIN(&w, 5000, heard.count == 1 && heard.last_seq == 5);
	peer_close(&p);
	doorbell_close(bell);
	world_close(&w);
}
