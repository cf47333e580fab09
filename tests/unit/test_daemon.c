/* Drain, ticks and readiness, on a real loop with real signals. */
#include "daemon.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

static const struct daemon_settings patient = { .clock_file = NULL, .drain_ms = 20000 };
static const struct daemon_settings hasty = { .clock_file = NULL, .drain_ms = 30 };

/* One part that stays busy for some looks, and counts what happens to it. */
struct part {
	struct daemon *d;
	int stopped;
	int stop_turn;
	int busy_looks;
	int looks;
	int second_signal_at_look;
};

static int turn;

static void
part_stop(void *arg)
{
	struct part *p = arg;

	p->stopped++;
	p->stop_turn = ++turn;
}

static bool
part_busy(void *arg)
{
	struct part *p = arg;

	p->looks++;
	CHECK_I64("stopped before it is asked", p->stopped, 1);
	if (p->second_signal_at_look == p->looks)
		raise(SIGINT);
	return p->looks <= p->busy_looks;
}

/* The first tick says stop, by signal or by call. */
struct ender {
	struct daemon *d;
	int signal_no; /* 0: by daemon_stop() */
	int calls;
};

static int64_t
ender_tick(void *arg, uint64_t now_ms)
{
	struct ender *e = arg;

	(void)now_ms;
	if (e->calls++ > 0)
		return -1;
	if (e->signal_no != 0)
		raise(e->signal_no);
	else
		daemon_stop(e->d);
	return -1;
}

static const struct {
	const char *name;
	int signal_no;
	int busy_looks;
	int second_signal_at_look;
	const struct daemon_settings *settings;
	bool want_clean;
} drains[] = {
	{ "nothing to do", SIGTERM, 0, 0, &patient, true },
	{ "SIGINT is the same", SIGINT, 0, 0, &patient, true },
	{ "asked by the daemon itself", 0, 0, 0, &patient, true },
	{ "work is waited for", SIGTERM, 5, 0, &patient, true },
	{ "but not for ever", SIGTERM, 1000000, 0, &hasty, false },
	{ "a second signal leaves at once", SIGTERM, 1000000, 3, &patient, false },
};

TEST(test_daemon_drains)
{
	for (size_t i = 0; i < ARRAY_LEN(drains); i++) {
		struct daemon *d = daemon_create("sample", drains[i].settings);
		struct ender ender = { .d = d, .signal_no = drains[i].signal_no };
		struct part door = { .d = d,
			.busy_looks = drains[i].busy_looks,
			.second_signal_at_look = drains[i].second_signal_at_look };
		struct part second = { .d = d };
		if (!CHECK(d != NULL))
			return;
		daemon_add_part(d, (struct daemon_part){ "door", part_stop, part_busy, &door });
		daemon_add_part(d, (struct daemon_part){ "second", part_stop, part_busy, &second });
		daemon_add_part(d, (struct daemon_part){ "neither", NULL, NULL, NULL });
		daemon_add_tick(d, ender_tick, &ender);
		CHECK_FALSE(drains[i].name, daemon_draining(d));
		CHECK_TRUE(drains[i].name, daemon_ready(d));

		bool clean = daemon_run(d);
		CHECK_TRUE(drains[i].name, clean == drains[i].want_clean);
		CHECK_TRUE(drains[i].name, daemon_draining(d) && !daemon_ready(d));
		CHECK_I64(drains[i].name, door.stopped, 1);
		CHECK_I64(drains[i].name, second.stopped, 1);
		CHECK_TRUE("in order", door.stop_turn < second.stop_turn);
		if (drains[i].second_signal_at_look > 0)
			CHECK_I64("looks after the second signal", door.looks,
			    drains[i].second_signal_at_look);
		daemon_destroy(d);
	}
	daemon_destroy(NULL);
}

/* daemon_stop() from within a part's own callback must not call that part back at once. */
static int64_t
stop_from_inside(void *arg, uint64_t now_ms)
{
	struct part *p = arg;

	(void)now_ms;
	daemon_stop(p->d);
	daemon_stop(p->d);
	CHECK_I64("not within the caller", p->stopped, 0);
	return -1;
}

