/* Packs a record, from its body on. */
#include "event_pack.h"

#include <assert.h>
#include <stdio.h>

#include "number.h"
#include "trace.h"

size_t
event_pack(Turunc__V1__Event *event, const char *type, int64_t ticket_id, struct uuid_source *ids,
    int64_t now_us, uint8_t *ret_packed, size_t max)
{
	char id[UUID_TEXT_SIZE], number[NUMBER_SIZE], typed[32];
	char source[] = "notifier", actor[] = "system", trace[TRACE_SIZE];
	struct uuid event_id;

	uuid_next(ids, now_us, &event_id);
	uuid_format(&event_id, id);
	if (!number_format(ticket_id, number))
		number[0] = '\0';
	(void)snprintf(typed, sizeof(typed), "%s", type);
	event->id = id;
	event->source = source;
	event->type = typed;
	event->time_us = now_us;
	event->subject = number;
	event->actor = actor;
	if (!trace_valid(event->traceparent)) {
		trace_begin(&event_id, trace);
		event->traceparent = trace;
	}
	size_t size = turunc__v1__event__get_packed_size(event);
	assert(size <= max);
	turunc__v1__event__pack(event, ret_packed);
	return size;
}
