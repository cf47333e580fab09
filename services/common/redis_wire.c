/* Commands on their way to Redis and their answers, and the events hiredis asks for. */
#include <assert.h>
#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "redis_internal.h"
#include "stats.h"

/* What an argument costs beside its bytes. */
enum { ARG_HEAD_BYTES = 16 };

/* --- commands --- */

static size_t
command_bytes(const struct redis_command *command)
{
	size_t bytes = ARG_HEAD_BYTES;

	for (size_t i = 0; i < command->count; i++)
		bytes += ARG_HEAD_BYTES
			 + (command->lens != NULL ? command->lens[i] : strlen(command->args[i]));
	return bytes;
}

static bool
has_error(const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR)
		return true;
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_ERROR)
			return true;
	return false;
}

static void
on_reply(redisAsyncContext *context, void *raw_reply, void *raw_pending)
{
	struct redis_pending *pending = raw_pending;
	struct redis *r = pending->redis;
	const redisReply *reply = raw_reply;
	enum redis_outcome outcome = REDIS_DONE;

	(void)context;
	assert(pending == TAILQ_FIRST(&r->sent));
	TAILQ_REMOVE(&r->sent, pending, link);
	r->in_flight--;
	r->bytes -= pending->bytes;
	if (reply == NULL)
		outcome = REDIS_LOST;
	else if (has_error(reply))
		outcome = REDIS_REFUSED;
	if (reply != NULL)
		r->heard_ms = clock_monotonic_ms();
	if (!pending->greeting) {
		stats_add_at(r->stats, REDIS_STAT_COMMANDS, outcome, 1);
		stats_observe(
		    r->stats, REDIS_STAT_SECONDS, clock_monotonic_us() - pending->sent_us);
		stats_set(r->stats, REDIS_STAT_IN_FLIGHT, (int64_t)r->in_flight);
	}
	if (pending->done != NULL)
		pending->done(pending->arg, outcome, reply);
	free(pending);
}

bool
redis_put_one(struct redis *r, const struct redis_command *command, redis_done_fn *done, void *arg)
{
	const char *args[command->count];
	struct redis_pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL)
		return false;
	memcpy(args, command->args, sizeof(args));
	*pending = (struct redis_pending){ .redis = r,
		.done = done,
		.arg = arg,
		.bytes = command_bytes(command),
		.sent_ms = clock_monotonic_ms(),
		.sent_us = clock_monotonic_us(),
		.greeting = r->state == REDIS_GREETING };
	if (redisAsyncCommandArgv(
		r->context, on_reply, pending, (int)command->count, args, command->lens)
	    != REDIS_OK) {
		free(pending);
		return false;
	}
	TAILQ_INSERT_TAIL(&r->sent, pending, link);
	r->in_flight++;
	r->bytes += pending->bytes;
	redis_wake(r, pending->sent_ms + r->settings.command_ms);
	return true;
}

bool
redis_put(struct redis *r, const struct redis_command *commands, size_t count, redis_done_fn *done,
    void *arg)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += command_bytes(&commands[i]);
	if (r->state != REDIS_READY || r->context == NULL
	    || bytes > r->settings.bytes_max - r->bytes
	    || count > r->settings.in_flight_max - r->in_flight) {
		stats_add(r->stats, REDIS_STAT_TURNED_AWAY, count);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		if (redis_put_one(r, &commands[i], last ? done : NULL, last ? arg : NULL))
			continue;
		/* Half a transaction must not leave; what is buffered goes with the connection. */
		if (i > 0)
			redis_break(r, "out of memory");
		stats_add(r->stats, REDIS_STAT_TURNED_AWAY, count);
		return false;
	}
	stats_set(r->stats, REDIS_STAT_IN_FLIGHT, (int64_t)r->in_flight);
	return true;
}

/* --- the context's events; hiredis asks for them through these --- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;

	(void)fd;
	(void)what;
	if (r->context != NULL)
		redisAsyncHandleRead(r->context);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;

	(void)fd;
	(void)what;
	if (r->context != NULL)
		redisAsyncHandleWrite(r->context);
}

static void
add_read(void *arg)
{
	struct redis *r = arg;

	event_add(r->readable, NULL);
}

static void
del_read(void *arg)
{
	struct redis *r = arg;

	event_del(r->readable);
}

static void
add_write(void *arg)
{
	struct redis *r = arg;

	event_add(r->writable, NULL);
}

static void
del_write(void *arg)
{
	struct redis *r = arg;

	event_del(r->writable);
}

void
redis_unwatch(struct redis *r)
{
	if (r->readable != NULL)
		event_free(r->readable);
	if (r->writable != NULL)
		event_free(r->writable);
	r->readable = r->writable = NULL;
}

/* hiredis is about to free the context, whoever wanted it; what was pending has been told. */
static void
on_context_freed(void *arg)
{
	struct redis *r = arg;
	const char *why = r->context->errstr != NULL && r->context->errstr[0] != '\0'
			      ? r->context->errstr
			      : "connection lost";

	redis_break(r, why);
	redis_unwatch(r);
	r->context = NULL;
}

bool
redis_attach(struct redis *r)
{
	redisAsyncContext *context = r->context;

	r->readable = event_new(r->loop, context->c.fd, EV_READ | EV_PERSIST, on_readable, r);
	r->writable = event_new(r->loop, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, r);
	if (r->readable == NULL || r->writable == NULL)
		return false;
	context->ev.data = r;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = on_context_freed;
	return true;
}
