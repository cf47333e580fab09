/*
 * worker - threads for calls that wait for a disk or a peer, or need the processor for long, so
 * that the loop does not.
 *
 * Jobs are begun in the order they came, those given ahead first; one thread does them one after
 * the other.  How many jobs there may be is for whoever gives them to bound: a job is part of
 * something that is bounded already.
 */
#ifndef TURUNC_WORKER_H
#define TURUNC_WORKER_H

#include <stdbool.h>

#include "base.h"

struct event_base;
struct worker;

/* Embedded in what it is about, which must stay until done() was called. */
struct worker_job {
	struct worker_job *next;
	void (*work)(struct worker_job *job); /* on the thread */
	/* On the loop, never from within worker_give().  False: it was closed, or recalled, before
	 * the work. */
	void (*done)(struct worker_job *job, bool worked);
	bool worked;
	void *own; /* while it is worked on: what begin() made for this thread */
};

enum { WORKER_THREADS_MAX = 16 };

struct worker_options {
	unsigned threads; /* 1 to WORKER_THREADS_MAX */
	void *(*begin)(void); /* on each thread; NULL: there is nothing to make */
	void (*end)(void *own); /* takes what begin() returned, NULL too */
};

/* One thread with nothing of its own.  NULL with errno: no memory, no thread. */
struct worker *worker_open(struct event_base *loop);
struct worker *worker_open_threads(struct event_base *loop, const struct worker_options *options);
/* Waits for the jobs in hand; done() of all is called from within.  Takes NULL; keeps errno. */
void worker_close(struct worker *w);

void worker_give(struct worker *w, struct worker_job *job);
/* Before all that were not given so. */
void worker_give_ahead(struct worker *w, struct worker_job *job);
/* Jobs that no thread has begun come back soon, without having been worked on. */
void worker_recall(struct worker *w);

#endif
