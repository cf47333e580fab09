/* The simulated clock is one clock for all, whoever changes it and whoever dies meanwhile. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "clock.h"

/* 1 March 2026, 00:00 in Istanbul. */
#define START_US INT64_C(1772312400000000)
#define SECOND_US INT64_C(1000000)

static const struct clock_speed frozen = { 0, 1 }, real_speed = { 1, 1 };

TEST(test_clock_real)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t apart_us = clock_now_us() - ((int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000);
	CHECK_TRUE("is the machine's", apart_us >= 0 && apart_us < 10 * SECOND_US);
	CHECK_FALSE("and not simulated", clock_is_simulated());

	uint64_t before_ms = clock_monotonic_ms();
	CHECK_WITHIN(1000, clock_monotonic_ms() > before_ms);
	CHECK_I64("past is now", clock_ms_until(0), 0);
	int64_t ms = clock_ms_until(clock_now_us() + 3600 * SECOND_US);
	CHECK_TRUE("an hour", ms > 3590000 && ms <= 3600000);
}

TEST(test_clock_frozen)
{
	const char *path = check_path("clock");

	if (!CHECK(clock_simulation_create(path, START_US, frozen)) || !CHECK(clock_open(path)))
		return;
	CHECK_TRUE("is simulated", clock_is_simulated());
	CHECK_I64("stands", clock_now_us(), START_US);
	uint64_t before_ms = clock_monotonic_ms();
	CHECK_WITHIN(1000, clock_monotonic_ms() > before_ms + 5);
	CHECK_I64("stands while real time goes on", clock_now_us(), START_US);
	CHECK_I64("sleepers look again soon", clock_ms_until(START_US + 3600 * SECOND_US), 100);
	CHECK_I64("and round up", clock_ms_until(START_US + 1), 1);

	CHECK(clock_simulation_set(path, START_US + 5, frozen));
	CHECK_I64("moves when told", clock_now_us(), START_US + 5);
	CHECK(clock_simulation_set(path, CLOCK_KEEP, frozen));
	CHECK_I64("keeps its time", clock_now_us(), START_US + 5);
	CHECK_FALSE("never goes back", clock_simulation_set(path, START_US, frozen));
	CHECK_I64("which is invalid", errno, EINVAL);
	CHECK_I64("and changes nothing", clock_now_us(), START_US + 5);
	clock_close();
	CHECK_TRUE("the real clock again", clock_now_us() != START_US + 5 && !clock_is_simulated());
}

static const struct {
	const char *name;
	struct clock_speed speed;
} speeds[] = {
	{ "as fast as real time", { 1, 1 } },
	{ "a month in a minute", { 44640, 1 } },
	{ "half", { 1, 2 } },
	{ "a third more", { 4, 3 } },
	{ "fastest", { CLOCK_SPEED_MAX, 1 } },
};

TEST(test_clock_speeds)
{
	const char *path = check_path("clock");

	for (size_t i = 0; i < ARRAY_LEN(speeds); i++) {
		struct clock_speed speed = speeds[i].speed;
		int64_t before_us = clock_monotonic_us();
		if (!CHECK(clock_simulation_create(path, START_US, speed))
		    || !CHECK(clock_open(path)))
			return;
		int64_t after_create_us = clock_monotonic_us();
		CHECK_WITHIN(1000, clock_monotonic_us() > after_create_us + 3000);
		int64_t low_us = clock_monotonic_us() - after_create_us;
		int64_t simulated_us = clock_now_us() - START_US;
		int64_t high_us = clock_monotonic_us() - before_us;
		CHECK_TRUE(speeds[i].name, simulated_us >= low_us * speed.num / speed.den - 1);
		CHECK_TRUE(speeds[i].name, simulated_us <= high_us * speed.num / speed.den + 1);
	}
}

TEST(test_clock_ends_at_the_end_of_time)
{
	const char *path = check_path("clock");
	const struct clock_speed fastest = { CLOCK_SPEED_MAX, 1 };

	if (!CHECK(clock_simulation_create(path, CLOCK_LATEST_US - 5, fastest))
	    || !CHECK(clock_open(path)))
		return;
	CHECK_WITHIN(1000, clock_now_us() == CLOCK_LATEST_US);
	CHECK(clock_simulation_set(path, CLOCK_KEEP, real_speed));
	CHECK_I64("and stays there", clock_now_us(), CLOCK_LATEST_US);
}

