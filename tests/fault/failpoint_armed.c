/*
 * failpoint.c for tests: points that can be armed while the program runs.
 *
 * TURUNC_FAILPOINTS names a folder.  The file in it that is called as the program is (without
 * "turunc-") arms one point:
 *
 *	STEP.before|after crash|error|delay COUNT WORD
 *
 * fires when the point is reached for the COUNT-th time from now; WORD makes a file another than
 * the last one.  The file is looked at whenever a point is reached, and as the point fires it is
 * renamed to NAME.fired: so it fires once, whatever becomes of the process, and the test sees that
 * it did.  Put the file there by renaming it, so that it is never seen half.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "failpoint.h"

enum { PATH_SIZE = 512, LINE_SIZE = 160, WORD_SIZE = 64, DELAY_MS = 300 };

enum action { CRASH, ERROR, DELAY, ACTIONS };
static const char *const action_names[] = {
	[CRASH] = "crash", [ERROR] = "error", [DELAY] = "delay"
};
static const char *const side_names[] = {
	[FAILPOINT_BEFORE] = "before", [FAILPOINT_AFTER] = "after"
};

#define STATEMENT_ROW(program, name) { program, name },
#define CALL_ROW(id, program, name) [FAILPOINT_##id] = { program, name },
struct row {
	const char *program, *name;
};
static const struct row statements[] = { FAILPOINT_STATEMENTS(STATEMENT_ROW) };
static const struct row calls[] = { FAILPOINT_CALLS(CALL_ROW) };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last_line[LINE_SIZE];
static unsigned long left; /* until the armed point fires */

/* A test that arms what there is not would wait for ever. */
static void
mistake(const char *what, const char *line)
{
	fprintf(stderr, "failpoint: %s: %s\n", what, line);
	abort();
}

static const char *
program(void)
{
	static const char prefix[] = "turunc-";
	const char *name = program_invocation_short_name;

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

static bool
listed(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (strcmp(statements[i].program, program()) == 0
		    && strcmp(statements[i].name, name) == 0)
			return true;
	for (size_t i = FAILPOINT_NONE + 1; i < ARRAY_LEN(calls); i++)
		if (strcmp(calls[i].program, program()) == 0 && strcmp(calls[i].name, name) == 0)
			return true;
	return false;
}

static bool
read_line(const char *path, char line[LINE_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	ssize_t n = read(fd, line, LINE_SIZE - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* "put_states.before" -> the side; its name is cut off. */
static enum failpoint_side
split_point(char *point, const char *line)
{
	char *dot = strrchr(point, '.');

	for (size_t i = 0; dot != NULL && i < ARRAY_LEN(side_names); i++)
		if (strcmp(dot + 1, side_names[i]) == 0) {
			*dot = '\0';
			return (enum failpoint_side)i;
		}
	mistake("no such side", line);
	return FAILPOINT_BEFORE;
}

static enum action
action_of(const char *word, const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(action_names); i++)
		if (strcmp(word, action_names[i]) == 0)
			return (enum action)i;
	mistake("no such action", line);
	return ERROR;
}

/* What the point has to do now, ACTIONS when nothing. */
static enum action
take_armed(const char *name, enum failpoint_side side)
{
	const char *folder = getenv("TURUNC_FAILPOINTS");
	char path[PATH_SIZE], fired[PATH_SIZE + 8], line[LINE_SIZE];
	char point[WORD_SIZE], action[WORD_SIZE], word[WORD_SIZE];
	unsigned long count;

	if (folder == NULL
	    || snprintf(path, sizeof(path), "%s/%s", folder, program()) >= (int)sizeof(path)
	    || !read_line(path, line))
		return ACTIONS;
	if (sscanf(line, "%63s %63s %lu %63s", point, action, &count, word) != 4 || count == 0)
		mistake("not POINT ACTION COUNT WORD", line);
	enum failpoint_side armed_side = split_point(point, line);
	enum action armed_action = action_of(action, line);
	if (!listed(point))
		mistake("no such step", line);
	if (strcmp(line, last_line) != 0) {
		memcpy(last_line, line, sizeof(last_line));
		left = count;
	}
	if (strcmp(point, name) != 0 || armed_side != side || --left > 0)
		return ACTIONS;
	(void)snprintf(fired, sizeof(fired), "%s.fired", path);
	return rename(path, fired) == 0 ? armed_action : ACTIONS;
}

static bool
reach(const char *name, enum failpoint_side side)
{
	const struct timespec pause = { .tv_nsec = DELAY_MS * 1000000L };

	pthread_mutex_lock(&lock);
	enum action action = take_armed(name, side);
	pthread_mutex_unlock(&lock);
	switch (action) {
	case CRASH:
		kill(getpid(), SIGKILL);
		for (;;)
			sleep(1);
	case ERROR:
		errno = EIO;
		return true;
	case DELAY:
		nanosleep(&pause, NULL);
		return false;
	default:
		return false;
	}
}

bool
failpoint(enum failpoint_step step, enum failpoint_side side)
{
	return step != FAILPOINT_NONE && reach(calls[step].name, side);
}

bool
failpoint_statement(const char *name, enum failpoint_side side)
{
	return listed(name) && reach(name, side);
}
