/* trace - the W3C traceparent that a record carries: the sender's when it is one, else our own. */
#ifndef INTAKE_TRACE_H
#define INTAKE_TRACE_H

#include <stdint.h>

enum { TRACE_LEN = 55, TRACE_SIZE = TRACE_LEN + 1, TRACE_RANDOM_BYTES = 24 };

/* given may be NULL or anything at all; random makes the ids of our own. */
void trace_parent(
    const char *given, const uint8_t random[TRACE_RANDOM_BYTES], char out[TRACE_SIZE]);

#endif
