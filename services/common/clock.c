/* Real time from the kernel, simulated time from a file shared by mmap. */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = { 'T', 'U', 'R', 'C', 'L', 'K', '0', '1' };

enum { SIMULATED_LOOK_MS = 100 };

/* Lock-free on every machine we run on; a reader in another process needs just that. */
struct clock_setting {
	atomic_int_least64_t real_base_us;
	atomic_int_least64_t simulated_base_us;
	atomic_uint_least32_t num;
	atomic_uint_least32_t den;
};

struct clock_file {
	char magic[8];
	atomic_uint_least64_t generation; /* slots[generation % 2] counts */
	struct clock_setting slots[2];
};
_Static_assert(
    ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared between processes");

/* A process lives in one time: like the log, the clock is everybody's.  NULL: the real one. */
static struct clock_file *simulated;
/* The latest simulated time this process was told. */
static atomic_int_least64_t told_us;

static int64_t
read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t
clock_monotonic_ms(void)
{
	return (uint64_t)clock_monotonic_us() / 1000;
}

/* What one slot says the time is; late enough, it stays at the end of time. */
static int64_t
slot_time_us(struct clock_setting *s, int64_t monotonic_us, struct clock_speed *ret_speed)
{
	int64_t elapsed_us = monotonic_us
			     - atomic_load_explicit(&s->real_base_us, memory_order_relaxed);
	int64_t base_us = atomic_load_explicit(&s->simulated_base_us, memory_order_relaxed);
	int64_t num = atomic_load_explicit(&s->num, memory_order_relaxed);
	int64_t den = atomic_load_explicit(&s->den, memory_order_relaxed);
	int64_t passed_us, time_us;

	*ret_speed = (struct clock_speed){ (uint32_t)num, (uint32_t)den };
	if (den == 0 || elapsed_us < 0)
		return base_us;
	if (__builtin_mul_overflow(elapsed_us / den, num, &passed_us)
	    || __builtin_add_overflow(passed_us, elapsed_us % den * num / den, &passed_us)
	    || __builtin_add_overflow(base_us, passed_us, &time_us) || time_us > CLOCK_LATEST_US)
		return CLOCK_LATEST_US;
	return time_us;
}

/* A slot is rewritten only after the generation has left it, so an unchanged generation means
 * that what was read belongs together. */
static int64_t
file_time_us(struct clock_file *file, int64_t monotonic_us, struct clock_speed *ret_speed)
{
	for (;;) {
		uint64_t before = atomic_load_explicit(&file->generation, memory_order_acquire);
		int64_t time_us = slot_time_us(&file->slots[before % 2], monotonic_us, ret_speed);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&file->generation, memory_order_relaxed) == before)
			return time_us;
	}
}

/* Whoever slows the clock down takes a few microseconds to say so, in which readers have run
 * ahead on the old line; they wait there until the new one has caught up. */
static int64_t
never_back(int64_t time_us)
{
	int64_t told = atomic_load(&told_us);

	while (time_us > told)
		if (atomic_compare_exchange_weak(&told_us, &told, time_us))
			return time_us;
	return told;
}

int64_t
clock_now_us(void)
{
	struct clock_speed speed;

	if (simulated == NULL)
		return read_us(CLOCK_REALTIME);
	return never_back(file_time_us(simulated, clock_monotonic_us(), &speed));
}

int64_t
clock_real_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t
clock_ms_until(int64_t at_us)
{
	int64_t now_us = clock_now_us();

	if (at_us <= now_us)
		return 0;
	int64_t left_ms = (at_us - now_us - 1) / 1000 + 1;
	return simulated != NULL && left_ms > SIMULATED_LOOK_MS ? SIMULATED_LOOK_MS : left_ms;
}

/* NULL with errno; the mapping outlives the descriptor. */
static struct clock_file *
map_clock(const char *path, int open_flags, int protection, int *ret_fd)
{
	struct clock_file *file = NULL;
	struct stat st;

	int fd = open(path, open_flags | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0) {
		errno = EINVAL;
		if (S_ISREG(st.st_mode) && st.st_size == (off_t)sizeof(*file))
			file = mmap(NULL, sizeof(*file), protection, MAP_SHARED, fd, 0);
	}
	if (file == MAP_FAILED)
		file = NULL;
	if (file != NULL && memcmp(file->magic, magic, sizeof(magic)) != 0) {
		munmap(file, sizeof(*file));
		file = NULL;
		errno = EINVAL;
	}
	if (file == NULL) {
		int saved_errno = errno;
		close(fd);
		errno = saved_errno;
		return NULL;
	}
	*ret_fd = fd;
	return file;
}

