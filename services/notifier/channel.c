/* Worker threads with a queue in and a queue out; an eventfd wakes the loop. */
#include "channel.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WORKERS_MAX = 16 };

struct queue {
	struct job *first, **last;
};

struct channel {
	struct channel_options options;
	pthread_t threads[WORKERS_MAX];
	unsigned started;
	pthread_mutex_t lock; /* guards the two queues and closing */
	pthread_cond_t wanted;
	struct queue in, out;
	bool closing;
	int wake_fd;
	struct event *readable;
};

static const char *const outcome_names[] = {
	[OUTCOME_ACCEPTED] = "accepted",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_DEFERRED] = "deferred",
	[OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_DUPLICATE] = "duplicate",
	[OUTCOME_UNWANTED] = "unwanted",
};
_Static_assert(ARRAY_LEN(outcome_names) == OUTCOMES, "name every outcome");

const char *
outcome_name(enum outcome outcome)
{
	return outcome_names[outcome];
}

void
job_say(struct job *job, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(job->detail, sizeof(job->detail), format, args);
	va_end(args);
	for (char *c = job->detail; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void
job_destroy(struct job *job)
{
	if (job == NULL)
		return;
	free(job->sender);
	free(job->recipient);
	free(job->payload);
	free(job->url);
	free(job->authorization);
	free(job->answer);
	free(job);
}

static void
queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void
queue_put(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct job *
queue_take(struct queue *q)
{
	struct job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->last = &q->first;
	return job;
}

static void *
work(void *arg)
{
	struct channel *c = arg;
	CURL *curl = curl_easy_init();
	const uint64_t one = 1;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct job *job;
		while ((job = queue_take(&c->in)) == NULL && !c->closing)
			pthread_cond_wait(&c->wanted, &c->lock);
		if (c->closing) {
			job_destroy(job);
			break;
		}
		pthread_mutex_unlock(&c->lock);
		if (curl != NULL) {
			curl_easy_reset(curl); /* options go, the connection stays */
			c->options.work(c->options.config, curl, job);
		} else {
			job->outcome = OUTCOME_DEFERRED;
			job_say(job, "out of memory");
		}
		pthread_mutex_lock(&c->lock);
		queue_put(&c->out, job);
		if (write(c->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
			assert(errno == EAGAIN); /* its counter is full: the loop is awake anyway */
	}
	pthread_mutex_unlock(&c->lock);
	curl_easy_cleanup(curl);
	return NULL;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;
	struct job *job;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) == -1 && errno != EAGAIN && errno != EINTR)
		return;
	do {
		pthread_mutex_lock(&c->lock);
		job = queue_take(&c->out);
		pthread_mutex_unlock(&c->lock);
		if (job != NULL)
			c->options.on_done(c->options.arg, job);
	} while (job != NULL);
}

struct channel *
channel_open(struct event_base *loop, const struct channel_options *options)
{
	sigset_t all, before;
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	assert(options->workers >= 1 && options->workers <= WORKERS_MAX);
	c->options = *options;
	queue_init(&c->in);
	queue_init(&c->out);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wanted, NULL);
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (c->wake_fd != -1)
		c->readable = event_new(loop, c->wake_fd, EV_READ | EV_PERSIST, on_readable, c);
	if (c->readable == NULL || event_add(c->readable, NULL) == -1) {
		channel_close(c);
		return NULL;
	}
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (c->started < options->workers
	       && pthread_create(&c->threads[c->started], NULL, work, c) == 0)
		c->started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (c->started < options->workers) {
		channel_close(c);
		errno = EAGAIN;
		return NULL;
	}
	return c;
}

void
channel_close(struct channel *c)
{
	struct job *job;
	int saved_errno = errno;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_broadcast(&c->wanted);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->started; i++)
		pthread_join(c->threads[i], NULL);
	while ((job = queue_take(&c->in)) != NULL)
		job_destroy(job);
	while ((job = queue_take(&c->out)) != NULL)
		job_destroy(job);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->wake_fd != -1)
		close(c->wake_fd);
	pthread_cond_destroy(&c->wanted);
	pthread_mutex_destroy(&c->lock);
	free(c);
	errno = saved_errno;
}

void
channel_send(struct channel *c, struct job *job)
{
	pthread_mutex_lock(&c->lock);
	queue_put(&c->in, job);
	pthread_cond_signal(&c->wanted);
	pthread_mutex_unlock(&c->lock);
}

void
channel_stop(struct channel *c)
{
	struct job *job;
	const uint64_t one = 1;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	while ((job = queue_take(&c->in)) != NULL) {
		job->outcome = OUTCOME_UNREACHABLE;
		job_say(job, "the notifier was stopped before it was sent");
		queue_put(&c->out, job);
	}
	pthread_mutex_unlock(&c->lock);
	if (write(c->wake_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		assert(errno == EAGAIN);
}
