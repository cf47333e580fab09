/* The layout of one journal entry. */
#include "entry.h"

#include <string.h>

#include "wire.h"

static const uint8_t mark[4] = { 'T', 'R', 'N', '1' };

void
tc_put_u32(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

uint32_t
tc_get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16
	       | (uint32_t)from[3] << 24;
}

static uint32_t
checksum(uint32_t segment, uint32_t offset, uint8_t kind, const uint8_t *payload, uint32_t len)
{
	uint8_t where[13];

	tc_put_u32(where, segment);
	tc_put_u32(where + 4, offset);
	tc_put_u32(where + 8, len);
	where[12] = kind;
	return tc_crc32c(tc_crc32c(0, where, sizeof(where)), payload, len);
}

void
tc_entry_head(uint8_t head[TC_ENTRY_HEAD], uint32_t segment, uint32_t offset,
    enum tc_entry_kind kind, const uint8_t *payload, uint32_t len)
{
	memset(head, 0, TC_ENTRY_HEAD);
	memcpy(head, mark, sizeof(mark));
	tc_put_u32(head + 4, len);
	tc_put_u32(head + 8, checksum(segment, offset, (uint8_t)kind, payload, len));
	head[12] = (uint8_t)kind;
}

bool
tc_entry_parse(const uint8_t *segment_bytes, size_t size, uint32_t segment, uint32_t offset,
    struct tc_entry *ret)
{
	const uint8_t *head = segment_bytes + offset;

	if (offset > size || size - offset < TC_ENTRY_HEAD || memcmp(head, mark, sizeof(mark)) != 0)
		return false;
	uint32_t len = tc_get_u32(head + 4);
	uint8_t kind = head[12];
	if (len > TC_PAYLOAD_MAX || len > size - offset - TC_ENTRY_HEAD)
		return false;
	if (kind < TC_ENTRY_EVENT || kind > TC_ENTRY_REJECTED || head[13] != 0 || head[14] != 0
	    || head[15] != 0)
		return false;
	if (tc_get_u32(head + 8) != checksum(segment, offset, kind, head + TC_ENTRY_HEAD, len))
		return false;
	*ret = (struct tc_entry){ (enum tc_entry_kind)kind, offset, len, head + TC_ENTRY_HEAD };
	return true;
}

bool
tc_entry_find(const uint8_t *segment_bytes, size_t size, uint32_t segment, uint32_t offset,
    struct tc_entry *ret, size_t *skipped)
{
	uint32_t at = offset;

	for (;;) {
		if (tc_entry_parse(segment_bytes, size, segment, at, ret)) {
			*skipped += at - offset;
			return true;
		}
		if (at + 1 >= size)
			return false;
		const uint8_t *next = memmem(
		    segment_bytes + at + 1, size - at - 1, mark, sizeof(mark));
		if (next == NULL)
			return false;
		at = (uint32_t)(next - segment_bytes);
	}
}
