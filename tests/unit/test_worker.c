/* The thread for calls that wait: the loop goes on meanwhile, the order stays, nothing is dropped
 * unheard. */
#include <event2/event.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "check.h"
#include "worker.h"

enum { JOBS = 20 };

struct waiting_job {
	struct worker_job job; /* first */
	sem_t *until; /* NULL: it does not wait */
	int number;
	int *done; /* counts all, in order */
	int out_of_order, unworked;
	struct event_base *loop;
};

static void
wait_for_it(struct worker_job *job)
{
	struct waiting_job *j = (struct waiting_job *)job;

	while (j->until != NULL && sem_wait(j->until) != 0)
		continue;
}

static void
count(struct worker_job *job, bool worked)
{
	struct waiting_job *j = (struct waiting_job *)job;

	j->out_of_order += (*j->done)++ != j->number;
	j->unworked += !worked;
	if (j->number == JOBS - 1)
		(void)event_base_loopbreak(j->loop);
}

static void
let_go(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)sem_post(arg);
}

static void
make(struct waiting_job jobs[JOBS], struct event_base *loop, sem_t *until, int *done)
{
	for (int i = 0; i < JOBS; i++)
		jobs[i] = (struct waiting_job){ .job = { .work = wait_for_it, .done = count },
			.until = i == 0 ? until : NULL,
			.number = i,
			.done = done,
			.loop = loop };
}

TEST(test_the_loop_goes_on_while_a_job_waits)
{
	struct event_base *loop = event_base_new();
	struct worker *w = worker_open(loop);
	struct waiting_job jobs[JOBS];
	int done = 0, out_of_order = 0, unworked = 0;
	sem_t until;

	if (w == NULL || sem_init(&until, 0, 0) != 0)
		abort();
	make(jobs, loop, &until, &done);
	/* Only a turn of the loop lets the first job end. */
	struct event *timer = evtimer_new(loop, let_go, &until);
	if (timer == NULL || evtimer_add(timer, &(struct timeval){ .tv_usec = 1000 }) != 0)
		abort();
	for (int i = 0; i < JOBS; i++)
		worker_give(w, &jobs[i].job);
	CHECK_I64("nothing is told from within", done, 0);
	(void)event_base_dispatch(loop);
	for (int i = 0; i < JOBS; i++) {
		out_of_order += jobs[i].out_of_order;
		unworked += jobs[i].unworked;
	}
	CHECK_I64("all were done", done, JOBS);
	CHECK_I64("in their order", out_of_order, 0);
	CHECK_I64("and worked on", unworked, 0);
	event_free(timer);
	worker_close(w);
	event_base_free(loop);
	(void)sem_destroy(&until);
}

TEST(test_closing_tells_of_every_job)
{
	struct event_base *loop = event_base_new();
	struct worker *w = worker_open(loop);
	struct waiting_job jobs[JOBS];
	int done = 0, unworked = 0;
	sem_t until;

	if (w == NULL || sem_init(&until, 0, 0) != 0)
		abort();
	make(jobs, loop, NULL, &done);
	jobs[1].until = &until;
	for (int i = 0; i < JOBS; i++)
		worker_give(w, &jobs[i].job);
	(void)sem_post(&until);
	worker_close(w);
	for (int i = 0; i < JOBS; i++)
		unworked += jobs[i].unworked;
	CHECK_I64("each is told of once", done, JOBS);
	CHECK_TRUE("whether it was worked on or not", unworked >= 0 && unworked <= JOBS);
	for (int i = 0; i < JOBS; i++)
		CHECK_I64("as its own mark has it", jobs[i].unworked, !jobs[i].job.worked);
	worker_close(NULL);
	event_base_free(loop);
	(void)sem_destroy(&until);
}

/* --- threads that have something of their own ------------------------------------------------- */

enum { THREADS = 3 };

static atomic_int begun, ended, unowned;

static void *
begin(void)
{
	atomic_fetch_add(&begun, 1);
	return calloc(1, sizeof(int));
}

static void
end(void *own)
{
	atomic_fetch_add(&ended, 1);
	free(own);
}

static void
use_own(struct worker_job *job)
{
	int *uses = job->own;

	if (uses == NULL)
		atomic_fetch_add(&unowned, 1);
	else
		*uses += 1; /* nobody else's: ThreadSanitizer looks */
	wait_for_it(job);
}

static void
count_any(struct worker_job *job, bool worked)
{
	struct waiting_job *j = (struct waiting_job *)job;

	j->unworked += !worked;
	*j->done += 1;
}

TEST(test_recalled_jobs_come_back_unworked)
{
	struct event_base *loop = event_base_new();
	const struct worker_options options = { .threads = THREADS, .begin = begin, .end = end };
	struct worker *w = worker_open_threads(loop, &options);
	struct waiting_job jobs[JOBS];
	int done = 0, unworked = 0;
	sem_t until;

	if (w == NULL || sem_init(&until, 0, 0) != 0)
		abort();
	make(jobs, loop, NULL, &done);
	for (int i = 0; i < JOBS; i++) {
		jobs[i].job = (struct worker_job){ .work = use_own, .done = count_any };
		jobs[i].until = &until;
		worker_give(w, &jobs[i].job);
	}
	worker_recall(w);
	CHECK_I64("nothing is told from within", done, 0);
	/* At most one a thread was begun, and waits. */
	CHECK_WITHIN(10000, (event_base_loop(loop, EVLOOP_NONBLOCK), done >= JOBS - THREADS));
	for (int i = 0; i < JOBS; i++)
		unworked += jobs[i].unworked;
	CHECK_TRUE("these were not worked on", unworked >= JOBS - THREADS && unworked == done);
	for (int i = 0; i < THREADS; i++)
		(void)sem_post(&until);
	CHECK_WITHIN(10000, (event_base_loop(loop, EVLOOP_NONBLOCK), done == JOBS));
	worker_close(w);
	CHECK_I64("each thread began", atomic_load(&begun), THREADS);
	CHECK_I64("and ended", atomic_load(&ended), THREADS);
	CHECK_I64("with what it had made", atomic_load(&unowned), 0);
	event_base_free(loop);
	(void)sem_destroy(&until);
}
