/* Points of a program linked with failpoint_armed.c: armed by a file, fired once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "failpoint.h"

/* The list is by program; this one plays the notifier. */
static void
be(const char *program)
{
	static char name[32];

	snprintf(name, sizeof(name), "turunc-%s", program);
	program_invocation_short_name = name;
	setenv("TURUNC_FAILPOINTS", check_directory(), 1);
}

static void
arm(const char *program, const char *line)
{
	FILE *file = fopen(check_path(program), "w");

	if (!CHECK(file != NULL))
		return;
	fputs(line, file);
	fclose(file);
}

static bool
there(const char *name)
{
	return access(check_path(name), F_OK) == 0;
}

TEST(test_nothing_fires_unarmed)
{
	be("notifier");
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_BEFORE));
	CHECK(!failpoint_statement("settle", FAILPOINT_AFTER));
	CHECK(!failpoint(FAILPOINT_NONE, FAILPOINT_AFTER));
	unsetenv("TURUNC_FAILPOINTS");
	arm("notifier", "smtp.before error 1 a");
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_BEFORE));
}

TEST(test_an_error_fires_once_at_its_count_and_side)
{
	be("notifier");
	arm("notifier", "smtp.after error 2 a");
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_BEFORE));
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMS, FAILPOINT_AFTER));
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER));
	CHECK(!there("notifier.fired"));
	errno = 0;
	CHECK(failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER));
	CHECK(errno == EIO);
	CHECK(there("notifier.fired") && !there("notifier"));
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER));

	/* The same again needs another word. */
	arm("notifier", "smtp.after error 2 b");
	CHECK(!failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER));
	CHECK(failpoint(FAILPOINT_NOTIFIER_SMTP, FAILPOINT_AFTER));
}

TEST(test_a_statement_is_reached_by_its_name)
{
	be("router");
	arm("router", "append.before error 1 a");
	CHECK(!failpoint_statement("put_states", FAILPOINT_BEFORE));
	CHECK(!failpoint_statement("records", FAILPOINT_BEFORE));
	CHECK(failpoint_statement("append", FAILPOINT_BEFORE));
	arm("notifier", "settle.before error 1 a");
	CHECK(!failpoint_statement("settle", FAILPOINT_BEFORE)); /* another program's */
}

TEST(test_a_delay_holds_up_and_passes)
{
	be("metrics");
	arm("metrics", "live_apply.before delay 1 a");
	uint64_t began = check_now_ms();
	CHECK(!failpoint(FAILPOINT_METRICS_LIVE_APPLY, FAILPOINT_BEFORE));
	CHECK(check_now_ms() - began >= 290);
	CHECK(there("metrics.fired"));
}

/* How a child ended that reaches this point: a signal's number, or 0 by itself. */
static int
end_of_child(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		close(STDERR_FILENO);
		_exit(failpoint(FAILPOINT_INTAKE_IDENTITY_SECRET, FAILPOINT_BEFORE));
	}
	CHECK(child != -1 && waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(test_a_crash_is_the_end_and_the_next_process_passes)
{
	be("intake");
	arm("intake", "identity_secret.before crash 1 a");
	CHECK_I64("crash", end_of_child(), SIGKILL);
	CHECK(there("intake.fired"));
	CHECK_I64("again", end_of_child(), 0);
}

TEST(test_what_there_is_not_cannot_be_armed)
{
	static const char *const wrong[] = { "no_such_step.before crash 1 a",
		"smtp.before crash 1 a", "accept.amid crash 1 a", "accept.before explode 1 a",
		"accept.before crash 0 a", "accept.before crash" };

	be("intake");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		arm("intake", wrong[i]);
		CHECK_I64(wrong[i], end_of_child(), SIGABRT);
	}
}
