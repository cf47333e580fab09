/* Writes events to segments, marks them done, deletes what is no longer needed. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal_private.h"
#include "rejects.h"

void
tc_journal_complain(struct tc_journal *j, const char *what)
{
	snprintf(j->why, sizeof(j->why), "%s: %s", what, strerror(errno));
}

void
tc_segment_name(char name[TC_SEGMENT_NAME_SIZE], uint32_t number)
{
	snprintf(name, TC_SEGMENT_NAME_SIZE, "%08u.journal", number);
}

struct tc_segment *
tc_segment_add(struct tc_journal *j, uint32_t number)
{
	if (j->segment_count == j->segment_room) {
		size_t room = j->segment_room == 0 ? 16 : j->segment_room * 2;
		struct tc_segment *more = realloc(j->segments, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		j->segments = more;
		j->segment_room = room;
	}
	struct tc_segment *added = &j->segments[j->segment_count++];
	*added = (struct tc_segment){ .number = number };
	return added;
}

static struct tc_segment *
active(struct tc_journal *j)
{
	return &j->segments[j->segment_count - 1];
}

static struct tc_segment *
segment_by_number(struct tc_journal *j, uint32_t number)
{
	for (size_t i = 0; i < j->segment_count; i++)
		if (j->segments[i].number == number)
			return &j->segments[i];
	return NULL;
}

/* A folder made a moment ago must itself survive a power cut. */
static bool
sync_parent(int dir_fd)
{
	int fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd != -1 && fsync(fd) == 0;

	if (fd != -1)
		close(fd);
	return ok;
}

static bool
open_folder(struct tc_journal *j, const char *dir)
{
	bool made = mkdir(dir, 0700) == 0;

	if (!made && errno != EEXIST) {
		tc_journal_complain(j, dir);
		return false;
	}
	j->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir_fd == -1 || (made && !sync_parent(j->dir_fd))) {
		tc_journal_complain(j, dir);
		return false;
	}
	j->lock_fd = openat(j->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (j->lock_fd == -1 || flock(j->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			snprintf(j->why, sizeof(j->why), "store in use by another process");
		else
			tc_journal_complain(j, "lock");
		return false;
	}
	return true;
}

struct tc_journal *
tc_journal_open(const struct tc_journal_options *options, tc_journal_event_fn *on_event, void *arg,
    char *why, size_t why_size)
{
	struct tc_journal *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		snprintf(why, why_size, "no memory");
		return NULL;
	}
	j->dir_fd = j->lock_fd = j->active_fd = j->read_fd = -1;
	j->bytes_max = options->bytes_max;
	j->segment_bytes = options->segment_bytes != 0 ? options->segment_bytes : TC_SEGMENT_BYTES;
	if (!open_folder(j, options->dir) || !tc_journal_recover(j, on_event, arg)) {
		snprintf(why, why_size, "store %s: %s", options->dir, j->why);
		tc_journal_close(j);
		return NULL;
	}
	tc_journal_trim(j);
	return j;
}

void
tc_journal_close(struct tc_journal *j)
{
	if (j == NULL)
		return;
	int fds[] = { j->read_fd, j->active_fd, j->lock_fd, j->dir_fd };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] != -1)
			close(fds[i]);
	free(j->segments);
	free(j);
}

bool
tc_journal_roll(struct tc_journal *j)
{
	char name[TC_SEGMENT_NAME_SIZE];
	uint32_t number = j->segment_count == 0 ? 1 : active(j)->number + 1;

	tc_segment_name(name, number);
	int fd = openat(j->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || fsync(j->dir_fd) == -1 || tc_segment_add(j, number) == NULL) {
		tc_journal_complain(j, name);
		if (fd != -1) {
			close(fd);
			unlinkat(j->dir_fd, name, 0);
		}
		return false;
	}
	if (j->active_fd != -1)
		close(j->active_fd);
	j->active_fd = fd;
	return true;
}

/* All of it or nothing: a part that was written is cut off again. */
static bool
write_entry(struct tc_journal *j, enum tc_entry_kind kind, const uint8_t *payload, uint32_t len)
{
	struct tc_segment *s = active(j);
	uint8_t head[TC_ENTRY_HEAD];
	const void *readable = payload;
	struct iovec parts[2] = { { head, sizeof(head) }, { NULL, len } };
	ssize_t want = (ssize_t)(sizeof(head) + len), wrote;

	memcpy(&parts[1].iov_base, &readable, sizeof(readable));
	tc_entry_head(head, s->number, s->bytes, kind, payload, len);
	do
		wrote = pwritev(j->active_fd, parts, 2, s->bytes);
	while (wrote == -1 && errno == EINTR);
	if (wrote == want) {
		s->bytes += (uint32_t)want;
		return true;
	}
	if (wrote >= 0)
		errno = ENOSPC;
	tc_journal_complain(j, "cannot write");
	if (wrote > 0 && ftruncate(j->active_fd, s->bytes) == -1)
		j->failed = true; /* recovery would cut it; this process cannot go on behind it */
	return false;
}

/* True: the active segment held nothing pending, and another is in its place. */
static bool
give_up_active(struct tc_journal *j)
{
	if (active(j)->pending > 0 || active(j)->bytes == 0 || !tc_journal_roll(j))
		return false;
	tc_journal_trim(j);
	return true;
}

enum tc_journal_answer
tc_journal_append(
    struct tc_journal *j, const uint8_t *bytes, size_t len, struct tc_place *ret_place)
{
	uint64_t cost = TC_ENTRY_HEAD + len + TC_DONE_BYTES;