bool
clock_open(const char *path)
{
	int fd;
	struct clock_file *file = map_clock(path, O_RDONLY, PROT_READ, &fd);

	if (file == NULL)
		return false;
	close(fd);
	clock_close();
	simulated = file;
	atomic_store(&told_us, 0);
	return true;
}

void
clock_close(void)
{
	if (simulated != NULL)
		munmap(simulated, sizeof(*simulated));
	simulated = NULL;
}

bool
clock_is_simulated(void)
{
	return simulated != NULL;
}

bool
clock_was_set(uint64_t *seen)
{
	if (simulated == NULL)
		return false;
	uint64_t generation = atomic_load_explicit(&simulated->generation, memory_order_acquire);
	bool was_set = generation != *seen;
	*seen = generation;
	return was_set;
}

static bool
speed_valid(struct clock_speed speed)
{
	return speed.den > 0 && speed.num <= (uint64_t)CLOCK_SPEED_MAX * speed.den;
}

static void
slot_write(struct clock_setting *s, int64_t simulated_us, int64_t real_us, struct clock_speed speed)
{
	atomic_store_explicit(&s->real_base_us, real_us, memory_order_relaxed);
	atomic_store_explicit(&s->simulated_base_us, simulated_us, memory_order_relaxed);
	atomic_store_explicit(&s->num, speed.num, memory_order_relaxed);
	atomic_store_explicit(&s->den, speed.den, memory_order_relaxed);
}

bool
clock_simulation_create(const char *path, int64_t start_us, struct clock_speed speed)
{
	struct clock_file file;
	char temporary[PATH_MAX];

	memset(&file, 0, sizeof(file));
	memcpy(file.magic, magic, sizeof(magic));
	atomic_init(&file.generation, 0);
	if (start_us < 0 || start_us > CLOCK_LATEST_US || !speed_valid(speed)) {
		errno = EINVAL;
		return false;
	}
	if (snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid())
	    >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return false;
	}
	slot_write(&file.slots[0], start_us, clock_monotonic_us(), speed);

	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		return false;
	bool written = write(fd, &file, sizeof(file)) == (ssize_t)sizeof(file);
	if (close(fd) == 0 && written && rename(temporary, path) == 0)
		return true;
	int saved_errno = written ? errno : ENOSPC;
	unlink(temporary);
	errno = saved_errno;
	return false;
}

/* Writers are held apart by a lock on the file; readers never wait. */
static bool
file_set(struct clock_file *file, int64_t to_us, struct clock_speed speed)
{
	struct clock_speed old_speed;
	int64_t real_us = clock_monotonic_us();
	int64_t now_us = file_time_us(file, real_us, &old_speed);
	uint64_t generation = atomic_load(&file->generation);

	if (to_us == CLOCK_KEEP)
		to_us = now_us;
	if (to_us < now_us || to_us > CLOCK_LATEST_US)
		return false;
	/* Nobody may see this slot change before the generation that left it. */
	atomic_thread_fence(memory_order_seq_cst);
	slot_write(&file->slots[(generation + 1) % 2], to_us, real_us, speed);
	atomic_store_explicit(&file->generation, generation + 1, memory_order_release);
	return true;
}

bool
clock_simulation_set(const char *path, int64_t to_us, struct clock_speed speed)
{
	int fd, saved_errno = EINVAL;

	if (!speed_valid(speed)) {
		errno = EINVAL;
		return false;
	}
	struct clock_file *file = map_clock(path, O_RDWR, PROT_READ | PROT_WRITE, &fd);
	if (file == NULL)
		return false;
	bool locked = flock(fd, LOCK_EX) == 0;
	if (!locked)
		saved_errno = errno;
	bool set = locked && file_set(file, to_us, speed);
	munmap(file, sizeof(*file));
	close(fd); /* and with it the lock */
	errno = saved_errno;
	return set;
}
