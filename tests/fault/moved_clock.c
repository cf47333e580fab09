/* A machine's clock that was set: preloaded into a service, it moves the time of day by the
 * microseconds in the file TURUNC_TEST_CLOCK names.  Monotonic time is left alone, as by the
 * kernel. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { US_PER_S = 1000000 };

static atomic_int_least64_t *
open_offset(void)
{
	static atomic_int_least64_t none;
	const char *path = getenv("TURUNC_TEST_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd == -1)
		return &none;
	void *at = mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return at == MAP_FAILED ? &none : at;
}

int
clock_gettime(clockid_t id, struct timespec *ret)
{
	/* Two threads that come first at once find the same. */
	static _Atomic(atomic_int_least64_t *) offset;
	static _Atomic(void *) found;
	int (*call)(clockid_t, struct timespec *) = NULL;

	if (atomic_load(&offset) == NULL) {
		atomic_store(&found, dlsym(RTLD_NEXT, "clock_gettime"));
		atomic_store(&offset, open_offset());
	}
	void *symbol = atomic_load(&found);
	*(void **)&call = symbol;
	int result = call(id, ret);
	if (result != 0 || id != CLOCK_REALTIME)
		return result;
	int64_t us = (int64_t)ret->tv_sec * US_PER_S + ret->tv_nsec / 1000
		     + atomic_load(atomic_load(&offset));
	ret->tv_sec = us / US_PER_S;
	ret->tv_nsec = us % US_PER_S * 1000;
	return 0;
}