static const struct {
	const char *name;
	int64_t start_us;
	struct clock_speed speed;
} refused[] = {
	{ "before 1970", -1, { 1, 1 } },
	{ "after the end", CLOCK_LATEST_US + 1, { 1, 1 } },
	{ "divided by nothing", START_US, { 1, 0 } },
	{ "too fast", START_US, { CLOCK_SPEED_MAX + 1, 1 } },
	{ "a little too fast", START_US, { 2 * CLOCK_SPEED_MAX + 1, 2 } },
};

TEST(test_clock_refuses)
{
	const char *path = check_path("clock");

	CHECK(clock_simulation_create(path, START_US, frozen));
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		bool made = clock_simulation_create(
		    check_path("other"), refused[i].start_us, refused[i].speed);
		CHECK_FALSE(refused[i].name, made);
		CHECK_I64(refused[i].name, errno, EINVAL);
		if (refused[i].speed.num != 1 || refused[i].speed.den != 1)
			CHECK_FALSE(refused[i].name,
			    clock_simulation_set(path, CLOCK_KEEP, refused[i].speed));
	}
	CHECK_FALSE("no directory", clock_simulation_create("/nowhere/clock", START_US, frozen));
	CHECK_I64("no directory", errno, ENOENT);
}

static void
write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	if (CHECK(f != NULL)) {
		CHECK(fwrite(data, 1, len, f) == len);
		fclose(f);
	}
}

TEST(test_clock_open_refuses_what_is_no_clock)
{
	char bytes[88] = { 0 };

	CHECK_FALSE("missing", clock_open(check_path("missing")));
	CHECK_I64("missing", errno, ENOENT);
	write_file(check_path("empty"), "", 0);
	CHECK_FALSE("empty", clock_open(check_path("empty")));
	CHECK_I64("empty", errno, EINVAL);
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		write_file(check_path("zeros"), bytes, len);
		CHECK_FALSE("no magic", clock_open(check_path("zeros")));
		CHECK_I64("no magic", errno, EINVAL);
	}
	CHECK_FALSE("a directory", clock_open(check_directory()));
	CHECK_FALSE(
	    "set a missing one", clock_simulation_set(check_path("missing"), START_US, real_speed));

	CHECK(clock_simulation_create(check_path("clock"), START_US, frozen));
	CHECK(clock_open(check_path("clock")));
	CHECK_FALSE("missing", clock_open(check_path("missing")));
	CHECK_I64("a failed open keeps the clock", clock_now_us(), START_US);
}

/* One process jumps the clock between two far-apart settings as fast as it can and is killed in
 * the middle of it, again and again; what is read meanwhile is always on one of the two lines. */
TEST(test_clock_is_consistent_across_processes_and_kills)
{
	const char *path = check_path("clock");
	const int64_t step_us = 1000 * SECOND_US;

	if (!CHECK(clock_simulation_create(path, START_US, frozen)) || !CHECK(clock_open(path)))
		return;
	for (int round = 0; round < 20; round++) {
		pid_t writer = fork();
		if (writer == 0) {
			for (int64_t to_us = clock_now_us(); to_us < CLOCK_LATEST_US;
			     to_us += step_us)
				if (!clock_simulation_set(path, to_us, frozen))
					_exit(1);
			_exit(0);
		}
		int64_t last_us = clock_now_us();
		int64_t first_us = last_us;
		bool good = true;
		for (int reads = 0; good && (reads < 20000 || last_us == first_us); reads++) {
			int64_t now_us = clock_now_us();
			good = now_us >= last_us && (now_us - START_US) % step_us == 0;
			last_us = now_us;
		}
		CHECK_TRUE("never torn, never back", good);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		CHECK_TRUE(
		    "a killed writer leaves a clock", (clock_now_us() - START_US) % step_us == 0);
	}
}

TEST(test_clock_replaced_file_does_not_disturb_readers)
{
	const char *path = check_path("clock");

	CHECK(clock_simulation_create(path, START_US, frozen));
	CHECK(clock_open(path));
	CHECK(clock_simulation_create(path, START_US + 7, frozen));
	CHECK_I64("the old one", clock_now_us(), START_US);
	CHECK(clock_open(path));
	CHECK_I64("the new one", clock_now_us(), START_US + 7);
}
