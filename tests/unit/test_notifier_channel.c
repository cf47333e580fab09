/* A channel's workers and its loop: every job comes back once, to the loop's thread, also when the
 * channel is stopped or closed in the middle.  Runs under ThreadSanitizer in the long form. */
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "check.h"

enum { JOBS = 2000, WORKERS = 4 };

struct desk {
	struct event_base *loop;
	pthread_t thread;
	unsigned came[JOBS]; /* how often each came back */
	size_t back, stopped, elsewhere;
};

static atomic_uint worked;

static void
on_work(const void *config, void *curl, struct job *job)
{
	(void)config;
	(void)curl;
	atomic_fetch_add(&worked, 1);
	job->outcome = OUTCOME_ACCEPTED;
	job_say(job, "attempt %u", job->attempt);
}

static void
on_done(void *arg, struct job *job)
{
	struct desk *desk = arg;

	desk->elsewhere += !pthread_equal(pthread_self(), desk->thread);
	desk->stopped += job->outcome == OUTCOME_UNREACHABLE;
	desk->came[job->attempt]++;
	desk->back++;
	job_destroy(job);
}

static struct channel *
open_desk(struct desk *desk)
{
	const struct channel_options options = {
		.name = "test", .workers = WORKERS, .work = on_work, .on_done = on_done, .arg = desk
	};

	*desk = (struct desk){ .loop = event_base_new(), .thread = pthread_self() };
	return channel_open(desk->loop, &options);
}

static void
send_jobs(struct channel *channel, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct job *job = calloc(1, sizeof(*job));
		job->attempt = i;
		job->payload = strdup("text");
		channel_send(channel, job);
	}
}

static void
check_once(const struct desk *desk, size_t count)
{
	size_t once = 0;

	for (size_t i = 0; i < count; i++)
		once += desk->came[i] == 1;
	CHECK_U64("each came back once", once, count);
	CHECK_U64("and none to another thread", desk->elsewhere, 0);
}

TEST(test_every_job_comes_back_once)
{
	static struct desk desk;
	struct channel *channel = open_desk(&desk);

	send_jobs(channel, JOBS);
	CHECK_WITHIN(20000, (event_base_loop(desk.loop, EVLOOP_NONBLOCK), desk.back == JOBS));
	check_once(&desk, JOBS);
	CHECK_U64("by its workers", atomic_load(&worked), JOBS);
	channel_close(channel);
	event_base_free(desk.loop);
}

TEST(test_stopped_in_the_middle)
{
	static struct desk desk;
	struct channel *channel = open_desk(&desk);

	send_jobs(channel, JOBS);
	channel_stop(channel);
	CHECK_WITHIN(20000, (event_base_loop(desk.loop, EVLOOP_NONBLOCK), desk.back == JOBS));
	check_once(&desk, JOBS);
	CHECK_U64("worked or told so", atomic_load(&worked) + desk.stopped, JOBS);
	channel_close(channel);
	event_base_free(desk.loop);
}

TEST(test_closed_in_the_middle)
{
	static struct desk desk;

	for (int round = 0; round < 50; round++) {
		struct channel *channel = open_desk(&desk);
		send_jobs(channel, 50);
		channel_close(channel);
		CHECK_U64("nobody is told any more", desk.back, 0);
		event_base_free(desk.loop);
	}
}
