/* The loop of a daemon: its signals, its drain, its one timer, and whether it is ready. */
#include "daemon.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "utf8.h"

enum {
	PARTS_MAX = 32,
	TICKS_MAX = 32,
	DEPENDENCIES_MAX = 32,
	DETAIL_SIZE = 121,
	BUSY_LOOK_MS = 10,
	TICK_MAX_MS = 3600000,
	CLOCK_LOOK_MS = 3 /* whether a simulated clock was set; costs a read of mapped memory */
};

struct tick {
	daemon_tick_fn *tick;
	void *arg;
};

struct dependency {
	const char *name;
	bool needed;
	enum dependency_state state;
	int64_t since_us;
	uint64_t since_ms; /* monotonic: the age must not jump with the wall clock */
	char detail[DETAIL_SIZE];
};

struct daemon {
	const char *service;
	const struct daemon_settings *settings;
	struct event_base *loop;
	struct event *on_term;
	struct event *on_int;
	struct event *ticker;
	struct event *drainer;
	struct event *clock_looker; /* on a simulated clock only */
	uint64_t clock_seen;

	struct daemon_part parts[PARTS_MAX];
	size_t part_count;
	struct tick ticks[TICKS_MAX];
	size_t tick_count;
	uint64_t wake_ms; /* when the ticker will ring; UINT64_MAX: not armed */
	struct dependency dependencies[DEPENDENCIES_MAX];
	unsigned dependency_count;

	bool draining; /* somebody asked */
	bool stopped; /* the parts have been told */
	bool clean;
	uint64_t drain_until_ms;
};

static const char *const state_names[DEPENDENCY_STATES] = { "starting", "up", "down" };

static void on_signal(evutil_socket_t signal_no, short what, void *arg);
static void on_tick(evutil_socket_t fd, short what, void *arg);
static void on_clock_look(evutil_socket_t fd, short what, void *arg);
static void on_drain_look(evutil_socket_t fd, short what, void *arg);

/* Changes to what is watched are handed to the kernel in one go per turn. */
static struct event_base *
make_loop(void)
{
	struct event_config *config = event_config_new();
	struct event_base *loop = NULL;

	if (config != NULL
	    && event_config_set_flag(
		   config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST | EVENT_BASE_FLAG_IGNORE_ENV)
		   == 0
	    && event_config_require_features(config, EV_FEATURE_O1) == 0)
		loop = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return loop;
}

/* Whoever waits for a moment of a simulated clock waits by the real one, and would sleep through a
 * day that somebody lets pass at once. */
static bool
watch_clock(struct daemon *d)
{
	const struct timeval every = { .tv_usec = CLOCK_LOOK_MS * 1000 };

	if (!clock_is_simulated())
		return true;
	(void)clock_was_set(&d->clock_seen);
	d->clock_looker = event_new(d->loop, -1, EV_PERSIST, on_clock_look, d);
	return d->clock_looker != NULL && event_add(d->clock_looker, &every) == 0;
}

struct daemon *
daemon_create(const char *service, const struct daemon_settings *settings)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->service = service;
	d->settings = settings;
	d->wake_ms = UINT64_MAX;
	if ((d->loop = make_loop()) == NULL
	    || (d->on_term = evsignal_new(d->loop, SIGTERM, on_signal, d)) == NULL
	    || (d->on_int = evsignal_new(d->loop, SIGINT, on_signal, d)) == NULL
	    || (d->ticker = evtimer_new(d->loop, on_tick, d)) == NULL
	    || (d->drainer = evtimer_new(d->loop, on_drain_look, d)) == NULL
	    || evsignal_add(d->on_term, NULL) == -1 || evsignal_add(d->on_int, NULL) == -1
	    || !watch_clock(d)) {
		log_debug("no event loop");
		daemon_destroy(d);
		return NULL;
	}
	return d;
}

void
daemon_destroy(struct daemon *d)
{
	if (d == NULL)
		return;
	struct event *const events[] = { d->on_term, d->on_int, d->ticker, d->drainer,
		d->clock_looker };
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (d->loop != NULL)
		event_base_free(d->loop);
	free(d);
}

