/* fixture - files of tests/data. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

/* Reads tests/data/<name>, at most size bytes; 0 and a failed check when it is not there. */
size_t fixture_read(const char *name, uint8_t *ret, size_t size);

#endif
