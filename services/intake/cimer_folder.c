/* Watches a folder for whole files and puts them away when they were dealt with. */
#include "cimer_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint.h"
#include "istanbul.h"

enum {
	STEM_BYTES_MAX = 180, /* of a name that is moved; a number and the report's ending follow */
	TRIES_MAX = 1000,
	PATH_BYTES = CIMER_NAME_BYTES + 64,
	US_PER_MS = 1000,
};

static const char *const places[CIMER_PLACES] = { "done", "rejected" };
static const char *const report_endings[CIMER_PLACES] = { ".tickets.csv", ".errors.csv" };

struct entry {
	char name[CIMER_NAME_BYTES];
	struct stat file; /* as it was at the last look */
	uint64_t since_ms; /* it has been so */
	uint64_t wait_until_ms;
	bool seen; /* in the look under way */
	bool unreadable;
};

struct cimer_folder {
	char *path;
	uint64_t settle_ms;
	int fd; /* -1: not open */
	struct entry entries[CIMER_FILES_MAX];
	size_t count;
};

struct cimer_folder *
cimer_folder_create(const char *path, uint64_t settle_ms)
{
	struct cimer_folder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->fd = -1;
	f->settle_ms = settle_ms;
	/* Sent when somebody opens for writing what a lease is held on for a moment. */
	(void)signal(SIGIO, SIG_IGN);
	f->path = strdup(path);
	if (f->path == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void
cimer_folder_destroy(struct cimer_folder *f)
{
	if (f == NULL)
		return;
	if (f->fd != -1)
		close(f->fd);
	free(f->path);
	free(f);
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool
ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), tail = strlen(ending);

	return len >= tail && strcasecmp(name + len - tail, ending) == 0;
}

static bool
is_passed_over(const char *name)
{
	static const char *const unfinished[] = { ".tmp", ".part", ".partial", ".crdownload",
		".filepart", ".download" };

	if (name[0] == '.' || strncmp(name, "~$", 2) == 0 || strlen(name) >= CIMER_NAME_BYTES)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(unfinished); i++) {
		if (ends_in(name, unfinished[i]))
			return true;
	}
	return false;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
	       && a->st_mtim.tv_sec == b->st_mtim.tv_sec
	       && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct entry *
find(struct cimer_folder *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->entries[i].name, name) == 0)
			return &f->entries[i];
	}
	return NULL;
}

/* What does not fit comes when others have gone. */
static void
note(struct cimer_folder *f, const char *name, uint64_t now_ms)
{
	struct stat file;
	struct entry *e = find(f, name);

	if (fstatat(f->fd, name, &file, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(file.st_mode))
		return;
	if (e == NULL) {
		if (f->count == CIMER_FILES_MAX)
			return;
		e = &f->entries[f->count++];
		*e = (struct entry){ .since_ms = now_ms, .file = file };
		(void)snprintf(e->name, sizeof(e->name), "%s", name);
	} else if (!same_file(&e->file, &file)) {
		e->file = file;
		e->since_ms = now_ms;
		e->wait_until_ms = 0;
	}
	e->seen = true;
}

static void
forget_the_gone(struct cimer_folder *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (f->entries[i].seen && kept != i)
			f->entries[kept] = f->entries[i];
		kept += f->entries[i].seen;
	}
	f->count = kept;
}

static bool
make_places(struct cimer_folder *f)
{
	for (size_t p = 0; p < CIMER_PLACES; p++) {
		if (mkdirat(f->fd, places[p], S_IRWXU | S_IRWXG) == -1 && errno != EEXIST)
			return false;
	}
	return true;
}

bool
cimer_folder_look(struct cimer_folder *f, uint64_t now_ms)
{
	/* Opened anew each time: a share that was mounted again is another folder. */
	if (f->fd != -1)
		close(f->fd);
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd == -1 || !make_places(f))
		return false;
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);
	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return false;
	}
	for (size_t i = 0; i < f->count; i++)
		f->entries[i].seen = false;
	const struct dirent *at;
	while ((at = readdir(dir)) != NULL) {
		if (!is_passed_over(at->d_name))
			note(f, at->d_name, now_ms);
	}
	closedir(dir);
	forget_the_gone(f);
	return true;
}

size_t
cimer_folder_waiting(const struct cimer_folder *f)
{
	return f->count;
}

