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
#include <sys/vfs.h>
#include <unistd.h>

#include "cimer_place.h"
#include "failpoint.h"

enum {
	STEM_BYTES_MAX = 180, /* of a name that is moved; a number and the report's ending follow */
	TRIES_MAX = 1000,
	PATH_BYTES = CIMER_NAME_BYTES + 64,
};

static const char *const places[CIMER_PLACES] = { "done", "rejected" };
static const char *const report_endings[CIMER_PLACES] = { ".tickets.csv", ".errors.csv" };

struct entry {
	char name[CIMER_NAME_BYTES];
	struct stat file; /* as it was at the last look */
	uint64_t since_ms; /* it has been so */
	uint64_t wait_until_ms;
	uint32_t failures, refusals;
	bool seen; /* in the look under way */
	bool unreadable;
};

struct cimer_folder {
	char *path;
	uint64_t settle_ms;
	int fd; /* -1: not open */
	/* Held open from the look on: what is put away goes there whatever the names mean by then.
	 */
	int place_fd[CIMER_PLACES];
	const char *trouble;
	bool rejected_waits; /* for somebody to look at it */
	int64_t keep_ms; /* what was taken keeps its content */
	bool to_clear; /* a list that is in the record has not been emptied */
	struct entry entries[CIMER_FILES_MAX];
	size_t count;
};

