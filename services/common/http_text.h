/* http_text - percent-decoding, paths and pairs, as strict as HTTP lets a server be.  Pure. */
#ifndef TURUNC_HTTP_TEXT_H
#define TURUNC_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "http.h"

enum { HTTP_PATH_PARAMS = 8, HTTP_PAIRS_MAX = 1000 };

/* Decodes the path of a target of len bytes up to its '?', into out (len + 1 bytes), terminated.
 * NULL when that went well, else what is wrong: a bad escape, %2F, NUL, invalid UTF-8, or a
 * segment "." or "..".  *ret_query: the bytes after '?', or NULL. */
const char *http_path_decode(
    const char *target, size_t len, char *out, const char **ret_query, size_t *ret_query_len);

/* A list of decoded pairs and the text they point into.  Starts zeroed. */
struct http_pairs {
	struct http_pair *at;
	size_t count;
	char *text;
};

enum http_pairs_result { HTTP_PAIRS_OK, HTTP_PAIRS_BAD, HTTP_PAIRS_MANY, HTTP_PAIRS_NO_MEMORY };

/* "a=1&b=%C3%BC+x": + is a space; empty pieces between & are skipped.  Bad: a bad escape, NUL,
 * invalid UTF-8, an empty name.  Nothing is held unless OK. */
enum http_pairs_result http_pairs_parse(const char *data, size_t len, struct http_pairs *ret_pairs);
void http_pairs_finish(struct http_pairs *pairs);
const char *http_pairs_find(const struct http_pairs *pairs, const char *name, size_t *ret_count);

/* What the {name}s of a pattern stood for, as parts of the path. */
struct http_captures {
	size_t count;
	struct http_capture {
		const char *name; /* within the pattern */
		size_t name_len;
		size_t at; /* within the path */
		size_t len;
	} of[HTTP_PATH_PARAMS];
};

/* Is this a pattern as http.h describes them? */
bool http_pattern_valid(const char *pattern);
/* The pattern must be valid. */
bool http_pattern_match(const char *pattern, const char *path, struct http_captures *ret_captures);

#endif
