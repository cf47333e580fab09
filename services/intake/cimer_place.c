/* Writes into the folders that files of applications end in, and takes from them what is of no use
 * any more. */
#include "cimer_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failpoint.h"
#include "istanbul.h"
#include "write_all.h"

enum { DRAFT_BYTES = 40, US_PER_MS = 1000, NAMES_MAX = 4000 };

/* A file that is being written; no two have one name, and nobody can make one first. */
static const char draft_beginning[] = ".report-";

DIR *
cimer_place_list(int place_fd)
{
	int fd = openat(place_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (dir == NULL && fd != -1)
		close(fd);
	return dir;
}

static int
make_draft(int place_fd, char name[DRAFT_BYTES])
{
	uint64_t chance;

	if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return -1;
	(void)snprintf(name, DRAFT_BYTES, "%s%016llx", draft_beginning, (unsigned long long)chance);
	return openat(place_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    S_IRUSR | S_IWUSR | S_IRGRP);
}

/* Beside first, so that nobody opens half of it. */
bool
cimer_place_write(int place_fd, const char *name, const char *bytes, size_t len)
{
	char draft[DRAFT_BYTES];
	int fd = make_draft(place_fd, draft);

	if (fd == -1)
		return false;
	bool written = write_all(fd, bytes, len) && fsync(fd) == 0
		       && renameat(place_fd, draft, place_fd, name) == 0;
	int saved_errno = errno;
	close(fd);
	if (!written) {
		(void)unlinkat(place_fd, draft, 0);
		errno = saved_errno;
		return false;
	}
	return fsync(place_fd) == 0;
}

/* --- what is of no use any more --------------------------------------------------------------- */

/* Replaced and not cut short: it may be somebody else's file, which only the folder is not. */
bool
cimer_place_empty(int place_fd, const char *name)
{
	return !failpoint(FAILPOINT_INTAKE_CIMER_EMPTY, FAILPOINT_BEFORE)
	       && cimer_place_write(place_fd, name, "", 0)
	       && !failpoint(FAILPOINT_INTAKE_CIMER_EMPTY, FAILPOINT_AFTER);
}

static bool
is_list(const char *name, const char *report_ending)
{
	size_t len = strlen(name), tail = strlen(report_ending);
	bool is_report = len >= tail && strcasecmp(name + len - tail, report_ending) == 0;

	return !is_report && strncmp(name, draft_beginning, strlen(draft_beginning)) != 0;
}

/* Moving a file sets the time of its change, not that of its content. */
static bool
is_older(const struct stat *file, int64_t ms, int64_t now_us)
{
	return file->st_ctim.tv_sec < (now_us - ms * US_PER_MS) / US_PER_S;
}

size_t
cimer_place_clear(int place_fd, const char *report_ending, int64_t keep_ms, int64_t remains_ms,
    int64_t now_us, bool *ret_done)
{
	DIR *dir = place_fd == -1 ? NULL : cimer_place_list(place_fd);
	const struct dirent *at;
	struct stat file;
	size_t names = 0, cleared = 0;

	*ret_done = dir != NULL;
	while (dir != NULL && names++ < NAMES_MAX && (at = readdir(dir)) != NULL) {
		if (fstatat(place_fd, at->d_name, &file, AT_SYMLINK_NOFOLLOW) == -1
		    || !S_ISREG(file.st_mode))
			continue;
		bool over = is_older(&file, keep_ms, now_us);
		if (over && is_older(&file, remains_ms, now_us)) {
			cleared += unlinkat(place_fd, at->d_name, 0) == 0;
		} else if ((over || keep_ms == 0) && file.st_size > 0
			   && is_list(at->d_name, report_ending)) {
			bool emptied = cimer_place_empty(place_fd, at->d_name);
			cleared += emptied;
			*ret_done = *ret_done && emptied;
		}
	}
	if (dir != NULL)
		closedir(dir);
	return cleared;
}
