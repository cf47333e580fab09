/* A slow disk: preloaded into PostgreSQL, it adds TURUNC_SLOW_FSYNC_MS to every fsync. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void
wait_a_bit(void)
{
	const char *text = getenv("TURUNC_SLOW_FSYNC_MS");
	long ms = text != NULL ? strtol(text, NULL, 10) : 5;
	struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&delay, &delay) == -1)
		;
}

static int
slowly(const char *name, int fd)
{
	int (*real)(int) = NULL;
	void *found = dlsym(RTLD_NEXT, name);

	/* ISO C has no conversion from an object pointer to a function pointer; POSIX has. */
	*(void **)&real = found;
	wait_a_bit();
	return real(fd);
}

int
fsync(int fd)
{
	return slowly("fsync", fd);
}

int
fdatasync(int fd)
{
	return slowly("fdatasync", fd);
}
