/* Keeps the words of a record that its line in the log needs. */
#include "traced.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "trace.h"

struct traced {
	size_t count;
	struct one {
		uint64_t seq;
		char trace[TRACE_SIZE];
		char type[40];
		char subject[NUMBER_SIZE];
	} records[];
};

struct traced *
traced_take(const Turunc__V1__Deliver *deliver, size_t from, size_t to)
{
	size_t most = to - from < TRACE_LINES_AT_ONCE ? to - from : TRACE_LINES_AT_ONCE;
	struct traced *t = most == 0 ? NULL : calloc(1, sizeof(*t) + most * sizeof(t->records[0]));

	for (size_t i = from; t != NULL && i < to && t->count < most; i++) {
		const Turunc__V1__Record *record = deliver->records[i];
		if (record->event == NULL || !trace_valid(record->event->traceparent))
			continue;
		struct one *one = &t->records[t->count++];
		one->seq = record->seq;
		memcpy(one->trace, record->event->traceparent, sizeof(one->trace));
		(void)snprintf(one->type, sizeof(one->type), "%s", record->event->type);
		(void)snprintf(one->subject, sizeof(one->subject), "%s", record->event->subject);
	}
	return t;
}

void
traced_log(const struct traced *t, const char *stage)
{
	for (size_t i = 0; t != NULL && i < t->count; i++) {
		struct one one = t->records[i];
		Turunc__V1__Event event = TURUNC__V1__EVENT__INIT;
		event.traceparent = one.trace;
		event.type = one.type;
		event.subject = one.subject;
		trace_log(stage, &event, "seq=%" PRIu64, one.seq);
	}
}

void
traced_destroy(struct traced *t)
{
	free(t);
}
