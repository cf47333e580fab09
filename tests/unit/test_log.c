/* A line is one line, whatever is logged; and logging never waits for a reader. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "check.h"
#include "log.h"
#include "utf8.h"

static int real_stderr = -1;

/* Standard error goes to a file of this test, so that what was written can be read. */
static void
capture(void)
{
	int fd = open(check_path("log"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (real_stderr == -1)
		real_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static const char *
captured(void)
{
	static char text[3 * LOG_LINE_BYTES];
	int fd = open(check_path("log"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	dup2(real_stderr, STDERR_FILENO);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

/* What follows the time, which is 28 bytes: 2026-03-02T08:15:00.123456Z and a space. */
static const char *
after_time(const char *line)
{
	return strlen(line) > 28 ? line + 28 : "";
}

static const struct {
	const char *name;
	const char *text;
	const char *want;
} lines[] = {
	{ "plain", "ready listen=127.0.0.1:8080", "ready listen=127.0.0.1:8080" },
	{ "line feeds cannot forge a line", "a\nb\r\tc", "a\\nb\\r\\tc" },
	{ "control characters", "\x1b[2Jx\x7f", "\\x1b[2Jx\\x7f" },
	{ "control characters of two bytes", "\xc2\x9b", "\\xc2\\x9b" },
	{ "the first that is none", "\xc2\xa0x", "\xc2\xa0x" },
	{ "Turkish stays", "İlçe ş", "İlçe ş" },
	{ "bad UTF-8 is shown", "a\xff\xc3", "a\\xff\\xc3" },
	{ "a backslash stays", "a\\b", "a\\b" },
};

TEST(test_log_escapes)
{
	char want[200];

	log_open("intake");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		capture();
		log_info("%s", lines[i].text);
		snprintf(want, sizeof(want), "info intake %s\n", lines[i].want);
		CHECK_STR(lines[i].name, after_time(captured()), want);
	}
}

TEST(test_log_time_is_rfc3339_utc)
{
	int year, month, day, hour, minute, second, us, used = 0;

	setenv("TZ", "Europe/Istanbul", 1);
	capture();
	log_error("x");
	const char *line = captured();
	CHECK_I64("fields",
	    sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ %n", &year, &month, &day, &hour, &minute,
		&second, &us, &used),
	    7);
	CHECK_I64("width", used, 28);
	struct tm tm = { .tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second };
	time_t logged = timegm(&tm), now = time(NULL);
	CHECK_TRUE("now, in UTC", logged <= now && logged >= now - 30);
}

TEST(test_log_levels)
{
	capture();
	log_open("router");
	log_debug("not at the start");
	log_info("one");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("not any more");
	log_error("two");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("three");
	const char *text = captured();
	const char *second = strchr(text, '\n') + 1;
	const char *third = strchr(second, '\n') + 1;
	CHECK_TRUE("info", strncmp(after_time(text), "info router one\n", 16) == 0);
	CHECK_TRUE("error", strncmp(after_time(second), "error router two\n", 17) == 0);
	CHECK_STR("debug", after_time(third), "debug router three\n");
	CHECK_FALSE("names end", log_level_names[LOG_LEVELS] != NULL);
}

static const struct {
	const char *name;
	const char *unit; /* repeated */
	size_t times;
} longs[] = {
	{ "too long for the message", "x", 9000 },
	{ "just about", "x", LOG_LINE_BYTES - 40 },
	{ "long by escaping", "\n", 3000 },
	{ "two bytes each", "ş", 3000 },
	{ "three bytes each", "€", 2000 },
	{ "four bytes each", "\xf0\x9f\x8d\x8a", 1500 },
};

TEST(test_log_cuts_long_lines)
{
	static char text[16000];

	for (size_t i = 0; i < ARRAY_LEN(longs); i++) {
		text[0] = '\0';
		for (size_t n = 0; n < longs[i].times; n++)
			strcpy(text + n * strlen(longs[i].unit), longs[i].unit);
		capture();
		log_info("%s", text);
		const char *line = captured();
		size_t len = strlen(line);
		CHECK_TRUE(longs[i].name, len <= LOG_LINE_BYTES && len > LOG_LINE_BYTES - 24);
		CHECK_TRUE(longs[i].name, strchr(line, '\n') == line + len - 1);
		CHECK_TRUE(longs[i].name, utf8_valid(line, len));
		CHECK_STR(longs[i].name, line + len - 4, "...\n");
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *want;
} quoted[] = {
	{ "plain", "acme", "\"acme\"" },
	{ "empty", "", "\"\"" },
	{ "absent", NULL, "\"\"" },
	{ "cannot end the value", "x\" peer=admin", "\"x\\\" peer=admin\"" },
	{ "cannot hide the end", "x\\", "\"x\\\\\"" },
	{ "cannot end the line", "x\ny", "\"x\\ny\"" },
};

TEST(test_log_quoted)
{
	char longest[1000];
	const char *shown[8];

	for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
		CHECK_STR(quoted[i].name, log_quoted(quoted[i].text), quoted[i].want);

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	const char *cut = log_quoted(longest);
	CHECK_TRUE("is cut", strlen(cut) > 150 && strlen(cut) < 224);
	CHECK_STR("says so", cut + strlen(cut) - 5, "x...\"");

	for (size_t i = 0; i < 8; i++)
		shown[i] = log_quoted((const char[]){ (char)('a' + i), '\0' });
	CHECK_STR("eight may be used at once", shown[0], "\"a\"");
}

TEST(test_log_drops_rather_than_blocks)
{
	int ends[2];
	char text[LOG_LINE_BYTES * 2];

	if (!CHECK(pipe(ends) == 0))
		return;
	real_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	/* More than any pipe holds; a blocking write would end this test by its time limit. */
	errno = ENOENT;
	for (int i = 0; i < 20000; i++)
		log_info("line number=%d of quite some length, so that the pipe is full soon", i);
	int errno_after = errno;
	uint64_t dropped = log_dropped();
	/* The reader comes back and empties the pipe. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (read(ends[0], text, sizeof(text)) > 0)
		continue;
	log_info("after");
	ssize_t len = read(ends[0], text, sizeof(text) - 1);
	dup2(real_stderr, STDERR_FILENO);

	CHECK_I64("errno is kept", errno_after, ENOENT);
	CHECK_TRUE("most are dropped", dropped > 1000 && dropped < 20000);
	text[len > 0 ? len : 0] = '\0';
	char want[64];
	snprintf(want, sizeof(want), "log lines dropped count=%llu\n", (unsigned long long)dropped);
	CHECK_TRUE("the next line says how many", strstr(text, want) != NULL);
	CHECK_TRUE("and gets through itself", strstr(text, "after\n") != NULL);
}
