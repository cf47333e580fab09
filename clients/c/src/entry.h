/*
 * entry - one entry of a journal segment: written to a buffer, found again in one.
 */
#ifndef TURUNC_CLIENT_ENTRY_H
#define TURUNC_CLIENT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"

enum tc_entry_kind { TC_ENTRY_EVENT = 1, TC_ENTRY_DONE = 2, TC_ENTRY_REJECTED = 3 };

enum { TC_DONE_BYTES = TC_ENTRY_HEAD + 8, TC_PAYLOAD_MAX = 256 * 1024 };

struct tc_entry {
	enum tc_entry_kind kind;
	uint32_t offset;
	uint32_t len;
	const uint8_t *payload;
};

/* The head of an entry at segment:offset with this payload. */
void tc_entry_head(uint8_t head[TC_ENTRY_HEAD], uint32_t segment, uint32_t offset,
    enum tc_entry_kind kind, const uint8_t *payload, uint32_t len);
/* True when a whole, undamaged entry begins at offset. */
bool tc_entry_parse(const uint8_t *segment_bytes, size_t size, uint32_t segment, uint32_t offset,
    struct tc_entry *ret);
/* The next entry at offset or later; what was stepped over is added to *skipped.  False: none up
 * to the end. */
bool tc_entry_find(const uint8_t *segment_bytes, size_t size, uint32_t segment, uint32_t offset,
    struct tc_entry *ret, size_t *skipped);

void tc_put_u32(uint8_t *to, uint32_t value);
uint32_t tc_get_u32(const uint8_t *from);

#endif
