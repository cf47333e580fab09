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
