/* utf8 - is this text valid UTF-8?  Strict: no overlong forms, surrogates or points past U+10FFFF.
 * Every string that came from outside is looked at once, at the door, for protobuf-c and evhttp do
 * not, and one bad string would fail a whole database batch. */
#ifndef TURUNC_UTF8_H
#define TURUNC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_INVALID = -1, UTF8_BYTES_MAX = 4 };

/* Bytes (1 to 4) of the valid character at text, 0 when there is none; len must not be 0. */
size_t utf8_char_len(const char *text, size_t len);

/* The whole text is valid and holds no NUL (which a PostgreSQL text cannot keep). */
bool utf8_valid(const char *text, size_t len);

/* The text holds a control character of ASCII.  With lines, tabs and line breaks are none. */
bool utf8_has_control(const char *text, bool lines);

/* The longest part of at most max_bytes that does not cut a character of the valid text. */
size_t utf8_prefix_len(const char *text, size_t len, size_t max_bytes);

/* Characters (code points) of a valid text. */
size_t utf8_count(const char *text);

/* Takes the next character off [*at, end), *at < end.  UTF8_INVALID takes one byte; NUL is a
 * character here. */
int32_t utf8_next(const char **at, const char *end);

/* Writes code, which must be a character, and returns its bytes. */
size_t utf8_put(int32_t code, char out[UTF8_BYTES_MAX]);

#endif