struct event_base *
daemon_loop(struct daemon *d)
{
	return d->loop;
}

const char *
daemon_service(const struct daemon *d)
{
	return d->service;
}

/* --- drain --- */

void
daemon_add_part(struct daemon *d, struct daemon_part part)
{
	assert(d->part_count < PARTS_MAX);
	d->parts[d->part_count++] = part;
}

/* The first part that still has work, or NULL. */
static const char *
busy_part(struct daemon *d)
{
	for (size_t i = 0; i < d->part_count; i++)
		if (d->parts[i].busy != NULL && d->parts[i].busy(d->parts[i].arg))
			return d->parts[i].name;
	return NULL;
}

static void
look_after(struct daemon *d, uint64_t wait_ms)
{
	const struct timeval wait = { .tv_usec = (suseconds_t)wait_ms * 1000 };

	/* Without the timer nobody would ever look: leave, not clean. */
	if (evtimer_add(d->drainer, &wait) == -1)
		event_base_loopbreak(d->loop);
}

static void
on_drain_look(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; !d->stopped && i < d->part_count; i++)
		if (d->parts[i].stop != NULL)
			d->parts[i].stop(d->parts[i].arg);
	d->stopped = true;

	const char *busy = busy_part(d);
	if (busy != NULL && clock_monotonic_ms() < d->drain_until_ms) {
		look_after(d, BUSY_LOOK_MS);
		return;
	}
	if (busy != NULL)
		log_warn("drain time is over, unfinished work is left part=%s", busy);
	d->clean = busy == NULL;
	event_base_loopbreak(d->loop);
}

bool
daemon_draining(const struct daemon *d)
{
	return d->draining;
}

/* The parts stop in a turn of their own, never within the part that asked. */
void
daemon_stop(struct daemon *d)
{
	if (d->draining)
		return;
	d->draining = true;
	d->drain_until_ms = clock_monotonic_ms() + (uint64_t)d->settings->drain_ms;
	look_after(d, 0);
}

static void
on_signal(evutil_socket_t signal_no, short what, void *arg)
{
	struct daemon *d = arg;

	(void)what;
	if (d->draining) {
		log_warn("stopping at once signal=%d", (int)signal_no);
		event_base_loopbreak(d->loop);
		return;
	}
	log_info("draining signal=%d", (int)signal_no);
	daemon_stop(d);
}

bool
daemon_run(struct daemon *d)
{
	daemon_wake_now(d);
	if (event_base_dispatch(d->loop) == -1)
		log_error("the event loop failed");
	return d->clean;
}

/* --- ticks --- */

void
daemon_add_tick(struct daemon *d, daemon_tick_fn *tick, void *arg)
{
	assert(d->tick_count < TICKS_MAX);
	d->ticks[d->tick_count++] = (struct tick){ tick, arg };
	daemon_wake_now(d);
}

static void
arm_ticker(struct daemon *d, uint64_t at_ms, uint64_t now_ms)
{
	uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;

	/* The timer's unit has room for less than 64 bits; looking early harms nobody. */
	if (wait_ms > TICK_MAX_MS)
		wait_ms = TICK_MAX_MS;
	const struct timeval wait = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };
	if (evtimer_add(d->ticker, &wait) == -1)
		log_debug("cannot arm the ticker");
	d->wake_ms = at_ms;
}

void
daemon_wake(struct daemon *d, uint64_t at_ms)
{
	if (at_ms < d->wake_ms)
		arm_ticker(d, at_ms, clock_monotonic_ms());
}

void
daemon_wake_now(struct daemon *d)
{
	daemon_wake(d, 0);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t next_ms = UINT64_MAX;

	(void)fd;
	(void)what;
	/* A tick may itself ask to be woken: that counts from here. */
	d->wake_ms = UINT64_MAX;
	for (size_t i = 0; i < d->tick_count; i++) {
		int64_t wait_ms = d->ticks[i].tick(d->ticks[i].arg, now_ms);
		if (wait_ms >= 0 && now_ms + (uint64_t)wait_ms < next_ms)
			next_ms = now_ms + (uint64_t)wait_ms;
	}
	if (next_ms < d->wake_ms)
		arm_ticker(d, next_ms, now_ms);
}

