/* What the stream door takes: one row a frame; anything else is refused. */
#include "router.h"

typedef void handler_fn(
    struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

static void
handle_command(struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	commands_handle(r->commands, session, frame);
}

static void
handle_subscribe(
    struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	stream_handle_subscribe(r->stream, session, frame);
}

static void
handle_snapshot(struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	stream_handle_snapshot(r->stream, session, frame);
}

static void
handle_credit(struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	stream_handle_credit(r->stream, session, frame);
}

static void
handle_ack(struct router *r, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	stream_handle_ack(r->stream, session, frame);
}

static const struct inbound {
	unsigned verb; /* of enum acl_verb: the right the frame needs, 0 none */
	handler_fn *handle;
} inbound[] = {
	[TURUNC__V1__CLIENT_FRAME__BODY_SUBSCRIBE] = { ACL_SUBSCRIBE, handle_subscribe },
	[TURUNC__V1__CLIENT_FRAME__BODY_SNAPSHOT] = { ACL_SNAPSHOT, handle_snapshot },
	[TURUNC__V1__CLIENT_FRAME__BODY_CREDIT] = { ACL_SUBSCRIBE, handle_credit },
	[TURUNC__V1__CLIENT_FRAME__BODY_ACK] = { ACL_SUBSCRIBE, handle_ack },
	[TURUNC__V1__CLIENT_FRAME__BODY_COMMAND] = { ACL_COMMAND, handle_command },
};

static void
on_frame(void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct router *r = arg;
	size_t kind = (size_t)frame->body_case;

	if (kind >= ARRAY_LEN(inbound) || inbound[kind].handle == NULL) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL,
		    "this door does not take such a frame");
		return;
	}
	const struct acl_client *rights = bus_session_rights(session);
	if (rights == NULL || (inbound[kind].verb & ~rights->verbs) != 0) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
		    "the key's rights do not cover this");
		return;
	}
	inbound[kind].handle(r, session, frame);
}

static void
head(void *arg, struct bus_head *ret_head)
{
	struct router *r = arg;
	const struct registry_head *seen = registry_head(r->registry);

	*ret_head = (struct bus_head){ .log_id = seen->log_id,
		.seq = seen->seq,
		.hash = seen->has_hash ? seen->hash : NULL,
		.hash_len = seen->has_hash ? sizeof(seen->hash) : 0 };
}

static void
on_writable(void *arg, struct bus_session *session)
{
	stream_session_writable(((struct router *)arg)->stream, session);
}

static void
on_close(void *arg, struct bus_session *session, enum bus_close_reason reason)
{
	struct router *r = arg;

	(void)reason;
	commands_session_closed(r->commands, session);
	stream_session_closed(r->stream, session);
}

const struct bus_door_calls router_door_calls = {
	.head = head,
	.on_frame = on_frame,
	.on_writable = on_writable,
	.on_close = on_close,
};
