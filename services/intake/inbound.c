/* Every frame the publish door takes, one line each; anything else is refused. */
#include "door.h"

typedef void handler_fn(
    struct intake *in, struct bus_session *session, const Turunc__V1__ClientFrame *frame);

static const struct inbound {
	enum acl_verb verb; /* the right the frame needs, which may have gone since Hello */
	handler_fn *handle;
} inbound[] = {
	[TURUNC__V1__CLIENT_FRAME__BODY_PUBLISH] = { ACL_PUBLISH, door_bus_publish },
};

void
intake_on_frame(void *arg, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	size_t kind = (size_t)frame->body_case;
	const struct acl_client *rights = bus_session_rights(session);

	if (kind >= ARRAY_LEN(inbound) || inbound[kind].handle == NULL)
		(void)bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_PROTOCOL, "This door takes Publish only.");
	else if (rights == NULL || !acl_allows_verb(rights, inbound[kind].verb))
		(void)bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN, "The key's rights do not cover this.");
	else
		inbound[kind].handle(arg, session, frame);
}
