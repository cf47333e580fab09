/* Every frame the publish door takes, one line each; anything else is refused. */
#include "door.h"

typedef void handler_fn(
    struct intake *in, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

static const struct inbound {
	const char *name;
	handler_fn *handle;
} inbound[] = {
	[TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH] = { "publish", door_bus_publish },
};

void
intake_on_frame(void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	size_t kind = (size_t)frame->body_case;

	if (kind < ARRAY_LEN(inbound) && inbound[kind].handle != NULL)
		inbound[kind].handle(arg, session, frame);
	else
		(void)bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL, "This door takes Publish only.");
}
