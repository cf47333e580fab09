/*
 * uuid - identifiers made by the writer: UUIDv7 of RFC 9562.
 *
 * Those of one source rise strictly, also within a millisecond and when the clock goes back; the
 * rest is from the kernel's random source, so they cannot be guessed.
 */
#ifndef TURUNC_UUID_H
#define TURUNC_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { UUID_BYTES = 16, UUID_TEXT_LEN = 36, UUID_TEXT_SIZE = UUID_TEXT_LEN + 1 };

struct uuid {
	uint8_t bytes[UUID_BYTES];
};

/* Zeroed is ready.  One per process is enough; not for two threads at once. */
struct uuid_source {
	uint64_t last_ms;
	uint64_t high; /* the 12 bits after the version */
	uint64_t low; /* the 62 bits after the variant */
};

/* now_us: the wall clock; before 1970 counts as 1970. */
void uuid_next(struct uuid_source *source, int64_t now_us, struct uuid *ret_uuid);

/* Lower case, with hyphens; always terminated. */
void uuid_format(const struct uuid *u, char text[UUID_TEXT_SIZE]);

/* Exactly the 36 characters (either case) and nothing else; any version and variant. */
MUST_CHECK bool uuid_parse(const char *text, size_t len, struct uuid *ret_uuid);

int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_is_nil(const struct uuid *u);

/* The time of a version 7 in milliseconds since 1970, -1 for any other version. */
int64_t uuid_time_ms(const struct uuid *u);

#endif
