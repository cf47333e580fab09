/* Writes a line a stage that something traced has passed, within a budget. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "frame.h"
#include "log.h"
#include "trace.h"

enum { MORE_BYTES = 300, SECOND_MS = 1000 };

/* What may be done a second and, when little was done before, at once; in thousandths, so that each
 * millisecond brings a whole number of them. */
struct budget {
	const uint64_t at_once, per_s;
	uint64_t left;
};

/* Part of the log, and like it one a process; only the loop's thread writes such lines. */
static struct budget lines = { TRACE_LINES_AT_ONCE, TRACE_LINES_PER_S, 0 };
static struct budget looks = { TRACE_LOOKS_AT_ONCE, TRACE_LOOKS_PER_S, 0 };
static uint64_t refilled_ms; /* 0: never */
static uint64_t left_out;

uint64_t
trace_lines_left_out(void)
{
	return left_out;
}

static void
refill(struct budget *b, uint64_t passed_ms)
{
	uint64_t most = b->at_once * SECOND_MS;

	b->left = passed_ms >= most ? most : b->left + passed_ms * b->per_s;
	if (b->left > most)
		b->left = most;
}

static bool
has_some(const struct budget *b)
{
	return b->left >= SECOND_MS;
}

static void
take_one(struct budget *b)
{
	b->left -= SECOND_MS;
}

/* May a line be written?  What may not is counted. */
static bool
has_room(void)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t passed_ms = refilled_ms == 0 ? UINT64_MAX : now_ms - refilled_ms;

	refill(&lines, passed_ms);
	refill(&looks, passed_ms);
	refilled_ms = now_ms;
	if (log_enabled(LOG_LEVEL_DEBUG))
		return true;
	if (!log_enabled(LOG_LEVEL_INFO))
		return false;
	if (has_some(&lines))
		return true;
	left_out++;
	return false;
}

/* Is it worth the trouble of unpacking?  Most of what comes may not be sampled: that costs no line,
 * and yet would be looked at again for every reader. */
static bool
has_room_to_look(void)
{
	if (!has_room())
		return false;
	if (log_enabled(LOG_LEVEL_DEBUG))
		return true;
	if (!has_some(&looks)) {
		left_out++;
		return false;
	}
	take_one(&looks);
	return true;
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
	if (is_sampled(event->traceparent) && has_some(&lines)) {
		take_one(&lines);
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

	if (!has_room_to_look()
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
