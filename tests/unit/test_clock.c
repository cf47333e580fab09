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
	CHECK_TRUE("the machine's own does not stand",
	    clock_real_us() > START_US + SECOND_US || clock_real_us() < START_US - SECOND_US);
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

/* Steps of 30 days; the clock stands at even ones and races from odd ones. */
#define STEP_US (30 * 86400 * SECOND_US)

static void
jump_for_ever(const char *path)
{
	for (;;) {
		int64_t step = (clock_now_us() - START_US) / STEP_US + 1;
		struct clock_speed speed = { step % 2 == 0 ? 0 : CLOCK_SPEED_MAX, 1 };
		/* It may have raced past the step just now. */
		if (!clock_simulation_set(path, START_US + step * STEP_US, speed))
			continue;
	}
}

/* A speed or base of one setting with the rest of another would show at an even step. */
static bool
on_its_line(int64_t time_us)
{
	int64_t since_us = time_us - START_US;

	return since_us / STEP_US % 2 == 1 || since_us % STEP_US == 0;
}

/* One process changes the clock as fast as it can and is killed in the middle of it, again and
 * again; whatever is read meanwhile belongs to one setting and is never earlier than before. */
TEST(test_clock_is_consistent_across_processes_and_kills)
{
	const char *path = check_path("clock");

	for (int round = 0; round < 20; round++) {
		/* Anew each time: a writer that is left alone comes to the end of the calendar. */
		(void)unlink(path);
		if (!CHECK(clock_simulation_create(path, START_US, frozen))
		    || !CHECK(clock_open(path)))
			return;
		int64_t first_us = clock_now_us(), last_us = first_us;
		bool good = true;
		pid_t writer = fork();
		if (writer == 0)
			jump_for_ever(path);
		for (int reads = 0; good && (reads < 20000 || last_us - first_us < STEP_US);
		     reads++) {
			int64_t now_us = clock_now_us();
			good = now_us >= last_us && on_its_line(now_us);
			last_us = now_us;
		}
		CHECK_TRUE("never torn, never back", good);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		CHECK_TRUE("a killed writer leaves a clock", on_its_line(clock_now_us()));
	}
}

/* The file as clock.c lays it out: magic, generation, two settings of 24 bytes. */
enum { GENERATION_AT = 8, SLOTS_AT = 16, SLOT_BYTES = 24, FILE_BYTES = 64 };

static uint64_t
read_bytes(const char *path, unsigned char bytes[FILE_BYTES])
{
	uint64_t generation = 0;
	FILE *f = fopen(path, "r");

	if (CHECK(f != NULL)) {
		CHECK(fread(bytes, 1, FILE_BYTES, f) == FILE_BYTES);
		fclose(f);
	}
	memcpy(&generation, bytes + GENERATION_AT, sizeof(generation));
	return generation;
}

/* A writer killed half-way has touched the setting that does not count, and nothing else. */
TEST(test_clock_writes_beside_what_counts)
{
	const char *path = check_path("clock");
	unsigned char before[FILE_BYTES], after[FILE_BYTES], scribble[SLOT_BYTES];

	memset(scribble, 0xa5, sizeof(scribble));
	if (!CHECK(clock_simulation_create(path, START_US, frozen)) || !CHECK(clock_open(path)))
		return;
	for (int i = 1; i <= 4; i++) {
		uint64_t generation = read_bytes(path, before);
		size_t counts_at = SLOTS_AT + SLOT_BYTES * (generation % 2);
		size_t beside_at = SLOTS_AT + SLOT_BYTES * (1 - generation % 2);
		FILE *f = fopen(path, "r+");
		if (!CHECK(f != NULL))
			return;
		CHECK(fseek(f, (long)beside_at, SEEK_SET) == 0);
		CHECK(fwrite(scribble, 1, SLOT_BYTES, f) == SLOT_BYTES);
		fclose(f);
		CHECK_I64("scribbled beside", clock_now_us(), START_US + i - 1);

		CHECK(clock_simulation_set(path, START_US + i, frozen));
		CHECK_U64("one generation on", read_bytes(path, after), generation + 1);
		CHECK_MEM("what counted is as it was", after + counts_at, SLOT_BYTES,
		    before + counts_at, SLOT_BYTES);
		CHECK_I64("and what counts now is right", clock_now_us(), START_US + i);
	}
}

/* Slowing down is where a reader could have run ahead of what comes next. */
TEST(test_clock_never_goes_back_when_slowed)
{
	const char *path = check_path("clock");
	const struct clock_speed fastest = { CLOCK_SPEED_MAX, 1 };

	if (!CHECK(clock_simulation_create(path, START_US, frozen)) || !CHECK(clock_open(path)))
		return;
	pid_t writer = fork();
	if (writer == 0) {
		for (int i = 0; i < 2000; i++)
			if (!clock_simulation_set(path, CLOCK_KEEP, i % 2 == 0 ? fastest : frozen))
				_exit(1);
		_exit(0);
	}
	int status = -1;
	int64_t last_us = clock_now_us();
	bool good = true;
	while (good && waitpid(writer, &status, WNOHANG) == 0) {
		int64_t now_us = clock_now_us();
		good = now_us >= last_us;
		last_us = now_us;
	}
	CHECK_TRUE("never back", good);
	CHECK_TRUE("it moved", last_us > START_US);
	CHECK_I64("the writer got through", status, 0);
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

TEST(test_clock_tells_once_that_it_was_set)
{
	const char *path = check_path("clock");
	uint64_t seen = 0, another = 0;

	CHECK_FALSE("the real clock is set by nobody", clock_was_set(&seen));
	CHECK(clock_simulation_create(path, START_US, frozen));
	CHECK(clock_open(path));
	CHECK_FALSE("not yet", clock_was_set(&seen));
	CHECK(clock_simulation_set(path, START_US + 7, frozen));
	CHECK_TRUE("set", clock_was_set(&seen));
	CHECK_FALSE("told already", clock_was_set(&seen));
	CHECK_TRUE("each looker is told", clock_was_set(&another));
	clock_close();
}
