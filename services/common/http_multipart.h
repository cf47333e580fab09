/*
 * http_multipart - a body of multipart/form-data, taken apart where it stands.
 *
 * As browsers write it and no more: the first boundary opens the body, the last ends it, each part
 * has a Content-Disposition of form-data with a quoted name (and file name), and nothing is
 * encoded again within.  Names and values are text, files are bytes.  Pure.
 */
#ifndef TURUNC_HTTP_MULTIPART_H
#define TURUNC_HTTP_MULTIPART_H

#include <stddef.h>

#include "base.h"
#include "http.h"
#include "http_text.h"

enum {
	HTTP_FILES_MAX = 16,
	HTTP_BOUNDARY_MAX = 70,
	HTTP_PART_HEAD_BYTES = 2048,
	HTTP_MULTIPART_TEXT_BYTES = 64 * 1024, /* of all names and values */
};

/* Starts zeroed. */
struct http_files {
	struct http_file at[HTTP_FILES_MAX];
	size_t count;
};

/*
 * body has len bytes and one more, which is written.  What comes out points into it.  A file
 * without name and content is a field that nobody filled: it is left out.  Bad: not like above, a
 * name or value that is no UTF-8 or holds a NUL.  Many: over HTTP_PAIRS_MAX pairs,
 * HTTP_FILES_MAX files or HTTP_MULTIPART_TEXT_BYTES.  ret_pairs is the caller's to finish when OK.
 */
MUST_CHECK enum http_pairs_result http_multipart_parse(char *body, size_t len,
    const char *content_type, struct http_pairs *ret_pairs, struct http_files *ret_files);

#endif
