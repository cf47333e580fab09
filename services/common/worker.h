/*
 * worker - a thread for calls that wait for a disk or need the processor for long, so that the loop
 * does not.
 *
 * Jobs are done one after the other, those given ahead first, else in the order they came.  How
 * many there may be is for whoever gives them to bound: a job is part of something that is bounded
 * already.
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
	/* On the loop, never from within worker_give().  False: it was closed before the work. */
	void (*done)(struct worker_job *job, bool worked);
	bool worked;
};

/* NULL: no memory, no thread. */
struct worker *worker_open(struct event_base *loop);
/* Waits for the job in hand; done() of all is called from within.  Takes NULL. */
void worker_close(struct worker *w);

void worker_give(struct worker *w, struct worker_job *job);
/* Before all that were not given so. */
void worker_give_ahead(struct worker *w, struct worker_job *job);

#endif
