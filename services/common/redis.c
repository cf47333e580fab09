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

static const char *const outcomes[] = {
	[REDIS_DONE] = "done", [REDIS_REFUSED] = "refused", [REDIS_LOST] = "lost", NULL
};

static const struct stat_row table[] = {
	[REDIS_STAT_COMMANDS] = { .name = "turunc_redis_commands_total",
	    .type = STAT_COUNTER,
	    .label = "outcome",
	    .label_values = outcomes,
	    .help = "Redis commands by outcome" },
	[REDIS_STAT_SECONDS] = { .name = "turunc_redis_command_seconds",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us,
	    .help = "Time from sending a command to its answer" },
	[REDIS_STAT_IN_FLIGHT] = { .name = "turunc_redis_in_flight",
	    .type = STAT_GAUGE,
	    .help = "Commands sent and not yet answered" },
	[REDIS_STAT_TURNED_AWAY] = { .name = "turunc_redis_turned_away_total",
	    .type = STAT_COUNTER,
	    .help = "Commands not sent: no connection, or too many on their way" },
	[REDIS_STAT_READY] = { .name = "turunc_redis_ready",
	    .type = STAT_GAUGE,
	    .help = "1 while Redis answers" },
	[REDIS_STAT_LOSSES] = { .name = "turunc_redis_losses_total",
	    .type = STAT_COUNTER,
	    .help = "Connections lost after they were ready" },
};

enum { IDLE_PING_MS = 5000 };

static const struct backoff retry = { .first_ms = 100, .cap_ms = 1000, .spread_percent = 40 };

static void
enter(struct redis *r, enum redis_state next)
{
	assert(states[r->state].next & BIT(next));
	log_debug("redis %s -> %s", states[r->state].name, states[next].name);
	r->state = next;
	stats_set(r->stats, REDIS_STAT_READY, next == REDIS_READY);
}

/* --- time --- */

void
redis_wake(struct redis *r, uint64_t at_ms)
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

/* --- loss --- */

void
redis_break(struct redis *r, const char *why)
{
	if (r->state == REDIS_BROKEN || r->state == REDIS_IDLE)
		return;
	if (r->why[0] == '\0')
		snprintf(r->why, sizeof(r->why), "%s", why);
	enter(r, REDIS_BROKEN);
	if (!r->closing)
		redis_wake(r, clock_monotonic_ms());
}

static void
on_found(void *arg, const struct addresses *found)
{
	struct redis *r = arg;

	r->lookup = NULL;
	if (found != NULL)
		r->addresses = *found;
}

/* The next of the host's addresses; and the host may have another one by now. */
static void
try_elsewhere(struct redis *r)
{
	r->address++;
	if (r->host != NULL && r->lookup == NULL)
		r->lookup = address_lookup_start(r->loop, r->host, on_found, r);
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
		stats_incr(r->stats, REDIS_STAT_LOSSES);
	else
		try_elsewhere(r);
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

/* --- greeting --- */

static void
on_greeted(void *arg, enum redis_outcome outcome, const redisReply *reply)
{
	struct redis *r = arg;

	if (outcome == REDIS_REFUSED)
		redis_break(r, reply->str);
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
		redis_break(r, reply->str);
}

static bool
greet(struct redis *r, const char *verb, const char *value)
{
	const char *const args[] = { verb, value };

	return redis_put_one(
	    r, &(struct redis_command){ .count = 2, .args = args }, on_greeting_step, r);
}

static bool
ping(struct redis *r, redis_done_fn *done)
{
	const char *const args[] = { "PING" };

	return redis_put_one(r, &(struct redis_command){ .count = 1, .args = args }, done, r);
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
		redis_break(r, "out of memory");
		return;
	}
	if (r->context->err != 0 || !redis_attach(r)) {
		redis_break(r, r->context->err != 0 ? r->context->errstr : "out of memory");
		redisAsyncFree(r->context);
		redis_unwatch(r);
		r->context = NULL;
		return;
	}
	if (r->socket_path == NULL)
		(void)redisEnableKeepAlive(&r->context->c);
	snprintf(database, sizeof(database), "%u", r->settings.database);
	if ((r->password != NULL && !greet(r, "AUTH", r->password))
	    || (r->settings.database != 0 && !greet(r, "SELECT", database)) || !ping(r, on_greeted))
		redis_break(r, "out of memory");
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis *r = arg;
	uint64_t now_ms = clock_monotonic_ms();
	const struct redis_pending *oldest = TAILQ_FIRST(&r->sent);

	(void)fd;
	(void)what;
	r->timer_at_ms = UINT64_MAX;
	if (r->state == REDIS_IDLE && now_ms >= r->retry_at_ms)
		start_connecting(r, now_ms);
	if (r->state == REDIS_GREETING && now_ms >= r->deadline_ms)
		redis_break(r, "no answer when connecting");
	if (r->state == REDIS_READY && oldest != NULL
	    && now_ms >= oldest->sent_ms + r->settings.command_ms)
		redis_break(r, "no answer");
	/* So that ready is true also while nothing is sent. */
	if (r->state == REDIS_READY && oldest == NULL && now_ms >= r->heard_ms + IDLE_PING_MS
	    && !ping(r, NULL))
		redis_break(r, "out of memory");
	if (r->state == REDIS_BROKEN)
		reclaim(r, now_ms);

	oldest = TAILQ_FIRST(&r->sent);
	if (r->state == REDIS_IDLE)
		redis_wake(r, r->retry_at_ms);
	else if (r->state == REDIS_GREETING)
		redis_wake(r, r->deadline_ms);
	else if (oldest != NULL)
		redis_wake(r, oldest->sent_ms + r->settings.command_ms);
	else
		redis_wake(r, r->heard_ms + IDLE_PING_MS);
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
	if (!address_split(address, host, &r->port)
	    || !address_resolve(host, &r->addresses, complaint, complaint_size))
		return false;
	r->host = strdup(host);
	return r->host != NULL;
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
	redis_wake(r, clock_monotonic_ms());
	return r;
}

void
redis_close(struct redis *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	redis_break(r, "closed");
	if (r->context != NULL)
		redisAsyncFree(r->context);
	address_lookup_cancel(r->lookup);
	if (r->timer != NULL)
		event_free(r->timer);
	stats_destroy(r->stats);
	if (r->password != NULL)
		explicit_bzero(r->password, strlen(r->password));
	free(r->password);
	free(r->socket_path);
	free(r->host);
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
