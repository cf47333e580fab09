/* Runs registered tests, each in its own process and directory, and reports what failed. */
#include "check.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base.h"

enum { GRACE_MS = 2000, SHOWN_BYTES = 400, EXIT_INTERRUPTED = 130 };

static struct check_test *first_test;
static struct check_test **last_test = &first_test;
static const struct check_test *current;
static char directory[PATH_MAX];
static unsigned failed_checks;

void
check_register(struct check_test *test)
{
	*last_test = test;
	last_test = &test->next;
}

const char *
check_directory(void)
{
	return directory;
}

const char *
check_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % ARRAY_LEN(paths)];

	if (snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
		abort();
	return path;
}

uint64_t
check_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
check_pause(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* One line, flushed at once: a test that crashes next has still said what failed. */
PRINTF(4, 5)
static void
complain(const char *file, int line, const char *name, const char *format, ...)
{
	va_list args;

	failed_checks++;
	printf("%s:%d: %s: ", file, line, current->name);
	if (name != NULL && name[0] != '\0')
		printf("[%s] ", name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

bool
check_true(const char *file, int line, const char *name, const char *what, bool got, bool want)
{
	if (got == want)
		return true;
	complain(file, line, name, "%s: got %s, want %s", what, got ? "true" : "false",
	    want ? "true" : "false");
	return false;
}

bool
check_u64(
    const char *file, int line, const char *name, const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return true;
	complain(file, line, name, "%s: got %" PRIu64 ", want %" PRIu64, what, got, want);
	return false;
}

bool
check_i64(const char *file, int line, const char *name, const char *what, int64_t got, int64_t want)
{
	if (got == want)
		return true;
	complain(file, line, name, "%s: got %" PRId64 ", want %" PRId64, what, got, want);
	return false;
}

/* Quoted, on one line, cut where it becomes unreadable. */
static const char *
shown(char *buf, size_t size, const char *text)
{
	size_t used = 0;

	if (text == NULL)
		return "NULL";
	buf[used++] = '"';
	for (; *text != '\0' && used + 8 < size; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '\n')
			used += (size_t)sprintf(buf + used, "\\n");
		else if (c < ' ' || c == 0x7f)
			used += (size_t)sprintf(buf + used, "\\x%02x", c);
		else
			buf[used++] = (char)c;
	}
	snprintf(buf + used, size - used, "%s", *text == '\0' ? "\"" : "\"...");
	return buf;
}

bool
check_str(const char *file, int line, const char *name, const char *what, const char *got,
    const char *want)
{
	char got_shown[SHOWN_BYTES], want_shown[SHOWN_BYTES];

	if (got == want || (got != NULL && want != NULL && strcmp(got, want) == 0))
		return true;
	complain(file, line, name, "%s: got %s, want %s", what,
	    shown(got_shown, sizeof(got_shown), got), shown(want_shown, sizeof(want_shown), want));
	return false;
}

static const char *
shown_hex(char *buf, size_t size, const unsigned char *bytes, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < len && used + 6 < size; i++)
		used += (size_t)sprintf(buf + used, "%02x", bytes[i]);
	if (used < len * 2)
		snprintf(buf + used, size - used, "...");
	return buf;
}

bool
check_mem(const char *file, int line, const char *name, const char *what, const void *got,
    size_t got_len, const void *want, size_t want_len)
{
	char got_shown[SHOWN_BYTES], want_shown[SHOWN_BYTES];

	if (got_len == want_len && (got_len == 0 || memcmp(got, want, got_len) == 0))
		return true;
	complain(file, line, name, "%s: got %zu bytes %s, want %zu bytes %s", what, got_len,
	    shown_hex(got_shown, sizeof(got_shown), got, got_len), want_len,
	    shown_hex(want_shown, sizeof(want_shown), want, want_len));
	return false;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

static bool
make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || parent[0] != '/')
		parent = "/tmp";
	snprintf(directory, sizeof(directory), "%s/turunc-test-XXXXXX", parent);
	return mkdtemp(directory) != NULL;
}

_Noreturn static void
run_child(const struct check_test *test, const sigset_t *mask)
{
	current = test;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (chdir(directory) == -1) {
		printf("%s: cannot enter %s: %s\n", test->name, directory, strerror(errno));
		exit(EXIT_FAILURE);
	}
	test->run();
	exit(failed_checks == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

enum ending { ENDED, TIMED_OUT, INTERRUPTED };

/* Waits for the child, at most limit_ms; the signals of interest are blocked and read here. */
static enum ending
wait_child(pid_t pid, const sigset_t *watched, uint64_t limit_ms, int *ret_status)
{
	uint64_t deadline_ms = check_now_ms() + limit_ms;

	for (;;) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);
		if (ended == pid || (ended == -1 && errno != EINTR))
			return ENDED;
		uint64_t now_ms = check_now_ms();
		if (now_ms >= deadline_ms)
			return TIMED_OUT;
		uint64_t left_ms = deadline_ms - now_ms;
		const struct timespec left = { .tv_sec = (time_t)(left_ms / 1000),
			.tv_nsec = (long)(left_ms % 1000) * 1000000 };
		int signal_no = sigtimedwait(watched, NULL, &left);
		if (signal_no == SIGINT || signal_no == SIGTERM)
			return INTERRUPTED;
	}
}

/* True when the test passed; does not come back when somebody interrupts the run. */
static bool
run_test(const struct check_test *test, const sigset_t *watched, const sigset_t *mask)
{
	int status = -1;

	if (!make_directory()) {
		printf("%s: cannot make %s: %s\n", test->name, directory, strerror(errno));
		return false;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == -1) {
		printf("%s: cannot fork: %s\n", test->name, strerror(errno));
		rmdir(directory);
		return false;
	}
	if (pid == 0)
		run_child(test, mask);
	setpgid(pid, pid);

	enum ending ending = wait_child(pid, watched, test->limit_s * 1000ull, &status);
	if (ending != ENDED) {
		kill(-pid, SIGTERM);
		wait_child(pid, watched, GRACE_MS, &status);
	}
	/* Whatever the test started in its group ends with it; gone already is normal. */
	kill(-pid, SIGKILL);
	if (ending != ENDED)
		waitpid(pid, &status, 0);
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (ending == INTERRUPTED)
		exit(EXIT_INTERRUPTED);
	if (ending == TIMED_OUT)
		printf("%s: not done after %u s\n", test->name, test->limit_s);
	else if (WIFSIGNALED(status))
		printf("%s: ended by signal %d (%s)\n", test->name, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) > EXIT_FAILURE)
		printf("%s: exit status %d\n", test->name, WEXITSTATUS(status));
	return ending == ENDED && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";
	unsigned passed = 0, failed = 0;
	sigset_t watched, mask;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigprocmask(SIG_BLOCK, &watched, &mask);

	for (const struct check_test *test = first_test; test != NULL; test = test->next) {
		if (strstr(test->name, wanted) == NULL)
			continue;
		if (run_test(test, &watched, &mask)) {
			passed++;
		} else {
			failed++;
			printf("FAILED %s\n", test->name);
		}
	}
	if (passed + failed == 0)
		printf("no test's name contains \"%s\"\n", wanted);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
