/*
 * http_static - files a service hands out: read once at start, held in memory, found by name.
 *
 * A request's path is looked up in a table of names; no path of a request ever reaches the file
 * system.  Each file has an entity tag, and browsers are told to ask with it each time.
 */
#ifndef TURUNC_HTTP_STATIC_H
#define TURUNC_HTTP_STATIC_H

#include <stddef.h>

#include "base.h"

enum { HTTP_STATIC_FILES = 512, HTTP_STATIC_BYTES = 16 * 1024 * 1024 };

struct http_request;
struct http_static;

/* A file that is part of the program; all of it is lent for as long as the table lives. */
struct http_static_file {
	const char *path; /* "css/board.css" */
	const void *data;
	size_t len;
};

/* Reads every file below the directory, but for names that begin with a dot; a symbolic link or
 * anything else that is no file or directory is refused.  NULL: *ret_why says why in static words,
 * and errno may add to it. */
struct http_static *http_static_open(const char *directory, const char **ret_why);
/* NULL: no memory. */
struct http_static *http_static_create(const struct http_static_file files[], size_t count);
/* Accepts NULL. */
void http_static_close(struct http_static *table);

size_t http_static_count(const struct http_static *table);

/* Answers with the file of that path ("" and "a/" stand for their index.html), 304 when the client
 * has it, 404 when there is none.  For a route that ends in {path*}:
 *	http_static_reply(pages, req, http_path_param(req, "path")); */
void http_static_reply(const struct http_static *table, struct http_request *req, const char *path);

#endif
