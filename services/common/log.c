/* Formats one line per event and writes it in one piece, or drops it. */
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

/* A pipe that polls as writable takes this much without blocking and in one piece. */
_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "a line must be written whole");

enum { QUOTED_BYTES = 224, QUOTED_TURNS = 8, ESCAPE_BYTES = 4, CUT_BYTES = 5 };

const char *const log_level_names[LOG_LEVELS + 1] = { "error", "warn", "info", "debug", NULL };

static const char *log_service = "turunc";
static enum log_level log_level = LOG_LEVEL_INFO;
static atomic_uint_fast64_t dropped_total;
static atomic_uint_fast64_t dropped_unsaid;

void
log_open(const char *service)
{
	log_service = service;
}

void
log_set_level(enum log_level level)
{
	log_level = level;
}

bool
log_enabled(enum log_level level)
{
	return level <= log_level;
}

uint64_t
log_dropped(void)
{
	return atomic_load(&dropped_total);
}

/* Bytes of the character at text that may stand as they are; 0: escape one byte. */
static size_t
plain_bytes(const char *text, size_t len)
{
	unsigned char first = (unsigned char)text[0];

	if (first < 0x80)
		return first >= ' ' && first != 0x7f;
	size_t char_len = utf8_char_len(text, len);
	/* U+0080 to U+009F are control characters too, and terminals obey them. */
	bool control = first == 0xc2 && char_len == 2 && (unsigned char)text[1] < 0xa0;
	return control ? 0 : char_len;
}

static size_t
escape_byte(char *to, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	to[0] = '\\';
	if (byte == '\n' || byte == '\r' || byte == '\t') {
		to[1] = byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't';
		return 2;
	}
	to[1] = 'x';
	to[2] = digits[byte >> 4];
	to[3] = digits[byte & 15];
	return ESCAPE_BYTES;
}

/* Copies text, escaping; "..." says it was cut.  Returns the length, always below size - 1. */
static size_t
escape_text(char *to, size_t size, const char *text, const char *also)
{
	size_t used = 0, len = strlen(text);

	for (size_t at = 0; at < len;) {
		size_t plain = plain_bytes(text + at, len - at);
		if (used + ESCAPE_BYTES + CUT_BYTES > size) {
			memcpy(to + used, "...", 3);
			used += 3;
			break;
		}
		if (plain == 1 && strchr(also, text[at]) != NULL) {
			to[used++] = '\\';
			to[used++] = text[at++];
		} else if (plain > 0) {
			memcpy(to + used, text + at, plain);
			used += plain;
			at += plain;
		} else {
			used += escape_byte(to + used, (unsigned char)text[at++]);
		}
	}
	to[used] = '\0';
	return used;
}

const char *
log_quoted(const char *text)
{
	static _Thread_local char buffers[QUOTED_TURNS][QUOTED_BYTES];
	static _Thread_local unsigned turn;
	char *buf = buffers[turn++ % QUOTED_TURNS];

	buf[0] = '"';
	size_t used = 1 + escape_text(buf + 1, QUOTED_BYTES - 2, text == NULL ? "" : text, "\"\\");
	buf[used] = '"';
	buf[used + 1] = '\0';
	return buf;
}

static size_t
write_head(char *line, size_t size, enum log_level level)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	int len = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ %s %s ",
	    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
	    now.tv_nsec / 1000, log_level_names[level], log_service);
	return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

static bool
write_line(const char *line, size_t len)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0)
		return false;
	return write(STDERR_FILENO, line, len) == (ssize_t)len;
}

/* The head is short, so a message always finds room. */
static bool
emit(enum log_level level, const char *message)
{
	char line[LOG_LINE_BYTES];
	size_t used = write_head(line, 256, level);

	used += escape_text(line + used, sizeof(line) - used - 1, message, "");
	line[used++] = '\n';
	return write_line(line, used);
}

PRINTF(2, 0)
static void
log_va(enum log_level level, const char *format, va_list args)
{
	char message[LOG_LINE_BYTES + 1];
	int saved_errno = errno;

	if (!log_enabled(level))
		return;
	uint64_t unsaid = atomic_exchange(&dropped_unsaid, 0);
	if (unsaid > 0) {
		snprintf(message, sizeof(message), "log lines dropped count=%" PRIu64, unsaid);
		if (!emit(LOG_LEVEL_WARN, message))
			atomic_fetch_add(&dropped_unsaid, unsaid);
	}
	if (vsnprintf(message, sizeof(message), format, args) < 0 || !emit(level, message)) {
		atomic_fetch_add(&dropped_total, 1);
		atomic_fetch_add(&dropped_unsaid, 1);
	}
	errno = saved_errno;
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_va(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_va(LOG_LEVEL_WARN, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_va(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void
log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_va(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}
