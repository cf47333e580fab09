/* event_pack - what all records of the notifier have in common. */
#ifndef NOTIFIER_EVENT_PACK_H
#define NOTIFIER_EVENT_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

/* Fills the attributes of an event whose body is set, and packs it; returns its size.  Asserts that
 * it fits: every field of these records is bounded. */
size_t event_pack(Turunc__V1__Event *event, const char *type, int64_t ticket_id,
    struct uuid_source *ids, int64_t now_us, uint8_t *ret_packed, size_t max);

#endif
