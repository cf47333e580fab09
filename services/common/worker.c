/* Threads with a queue in and a queue out; an eventfd wakes the loop. */
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	struct worker_job *first, **last;
};

struct worker {
	struct worker_options options;
	pthread_t threads[WORKER_THREADS_MAX];
	unsigned started;
	pthread_mutex_t lock; /* guards the queues and closing */
	pthread_cond_t wanted;
	struct queue ahead, in, out;
	bool closing;
	int wake_fd;
	struct event *readable;
};

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void
queue_put(struct queue *q, struct worker_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct worker_job *
queue_take(struct queue *q)
{
	struct worker_job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->last = &q->first;
	return job;
}

static void
wake_loop(struct worker *w)
{
	const uint64_t one = 1;

	if (write(w->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		assert(errno == EAGAIN); /* its counter is full: the loop is awake anyway */
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	void *own = w->options.begin == NULL ? NULL : w->options.begin();

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct worker_job *job = NULL;
		while (!w->closing && (job = queue_take(&w->ahead)) == NULL
		       && (job = queue_take(&w->in)) == NULL)
			pthread_cond_wait(&w->wanted, &w->lock);
		if (w->closing)
			break;
		pthread_mutex_unlock(&w->lock);
		job->own = own;
		job->work(job);
		job->own = NULL;
		job->worked = true;
		pthread_mutex_lock(&w->lock);
		queue_put(&w->out, job);
		wake_loop(w);
	}
	pthread_mutex_unlock(&w->lock);
	if (w->options.end != NULL)
		w->options.end(own);
	return NULL;
}

static struct worker_job *
take_out(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	struct worker_job *job = queue_take(&w->out);
	pthread_mutex_unlock(&w->lock);
	return job;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct worker_job *job;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) == -1 && errno != EAGAIN && errno != EINTR)
		return;
	while ((job = take_out(w)) != NULL)
		job->done(job, job->worked);
}

static bool
start(struct worker *w)
{
	sigset_t all, before;
	int error = 0;

	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (error == 0 && w->started < w->options.threads) {
		error = pthread_create(&w->threads[w->started], NULL, work, w);
		w->started += error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return error == 0;
}

struct worker *
worker_open(struct event_base *loop)
{
	return worker_open_threads(loop, &(struct worker_options){ .threads = 1 });
}

struct worker *
worker_open_threads(struct event_base *loop, const struct worker_options *options)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	assert(options->threads >= 1 && options->threads <= WORKER_THREADS_MAX);
	w->options = *options;
	queue_init(&w->ahead);
	queue_init(&w->in);
	queue_init(&w->out);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wanted, NULL);
	w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake_fd != -1)
		w->readable = event_new(loop, w->wake_fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->readable == NULL || event_add(w->readable, NULL) == -1 || !start(w)) {
		worker_close(w);
		return NULL;
	}
	return w;
}

void
worker_close(struct worker *w)
{
	struct worker_job *job;
	int saved_errno = errno;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_broadcast(&w->wanted);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->started; i++)
		pthread_join(w->threads[i], NULL);
	while ((job = queue_take(&w->out)) != NULL || (job = queue_take(&w->ahead)) != NULL
	       || (job = queue_take(&w->in)) != NULL)
		job->done(job, job->worked);
	if (w->readable != NULL)
		event_free(w->readable);
	if (w->wake_fd != -1)
		close(w->wake_fd);
	pthread_cond_destroy(&w->wanted);
	pthread_mutex_destroy(&w->lock);
	free(w);
	errno = saved_errno;
}

static void
give(struct worker *w, struct queue *q, struct worker_job *job)
{
	job->worked = false;
	pthread_mutex_lock(&w->lock);
	queue_put(q, job);
	pthread_cond_signal(&w->wanted);
	pthread_mutex_unlock(&w->lock);
}

void
worker_give(struct worker *w, struct worker_job *job)
{
	give(w, &w->in, job);
}

void
worker_give_ahead(struct worker *w, struct worker_job *job)
{
	give(w, &w->ahead, job);
}

void
worker_recall(struct worker *w)
{
	struct worker_job *job;

	pthread_mutex_lock(&w->lock);
	while ((job = queue_take(&w->ahead)) != NULL || (job = queue_take(&w->in)) != NULL)
		queue_put(&w->out, job);
	pthread_mutex_unlock(&w->lock);
	wake_loop(w);
}
