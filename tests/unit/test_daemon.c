/* Drain, ticks, readiness and the command line, on a real loop with real signals. */
#include "daemon.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
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

/* --- command line --- */

struct config {
	struct daemon_settings daemon;
	struct setting_address listen;
};

static const struct setting settings[] = {
	DAEMON_SETTINGS(struct config, daemon),
	{ .name = "TURUNC_SAMPLE_LISTEN",
	    .type = SETTING_LISTEN,
	    .offset = offsetof(struct config, listen),
	    .standard = "127.0.0.1:8080",
	    .help = "where HTTP is answered" },
};

static const struct daemon_program program = {
	.service = "sample",
	.about = "shows how",
	.settings = settings,
	.settings_count = ARRAY_LEN(settings),
	.common_offset = offsetof(struct config, daemon),
};

static const struct {
	const char *name;
	const char *option;
	const char *environment[2];
	bool want_start;
	int want_status;
	const char *want_text; /* somewhere in what it said */
} commands[] = {
	{ "no argument starts", NULL, { NULL }, true, 0, "" },
	{ "help", "--help", { NULL }, false, 0, "TURUNC_SAMPLE_LISTEN\n" },
	{ "help has the common ones", "--help", { NULL }, false, 0, "TURUNC_LOG_LEVEL\n" },
	{ "version", "--version", { NULL }, false, 0, "turunc-sample " TURUNC_VERSION "\n" },
	{ "check", "--check-config", { "TURUNC_DRAIN", "90s" }, false, 0,
	    "TURUNC_DRAIN=90s  # set\n" },
	{ "check complains", "--check-config", { "TURUNC_DRAIN", "90" }, false, EXIT_CONFIG,
	    "TURUNC_DRAIN: \"90\": want duration" },
	{ "unknown option", "--chek-config", { NULL }, false, 2, "takes --help" },
	{ "empty option", "", { NULL }, false, 2, "takes --help" },
	{ "wrong setting", NULL, { "TURUNC_SAMPLE_LISTEN", "here" }, false, EXIT_CONFIG,
	    "TURUNC_SAMPLE_LISTEN: \"here\"" },
	{ "typing error", NULL, { "TURUNC_SAMPLE_LISTN", "127.0.0.1:1" }, false, EXIT_CONFIG,
	    "TURUNC_SAMPLE_LISTN: there is no such setting" },
	{ "missing clock", NULL, { "TURUNC_CLOCK_FILE", "/nowhere/clock" }, false, EXIT_CONFIG,
	    "clock_file=\"/nowhere/clock\" why=\"No such file or directory\"" },
};

/* Runs the command line with both outputs in one file. */
static bool
run_command(const char *option, struct config *config, int *ret_status, char *text, size_t size)
{
	char name[] = "turunc-sample", argument[40] = "";
	char *argv[] = { name, argument, NULL };
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	int fd = open(check_path("said"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	snprintf(argument, sizeof(argument), "%s", option == NULL ? "" : option);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	bool start = daemon_command_line(
	    &program, option == NULL ? 1 : 2, argv, config, ret_status);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	ssize_t len = pread(fd, text, size - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	close(fd);
	close(out);
	close(err);
	return start;
}

TEST(test_daemon_command_line)
{
	char text[8000];

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct config config = { 0 };
		int status = -1;
		const char *variable = commands[i].environment[0];
		if (variable != NULL)
			setenv(variable, commands[i].environment[1], 1);
		bool start = run_command(commands[i].option, &config, &status, text, sizeof(text));
		CHECK_TRUE(commands[i].name, start == commands[i].want_start);
		CHECK_I64(commands[i].name, status, commands[i].want_status);
		if (strstr(text, commands[i].want_text) == NULL)
			CHECK_STR(commands[i].name, text, commands[i].want_text);
		if (!start)
			CHECK_TRUE("nothing is left to free", config.daemon.clock_file == NULL);
		settings_free(&config, settings, ARRAY_LEN(settings));
		if (variable != NULL)
			unsetenv(variable);
	}
}

TEST(test_daemon_common_settings_apply)
{
	struct config config = { 0 };
	char text[1000];
	int status;

	CHECK(clock_simulation_create(check_path("clock"), 7, (struct clock_speed){ 0, 1 }));
	setenv("TURUNC_CLOCK_FILE", check_path("clock"), 1);
	setenv("TURUNC_LOG_LEVEL", "debug", 1);
	CHECK(run_command(NULL, &config, &status, text, sizeof(text)));
	CHECK_I64("clock", clock_now_us(), 7);
	CHECK_TRUE("level", log_enabled(LOG_LEVEL_DEBUG));
	CHECK_I64("drain", config.daemon.drain_ms, 10000);

	int ends[2];
	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	CHECK_I64("SIGPIPE does not end us", write(ends[1], "x", 1), -1);
	settings_free(&config, settings, ARRAY_LEN(settings));
}
