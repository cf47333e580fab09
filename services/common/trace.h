/*
 * trace - the W3C traceparent by which one report, step or message is followed through the services
 * (https://www.w3.org/TR/trace-context/, version 00).
 *
 * A record carries its sender's when that is one, else one of its own; what follows from a record
 * carries the same.  trace_log() says at each stage that it was passed:
 *
 *	... info router traced stage=delivered trace=4bf92f35... type=ticket.routed ticket=26-...
 *...
 *
 * so that one word finds all of it in the logs of all services.  Lines are info for what is sampled
 * (its last two digits say so) and within a budget, and debug beyond that: a storm neither fills
 * disks nor drives other lines out of the log.
 */
#ifndef TURUNC_TRACE_H
#define TURUNC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

enum {
	TRACE_LEN = 55,
	TRACE_SIZE = TRACE_LEN + 1,
	TRACE_ID_LEN = 32,
	TRACE_ID_SIZE = TRACE_ID_LEN + 1,
	TRACE_RANDOM_BYTES = 24,
	/* Some reports' worth at once, and in the long run so few that a storm's traces turn ten
	 * megabytes of log over in eight hours, not in minutes. */
	TRACE_LINES_AT_ONCE = 50,
	TRACE_LINES_PER_S = 2,
	/* Unpacked to see whether they are sampled at all. */
	TRACE_LOOKS_AT_ONCE = 100,
	TRACE_LOOKS_PER_S = 20,
};

/* text may be NULL. */
bool trace_valid(const char *text);
/* out: given when it is valid (it may be NULL), else one made of the random bytes. */
void trace_parent(
    const char *given, const uint8_t random[TRACE_RANDOM_BYTES], char out[TRACE_SIZE]);
/* The trace that begins with what has this id, always the same. */
void trace_begin(const struct uuid *id, char out[TRACE_SIZE]);
/* Its id alone, "" when it is not valid. */
void trace_id(const char *traceparent, char out[TRACE_ID_SIZE]);

/* One line; the words behind are of the format.  Nothing without a valid traceparent. */
PRINTF(3, 4)
void trace_log(const char *stage, const Turunc__V1__Event *event, const char *format, ...);
/* The same of a packed event, which is unpacked only when the line is going to be written. */
PRINTF(4, 5)
void trace_log_packed(const char *stage, const void *event, size_t len, const char *format, ...);
/* The traceparent of a packed event; false: it has none that is valid. */
bool trace_of_packed(const void *event, size_t len, char out[TRACE_SIZE]);
/* What there was no room for: lines, and records that were not looked at. */
uint64_t trace_lines_left_out(void);

#endif
