/* The test vocabulary itself: what fails is reported, what hangs or crashes is ended. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "check.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_FOUND
#endif
#endif

/* The subjects below do their worst only when a test of this file runs them. */
static bool
as_subject(void)
{
	return getenv("CHECK_SUBJECT") != NULL;
}

TEST(subject_passes)
{
	CHECK(true);
}

TEST(subject_fails_checks)
{
	if (!as_subject())
		return;
	CHECK(1 > 2);
	CHECK_U64("a number", 7, 8);
	CHECK_I64("below zero", -7, 8);
	CHECK_STR("a text", "a\nb", NULL);
	CHECK_MEM("bytes", "\x01\x02", 2, "\x01", 1);
	CHECK_FALSE("not so", true);
	CHECK_WITHIN(5, false);
}

TEST(subject_crashes)
{
	if (as_subject())
		raise(SIGKILL);
}

TEST(subject_exits_early)
{
	if (as_subject())
		_exit(3);
}

TEST_WITHIN(subject_hangs, 1)
{
	if (as_subject())
		for (;;)
			pause();
}

/* Says where it is, then waits for whoever ends it. */
TEST(subject_waits)
{
	if (!as_subject())
		return;
	printf("directory %s\n", check_directory());
	fflush(stdout);
	for (;;)
		pause();
}

TEST(subject_leaks)
{
	for (size_t bytes = 100; as_subject() && bytes < 200; bytes++) {
		volatile char *lost = malloc(bytes);
		if (CHECK(lost != NULL))
			lost[0] = 'x';
	}
}

/* Leaves a process that would hold the pipe open for ever, and a file. */
TEST(subject_leaves_a_child)
{
	if (!as_subject())
		return;
	FILE *f = fopen(check_path("left"), "w");
	if (CHECK(f != NULL))
		fclose(f);
	printf("directory %s\n", check_directory());
	fflush(stdout);
	if (fork() == 0)
		for (;;)
			pause();
}

/* Runs this program again on the named subject; returns its wait status and its output. */
static int
run_subject(const char *name, char *ret_output, size_t size)
{
	char command[256], self[200];
	ssize_t self_len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t used;

	if (!CHECK(self_len > 0))
		return -1;
	self[self_len] = '\0';
	snprintf(command, sizeof(command), "CHECK_SUBJECT=1 '%s' %s 2>&1", self, name);
	FILE *pipe_end = popen(command, "r");
	if (!CHECK(pipe_end != NULL))
		return -1;
	used = fread(ret_output, 1, size - 1, pipe_end);
	ret_output[used] = '\0';
	return pclose(pipe_end);
}

static const struct {
	const char *subject;
	int want_exit;
	const char *want_lines[7];
} subjects[] = {
	{ "subject_passes", 0, { "1 passed, 0 failed\n" } },
	{ "no_such_subject", 1, { "no test's name contains", "0 passed, 0 failed\n" } },
	{ "subject_fails_checks", 1,
	    { "subject_fails_checks: 1 > 2: got false, want true\n",
		"[a number] 7: got 7, want 8\n", "[below zero] -7: got -7, want 8\n",
		"[a text] \"a\\nb\": got \"a\\nb\", want NULL\n",
		"got 2 bytes 0102, want 1 bytes 01\n", "[within 5 ms] false: got false",
		"0 passed, 1 failed\n" } },
	{ "subject_crashes", 1,
	    { "subject_crashes: ended by signal 9",
		"FAILED subject_crashes\n0 passed, 1 failed\n" } },
	{ "subject_exits_early", 1, { "exit status 3\n", "0 passed, 1 failed\n" } },
	{ "subject_hangs", 1, { "subject_hangs: not done after 1 s\n", "0 passed, 1 failed\n" } },
	{ "subject_leaves_a_child", 0, { "1 passed, 0 failed\n" } },
#ifdef LEAKS_ARE_FOUND
	{ "subject_leaks", 1, { "LeakSanitizer: detected memory leaks", "0 passed, 1 failed\n" } },
#endif
};

TEST(test_check_reports_and_ends)
{
	char output[8192];

	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		int status = run_subject(subjects[i].subject, output, sizeof(output));
		CHECK_TRUE(subjects[i].subject, WIFEXITED(status));
		CHECK_I64(subjects[i].subject, WEXITSTATUS(status), subjects[i].want_exit);
		for (size_t n = 0; n < ARRAY_LEN(subjects[i].want_lines); n++) {
			const char *line = subjects[i].want_lines[n];
			if (line != NULL && strstr(output, line) == NULL)
				CHECK_STR(subjects[i].subject, output, line);
		}
	}
}

TEST(test_check_directory_is_private_and_goes)
{
	char output[8192], path[256];
	struct stat st;

	CHECK_I64("is there", stat(check_directory(), &st), 0);
	CHECK_U64("for its owner only", st.st_mode & 0777, 0700);

	run_subject("subject_leaves_a_child", output, sizeof(output));
	if (!CHECK(sscanf(output, "directory %255s", path) == 1))
		return;
	CHECK_I64("is removed", stat(path, &st), -1);
}

/* Somebody stops the run: the test ends, its directory goes, and the exit status says so. */
TEST(test_check_can_be_interrupted)
{
	char path[256] = "", line[300] = "";
	struct stat st;
	int ends[2], status = 0;

	if (!CHECK(pipe(ends) == 0))
		return;
	pid_t run = fork();
	if (run == 0) {
		setenv("CHECK_SUBJECT", "1", 1);
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "test_check", "subject_waits", (char *)NULL);
		_exit(127);
	}
	CHECK(read(ends[0], line, sizeof(line) - 1) > 0);
	CHECK(sscanf(line, "directory %255s", path) == 1);
	CHECK_I64("is there", stat(path, &st), 0);
	kill(run, SIGTERM);
	CHECK(waitpid(run, &status, 0) == run);
	CHECK_I64("exit status", WIFEXITED(status) ? WEXITSTATUS(status) : -1, 130);
	CHECK_I64("is gone", stat(path, &st), -1);
	close(ends[0]);
	close(ends[1]);
}