TEST(test_daemon_stop_is_in_its_own_turn)
{
	struct daemon *d = daemon_create("sample", &patient);
	struct part p = { .d = d };

	daemon_add_part(d, (struct daemon_part){ "part", part_stop, part_busy, &p });
	daemon_add_tick(d, stop_from_inside, &p);
	CHECK(daemon_run(d));
	CHECK_I64("once", p.stopped, 1);
	daemon_destroy(d);
}

/* --- ticks --- */

struct module {
	struct daemon *d;
	uint64_t deadline_ms; /* 0: none */
	uint64_t rang_ms;
	int calls;
	struct module *wakes; /* set a deadline there when ours comes */
	bool stops;
};

static int64_t
module_tick(void *arg, uint64_t now_ms)
{
	struct module *m = arg;

	m->calls++;
	if (m->deadline_ms != 0 && now_ms >= m->deadline_ms) {
		m->deadline_ms = 0;
		m->rang_ms = clock_monotonic_ms();
		if (m->wakes != NULL) {
			m->wakes->deadline_ms = now_ms + 20;
			daemon_wake(m->d, m->wakes->deadline_ms);
		}
		if (m->stops)
			daemon_stop(m->d);
	}
	return m->deadline_ms == 0 ? -1 : (int64_t)(m->deadline_ms - now_ms);
}

TEST(test_daemon_ticks_ring_at_their_deadlines)
{
	struct daemon *d = daemon_create("sample", &patient);
	uint64_t start_ms = clock_monotonic_ms();
	/* last has no deadline until middle's comes, and stands before it in the round. */
	struct module last = { .d = d, .stops = true };
	struct module far = { .d = d, .deadline_ms = start_ms + 3600000 };
	struct module first = { .d = d, .deadline_ms = start_ms + 10 };
	struct module middle = { .d = d, .deadline_ms = start_ms + 40, .wakes = &last };
	struct module *const all[] = { &last, &far, &first, &middle };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		daemon_add_tick(d, module_tick, all[i]);
	CHECK(daemon_run(d));
	CHECK_TRUE("first", first.rang_ms >= start_ms + 10);
	CHECK_TRUE("middle", middle.rang_ms >= start_ms + 40 && middle.rang_ms >= first.rang_ms);
	CHECK_TRUE("woken", last.rang_ms >= middle.rang_ms + 20);
	CHECK_U64("the far one waits", far.rang_ms, 0);
	CHECK_TRUE("slept in between", last.calls >= 3 && last.calls < 30);
	daemon_destroy(d);
}

/* A tick that always wants the next turn must not keep the loop from reading a socket. */
static int64_t
greedy_tick(void *arg, uint64_t now_ms)
{
	(void)now_ms;
	++*(int *)arg;
	return 0;
}

static void
on_byte(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	(void)what;
	if (read(fd, &byte, 1) == 1)
		daemon_stop(arg);
}

TEST(test_daemon_greedy_tick_starves_nobody)
{
	struct daemon *d = daemon_create("sample", &patient);
	int ends[2], calls = 0;

	if (!CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0))
		return;
	struct event *readable = event_new(daemon_loop(d), ends[0], EV_READ, on_byte, d);
	event_add(readable, NULL);
	daemon_add_tick(d, greedy_tick, &calls);
	CHECK(write(ends[1], "x", 1) == 1);
	CHECK(daemon_run(d));
	CHECK(calls > 0);
	event_free(readable);
	daemon_destroy(d);
	close(ends[0]);
	close(ends[1]);
}

TEST(test_daemon_loop_is_epoll_whatever_the_environment_says)
{
	setenv("EVENT_NOEPOLL", "1", 1);
	struct daemon *d = daemon_create("sample", &patient);
	if (CHECK(d != NULL))
		CHECK_TRUE(
		    "method", strncmp(event_base_get_method(daemon_loop(d)), "epoll", 5) == 0);
	CHECK_STR("service", daemon_service(d), "sample");
	daemon_destroy(d);
}

/* --- readiness --- */