const char *
cimer_folder_unreadable(const struct cimer_folder *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->entries[i].unreadable)
			return f->entries[i].name;
	}
	return NULL;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* A lease for reading is refused while somebody has the file open for writing.  Where there are no
 * leases (other people's files, network shares) nobody is known to. */
static bool
is_being_written(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

static struct entry *
next(struct cimer_folder *f, uint64_t now_ms)
{
	struct entry *found = NULL;

	for (size_t i = 0; i < f->count; i++) {
		struct entry *e = &f->entries[i];
		bool ready = now_ms - e->since_ms >= f->settle_ms && now_ms >= e->wait_until_ms;
		if (!ready)
			continue;
		if (found == NULL || e->since_ms < found->since_ms
		    || (e->since_ms == found->since_ms && strcmp(e->name, found->name) < 0))
			found = e;
	}
	return found;
}

int
cimer_folder_take(
    struct cimer_folder *f, uint64_t now_ms, char ret_name[CIMER_NAME_BYTES], struct stat *ret_file)
{
	struct entry *e = f->fd == -1 ? NULL : next(f, now_ms);

	if (e == NULL)
		return -1;
	int fd = openat(f->fd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	e->unreadable = fd == -1 && (errno == EACCES || errno == EPERM);
	if (fd == -1 || fstat(fd, ret_file) == -1 || !same_file(&e->file, ret_file)
	    || is_being_written(fd)) {
		/* It is written, was replaced, or may not be read: looked at again later. */
		if (fd != -1)
			close(fd);
		e->since_ms = now_ms;
		return -1;
	}
	memcpy(ret_name, e->name, CIMER_NAME_BYTES);
	return fd;
}

void
cimer_folder_wait(struct cimer_folder *f, const char *name, uint64_t until_ms)
{
	struct entry *e = find(f, name);

	if (e != NULL)
		e->wait_until_ms = until_ms;
}

bool
cimer_folder_unchanged(
    const struct cimer_folder *f, int fd, const char *name, const struct stat *file)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && same_file(&opened, file)
	       && fstatat(f->fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && same_file(&named, file)
	       && !is_being_written(fd);
}

/* --- putting away ----------------------------------------------------------------------------- */

/* "list.csv" with number 2 is "list-2.csv"; a name that is too long is cut in front of its ending.
 */
static void
numbered_name(const char *name, unsigned number, char out[PATH_BYTES])
{
	const char *dot = strrchr(name, '.');
	size_t ending = dot == NULL || dot == name || strlen(dot) > 10 ? 0 : strlen(dot);
	size_t stem = strlen(name) - ending;
	char digits[16] = "";

	while (stem > STEM_BYTES_MAX || (stem > 0 && ((unsigned char)name[stem] & 0xc0) == 0x80))
		stem--;
	if (number > 1)
		(void)snprintf(digits, sizeof(digits), "-%u", number);
	(void)snprintf(
	    out, PATH_BYTES, "%.*s%s%s", (int)stem, name, digits, name + strlen(name) - ending);
}

static bool
is_free(const struct cimer_folder *f, const char *path)
{
	struct stat file;

	return fstatat(f->fd, path, &file, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

/* Paths for the file and its report.  A report whose file is not there is left of a move that was
 * cut off, and is written again. */
static bool
choose_paths(const struct cimer_folder *f, const char *name, enum cimer_place place,
    char path[PATH_BYTES * 2], char report[PATH_BYTES * 2])
{
	char numbered[PATH_BYTES];

	for (unsigned number = 1; number <= TRIES_MAX; number++) {
		numbered_name(name, number, numbered);
		(void)snprintf(path, PATH_BYTES * 2, "%s/%s", places[place], numbered);
		(void)snprintf(report, PATH_BYTES * 2, "%s/%s%s", places[place], numbered,
		    report_endings[place]);
		if (is_free(f, path))
			return true;
	}
	errno = EEXIST;
	return false;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);
		if (put == -1 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

static bool
sync_place(const struct cimer_folder *f, const char *place)
{
	int fd = openat(f->fd, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some network shares have nothing to sync a folder by. */
	bool ok = fd != -1 && (fsync(fd) == 0 || errno == EINVAL || errno == ENOSYS);

	if (fd != -1)
		close(fd);
	return ok;
}

/* Beside first, so that nobody opens half of a report. */
static bool
write_report(const struct cimer_folder *f, enum cimer_place place, const char *path,
    const char *text, size_t len)
{
	char draft[PATH_BYTES];

	(void)snprintf(draft, sizeof(draft), "%s/.report", places[place]);
	int fd = openat(f->fd, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
	bool written = fd != -1 && !failpoint(FAILPOINT_INTAKE_CIMER_REPORT, FAILPOINT_BEFORE)
		       && write_all(fd, text, len) && fsync(fd) == 0;
	if (fd != -1)
		close(fd);
	return written && renameat(f->fd, draft, f->fd, path) == 0 && sync_place(f, places[place])
	       && !failpoint(FAILPOINT_INTAKE_CIMER_REPORT, FAILPOINT_AFTER);
}

static bool
move_file(const struct cimer_folder *f, const char *name, enum cimer_place place, const char *path)
{
	if (failpoint(FAILPOINT_INTAKE_CIMER_MOVE, FAILPOINT_BEFORE))
		return false;
	/* Not every share knows how to refuse a name that is taken; it was free just now. */
	if (renameat2(f->fd, name, f->fd, path, RENAME_NOREPLACE) == -1
	    && (errno != EINVAL || renameat(f->fd, name, f->fd, path) == -1))
		return false;
	return sync_place(f, places[place]) && sync_place(f, ".")
	       && !failpoint(FAILPOINT_INTAKE_CIMER_MOVE, FAILPOINT_AFTER);
}

bool
cimer_folder_move(struct cimer_folder *f, const char *name, enum cimer_place place,
    const char *report, size_t report_len)
{
	char path[PATH_BYTES * 2], report_path[PATH_BYTES * 2];
	struct entry *e = find(f, name);

	if (!choose_paths(f, name, place, path, report_path)
	    || !write_report(f, place, report_path, report, report_len)
	    || !move_file(f, name, place, path))
		return false;
	if (e != NULL)
		*e = f->entries[--f->count];
	return true;
}

static size_t
clear_place(struct cimer_folder *f, const char *place, int64_t before_s)
{
	size_t removed = 0;
	int fd = openat(f->fd, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *at;
	struct stat file;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((at = readdir(dir)) != NULL) {
		/* Moving a file sets the time of its change, not that of its content. */
		if (fstatat(fd, at->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0
		    && S_ISREG(file.st_mode) && file.st_ctim.tv_sec < before_s)
			removed += unlinkat(fd, at->d_name, 0) == 0;
	}
	closedir(dir);
	return removed;
}

size_t
cimer_folder_clear(struct cimer_folder *f, int64_t keep_ms, int64_t now_us)
{
	int64_t before_s = (now_us - keep_ms * US_PER_MS) / US_PER_S;
	size_t removed = 0;

	for (size_t p = 0; f->fd != -1 && p < CIMER_PLACES; p++)
		removed += clear_place(f, places[p], before_s);
	return removed;
}
