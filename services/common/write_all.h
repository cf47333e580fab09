/*
 * write_all - all of a buffer into a file, however many calls that takes.
 */
#ifndef TURUNC_WRITE_ALL_H
#define TURUNC_WRITE_ALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

/* False: errno says why not, and some of it may be written. */
MUST_CHECK bool write_all(int fd, const void *bytes, size_t len);

#endif
