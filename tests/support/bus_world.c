/* A bus, its door and its clients in one process, moved by hand. */
#include "bus_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const everything[] = { "*" };

/* --- the door's owner ---------------------------------------------------------------------------
 */

static void
tell_head(void *arg, struct bus_head *ret_head)
{
	static const uint8_t hash[] = { 1, 2, 3, 4 };

	(void)arg;
	*ret_head = (struct bus_head){ WORLD_LOG_ID, WORLD_HEAD_SEQ, hash, sizeof(hash) };
}

static void
count_open(void *arg, struct bus_session *session, uint32_t *credit_events)
{
	struct world *w = arg;

	w->opened++;
	w->session = session;
	if (w->credit != 0)
		*credit_events = w->credit;
}

static void
count_frame(void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct world *w = arg;

	w->frames++;
	w->last_request = frame->request;
	if (w->on_frame != NULL)
		w->on_frame(w, session, frame);
}

static void
count_writable(void *arg, struct bus_session *session)
{
	struct world *w = arg;

	(void)session;
	w->writable++;
}

static void
count_close(void *arg, struct bus_session *session, enum bus_close_reason reason)
{
	struct world *w = arg;

	w->closed++;
	w->closed_for[reason]++;
	if (w->session == session)
		w->session = NULL;
}

static const struct bus_door_calls calls = {
	.head = tell_head,
	.on_open = count_open,
	.on_frame = count_frame,
	.on_writable = count_writable,
	.on_close = count_close,
};

/* --- the world ----------------------------------------------------------------------------------
 */

void
world_open(struct world *w, const struct bus_door_options *options)
{
	struct bus_door_options o = { 0 };

	if (options != NULL)
		o = *options;
	if (o.name == NULL)
		o.name = "publish";
	if (o.endpoint == NULL)
		o.endpoint = "tcp://127.0.0.1:*";
	*w = (struct world){ 0 };
	bool keyed = keys_generate(&w->server) && keys_generate(&w->alo) && keys_generate(&w->park)
		     && keys_generate(&w->stranger);
	assert(keyed);
	w->loop = event_base_new();
	w->acl = acl_create();
	w->peers = zmq_ctx_new();
	assert(w->loop != NULL && w->acl != NULL && w->peers != NULL);
	w->bus = bus_create(w->loop, w->acl, &w->server);
	assert(w->bus != NULL);
	w->door = bus_door_open(w->bus, &o, &calls, w);
	assert(w->door != NULL);
}

void
world_close(struct world *w)
{
	bus_door_close(w->door);
	bus_destroy(w->bus);
	acl_destroy(w->acl);
	event_base_free(w->loop);
	zmq_ctx_term(w->peers);
}

struct acl_row *
world_row(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->row_count; i++)
		if (strcmp(w->rows[i].name, name) == 0)
			return &w->rows[i];
	assert(w->row_count < WORLD_CLIENTS_MAX);
	w->rows[w->row_count].name = name;
	return &w->rows[w->row_count++];
}

void
world_apply(struct world *w)
{
	struct acl_complaint complaint;
	bool taken = acl_replace(w->acl, w->rows, w->row_count, &complaint);

	assert(taken && complaint.skipped == 0);
}

void
world_allow(struct world *w, const char *name, const struct key_pair *keys, unsigned verbs)
{
	const struct acl_list all = { everything, 1 };

	*world_row(w, name) = (struct acl_row){ .name = name,
		.public_key = keys->public_key,
		.verbs = verbs,
		.sources = all,
		.types = all,
		.departments = all };
	world_apply(w);
}

void
world_turn(struct world *w)
{
	event_base_loop(w->loop, EVLOOP_NONBLOCK);
}

void
world_idle(struct world *w, unsigned ms)
{
	uint64_t until_ms = check_now_ms() + ms;

	while (check_now_ms() < until_ms) {
		world_turn(w);
		check_pause();
	}
}

/* --- clients ------------------------------------------------------------------------------------
 */

