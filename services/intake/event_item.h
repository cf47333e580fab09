/*
 * event_item - an event published on the bus, checked, and the item it becomes.
 *
 * The event's texts are lent (by its frame) until the item is done.
 */
#ifndef INTAKE_EVENT_ITEM_H
#define INTAKE_EVENT_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "acl.h"
#include "base.h"
#include "catalogue.h"
#include "item.h"
#include "phone.h"
#include "turunc/v1/inbound.pb-c.h"

enum { EVENT_ERROR_BYTES = 240, EVENT_MAX_AGE_DAYS = 400, EVENT_MAX_AHEAD_MIN = 5 };

struct event_item {
	struct item item;
	struct phone phone;
	char *answers; /* owned */
	uint8_t *packed; /* owned: the body as it came */
};

void event_item_init(struct event_item *e, item_done_fn *done);
void event_item_finish(struct event_item *e);

enum event_verdict {
	EVENT_READ,
	EVENT_REJECTED, /* whatever happens: error says "CODE: why" to the publisher */
	EVENT_NO_MEMORY, /* ours, not the publisher's fault: undecided, to be sent again */
};

/*
 * Fills the item but for client, ticket_id of a ticket to be opened, and the seal.  The codes of
 * what is rejected: TOO_LARGE, FORBIDDEN, TOO_OLD, IN_FUTURE, BAD_FIELD.
 */
MUST_CHECK enum event_verdict event_item_read(struct event_item *e,
    const Turunc__V1__InboundEvent *event, const struct acl_client *client,
    const struct catalogue *cat, const struct item_maker *maker, int64_t now_us,
    char error[EVENT_ERROR_BYTES]);

#endif
