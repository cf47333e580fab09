/* The client as its caller sees it: made, watched, stepped, asked, ended. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <zmq.h>

#include "client_private.h"
#include "wire.h"

enum {
	MIB = 1024 * 1024,
	STORE_BYTES = 64 * MIB,
	STORE_BYTES_LEAST = MIB,
	MEMORY_BYTES = 16 * MIB,
	EVENTS = 10000,
	EVENTS_STORED = 1000000,
	COMMANDS = 256,
	TIMEOUT_MOST_MS = 60000
};

static void
or_default(uint32_t *value, uint32_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

static void
options_complete(struct turunc_options *o)
{
	or_default(&o->events_max, o->store_dir != NULL ? EVENTS_STORED : EVENTS);
	or_default(&o->commands_max, COMMANDS);
	or_default(&o->ping_ms, 2000);
	or_default(&o->silence_ms, 6000);
	or_default(&o->answer_ms, 30000);
	or_default(&o->backoff_ms, 100);
	or_default(&o->backoff_max_ms, 10000);
	if (o->store_bytes_max == 0)
		o->store_bytes_max = STORE_BYTES;
	if (o->store_bytes_max < STORE_BYTES_LEAST)
		o->store_bytes_max = STORE_BYTES_LEAST;
	if (o->memory_bytes_max == 0)
		o->memory_bytes_max = MEMORY_BYTES;
}

static bool
watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return fd != -1 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool
open_descriptors(struct turunc_client *c, char *why, size_t why_size)
{
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (c->epoll_fd != -1 && watch(c->epoll_fd, c->timer_fd) && watch(c->epoll_fd, c->wake_fd))
		return true;
	snprintf(why, why_size, "descriptors: %s", strerror(errno));
	return false;
}

static bool
take_identity(struct turunc_client *c, const struct turunc_options *o, char *why, size_t why_size)
{
	turunc_uuid(c->instance);
	if (o->instance != NULL) {
		if (strlen(o->instance) != TURUNC_UUID_SIZE - 1) {
			snprintf(why, why_size, "instance is not a UUID");
			return false;
		}
		memcpy(c->instance, o->instance, TURUNC_UUID_SIZE);
	}
	c->software = strdup(o->software != NULL ? o->software : "turunc-client-c/1");
	if (c->software == NULL || strlen(c->software) > 200 || !tc_utf8_valid(c->software)) {
		snprintf(why, why_size, "software: no memory, too long or not UTF-8");
		return false;
	}
	return true;
}

struct turunc_client *
turunc_client_create(const struct turunc_options *options, char *why, size_t why_size)
{
	struct turunc_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		snprintf(why, why_size, "no memory");
		return NULL;
	}
	c->options = *options;
	options_complete(&c->options);
	c->epoll_fd = c->timer_fd = c->wake_fd = -1;
	tc_session_init(c);
	if (!tc_folder_load(&c->folder, options, why, why_size)
	    || !take_identity(c, options, why, why_size) || !open_descriptors(c, why, why_size)
	    || !tc_publish_open(c, why, why_size))
		goto fail;
	c->context = options->zmq_context;
	if (c->context == NULL) {
		c->context = zmq_ctx_new();
		c->owns_context = true;
	}
	if (c->context == NULL) {
		snprintf(why, why_size, "ZeroMQ: %s", zmq_strerror(errno));
		goto fail;
	}
	tc_wake(c);
	return c;
fail:
	turunc_client_destroy(c);
	return NULL;
}

void
turunc_client_destroy(struct turunc_client *c)
{
	if (c == NULL)
		return;
	assert(!c->stepping);
	tc_session_finish(c);
	if (c->owns_context && c->context != NULL)
		zmq_ctx_term(c->context);
	tc_publish_close(c);
	tc_subscribe_close(c);
	tc_commands_close(c);
	tc_snapshot_close(c);
	int fds[] = { c->wake_fd, c->timer_fd, c->epoll_fd };
	for (size_t i = 0; i < TC_LEN(fds); i++)
		if (fds[i] != -1)
			close(fds[i]);
	tc_folder_forget(&c->folder);
	free(c->software);
	free(c);
}

uint64_t
tc_next_request(struct turunc_client *c)
{
	return ++c->last_request;
}

void
tc_trouble(struct turunc_client *c, const struct turunc_trouble *trouble)
{
	if (c->options.handlers.on_trouble != NULL)
		c->options.handlers.on_trouble(c->options.arg, trouble);
}

void
tc_wake(struct turunc_client *c)
{
	if (c->awake)
		return;
	c->awake = true;
	/* An eventfd that holds 0 always takes a 1. */
	(void)!write(c->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void
fall_asleep(struct turunc_client *c)
{
	uint64_t ignored;

	if (!c->awake)
		return;
	c->awake = false;
	(void)!read(c->wake_fd, &ignored, sizeof(ignored));
}

static uint64_t
next_deadline_ms(const struct turunc_client *c)
{
	const uint64_t all[] = { tc_session_deadline(c), tc_publish_deadline(c),
		tc_subscribe_deadline(c), tc_commands_deadline(c), tc_snapshot_deadline(c) };
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < TC_LEN(all); i++)
		if (all[i] < least)
			least = all[i];
	return least;
}

