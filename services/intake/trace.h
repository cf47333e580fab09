/* trace - the W3C traceparent that a record carries: the sender's when it is one, else our own. */
#ifndef INTAKE_TRACE_H
#define INTAKE_TRACE_H

enum { TRACE_LEN = 55, TRACE_SIZE = TRACE_LEN + 1 };

/* given may be NULL or anything at all. */
void trace_parent(const char *given, char out[TRACE_SIZE]);

#endif
