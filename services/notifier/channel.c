/* A worker whose threads have a curl handle each. */
#include "channel.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct channel {
	struct channel_options options;
	struct worker *worker;
	bool closing;
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

static void *
make_handle(void)
{
	return curl_easy_init();
}

static void
free_handle(void *curl)
{
	channel_smtp_finish(curl);
}

static void
work(struct worker_job *worker)
{
	struct job *job = (struct job *)worker;
	CURL *curl = worker->own;

	if (curl != NULL) {
		curl_easy_reset(curl); /* options go, the connection stays */
		job->channel->options.work(job->channel->options.config, curl, job);
	} else {
		job->outcome = OUTCOME_DEFERRED;
		job_say(job, "out of memory");
	}
}

static void
on_worked(struct worker_job *worker, bool worked)
{
	struct job *job = (struct job *)worker;
	struct channel *c = job->channel;

	if (c->closing) {
		job_destroy(job);
		return;
	}
	if (!worked) {
		job->outcome = OUTCOME_UNREACHABLE;
		job_say(job, "the notifier was stopped before it was sent");
	}
	c->options.on_done(c->options.arg, job);
}

struct channel *
channel_open(struct event_base *loop, const struct channel_options *options)
{
	const struct worker_options threads = {
		.threads = options->workers, .begin = make_handle, .end = free_handle
	};
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->options = *options;
	c->worker = worker_open_threads(loop, &threads);
	if (c->worker == NULL) {
		channel_close(c);
		return NULL;
	}
	return c;
}

void
channel_close(struct channel *c)
{
	int saved_errno = errno;

	if (c == NULL)
		return;
	c->closing = true;
	worker_close(c->worker);
	free(c);
	errno = saved_errno;
}

void
channel_send(struct channel *c, struct job *job)
{
	job->channel = c;
	job->worker = (struct worker_job){ .work = work, .done = on_worked };
	worker_give(c->worker, &job->worker);
}

void
channel_stop(struct channel *c)
{
	if (c != NULL)
		worker_recall(c->worker);
}
