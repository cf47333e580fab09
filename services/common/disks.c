/* A thread a folder; what it shares with the loop stays until both have let it go. */
#include "disks.h"

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "clock.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

struct disk {
	pthread_mutex_t lock; /* guards all that changes */
	pthread_cond_t changed; /* closing, left */
	unsigned holders; /* the loop, the thread */
	bool closing;
	bool left; /* the thread is done */
	bool looked, answered;
	uint64_t at_ms; /* of the last look that came to an end, of the beginning before that */
	uint64_t free_bytes, size_bytes;
	uint64_t every_ms;
	const char *name;
	char path[];
};

struct disks {
	uint64_t silent_ms;
	size_t count;
	struct disk *disks[DISKS_MAX];
};

/* What one look sees. */
struct seen {
	bool known; /* it was seen at all, or has kept silent for too long */
	bool answers;
	uint64_t free_bytes, size_bytes;
};

static void
let_go(struct disk *d)
{
	pthread_mutex_lock(&d->lock);
	bool last = --d->holders == 0;
	pthread_mutex_unlock(&d->lock);
	if (!last)
		return;
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* On the monotonic clock, as the condition is. */
static struct timespec
in_ms(uint64_t ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / MS_PER_S);
	at.tv_nsec += (long)(ms % MS_PER_S * NS_PER_MS);
	if (at.tv_nsec >= NS_PER_S) {
		at.tv_sec++;
		at.tv_nsec -= NS_PER_S;
	}
	return at;
}

static void *
look(void *arg)
{
	struct disk *d = arg;
	struct statvfs found;

	pthread_mutex_lock(&d->lock);
	while (!d->closing) {
		pthread_mutex_unlock(&d->lock);
		bool answered = statvfs(d->path, &found) == 0;
		pthread_mutex_lock(&d->lock);
		d->looked = true;
		d->answered = answered;
		d->at_ms = clock_monotonic_ms();
		if (answered) {
			/* Without root's reserve, which is not for the services. */
			d->free_bytes = (uint64_t)found.f_bavail * found.f_frsize;
			d->size_bytes = (uint64_t)found.f_blocks * found.f_frsize;
		}
		struct timespec next = in_ms(d->every_ms);
		while (!d->closing
		       && pthread_cond_timedwait(&d->changed, &d->lock, &next) != ETIMEDOUT)
			;
	}
	d->left = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	let_go(d);
	return NULL;
}

static bool
start(struct disk *d)
{
	pthread_attr_t detached;
	pthread_t thread;
	sigset_t all, before;

	int error = pthread_attr_init(&detached);
	if (error == 0) {
		(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		/* Signals are the loop's. */
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &before);
		error = pthread_create(&thread, &detached, look, d);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&detached);
	}
	errno = error;
	return error == 0;
}

static struct disk *
disk_open(const struct disk_folder *folder, uint64_t every_ms)
{
	size_t size = strlen(folder->path) + 1;
	struct disk *d = calloc(1, sizeof(*d) + size);
	pthread_condattr_t monotonic;

	if (d == NULL)
		return NULL;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&d->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&d->lock, NULL);
	d->every_ms = every_ms;
	d->name = folder->name;
	memcpy(d->path, folder->path, size);
	d->at_ms = clock_monotonic_ms();
	d->holders = 2;
	if (start(d))
		return d;
	int error = errno;
	d->holders = 1;
	let_go(d);
	errno = error;
	return NULL;
}

struct disks *
disks_open(const struct disk_folder *folders, size_t count, uint64_t every_ms, uint64_t silent_ms)
{
	struct disks *d = count > DISKS_MAX ? NULL : calloc(1, sizeof(*d));

	if (d != NULL)
		d->silent_ms = silent_ms;
	for (size_t i = 0; d != NULL && i < count; i++) {
		d->disks[i] = disk_open(&folders[i], every_ms);
		if (d->disks[i] == NULL) {
			disks_close(d);
			return NULL;
		}
		d->count++;
	}
	return d;
}

void
disks_close(struct disks *d)
{
	int error = errno;

	for (size_t i = 0; d != NULL && i < d->count; i++) {
		pthread_mutex_lock(&d->disks[i]->lock);
		d->disks[i]->closing = true;
		pthread_cond_broadcast(&d->disks[i]->changed);
		pthread_mutex_unlock(&d->disks[i]->lock);
	}
	struct timespec until = in_ms(DISKS_LEAVE_MS);
	for (size_t i = 0; d != NULL && i < d->count; i++) {
		struct disk *one = d->disks[i];
		pthread_mutex_lock(&one->lock);
		while (!one->left
		       && pthread_cond_timedwait(&one->changed, &one->lock, &until) != ETIMEDOUT)
			;
		pthread_mutex_unlock(&one->lock);
		let_go(one);
	}
	free(d);
	errno = error;
}

/* --- as text ---------------------------------------------------------------------------------- */

static struct seen
seen_of(struct disk *d, uint64_t silent_ms)
{
	pthread_mutex_lock(&d->lock);
	bool silent = clock_monotonic_ms() - d->at_ms > silent_ms;
	struct seen seen = { .known = d->looked || silent,
		.answers = d->looked && d->answered && !silent,
		.free_bytes = d->free_bytes,
		.size_bytes = d->size_bytes };
	pthread_mutex_unlock(&d->lock);
	return seen;
}

static bool
write_head(const char *name, const char *help, struct evbuffer *out)
{
	return evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) != -1;
}

static bool
write_value(const char *metric, const char *folder, uint64_t value, struct evbuffer *out)
{
	return evbuffer_add_printf(out, "%s{folder=\"%s\"} %" PRIu64 "\n", metric, folder, value)
	       != -1;
}

bool
disks_write(struct disks *d, struct evbuffer *out)
{
	struct seen seen[DISKS_MAX];
	bool ok = write_head(
	    "turunc_disk_answers", "1: the room on this folder's disk can be looked at", out);

	for (size_t i = 0; ok && i < d->count; i++) {
		seen[i] = seen_of(d->disks[i], d->silent_ms);
		if (seen[i].known)
			ok = write_value(
			    "turunc_disk_answers", d->disks[i]->name, seen[i].answers, out);
	}
	ok = ok
	     && write_head("turunc_disk_free_bytes", "Room left on the disk of this folder", out);
	for (size_t i = 0; ok && i < d->count; i++)
		if (seen[i].answers)
			ok = write_value(
			    "turunc_disk_free_bytes", d->disks[i]->name, seen[i].free_bytes, out);
	ok = ok && write_head("turunc_disk_size_bytes", "Size of the disk of this folder", out);
	for (size_t i = 0; ok && i < d->count; i++)
		if (seen[i].answers)
			ok = write_value(
			    "turunc_disk_size_bytes", d->disks[i]->name, seen[i].size_bytes, out);
	return ok;
}
