/* One connection to Redis: attempt, greeting, commands on their way, deadlines, loss, again. */
#include "redis.h"

#include <assert.h>
#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "address.h"
#include "backoff.h"
#include "clock.h"
#include "log.h"
#include "redis_internal.h"
#include "stats.h"

enum redis_state {
	REDIS_IDLE, /* until retry_at_ms, then the next attempt */
	REDIS_GREETING, /* connecting, then AUTH, SELECT and PING; until deadline_ms */
	REDIS_READY,
	REDIS_BROKEN, /* reclaimed by the next tick, for the context may be in use up the stack */
	REDIS_STATES
};
#define BIT(s) (1u << (s))

static const struct {
	const char *name;
	unsigned next;
} states[] = {
	[REDIS_IDLE] = { "idle", BIT(REDIS_GREETING) },
	[REDIS_GREETING] = { "greeting", BIT(REDIS_READY) | BIT(REDIS_BROKEN) },
	[REDIS_READY] = { "ready", BIT(REDIS_BROKEN) },
	[REDIS_BROKEN] = { "broken", BIT(REDIS_IDLE) },
};
_Static_assert(ARRAY_LEN(states) == REDIS_STATES, "describe every state");

enum { ARG_HEAD_BYTES = 16, IDLE_PING_MS = 5000 };

/* A command on its way. */
struct pending {
	TAILQ_ENTRY(pending) link;
	struct redis *redis;
	redis_done_fn *done;
	void *arg;
	size_t bytes;
	uint64_t sent_ms;
	int64_t sent_us;
	bool greeting;
};

struct redis {
	struct event_base *loop;
	struct redis_settings settings;
	redis_state_fn *on_state;
	void *arg;
	struct stats *stats;
	char *password, *socket_path;
	struct addresses addresses;
	int port;
	size_t address; /* of the next attempt, modulo their count */

	enum redis_state state;
	redisAsyncContext *context; /* hiredis frees it; then this is NULL */
	struct event *readable, *writable;
	TAILQ_HEAD(, pending) sent; /* oldest first */
	size_t in_flight, bytes;
	struct event *timer;
	uint64_t timer_at_ms; /* UINT64_MAX: not set */
	uint64_t retry_at_ms, deadline_ms, heard_ms;
	uint32_t failures;
	bool was_ready, lost_told, closing;
	char why[200];
};

enum { STAT_COMMANDS, STAT_SECONDS, STAT_IN_FLIGHT, STAT_TURNED_AWAY, STAT_READY, STAT_LOSSES };

static const char *const outcomes[] = {
	[REDIS_DONE] = "done", [REDIS_REFUSED] = "refused", [REDIS_LOST] = "lost", NULL
};

static const struct stat_row table[] = {
	[STAT_COMMANDS] = { .name = "turunc_redis_commands_total",
	    .type = STAT_COUNTER,
	    .label = "outcome",
	    .label_values = outcomes,
	    .help = "Redis commands by outcome" },
	[STAT_SECONDS] = { .name = "turunc_redis_command_seconds",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us,
	    .help = "Time from sending a command to its answer" },
	[STAT_IN_FLIGHT] = { .name = "turunc_redis_in_flight",
	    .type = STAT_GAUGE,
	    .help = "Commands sent and not yet answered" },
	[STAT_TURNED_AWAY] = { .name = "turunc_redis_turned_away_total",
	    .type = STAT_COUNTER,
	    .help = "Commands not sent: no connection, or too many on their way" },
	[STAT_READY] = { .name = "turunc_redis_ready",
	    .type = STAT_GAUGE,
	    .help = "1 while Redis answers" },
	[STAT_LOSSES] = { .name = "turunc_redis_losses_total",
	    .type = STAT_COUNTER,
	    .help = "Connections lost after they were ready" },
};

static const struct backoff retry = { .first_ms = 100, .cap_ms = 5000, .spread_percent = 40 };

static void break_off(struct redis *r, const char *why);
static bool ping(struct redis *r, redis_done_fn *done);

static void
enter(struct redis *r, enum redis_state next)
{
	assert(states[r->state].next & BIT(next));
	log_debug("redis %s -> %s", states[r->state].name, states[next].name);
	r->state = next;
	stats_set(r->stats, STAT_READY, next == REDIS_READY);
}

/* --- time --- */

static void
wake(struct redis *r, uint64_t at_ms)
{
	if (at_ms >= r->timer_at_ms)
		return;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	const struct timeval wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
	evtimer_add(r->timer, &wait);
	r->timer_at_ms = at_ms;
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

static void
unwatch(struct redis *r)
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

	break_off(r, why);
	unwatch(r);
	r->context = NULL;
}

static bool
attach(struct redis *r)
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

/* --- loss --- */