	if (j->failed)
		return TC_JOURNAL_FAILED;
	if (j->bytes + cost > j->bytes_max)
		return TC_JOURNAL_FULL;
	/* What the old segment holds must be durable before the new one is the one synced. */
	if (active(j)->bytes >= j->segment_bytes && (!tc_journal_sync(j) || !tc_journal_roll(j)))
		return TC_JOURNAL_FAILED;

	struct tc_place place = { active(j)->number, active(j)->bytes, (uint32_t)len };
	if (!write_entry(j, TC_ENTRY_EVENT, bytes, place.len)) {
		/* A full disk has room again when the segment that fills it is no longer needed. */
		if (j->failed || !give_up_active(j))
			return TC_JOURNAL_FAILED;
		place = (struct tc_place){ active(j)->number, active(j)->bytes, (uint32_t)len };
		if (!write_entry(j, TC_ENTRY_EVENT, bytes, place.len))
			return TC_JOURNAL_FAILED;
	}
	active(j)->pending++;
	j->bytes += cost;
	*ret_place = place;
	return TC_JOURNAL_OK;
}

bool
tc_journal_sync(struct tc_journal *j)
{
	if (j->failed)
		return false;
	if (fdatasync(j->active_fd) == 0)
		return true;
	tc_journal_complain(j, "fsync");
	j->failed = true;
	return false;
}

/* The descriptor to read a segment from; the last older one asked for stays open. */
static int
descriptor(struct tc_journal *j, uint32_t number)
{
	char name[TC_SEGMENT_NAME_SIZE];

	if (number == active(j)->number)
		return j->active_fd;
	if (j->read_fd != -1 && j->read_number == number)
		return j->read_fd;
	if (j->read_fd != -1)
		close(j->read_fd);
	tc_segment_name(name, number);
	j->read_fd = openat(j->dir_fd, name, O_RDONLY | O_CLOEXEC);
	j->read_number = number;
	return j->read_fd;
}

bool
tc_journal_read(struct tc_journal *j, struct tc_place place, uint8_t *to)
{
	uint8_t stored[TC_ENTRY_HEAD], wanted[TC_ENTRY_HEAD];
	struct iovec parts[2] = { { stored, sizeof(stored) }, { to, place.len } };
	int fd = descriptor(j, place.segment);
	ssize_t got;

	do
		got = fd == -1 ? -1 : preadv(fd, parts, 2, place.offset);
	while (got == -1 && errno == EINTR && fd != -1);
	if (got == (ssize_t)(sizeof(stored) + place.len)) {
		tc_entry_head(wanted, place.segment, place.offset, TC_ENTRY_EVENT, to, place.len);
		if (memcmp(stored, wanted, sizeof(stored)) == 0)
			return true;
		errno = EIO;
	}
	tc_journal_complain(j, "cannot read back");
	j->damaged++;
	struct tc_segment *s = segment_by_number(j, place.segment);
	if (s != NULL)
		s->damaged = true;
	return false;
}

void
tc_journal_done(struct tc_journal *j, struct tc_place place)
{
	uint8_t payload[8];
	struct tc_segment *s = segment_by_number(j, place.segment);

	if (s == NULL || s->pending == 0)
		return;
	s->pending--;
	tc_put_u32(payload, place.segment);
	tc_put_u32(payload + 4, place.offset);
	/* Refused by the disk: the space reserved for it is not used, the event is sent again after
	 * a crash, and the door knows it already. */
	if (j->failed || !write_entry(j, TC_ENTRY_DONE, payload, sizeof(payload)))
		j->bytes -= TC_DONE_BYTES;
	if (active(j)->pending == 0 && active(j)->bytes >= j->segment_bytes / 4 && !j->failed)
		(void)tc_journal_roll(j); /* without it the segment just lives longer */
	tc_journal_trim(j);
}

void
tc_journal_reject(
    struct tc_journal *j, struct tc_place place, const char *reason, const uint8_t *bytes)
{
	if (!tc_rejects_append(j->dir_fd, j->bytes_max / 4, reason, bytes, place.len)) {
		/* Keep it: pending, it is offered again after a restart and refused again. */
		tc_journal_complain(j, "cannot keep a rejected event");
		return;
	}
	tc_journal_done(j, place);
}

void
tc_journal_trim(struct tc_journal *j)
{
	size_t gone = 0;

	while (gone + 1 < j->segment_count && j->segments[gone].pending == 0) {
		struct tc_segment *s = &j->segments[gone];
		char name[TC_SEGMENT_NAME_SIZE], kept[TC_SEGMENT_NAME_SIZE];
		tc_segment_name(name, s->number);
		snprintf(kept, sizeof(kept), "%08u.damaged", s->number);
		int failed = s->damaged ? renameat(j->dir_fd, name, j->dir_fd, kept)
					: unlinkat(j->dir_fd, name, 0);
		if (failed == -1 && errno != ENOENT)
			break;
		if (j->read_fd != -1 && j->read_number == s->number) {
			close(j->read_fd);
			j->read_fd = -1;
		}
		j->bytes -= s->bytes < j->bytes ? s->bytes : j->bytes;
		gone++;
	}
	if (gone == 0)
		return;
	j->segment_count -= gone;
	memmove(j->segments, j->segments + gone, j->segment_count * sizeof(j->segments[0]));
}

uint64_t
tc_journal_bytes(const struct tc_journal *j)
{
	return j->bytes;
}

uint64_t
tc_journal_damaged(const struct tc_journal *j)
{
	return j->damaged;
}

const char *
tc_journal_why(const struct tc_journal *j)
{
	return j->why;
}