static void
on_clock_look(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (clock_was_set(&d->clock_seen))
		daemon_wake_now(d);
}

/* --- readiness --- */

unsigned
daemon_add_dependency(struct daemon *d, const char *name, bool needed)
{
	assert(d->dependency_count < DEPENDENCIES_MAX);
	d->dependencies[d->dependency_count] = (struct dependency){ .name = name,
		.needed = needed,
		.since_us = clock_now_us(),
		.since_ms = clock_monotonic_ms() };
	return d->dependency_count++;
}

void
daemon_set_dependency(
    struct daemon *d, unsigned dependency, enum dependency_state state, const char *detail)
{
	assert(dependency < d->dependency_count && state < DEPENDENCY_STATES);
	struct dependency *dep = &d->dependencies[dependency];

	if (dep->state != state) {
		log_debug("dependency name=%s %s -> %s", dep->name, state_names[dep->state],
		    state_names[state]);
		dep->state = state;
		dep->since_us = clock_now_us();
		dep->since_ms = clock_monotonic_ms();
	}
	size_t len = detail == NULL ? 0 : strlen(detail);
	len = utf8_prefix_len(detail, len, DETAIL_SIZE - 1);
	memcpy(dep->detail, detail == NULL ? "" : detail, len);
	dep->detail[len] = '\0';
}

bool
daemon_ready(const struct daemon *d)
{
	for (unsigned i = 0; i < d->dependency_count; i++)
		if (d->dependencies[i].needed && d->dependencies[i].state != DEPENDENCY_UP)
			return false;
	return !d->draining;
}

static json_t *
dependencies_json(const struct daemon *d)
{
	uint64_t now_ms = clock_monotonic_ms();
	json_t *list = json_array();

	for (unsigned i = 0; list != NULL && i < d->dependency_count; i++) {
		const struct dependency *dep = &d->dependencies[i];
		json_t *item = json_pack("{s:s, s:s, s:b, s:I, s:I}", "name", dep->name, "state",
		    state_names[dep->state], "needed", dep->needed, "since_us",
		    (json_int_t)dep->since_us, "for_ms", (json_int_t)(now_ms - dep->since_ms));
		/* A detail that is no UTF-8 (a server's words in its own code) is left out. */
		json_t *detail = dep->detail[0] == '\0' ? NULL : json_string(dep->detail);
		if (detail != NULL && item != NULL)
			json_object_set_new(item, "detail", detail);
		if (item == NULL || json_array_append_new(list, item) == -1) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

bool
daemon_readyz(const struct daemon *d, struct evbuffer *out, int *ret_http_status)
{
	bool ready = daemon_ready(d);
	json_t *list = dependencies_json(d);
	json_t *body = list == NULL
			   ? NULL
			   : json_pack("{s:s, s:b, s:b, s:o}", "service", d->service, "ready",
			       ready, "draining", d->draining, "dependencies", list);
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	bool written = text != NULL && evbuffer_add_printf(out, "%s\n", text) != -1;

	free(text);
	json_decref(body);
	if (written)
		*ret_http_status = ready ? 200 : 503;
	return written;
}

/* The names are words of ours: nothing in them is to be escaped. */
bool
daemon_write_stats(const struct daemon *d, struct evbuffer *out)
{
	bool written = evbuffer_add_printf(out,
			   "# HELP turunc_ready 1: it does its work\n"
			   "# TYPE turunc_ready gauge\nturunc_ready %d\n",
			   daemon_ready(d))
		       != -1;

	if (d->dependency_count == 0)
		return written;
	written = written
		  && evbuffer_add_printf(out,
			 "# HELP turunc_dependency_up Is what it stands on there\n"
			 "# TYPE turunc_dependency_up gauge\n")
			 != -1;
	for (unsigned i = 0; written && i < d->dependency_count; i++) {
		const struct dependency *dep = &d->dependencies[i];
		written = evbuffer_add_printf(out,
			      "turunc_dependency_up{dependency=\"%s\",needed=\"%s\"} %d\n",
			      dep->name, dep->needed ? "yes" : "no", dep->state == DEPENDENCY_UP)
			  != -1;
	}
	return written;
}