static void
break_off(struct redis *r, const char *why)
{
	if (r->state == REDIS_BROKEN || r->state == REDIS_IDLE)
		return;
	if (r->why[0] == '\0')
		snprintf(r->why, sizeof(r->why), "%s", why);
	enter(r, REDIS_BROKEN);
	if (!r->closing)
		wake(r, clock_monotonic_ms());
}

static void
reclaim(struct redis *r, uint64_t now_ms)
{
	char why[sizeof(r->why)];
	uint32_t random;

	/* Tells whatever is still pending; only now, from the loop, nothing is up the stack. */
	if (r->context != NULL)
		redisAsyncFree(r->context);
	assert(r->context == NULL && TAILQ_EMPTY(&r->sent));
	enter(r, REDIS_IDLE);
	if (r->was_ready)
		stats_incr(r->stats, STAT_LOSSES);
	else
		r->address++;
	r->was_ready = false;
	if (r->failures < UINT32_MAX)
		r->failures++;
	evutil_secure_rng_get_bytes(&random, sizeof(random));
	r->retry_at_ms = now_ms + backoff_delay_ms(&retry, r->failures, random);
	memcpy(why, r->why, sizeof(why));
	r->why[0] = '\0';
	if (!r->lost_told && r->on_state != NULL)
		r->on_state(r->arg, false, why);
	r->lost_told = true;
}

/* --- commands --- */

size_t
redis_command_bytes(const struct redis_command *command)
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
	struct pending *pending = raw_pending;
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
		stats_add_at(r->stats, STAT_COMMANDS, outcome, 1);
		stats_observe(r->stats, STAT_SECONDS, clock_monotonic_us() - pending->sent_us);
		stats_set(r->stats, STAT_IN_FLIGHT, (int64_t)r->in_flight);
	}
	if (pending->done != NULL)
		pending->done(pending->arg, outcome, reply);
	free(pending);
}

/* False: no memory, or hiredis is already letting go of the context. */
static bool
put_one(struct redis *r, const struct redis_command *command, redis_done_fn *done, void *arg)
{
	const char *args[command->count];
	struct pending *pending = calloc(1, sizeof(*pending));

	if (pending == NULL)
		return false;
	memcpy(args, command->args, sizeof(args));
	*pending = (struct pending){ .redis = r,
		.done = done,
		.arg = arg,
		.bytes = redis_command_bytes(command),
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
	wake(r, pending->sent_ms + r->settings.command_ms);
	return true;
}

bool
redis_put(struct redis *r, const struct redis_command *commands, size_t count, redis_done_fn *done,
    void *arg)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += redis_command_bytes(&commands[i]);
	if (r->state != REDIS_READY || r->context == NULL
	    || bytes > r->settings.bytes_max - r->bytes
	    || count > r->settings.in_flight_max - r->in_flight) {
		stats_add(r->stats, STAT_TURNED_AWAY, count);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		if (put_one(r, &commands[i], last ? done : NULL, last ? arg : NULL))
			continue;
		/* Half a transaction must not leave; what is buffered goes with the connection. */
		if (i > 0)
			break_off(r, "out of memory");
		stats_add(r->stats, STAT_TURNED_AWAY, count);
		return false;
	}
	stats_set(r->stats, STAT_IN_FLIGHT, (int64_t)r->in_flight);
	return true;
}

/* --- greeting --- */

static void
on_greeted(void *arg, enum redis_outcome outcome, const redisReply *reply)
{
	struct redis *r = arg;

	if (outcome == REDIS_REFUSED)
		break_off(r, reply->str);
	if (outcome != REDIS_DONE || r->state != REDIS_GREETING)
		return;
	enter(r, REDIS_READY);
	r->failures = 0;
	r->was_ready = true;
	r->lost_told = false;
	if (r->on_state != NULL)
		r->on_state(r->arg, true, NULL);
}

static void
on_greeting_step(void *arg, enum redis_outcome outcome, const redisReply *reply)
{
	struct redis *r = arg;

	if (outcome == REDIS_REFUSED)
		break_off(r, reply->str);
}

static bool
greet(struct redis *r, const char *verb, const char *value)
{
	const char *const args[] = { verb, value };

	return put_one(r, &(struct redis_command){ .count = 2, .args = args }, on_greeting_step, r);
}

static bool
ping(struct redis *r, redis_done_fn *done)
{
	const char *const args[] = { "PING" };

	return put_one(r, &(struct redis_command){ .count = 1, .args = args }, done, r);
}

