/* Every frame a door may send, one line each; the only place that decodes. */
#include <stdio.h>
#include <string.h>

#include "client_private.h"
#include "wire.h"

enum { SHUTDOWN_WAIT_MS = 500, REVOKED_WAIT_MS = 30000 };

typedef void handler_fn(struct turunc_client *c, const Turunc__V1__ServerFrame *frame);

static void
log_is(struct turunc_client *c, const char *log_id, uint64_t head_seq)
{
	if (log_id[0] != '\0')
		snprintf(c->log_id, sizeof(c->log_id), "%s", log_id);
	c->head_seq = head_seq;
}

static void
handle_welcome(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	const Turunc__V1__Welcome *welcome = frame->welcome;

	if (c->session.state != TURUNC_GREETING || frame->request != c->session.hello_request) {
		c->stats.bad_frames++;
		return;
	}
	if (welcome->protocol != TURUNC_PROTOCOL) {
		tc_session_drop(c, TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL,
		    "the door speaks another protocol", c->options.backoff_max_ms);
		return;
	}
	log_is(c, welcome->log_id, welcome->head_seq);
	snprintf(c->name, sizeof(c->name), "%s", welcome->client);
	c->stats.sessions++;
	tc_publish_start(c, welcome);
	c->session.state = TURUNC_READY;
	c->session.since_ms = tc_now_ms();
	if (c->options.handlers.on_state != NULL)
		c->options.handlers.on_state(c->options.arg, TURUNC_READY, c->name);
}

static void
handle_published(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_publish_on_published(c, frame->request, frame->published);
}

static void
handle_busy(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_publish_on_busy(c, frame->request, frame->busy->retry_ms);
}

static void
handle_subscribed(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_subscribe_on_subscribed(c, frame->request, frame->subscribed);
}

static void
handle_page(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_snapshot_on_page(c, frame->request, frame->snapshot_page);
}

static void
handle_deliver(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_subscribe_on_deliver(c, frame->deliver);
}

static void
handle_acked(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_subscribe_on_acked(c, frame->acked);
}

static void
handle_done(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_commands_on_done(c, frame->request, frame->done);
}

static void
handle_refused(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	tc_commands_on_refused(c, frame->request, frame->refused);
}

static void
handle_ping(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	Turunc__V1__Pong pong = TURUNC__V1__PONG__INIT;
	Turunc__V1__ClientFrame answer = TURUNC__V1__CLIENT_FRAME__INIT;

	answer.request = frame->request;
	answer.body_case = TURUNC__V1__CLIENT_FRAME__BODY_PONG;
	answer.pong = &pong;
	(void)tc_session_say(c, &answer);
}

static void
handle_pong(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	log_is(c, frame->pong->log_id, frame->pong->head_seq);
}

/* How long to stay away at least after a session ended with this. */
static uint32_t
least_wait_ms(const struct turunc_client *c, const Turunc__V1__Error *error)
{
	switch (error->code) {
	case TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN:
		return error->retry_ms > SHUTDOWN_WAIT_MS ? error->retry_ms : SHUTDOWN_WAIT_MS;
	case TURUNC__V1__ERROR_CODE__ERROR_REVOKED:
	case TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN:
		return REVOKED_WAIT_MS;
	case TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL:
		return c->options.backoff_max_ms;
	default:
		return error->retry_ms;
	}
}

static bool
ends_session(const struct turunc_client *c, uint64_t request, const Turunc__V1__Error *error)
{
	return error->fatal || error->code == TURUNC__V1__ERROR_CODE__ERROR_NO_SESSION
	       || error->code == TURUNC__V1__ERROR_CODE__ERROR_SHUTTING_DOWN
	       || error->code == TURUNC__V1__ERROR_CODE__ERROR_REVOKED
	       || (c->session.state == TURUNC_GREETING && request == c->session.hello_request);
}

static void
handle_error(struct turunc_client *c, const Turunc__V1__ServerFrame *frame)
{
	const Turunc__V1__Error *error = frame->error;
	bool claimed = tc_publish_refused(c, frame->request, error)
		       || tc_commands_refused(c, frame->request, error)
		       || tc_snapshot_refused(c, frame->request, error)
		       || tc_subscribe_refused(c, frame->request, error);

	if (ends_session(c, frame->request, error))
		tc_session_drop(c, error->code, error->text, least_wait_ms(c, error));
	else if (!claimed)
		tc_trouble(c, &(struct turunc_trouble){ .about = TURUNC_ABOUT_SESSION,
				  .code = error->code,
				  .text = error->text,
				  .last_common_seq = error->last_common_seq });
}

static const struct {
	handler_fn *handle;
	bool before_welcome;
} inbound[] = {
	[TURUNC__V1__SERVER_FRAME__BODY_WELCOME] = { handle_welcome, true },
	[TURUNC__V1__SERVER_FRAME__BODY_PUBLISHED] = { handle_published, false },
	[TURUNC__V1__SERVER_FRAME__BODY_BUSY] = { handle_busy, false },
	[TURUNC__V1__SERVER_FRAME__BODY_SUBSCRIBED] = { handle_subscribed, false },
	[TURUNC__V1__SERVER_FRAME__BODY_SNAPSHOT_PAGE] = { handle_page, false },
	[TURUNC__V1__SERVER_FRAME__BODY_DELIVER] = { handle_deliver, false },
	[TURUNC__V1__SERVER_FRAME__BODY_ACKED] = { handle_acked, false },
	[TURUNC__V1__SERVER_FRAME__BODY_DONE] = { handle_done, false },
	[TURUNC__V1__SERVER_FRAME__BODY_REFUSED] = { handle_refused, false },
	[TURUNC__V1__SERVER_FRAME__BODY_PING] = { handle_ping, true },
	[TURUNC__V1__SERVER_FRAME__BODY_PONG] = { handle_pong, true },
	[TURUNC__V1__SERVER_FRAME__BODY_ERROR] = { handle_error, true },
};

/* A frame this version does not know is passed over and counted: a newer door may send it. */
void
tc_dispatch(struct turunc_client *c, const uint8_t *data, size_t len)
{
	Turunc__V1__ServerFrame *frame = turunc__v1__server_frame__unpack(NULL, len, data);

	if (frame == NULL) {
		c->stats.bad_frames++;
		tc_session_drop(c, 0, "a frame that cannot be decoded", 0);
		return;
	}
	size_t kind = (size_t)frame->body_case;
	if (kind < TC_LEN(inbound) && inbound[kind].handle != NULL
	    && (c->session.state == TURUNC_READY || inbound[kind].before_welcome))
		inbound[kind].handle(c, frame);
	else
		c->stats.bad_frames++;
	turunc__v1__server_frame__free_unpacked(frame, NULL);
}
