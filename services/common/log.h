/*
 * log - one line per event on standard error.
 *
 *	2026-03-02T08:15:00.123456Z info intake ready listen=127.0.0.1:8080
 *
 * An event, then key=value, ids first.  Bodies, names, phones and secrets never.  error: somebody
 * must act; warn: handled, and the text says so; info: lifecycle; debug: per message.  Text from
 * outside goes through log_quoted().
 *
 * The time is the machine's own (UTC) even when the system plays on a simulated clock.  A line is
 * valid UTF-8 and at most 4 KiB; what would break it or a terminal is shown as \xNN.  Logging
 * never blocks: when nobody reads the pipe the line is dropped, and the next one that gets through
 * is preceded by how many were.  errno is kept.
 */
#ifndef TURUNC_LOG_H
#define TURUNC_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

enum { LOG_LINE_BYTES = 4096 };

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVELS };

/* "error", "warn", "info", "debug" and NULL: a list of choices for settings. */
extern const char *const log_level_names[LOG_LEVELS + 1];

/* service is lent for as long as the process logs.  The level starts at info. */
void log_open(const char *service);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

PRINTF(1, 2) void log_error(const char *format, ...);
PRINTF(1, 2) void log_warn(const char *format, ...);
PRINTF(1, 2) void log_info(const char *format, ...);
PRINTF(1, 2) void log_debug(const char *format, ...);

/* The text in quotation marks, what could end them or the line escaped, cut after about 200
 * bytes; NULL is shown as "".  Lent until the same thread has called eight times more. */
const char *log_quoted(const char *text);

/* Lines dropped since the start. */
uint64_t log_dropped(void);

#endif
