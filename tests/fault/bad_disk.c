/*
 * A bad disk: preloaded into PostgreSQL, it does to its files what the state beside this library
 * says (bad_disk.so.state, a struct disk written by tests/fault/disk.py).
 *
 * A full disk is as the kernel's: what is there may be written again, nothing may grow.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct disk {
	atomic_int full; /* no file grows */
	atomic_int wal_full; /* nothing can be written to pg_wal */
	atomic_int sync_fails; /* how many more times fsync or fdatasync says EIO */
	atomic_int sync_ms; /* how much longer they take */
	atomic_int hits; /* calls that were made to fail */
};

static struct disk *
open_state(void)
{
	char path[4096];
	Dl_info self;
	static const char here;

	if (dladdr(&here, &self) == 0
	    || snprintf(path, sizeof(path), "%s.state", self.dli_fname) >= (int)sizeof(path))
		return NULL;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	void *at = mmap(NULL, sizeof(struct disk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

/* Opened once: PostgreSQL's processes are forks of one thread each. */
static struct disk *
disk(void)
{
	static struct disk *state;
	static struct disk healthy;

	if (state == NULL)
		state = open_state();
	return state != NULL ? state : &healthy;
}

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static int
fails(int error)
{
	atomic_fetch_add(&disk()->hits, 1);
	errno = error;
	return -1;
}

static bool
is_in(int fd, const char *folder)
{
	char link[64], path[4096];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return strstr(path, folder) != NULL;
}

/* Is there no room to write up to there?  Only data count: not logs, sockets and temporary state.
 */
static bool
no_room(int fd, off_t end)
{
	struct stat st;

	if (atomic_load(&disk()->wal_full) != 0 && is_in(fd, "/data/pg_wal/"))
		return true;
	return atomic_load(&disk()->full) != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
	       && end > st.st_size && is_in(fd, "/data/");
}

static bool
takes_failure(void)
{
	int left = atomic_load(&disk()->sync_fails);

	while (left > 0)
		if (atomic_compare_exchange_weak(&disk()->sync_fails, &left, left - 1))
			return true;
	return false;
}

static int
synced(const char *name, int fd)
{
	int (*call)(int) = NULL;
	int ms = atomic_load(&disk()->sync_ms);
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = (long)ms % 1000 * 1000000 };

	if (ms > 0)
		while (nanosleep(&delay, &delay) == -1)
			;
	if (takes_failure())
		return fails(EIO);
	*(void **)&call = real(name);
	return call(fd);
}

int
fsync(int fd)
{
	return synced("fsync", fd);
}

int
fdatasync(int fd)
{
	return synced("fdatasync", fd);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	ssize_t (*call)(int, const void *, size_t, off_t) = NULL;

	if (no_room(fd, at + (off_t)len))
		return fails(ENOSPC);
	*(void **)&call = real("pwrite");
	return call(fd, data, len, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	ssize_t (*call)(int, const struct iovec *, int, off_t) = NULL;
	off_t end = at;

	for (int i = 0; i < count; i++)
		end += (off_t)parts[i].iov_len;
	if (no_room(fd, end))
		return fails(ENOSPC);
	*(void **)&call = real("pwritev");
	return call(fd, parts, count, at);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
	int (*call)(int, off_t, off_t) = NULL;

	if (no_room(fd, at + len)) {
		(void)fails(ENOSPC);
		return ENOSPC; /* this one says it by its value */
	}
	*(void **)&call = real("posix_fallocate");
	return call(fd, at, len);
}