struct cimer_folder *
cimer_folder_create(const char *path, uint64_t settle_ms, int64_t keep_ms)
{
	struct cimer_folder *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->fd = -1;
	for (size_t p = 0; p < CIMER_PLACES; p++)
		f->place_fd[p] = -1;
	f->settle_ms = settle_ms;
	f->keep_ms = keep_ms;
	/* Sent when somebody opens for writing what a lease is held on for a moment. */
	(void)signal(SIGIO, SIG_IGN);
	f->path = strdup(path);
	if (f->path == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

static void
close_folders(struct cimer_folder *f)
{
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
	for (size_t p = 0; p < CIMER_PLACES; p++) {
		if (f->place_fd[p] != -1)
			close(f->place_fd[p]);
		f->place_fd[p] = -1;
	}
}

void
cimer_folder_destroy(struct cimer_folder *f)
{
	if (f == NULL)
		return;
	close_folders(f);
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

	if (e == NULL && f->count == CIMER_FILES_MAX)
		return;
	if (fstatat(f->fd, name, &file, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(file.st_mode))
		return;
	if (e == NULL) {
		e = &f->entries[f->count++];
		*e = (struct entry){ .since_ms = now_ms, .file = file };
		(void)snprintf(e->name, sizeof(e->name), "%s", name);
	} else if (!same_file(&e->file, &file)) {
		e->file = file;
		e->since_ms = now_ms;
		e->wait_until_ms = 0;
		e->failures = e->refusals = 0;
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

bool
cimer_folder_is_remote(uint64_t kind)
{
	/* As statfs(2) tells them: NFS, SMB, CIFS, SMB 2, FUSE, 9p, Ceph, AFS, Coda, Lustre. */
	static const uint32_t remote[] = { 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546,
		0x01021997, 0x00c36400, 0x5346414f, 0x73757245, 0x0bd00bd0 };

	for (size_t i = 0; i < ARRAY_LEN(remote); i++) {
		if ((uint32_t)kind == remote[i])
			return true;
	}
	return false;
}

/* Whoever may write into the folder could have put anything under a place's name; only a folder
 * of this process's own user is one. */
static bool
open_place(struct cimer_folder *f, enum cimer_place place)
{
	struct stat about;

	if (mkdirat(f->fd, places[place], S_IRWXU | S_IRGRP | S_IXGRP) == -1 && errno != EEXIST)
		return false;
	int fd = openat(f->fd, places[place], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	f->place_fd[place] = fd;
	if (fd == -1 && errno != ELOOP && errno != ENOTDIR)
		return false;
	if (fd != -1 && fstat(fd, &about) == 0 && about.st_uid == geteuid())
		return true;
	f->trouble = place == CIMER_DONE ? "done is no folder of this service's own user"
					 : "rejected is no folder of this service's own user";
	errno = EPERM;
	return false;
}

static bool
open_folders(struct cimer_folder *f)
{
	struct statfs about;

	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd == -1 || fstatfs(f->fd, &about) == -1)
		return false;
	if (cimer_folder_is_remote((uint64_t)about.f_type)) {
		f->trouble = "the folder is on a network share";
		errno = EREMOTE;
		return false;
	}
	for (size_t p = 0; p < CIMER_PLACES; p++) {
		if (!open_place(f, (enum cimer_place)p))
			return false;
	}
	return true;
}

static bool
look_for_files(struct cimer_folder *f, uint64_t now_ms)
{
	DIR *dir = cimer_place_list(f->fd);
	const struct dirent *at;
	size_t names = 0;

	if (dir == NULL)
		return false;
	for (size_t i = 0; i < f->count; i++)
		f->entries[i].seen = false;
	while (names <= CIMER_NAMES_MAX && (at = readdir(dir)) != NULL) {
		names++;
		if (!is_passed_over(at->d_name))
			note(f, at->d_name, now_ms);
	}
	closedir(dir);
	if (names > CIMER_NAMES_MAX)
		f->trouble = "more than 2,000 names in the folder, not all are looked at";
	forget_the_gone(f);
	return true;
}

/* Lists beside files do not count. */
static bool
look_for_rejected(struct cimer_folder *f)
{
	DIR *dir = cimer_place_list(f->place_fd[CIMER_REJECTED]);
	const struct dirent *at;
	size_t names = 0;

	if (dir == NULL)
		return false;
	f->rejected_waits = false;
	while (!f->rejected_waits && names++ <= CIMER_NAMES_MAX && (at = readdir(dir)) != NULL)
		f->rejected_waits = at->d_name[0] != '.'
				    && !ends_in(at->d_name, report_endings[CIMER_REJECTED]);
	closedir(dir);
	return true;
}

bool
cimer_folder_look(struct cimer_folder *f, uint64_t now_ms)
{
	/* Opened anew each time: what was mounted again is another folder. */
	close_folders(f);
	f->trouble = NULL;
	bool looked = open_folders(f) && look_for_files(f, now_ms) && look_for_rejected(f);
	if (!looked) {
		int saved_errno = errno;
		close_folders(f);
		errno = saved_errno;
	}
	return looked;
}

const char *
cimer_folder_trouble(const struct cimer_folder *f)
{
	return f->trouble;
}

bool
cimer_folder_rejected_waits(const struct cimer_folder *f)
{
	return f->rejected_waits;
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
 * leases (other people's files) nobody is known to. */
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

uint32_t
cimer_folder_failed(struct cimer_folder *f, const char *name)
{
	struct entry *e = find(f, name);

	return e == NULL ? 1 : ++e->failures;
}

uint32_t
cimer_folder_refused(struct cimer_folder *f, const char *name)
{
	struct entry *e = find(f, name);

	return e == NULL ? 1 : ++e->refusals;
}

bool
cimer_folder_failing(const struct cimer_folder *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->entries[i].failures > 0)
			return true;
	}
	return false;
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

/* Paths for the file and its report.  A report whose file is not there is left of a move that was
 * cut off, and is written again. */
static bool
choose_paths(const struct cimer_folder *f, const char *name, enum cimer_place place,
    char path[PATH_BYTES], char report[PATH_BYTES])
{
	char numbered[PATH_BYTES];
	struct stat about;
	int fd = f->place_fd[place];

	for (unsigned number = 1; number <= TRIES_MAX; number++) {
		numbered_name(name, number, numbered);
		(void)snprintf(path, PATH_BYTES, "%.*s", CIMER_NAME_BYTES, numbered);
		(void)snprintf(report, PATH_BYTES, "%.*s%s", CIMER_NAME_BYTES, numbered,
		    report_endings[place]);
		bool is_free = fstatat(fd, path, &about, AT_SYMLINK_NOFOLLOW) == -1
			       && errno == ENOENT;
		bool may_write = fstatat(fd, report, &about, AT_SYMLINK_NOFOLLOW) == -1
				 || S_ISREG(about.st_mode);
		if (is_free && may_write)
			return true;
	}
	errno = EEXIST;
	return false;
}

static bool
write_report(const struct cimer_folder *f, enum cimer_place place, const char *path,
    const char *text, size_t len)
{
	return !failpoint(FAILPOINT_INTAKE_CIMER_REPORT, FAILPOINT_BEFORE)
	       && cimer_place_write(f->place_fd[place], path, text, len)
	       && !failpoint(FAILPOINT_INTAKE_CIMER_REPORT, FAILPOINT_AFTER);
}

static bool
move_file(const struct cimer_folder *f, const char *name, enum cimer_place place, const char *path)
{
	int to = f->place_fd[place];

	if (failpoint(FAILPOINT_INTAKE_CIMER_MOVE, FAILPOINT_BEFORE))
		return false;
	/* Not every file system knows how to refuse a name that is taken; it was free just now. */
	if (renameat2(f->fd, name, to, path, RENAME_NOREPLACE) == -1
	    && (errno != EINVAL || renameat(f->fd, name, to, path) == -1))
		return false;
	return fsync(to) == 0 && fsync(f->fd) == 0
	       && !failpoint(FAILPOINT_INTAKE_CIMER_MOVE, FAILPOINT_AFTER);
}

bool
cimer_folder_move(struct cimer_folder *f, const char *name, enum cimer_place place,
    const char *report, size_t report_len)
{
	char path[PATH_BYTES], report_path[PATH_BYTES];
	struct entry *e = find(f, name);

	if (f->place_fd[place] == -1) {
		errno = ENOENT;
		return false;
	}
	if (!choose_paths(f, name, place, path, report_path)
	    || !write_report(f, place, report_path, report, report_len)
	    || !move_file(f, name, place, path))
		return false;
	if (e != NULL)
		*e = f->entries[--f->count];
	/* It is put away all the same; clearing comes back to it. */
	if (place == CIMER_DONE && f->keep_ms == 0 && !cimer_place_empty(f->place_fd[place], path))
		f->to_clear = true;
	return true;
}

bool
cimer_folder_to_clear(const struct cimer_folder *f)
{
	return f->to_clear;
}

size_t
cimer_folder_clear(struct cimer_folder *f, int64_t now_us)
{
	bool done = false;
	size_t cleared = cimer_place_clear(f->place_fd[CIMER_DONE], report_endings[CIMER_DONE],
	    f->keep_ms, CIMER_REMAINS_MS, now_us, &done);

	f->to_clear = !done;
	return cleared;
}
