/* redis_internal - what the files of redis share; for redis*.c alone. */
#ifndef TURUNC_REDIS_INTERNAL_H
#define TURUNC_REDIS_INTERNAL_H

#include <stddef.h>

#include "redis.h"

/* One command: arguments that belong to somebody else. */
struct redis_command {
	size_t count;
	const char *const *args;
	const size_t *lens; /* NULL: all are text */
};

size_t redis_command_bytes(const struct redis_command *command);

/* Sends the commands in one piece; done hears of the last one.  False: nothing is sent. */
bool redis_put(struct redis *r, const struct redis_command *commands, size_t count,
    redis_done_fn *done, void *arg);

#endif
