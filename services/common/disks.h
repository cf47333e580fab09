/*
 * disks - what room the disks have that a process depends on, as Prometheus text.
 *
 * Each folder is looked at by a thread of its own every few seconds: a folder of another machine
 * that hangs keeps its thread and nobody else waiting, and is shown as one that does not answer.
 */
#ifndef TURUNC_DISKS_H
#define TURUNC_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct disks;
struct evbuffer;

struct disk_folder {
	const char *name; /* as the label says it, a word of ours; lent */
	const char *path; /* copied */
};

enum {
	DISKS_MAX = 8,
	DISKS_EVERY_MS = 5000, /* between two looks, and ... */
	DISKS_SILENT_MS = 30000, /* ... what was seen so long ago is no longer shown */
	DISKS_LEAVE_MS = 1000, /* how long closing waits for one that hangs */
};

/* NULL with errno: no memory, no thread. */
struct disks *disks_open(
    const struct disk_folder *folders, size_t count, uint64_t every_ms, uint64_t silent_ms);
/* A thread that hangs is left behind with what it needs.  Takes NULL; keeps errno. */
void disks_close(struct disks *d);

/* turunc_disk_free_bytes and _size_bytes of those that can be looked at; turunc_disk_answers of
 * all, as soon as it is known.  False: out of memory. */
MUST_CHECK bool disks_write(struct disks *d, struct evbuffer *out);

#endif
