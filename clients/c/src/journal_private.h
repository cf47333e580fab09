/* journal_private - what the journal's writing half and its reading-back half share. */
#ifndef TURUNC_CLIENT_JOURNAL_PRIVATE_H
#define TURUNC_CLIENT_JOURNAL_PRIVATE_H

#include "entry.h"
#include "journal.h"

struct tc_segment {
	uint32_t number;
	uint32_t bytes;
	uint32_t pending; /* events without a DONE */
	bool damaged; /* keep the file for whoever looks into it */
};

struct tc_journal {
	int dir_fd, lock_fd;
	int active_fd; /* the last segment, written and read */
	int read_fd; /* an older one being read, or -1 */
	uint32_t read_number;
	struct tc_segment *segments; /* ascending; the last one is active */
	size_t segment_count, segment_room;
	uint64_t bytes; /* of all segments, and of the DONEs still to come */
	uint64_t bytes_max;
	uint32_t segment_bytes;
	uint64_t damaged; /* entries or stretches that could not be read */
	bool failed; /* an fsync failed: nothing may be promised any more */
	char why[160];
};

enum { TC_SEGMENT_NAME_SIZE = 24 };

void tc_segment_name(char name[TC_SEGMENT_NAME_SIZE], uint32_t number);
/* The new, last one; NULL without memory. */
struct tc_segment *tc_segment_add(struct tc_journal *j, uint32_t number);
/* Reads every segment; on_event for what is pending.  False: why says it. */
bool tc_journal_recover(struct tc_journal *j, tc_journal_event_fn *on_event, void *arg);
/* Deletes segments, oldest first, while they hold nothing pending; never the active one. */
void tc_journal_trim(struct tc_journal *j);
/* Begins a new active segment. */
bool tc_journal_roll(struct tc_journal *j);
void tc_journal_complain(struct tc_journal *j, const char *what);

#endif