/* Deadlines move at almost every step; the timer is only set anew when it would fire too late,
 * and firing too early costs one empty step. */
static void
set_timer(struct turunc_client *c, uint64_t now_ms, uint64_t due_ms)
{
	if (c->timer_ms > now_ms && c->timer_ms <= due_ms)
		return;
	struct itimerspec spec = { .it_value = { .tv_sec = (time_t)(due_ms / 1000),
				       .tv_nsec = (long)(due_ms % 1000) * 1000000 } };
	if (timerfd_settime(c->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
		c->timer_ms = due_ms;
	else
		tc_wake(c); /* never seen; then we spin rather than sleep for ever */
}

bool
turunc_client_step(struct turunc_client *c)
{
	uint64_t expirations;

	assert(!c->stepping);
	c->stepping = true;
	fall_asleep(c);
	(void)!read(c->timer_fd, &expirations, sizeof(expirations));
	bool more = tc_session_step(c);
	uint64_t now_ms = tc_now_ms();
	tc_subscribe_work(c, now_ms);
	tc_commands_work(c, now_ms);
	tc_snapshot_work(c, now_ms);
	tc_publish_work(c, now_ms);
	more = tc_session_peek(c) || more;

	now_ms = tc_now_ms();
	uint64_t due_ms = next_deadline_ms(c);
	if (due_ms > now_ms + TIMEOUT_MOST_MS)
		due_ms = now_ms + TIMEOUT_MOST_MS;
	if (more || due_ms <= now_ms)
		tc_wake(c);
	else
		set_timer(c, now_ms, due_ms);
	c->stepping = false;
	return c->awake;
}

int
turunc_client_fd(const struct turunc_client *c)
{
	return c->epoll_fd;
}

int
turunc_client_timeout_ms(const struct turunc_client *c)
{
	uint64_t due_ms = next_deadline_ms(c), now_ms = tc_now_ms();

	if (c->awake || due_ms <= now_ms)
		return 0;
	return due_ms - now_ms > TIMEOUT_MOST_MS ? TIMEOUT_MOST_MS : (int)(due_ms - now_ms);
}

bool
turunc_client_run_until(
    struct turunc_client *c, bool (*done)(void *), void *done_arg, int64_t limit_ms)
{
	uint64_t start_ms = tc_now_ms();

	for (;;) {
		turunc_client_step(c);
		if (done != NULL ? done(done_arg) : turunc_client_idle(c))
			return true;
		int64_t wait_ms = turunc_client_timeout_ms(c);
		int64_t left_ms = limit_ms - (int64_t)(tc_now_ms() - start_ms);
		if (limit_ms >= 0 && left_ms <= 0)
			return false;
		if (limit_ms >= 0 && left_ms < wait_ms)
			wait_ms = left_ms;
		struct pollfd watched = { .fd = c->epoll_fd, .events = POLLIN };
		(void)poll(&watched, 1, (int)wait_ms);
	}
}

enum turunc_state
turunc_client_state(const struct turunc_client *c)
{
	return c->session.state;
}

const struct turunc_stats *
turunc_client_stats(const struct turunc_client *c)
{
	return &c->stats;
}

const char *
turunc_client_log_id(const struct turunc_client *c)
{
	return c->log_id;
}

uint64_t
turunc_client_head_seq(const struct turunc_client *c)
{
	return c->head_seq;
}

const char *
turunc_client_name(const struct turunc_client *c)
{
	return c->name;
}

bool
turunc_client_idle(const struct turunc_client *c)
{
	const struct tc_subscriber *s = &c->subscriber;
	bool ack_waits = s->state != TC_SUB_NONE && s->established
			 && (s->ack_in_flight || s->acked_seq > s->ack_sent_seq);

	return c->publisher.outbox.pending == 0 && c->commands.count == 0 && !c->snapshot.active
	       && !ack_waits;
}