void
peer_prepare(struct peer *p, struct world *w, const struct key_pair *keys)
{
	int none = 0;

	*p = (struct peer){ .w = w, .zmq = zmq_socket(w->peers, ZMQ_DEALER) };
	bool set = p->zmq != NULL && zmq_setsockopt(p->zmq, ZMQ_LINGER, &none, sizeof(none)) == 0
		   && zmq_setsockopt(p->zmq, ZMQ_CURVE_SERVERKEY, w->server.public_key, 40) == 0
		   && zmq_setsockopt(p->zmq, ZMQ_CURVE_PUBLICKEY, keys->public_key, 40) == 0
		   && zmq_setsockopt(p->zmq, ZMQ_CURVE_SECRETKEY, keys->secret_key, 40) == 0;
	assert(set);
}

void
peer_connect(struct peer *p, const char *endpoint)
{
	bool connecting = zmq_connect(p->zmq, endpoint) == 0;

	assert(connecting);
}

void
peer_open(struct peer *p, struct world *w, const struct key_pair *keys)
{
	peer_prepare(p, w, keys);
	peer_connect(p, bus_door_endpoint(w->door));
}

void
peer_close(struct peer *p)
{
	zmq_close(p->zmq);
	p->zmq = NULL;
}

bool
peer_send_bytes(struct peer *p, const void *data, size_t len, int flags)
{
	return zmq_send(p->zmq, data, len, flags | ZMQ_DONTWAIT) != -1;
}

void
peer_send(struct peer *p, const Turunc__V1__ClientFrame *frame)
{
	struct frame_buffer buffer = { 0 };
	bool sent = frame_pack(&frame->base, &buffer, NULL) == FRAME_OK
		    && peer_send_bytes(p, buffer.data, buffer.len, 0);

	assert(sent);
	frame_buffer_finish(&buffer);
}

void
peer_hello(struct peer *p, const char *instance)
{
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	Turunc__V1__Hello hello = TURUNC__V1__HELLO__INIT;
	char uuid[40], software[] = "test/1";

	strcpy(uuid, instance);
	hello.protocol = 1;
	hello.instance = uuid;
	hello.software = software;
	frame.request = 1;
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_HELLO;
	frame.hello = &hello;
	peer_send(p, &frame);
}

void
peer_ping(struct peer *p, uint64_t request)
{
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	Turunc__V1__Ping ping = TURUNC__V1__PING__INIT;

	frame.request = request;
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_PING;
	frame.ping = &ping;
	peer_send(p, &frame);
}

void
peer_credit(struct peer *p, uint64_t request)
{
	Turunc__V1__ClientFrame frame = TURUNC__V1__CLIENT_FRAME__INIT;
	Turunc__V1__Credit credit = TURUNC__V1__CREDIT__INIT;

	frame.request = request;
	frame.body_case = TURUNC__V1__CLIENT_FRAME__BODY_CREDIT;
	frame.credit = &credit;
	peer_send(p, &frame);
}

struct frame *
peer_receive(struct peer *p)
{
	struct frame *frame = NULL;
	zmq_msg_t message;

	zmq_msg_init(&message);
	if (zmq_msg_recv(&message, p->zmq, ZMQ_DONTWAIT) != -1) {
		enum frame_result result = frame_unpack(&turunc__v1__server_frame__descriptor,
		    zmq_msg_data(&message), zmq_msg_size(&message), &frame, NULL);
		assert(result == FRAME_OK);
	}
	zmq_msg_close(&message);
	return frame;
}

/* True when there is nothing more to wait for. */
static bool
expected(struct peer *p, unsigned body_case, struct frame **ret_frame)
{
	struct frame *frame;

	world_turn(p->w);
	while ((frame = peer_receive(p)) != NULL) {
		if (frame_server(frame)->body_case == body_case) {
			*ret_frame = frame;
			return true;
		}
		p->passed_over++;
		frame_destroy(frame);
	}
	return false;
}

struct frame *
peer_expect(struct peer *p, unsigned body_case)
{
	struct frame *frame = NULL;

	CHECK_WITHIN(5000, expected(p, body_case, &frame));
	return frame;
}

bool
peer_expect_error(struct peer *p, Turunc__V1__ErrorCode code)
{
	struct frame *frame = peer_expect(p, BODY_ERROR);

	if (frame == NULL)
		return false;
	bool same = CHECK_U64("error code", frame_server(frame)->error->code, code);
	frame_destroy(frame);
	return same;
}

bool
peer_enter(struct peer *p, const char *instance)
{
	peer_hello(p, instance);
	struct frame *frame = peer_expect(p, BODY_WELCOME);
	bool in = frame != NULL;

	frame_destroy(frame);
	return in;
}