static void
start_connecting(struct redis *r, uint64_t now_ms)
{
	char database[16];

	enter(r, REDIS_GREETING);
	r->deadline_ms = now_ms + r->settings.connect_ms;
	r->context = r->socket_path != NULL
			 ? redisAsyncConnectUnix(r->socket_path)
			 : redisAsyncConnect(
			     r->addresses.numeric[r->address % r->addresses.count], r->port);
	if (r->context == NULL) {
		break_off(r, "out of memory");
		return;
	}
	if (r->context->err != 0 || !attach(r)) {
		break_off(r, r->context->err != 0 ? r->context->errstr : "out of memory");
		redisAsyncFree(r->context);
		unwatch(r);
		r->context = NULL;
		return;
	}
	if (r->socket_path == NULL)
		(void)redisEnableKeepAlive(&r->context->c);
	snprintf(database, sizeof(database), "%u", r->settings.database);
	if ((r->password != NULL && !greet(r, "AUTH", r->password))
	    || (r->settings.database != 0 && !greet(r, "SELECT", database)) || !ping(r, on_greeted))
		break_off(r, "out of memory");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;
	uint64_t now_ms = clock_monotonic_ms();
	const struct pending *oldest = TAILQ_FIRST(&r->sent);

	(void)fd;
	(void)what;
	r->timer_at_ms = UINT64_MAX;
	if (r->state == REDIS_IDLE && now_ms >= r->retry_at_ms)
		start_connecting(r, now_ms);
	if (r->state == REDIS_GREETING && now_ms >= r->deadline_ms)
		break_off(r, "no answer when connecting");
	if (r->state == REDIS_READY && oldest != NULL
	    && now_ms >= oldest->sent_ms + r->settings.command_ms)
		break_off(r, "no answer");
	/* So that ready is true also while nothing is sent. */
	if (r->state == REDIS_READY && oldest == NULL && now_ms >= r->heard_ms + IDLE_PING_MS
	    && !ping(r, NULL))
		break_off(r, "out of memory");
	if (r->state == REDIS_BROKEN)
		reclaim(r, now_ms);

	oldest = TAILQ_FIRST(&r->sent);
	if (r->state == REDIS_IDLE)
		wake(r, r->retry_at_ms);
	else if (r->state == REDIS_GREETING)
		wake(r, r->deadline_ms);
	else if (oldest != NULL)
		wake(r, oldest->sent_ms + r->settings.command_ms);
	else
		wake(r, r->heard_ms + IDLE_PING_MS);
}

/* --- life --- */

static bool
take_address(struct redis *r, const char *address, char *complaint, size_t complaint_size)
{
	char host[ADDRESS_HOST_SIZE];

	if (address[0] == '/') {
		r->socket_path = strdup(address);
		return r->socket_path != NULL;
	}
	snprintf(complaint, complaint_size, "neither host:port nor the path of a socket");
	return address_split(address, host, &r->port)
	       && address_resolve(host, &r->addresses, complaint, complaint_size);
}

static void
take_settings(struct redis *r, const struct redis_settings *given)
{
	struct redis_settings *s = &r->settings;

	*s = *given;
	s->in_flight_max = s->in_flight_max == 0 ? 1024 : s->in_flight_max;
	s->bytes_max = s->bytes_max == 0 ? (size_t)8 * 1024 * 1024 : s->bytes_max;
	s->connect_ms = s->connect_ms == 0 ? 3000 : s->connect_ms;
	s->command_ms = s->command_ms == 0 ? 5000 : s->command_ms;
	/* These were the caller's strings. */
	s->address = s->password = NULL;
}

struct redis *
redis_open(struct event_base *loop, const struct redis_settings *settings, redis_state_fn *on_state,
    void *arg, char *complaint, size_t complaint_size)
{
	struct redis *r = calloc(1, sizeof(*r));

	snprintf(complaint, complaint_size, "out of memory");
	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->on_state = on_state;
	r->arg = arg;
	r->timer_at_ms = UINT64_MAX;
	TAILQ_INIT(&r->sent);
	take_settings(r, settings);
	if (settings->password != NULL && settings->password[0] != '\0')
		r->password = strdup(settings->password);
	bool password_kept = settings->password == NULL || settings->password[0] == '\0'
			     || r->password != NULL;
	if (!password_kept || (r->stats = stats_create(table, ARRAY_LEN(table))) == NULL
	    || (r->timer = evtimer_new(loop, on_timer, r)) == NULL
	    || !take_address(r, settings->address, complaint, complaint_size)) {
		redis_close(r);
		return NULL;
	}
	wake(r, clock_monotonic_ms());
	return r;
}

void
redis_close(struct redis *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	break_off(r, "closed");
	if (r->context != NULL)
		redisAsyncFree(r->context);
	if (r->timer != NULL)
		event_free(r->timer);
	stats_destroy(r->stats);
	if (r->password != NULL)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	free(r->socket_path);
	free(r);
}

bool
redis_ready(const struct redis *r)
{
	return r->state == REDIS_READY;
}

const struct stats *
redis_stats(struct redis *r)
{
	return r->stats;
}
