/* The C client before a door that may say anything, frame after frame. */
#include <zmq.h>

#include "fuzz.h"
#include "../../clients/c/src/client_private.h"

enum { FRAME_BYTES = 256 * 1024 };

static void
on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	uint64_t *seen = arg;

	HOLDS(deliver->through_seq >= *seen || *seen == 0);
	*seen = deliver->through_seq;
}

static void
on_subscribed(void *arg, uint64_t from_seq)
{
	uint64_t *seen = arg;

	*seen = from_seq == 0 ? 0 : from_seq - 1;
}

static void
on_result(void *arg, const struct turunc_result *result)
{
	(void)arg;
	(void)result;
}

static struct turunc_client *
make(void *context, uint64_t *seen)
{
	char why[200] = "", secret[41], public[41];

	HOLDS(zmq_curve_keypair(public, secret) == 0);
	const struct turunc_options options = { .endpoint = "tcp://127.0.0.1:9",
		.client_secret = secret,
		.client_public = public,
		.server_public = public,
		.zmq_context = context,
		.instance = "00000000-0000-4000-8000-000000000001",
		.handlers = { .on_deliver = on_deliver,
		    .on_subscribed = on_subscribed,
		    .on_result = on_result },
		.arg = seen };
	struct turunc_client *c = turunc_client_create(&options, why, sizeof(why));
	if (c == NULL)
		fprintf(stderr, "%s\n", why);
	HOLDS(c != NULL);
	return c;
}

/* Something of each conversation is under way, so that answers find what they answer. */
static void
begin(struct turunc_client *c)
{
	static char id[] = "e-1", source[] = "s", type[] = "sensor.full", ticket[] = "26-0000001-4",
		    verb[] = "note", text[] = "x",
		    command_id[] = "00000000-0000-4000-8000-000000000002";
	Turunc__V1__InboundEvent event = TURUNC__V1__INBOUND_EVENT__INIT;
	Turunc__V1__Command command = TURUNC__V1__COMMAND__INIT;
	const struct turunc_subscription wanted = { .name = "all" };

	event.id = id;
	event.source = source;
	event.type = type;
	(void)turunc_publish(c, &event, NULL);
	(void)turunc_publish(c, &event, NULL);
	(void)turunc_subscribe(c, &wanted);
	(void)turunc_snapshot(c, NULL, 0, NULL);
	command.id = command_id;
	command.ticket = ticket;
	command.verb = verb;
	command.text = text;
	(void)turunc_command(c, &command, 0, NULL, NULL);
	(void)turunc_client_step(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *context;
	struct input in = { data, size };
	uint64_t seen = 0;

	if (context == NULL)
		context = zmq_ctx_new();
	struct turunc_client *c = make(context, &seen);
	begin(c);
	c->session.state = TURUNC_GREETING;
	c->session.hello_request = 1;
	while (in.left > 2 && c->session.socket != NULL) {
		size_t len = (size_t)take_byte(&in) << 8;
		len |= take_byte(&in);
		len = len < in.left ? len : in.left;
		uint8_t *frame = malloc(len + 1);
		memcpy(frame, in.at, len);
		tc_dispatch(c, frame, len);
		free(frame);
		in.at += len;
		in.left -= len;
		if (c->session.state == TURUNC_READY) {
			uint64_t now_ms = 1;
			tc_publish_work(c, now_ms);
			if (c->session.state == TURUNC_READY)
				tc_subscribe_work(c, now_ms);
			if (c->session.state == TURUNC_READY)
				tc_commands_work(c, now_ms);
			if (c->session.state == TURUNC_READY)
				tc_snapshot_work(c, now_ms);
		}
	}
	turunc_client_destroy(c);
	return 0;
}