static json_t *
readyz(struct daemon *d, int *ret_status)
{
	struct evbuffer *out = evbuffer_new();

	*ret_status = 0;
	CHECK(daemon_readyz(d, out, ret_status));
	json_t *body = json_loadb(
	    (const char *)evbuffer_pullup(out, -1), evbuffer_get_length(out), 0, NULL);
	CHECK(body != NULL);
	evbuffer_free(out);
	return body;
}

static const char *
field(json_t *body, size_t dependency, const char *key)
{
	return json_string_value(json_object_get(
	    json_array_get(json_object_get(body, "dependencies"), dependency), key));
}

TEST(test_daemon_readiness)
{
	struct daemon *d = daemon_create("sample", &patient);
	char long_detail[300];
	int status;

	unsigned database = daemon_add_dependency(d, "postgresql", true);
	unsigned redis = daemon_add_dependency(d, "redis", false);
	json_t *body = readyz(d, &status);
	CHECK_I64("at the start", status, 503);
	CHECK_STR("state", field(body, 0, "state"), "starting");
	CHECK_STR("no detail", field(body, 0, "detail"), NULL);
	json_decref(body);

	daemon_set_dependency(d, database, DEPENDENCY_UP, NULL);
	daemon_set_dependency(d, redis, DEPENDENCY_DOWN, "connection \"refused\"");
	body = readyz(d, &status);
	CHECK_I64("what is not needed may be down", status, 200);
	CHECK_STR("service", json_string_value(json_object_get(body, "service")), "sample");
	CHECK_TRUE("ready", json_is_true(json_object_get(body, "ready")));
	CHECK_STR("name", field(body, 1, "name"), "redis");
	CHECK_STR("state", field(body, 1, "state"), "down");
	CHECK_STR("detail", field(body, 1, "detail"), "connection \"refused\"");
	json_decref(body);

	daemon_set_dependency(d, database, DEPENDENCY_DOWN, "\xff not text");
	body = readyz(d, &status);
	CHECK_I64("what is needed may not", status, 503);
	CHECK_STR("a detail that is no text is left out", field(body, 0, "detail"), NULL);
	json_decref(body);

	for (size_t i = 0; i + 2 < sizeof(long_detail); i += 2)
		memcpy(long_detail + i, "ş", 3);
	daemon_set_dependency(d, database, DEPENDENCY_DOWN, long_detail);
	body = readyz(d, &status);
	CHECK_U64("cut between characters", strlen(field(body, 0, "detail")), 120);
	json_decref(body);

	daemon_set_dependency(d, database, DEPENDENCY_UP, NULL);
	CHECK_TRUE("up again", daemon_ready(d));
	daemon_stop(d);
	body = readyz(d, &status);
	CHECK_I64("draining is not ready", status, 503);
	CHECK_TRUE("and says so", json_is_true(json_object_get(body, "draining")));
	json_decref(body);
	daemon_destroy(d);
}

TEST(test_daemon_since_changes_with_the_state_only)
{
	const char *path = check_path("clock");
	const struct clock_speed frozen = { 0, 1 };
	int status;

	CHECK(clock_simulation_create(path, 5000000, frozen) && clock_open(path));
	struct daemon *d = daemon_create("sample", &patient);
	unsigned database = daemon_add_dependency(d, "postgresql", true);
	daemon_set_dependency(d, database, DEPENDENCY_UP, NULL);
	CHECK(clock_simulation_set(path, 6000000, frozen));
	daemon_set_dependency(d, database, DEPENDENCY_UP, "still");
	json_t *body = readyz(d, &status);
	json_t *list = json_object_get(body, "dependencies");
	CHECK_I64("since it came up",
	    json_integer_value(json_object_get(json_array_get(list, 0), "since_us")), 5000000);
	json_decref(body);
	daemon_set_dependency(d, database, DEPENDENCY_DOWN, NULL);
	body = readyz(d, &status);
	list = json_object_get(body, "dependencies");
	CHECK_I64("since it went down",
	    json_integer_value(json_object_get(json_array_get(list, 0), "since_us")), 6000000);
	json_decref(body);
	daemon_destroy(d);
}
