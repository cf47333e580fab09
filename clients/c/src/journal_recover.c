/* Reads the journal back at start: which events are pending, where the intact part ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_private.h"

/* An event met while reading, until its DONE is met. */
struct found {
	struct tc_place place;
	bool done;
};

struct recovery {
	struct tc_journal *j;
	struct found *events; /* ascending by segment, then offset */
	size_t count, room;
	bool no_memory;
};

static int
by_number(const void *a, const void *b)
{
	const struct tc_segment *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool
list_segments(struct tc_journal *j)
{
	int fd = openat(j->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	bool ok = dir != NULL;
	uint32_t number;

	if (!ok) {
		tc_journal_complain(j, "cannot list");
		if (fd != -1)
			close(fd);
		return false;
	}
	for (struct dirent *e = readdir(dir); ok && e != NULL; e = readdir(dir)) {
		char name[TC_SEGMENT_NAME_SIZE];
		if (sscanf(e->d_name, "%8" SCNu32 ".journal", &number) != 1)
			continue;
		tc_segment_name(name, number);
		if (strcmp(name, e->d_name) == 0)
			ok = tc_segment_add(j, number) != NULL;
	}
	closedir(dir);
	if (!ok)
		snprintf(j->why, sizeof(j->why), "no memory");
	else if (j->segment_count > 0)
		qsort(j->segments, j->segment_count, sizeof(j->segments[0]), by_number);
	return ok;
}

/* The whole file; NULL with size 0 for an empty one. */
static bool
read_whole(struct tc_journal *j, int fd, uint8_t **ret, size_t *ret_size)
{
	struct stat st;
	size_t got = 0;

	if (fstat(fd, &st) == -1 || st.st_size > INT32_MAX) {
		if (errno == 0)
			errno = EFBIG;
		return false;
	}
	size_t size = (size_t)st.st_size;
	uint8_t *bytes = malloc(size + 1);
	while (bytes != NULL && got < size) {
		ssize_t n = pread(fd, bytes + got, size - got, (off_t)got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (bytes == NULL || got < size) {
		tc_journal_complain(j, "cannot read");
		free(bytes);
		return false;
	}
	*ret = bytes;
	*ret_size = size;
	return true;
}

static void
note_event(struct recovery *r, struct tc_place place)
{
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 256 : r->room * 2;
		struct found *more = realloc(r->events, room * sizeof(*more));
		if (more == NULL) {
			r->no_memory = true;
			return;
		}
		r->events = more;
		r->room = room;
	}
	r->events[r->count++] = (struct found){ place, false };
}

static int
by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->place.segment != y->place.segment)
		return x->place.segment < y->place.segment ? -1 : 1;
	return (x->place.offset > y->place.offset) - (x->place.offset < y->place.offset);
}

static void
note_done(struct recovery *r, const struct tc_entry *entry)
{
	if (entry->len != 8 || r->count == 0)
		return;
	struct found key = { { tc_get_u32(entry->payload), tc_get_u32(entry->payload + 4), 0 }, 0 };
	struct found *event = bsearch(&key, r->events, r->count, sizeof(key), by_place);
	if (event != NULL)
		event->done = true; /* else its segment is gone already */
}

/* Notes what a segment holds; bytes behind the last intact entry are cut from the active one. */
static bool
scan_segment(struct recovery *r, struct tc_segment *s, int fd, bool last)
{
	struct tc_journal *j = r->j;
	struct tc_entry entry;
	uint8_t *bytes;
	size_t size, skipped = 0;
	uint32_t at = 0;

	if (!read_whole(j, fd, &bytes, &size))
		return false;
	while (tc_entry_find(bytes, size, s->number, at, &entry, &skipped)) {
		if (entry.kind == TC_ENTRY_EVENT)
			note_event(r, (struct tc_place){ s->number, entry.offset, entry.len });
		else if (entry.kind == TC_ENTRY_DONE)
			note_done(r, &entry);
		at = entry.offset + TC_ENTRY_HEAD + entry.len;
	}
	free(bytes);

	if (skipped > 0 || (!last && at < size)) {
		s->damaged = true;
		j->damaged++;
	}
	s->bytes = last ? at : (uint32_t)size;
	j->bytes += s->bytes;
	if (last && at < size && ftruncate(fd, at) == -1) {
		tc_journal_complain(j, "cannot cut the torn tail");
		return false;
	}
	return true;
}

static bool
scan_all(struct recovery *r)
{
	struct tc_journal *j = r->j;

	for (size_t i = 0; i < j->segment_count; i++) {
		struct tc_segment *s = &j->segments[i];
		char name[TC_SEGMENT_NAME_SIZE];
		bool last = i + 1 == j->segment_count;
		tc_segment_name(name, s->number);
		int fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC);
		if (fd == -1) {
			tc_journal_complain(j, name);
			return false;
		}
		bool ok = scan_segment(r, s, fd, last);
		if (ok && last)
			j->active_fd = fd;
		else
			close(fd);
		if (!ok)
			return false;
	}
	return true;
}

/* Hands out what is pending, in order; the counts of the segments follow from it. */
static bool
hand_out(struct recovery *r, tc_journal_event_fn *on_event, void *arg)
{
	struct tc_journal *j = r->j;
	static const size_t room = TC_PAYLOAD_MAX;
	uint8_t *bytes = malloc(room);
	size_t s = 0;
	bool ok = bytes != NULL;

	for (size_t i = 0; ok && i < r->count; i++) {
		struct tc_place place = r->events[i].place;
		if (r->events[i].done)
			continue;
		while (j->segments[s].number < place.segment)
			s++;
		if (!tc_journal_read(j, place, bytes))
			continue;
		j->segments[s].pending++;
		j->bytes += TC_DONE_BYTES;
		ok = on_event(arg, place, bytes);
	}
	free(bytes);
	if (!ok)
		snprintf(j->why, sizeof(j->why), "no memory for what is stored");
	return ok;
}

bool
tc_journal_recover(struct tc_journal *j, tc_journal_event_fn *on_event, void *arg)
{
	struct recovery r = { .j = j };

	if (!list_segments(j))
		return false;
	bool ok = scan_all(&r);
	if (ok && r.no_memory) {
		snprintf(j->why, sizeof(j->why), "no memory");
		ok = false;
	}
	if (ok && j->segment_count == 0)
		ok = tc_journal_roll(j);
	if (ok)
		ok = hand_out(&r, on_event, arg);
	free(r.events);
	return ok;
}
