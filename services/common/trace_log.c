/* Writes a line a stage that something traced has passed, within a budget a second. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "log.h"
#include "trace.h"

enum { MORE_BYTES = 300, SECOND_MS = 1000 };

/* Part of the log, and like it one a process; only the loop's thread writes such lines. */
static uint64_t second_began_ms;
static unsigned lines_in_second;
static uint64_t left_out;

uint64_t
trace_lines_left_out(void)
{
	return left_out;
}

/* Is it worth the trouble of unpacking?  What is not is counted. */
static bool
has_room(void)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - second_began_ms >= SECOND_MS) {
		second_began_ms = now_ms;
		lines_in_second = 0;
	}
	if (log_enabled(LOG_LEVEL_DEBUG))
		return true;
	if (!log_enabled(LOG_LEVEL_INFO))
		return false;
	if (lines_in_second < TRACE_LINES_PER_S)
		return true;
	left_out++;
	return false;
}

static bool
is_sampled(const char *traceparent)
{
	char last = traceparent[TRACE_LEN - 1];
	unsigned digit = last <= '9' ? (unsigned)(last - '0') : (unsigned)(last - 'a' + 10);

	return (digit & 1) != 0;
}

PRINTF(3, 0)
static void
write_line(const char *stage, const Turunc__V1__Event *event, const char *format, va_list args)
{
	char id[TRACE_ID_SIZE], more[MORE_BYTES];

	trace_id(event->traceparent, id);
	if (id[0] == '\0')
		return;
	if (vsnprintf(more, sizeof(more), format, args) < 0)
		more[0] = '\0';
	if (is_sampled(event->traceparent) && lines_in_second < TRACE_LINES_PER_S) {
		lines_in_second++;
		log_info("traced stage=%s trace=%s type=%.40s ticket=%.20s%s%s", stage, id,
		    event->type, event->subject, more[0] == '\0' ? "" : " ", more);
	} else {
		log_debug("traced stage=%s trace=%s type=%.40s ticket=%.20s%s%s", stage, id,
		    event->type, event->subject, more[0] == '\0' ? "" : " ", more);
	}
}

void
trace_log(const char *stage, const Turunc__V1__Event *event, const char *format, ...)
{
	va_list args;

	if (!has_room())
		return;
	va_start(args, format);
	write_line(stage, event, format, args);
	va_end(args);
}

void
trace_log_packed(const char *stage, const void *data, size_t len, const char *format, ...)
{
	struct frame *frame = NULL;
	va_list args;

	if (!has_room()
	    || frame_unpack(&turunc__v1__event__descriptor, data, len, &frame, NULL) != FRAME_OK)
		return;
	va_start(args, format);
	write_line(stage, (const Turunc__V1__Event *)frame_message(frame), format, args);
	va_end(args);
	frame_destroy(frame);
}

bool
trace_of_packed(const void *data, size_t len, char out[TRACE_SIZE])
{
	struct frame *frame = NULL;

	if (frame_unpack(&turunc__v1__event__descriptor, data, len, &frame, NULL) != FRAME_OK)
		return false;
	const Turunc__V1__Event *event = (const Turunc__V1__Event *)frame_message(frame);
	bool valid = trace_valid(event->traceparent);
	if (valid)
		memcpy(out, event->traceparent, TRACE_SIZE);
	frame_destroy(frame);
	return valid;
}
