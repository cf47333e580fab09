/*
 * problems - what is wrong with a request, one sentence each, told to the sender all at once.
 *
 * Open311's errors are an array of {code, description}; code is the status of that problem alone,
 * and the first one's is the answer's.  On the bus the first sentence is the event's BAD_FIELD.
 */
#ifndef INTAKE_PROBLEMS_H
#define INTAKE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "doc.h"

enum { PROBLEMS_MAX = 8, PROBLEM_TEXT_BYTES = 240 };

struct problem {
	unsigned status;
	char text[PROBLEM_TEXT_BYTES];
};

/* Zeroed is ready.  Problems beyond the first PROBLEMS_MAX are not kept. */
struct problems {
	size_t count;
	struct problem at[PROBLEMS_MAX];
};

/* Text from outside must not be among the arguments. */
PRINTF(3, 4) void problems_add(struct problems *p, unsigned status, const char *format, ...);

/* False: out of memory. */
MUST_CHECK bool problems_write(
    const struct problems *p, enum doc_format format, struct evbuffer *out);

#endif
