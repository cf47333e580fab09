/*
 * journal - events on disk until they have a positive answer.  The client's store, and intake's
 * spool.
 *
 * A folder holds numbered segments (00000001.journal, ...), each a row of entries:
 *
 *	"TRN1"  length u32  crc u32  kind u8  0 0 0  payload[length]          (little-endian)
 *
 * An EVENT's payload is the encoded event; a DONE's names the segment and offset of an event that
 * needs no more sending.  The CRC-32C covers segment, offset, length, kind and payload, so that
 * bytes of another file or place never pass for an entry.  A segment without pending events is
 * deleted, oldest first.  Reading back drops a torn tail, and steps over damage in the middle;
 * a damaged segment is kept under the name NNNNNNNN.damaged.  A DONE lost in a crash means that an
 * event is sent once more, which the door recognises.
 *
 * One process at a time: the folder is locked while open.
 */
#ifndef TURUNC_CLIENT_JOURNAL_H
#define TURUNC_CLIENT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "turunc/client.h"

enum { TC_ENTRY_HEAD = 16, TC_SEGMENT_BYTES = 4 * 1024 * 1024 };

struct tc_journal;

/* Where an event lies: its segment's number and the offset of its entry there. */
struct tc_place {
	uint32_t segment;
	uint32_t offset;
	uint32_t len; /* of the payload */
};

struct tc_journal_options {
	const char *dir; /* made if absent (0700) */
	uint64_t bytes_max; /* of all segments */
	uint32_t segment_bytes; /* a new one is begun beyond; 0 = TC_SEGMENT_BYTES */
};

/* Called for each pending event, in the order stored.  bytes are lent; false ends the opening. */
typedef bool tc_journal_event_fn(void *arg, struct tc_place place, const uint8_t *bytes);

/* NULL: why says it in one line (locked by another process, no folder, no memory). */
TURUNC_MUST_CHECK struct tc_journal *tc_journal_open(const struct tc_journal_options *options,
    tc_journal_event_fn *on_event, void *arg, char *why, size_t why_size);
void tc_journal_close(struct tc_journal *j); /* takes NULL */

enum tc_journal_answer { TC_JOURNAL_OK, TC_JOURNAL_FULL, TC_JOURNAL_FAILED };

/* Writes an event behind the others; durable after tc_journal_sync().  FAILED: the disk refused
 * and the entry was taken back.  Room for its DONE is reserved with it. */
TURUNC_MUST_CHECK enum tc_journal_answer tc_journal_append(
    struct tc_journal *j, const uint8_t *bytes, size_t len, struct tc_place *ret_place);
/* False: nothing appended since the last sync may be relied on, and, as a failed fsync is never
 * repeated, nothing is taken until the journal is opened anew. */
TURUNC_MUST_CHECK bool tc_journal_sync(struct tc_journal *j);
/* Reads a pending event back into to (place.len bytes); false when the disk gives something
 * else. */
TURUNC_MUST_CHECK bool tc_journal_read(struct tc_journal *j, struct tc_place place, uint8_t *to);
/* The event needs no more sending.  A disk that refuses the mark costs a repeat, no more. */
void tc_journal_done(struct tc_journal *j, struct tc_place place);
/* The same for one refused for good: kept in the file "rejected" with the reason, first. */
void tc_journal_reject(
    struct tc_journal *j, struct tc_place place, const char *reason, const uint8_t *bytes);

uint64_t tc_journal_bytes(const struct tc_journal *j);
uint64_t tc_journal_damaged(const struct tc_journal *j);
const char *tc_journal_why(const struct tc_journal *j); /* the last refusal, "" if none */

#endif
