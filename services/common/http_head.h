/*
 * http_head - is this the head of a request we are willing to read?  Pure.
 *
 * evhttp is lenient: two lengths, a missing Host, bare LF, NUL and `Host :` all pass.  So every
 * head is looked at here first, as the bytes came, and evhttp sees only heads that passed whole.
 * Refused, and the connection closed after the answer:
 *
 *	400  an empty line before the request line; a line not ended by CR LF; CR, NUL, HT, DEL or
 *	     another control character anywhere; a head that is not UTF-8; anything but single
 *	     spaces in the request line; a method that is no token; a target that is not an
 *	     absolute path (absolute-form, authority-form, *), begins with //, holds a character
 *	     no URI has or a fragment; a header line that begins with a space (obs-fold), has no
 *	     colon, no name, or a space before the colon; Host missing (HTTP/1.1), empty or with a
 *	     character no host has; a header of the once-only list twice; Content-Length that is
 *	     not 1 to 15 digits; Content-Length beside Transfer-Encoding; Transfer-Encoding in
 *	     HTTP/1.0; a body with GET, HEAD, DELETE or OPTIONS
 *	411  a body in chunks; POST, PUT or PATCH without Content-Length
 *	414  a request line longer than half of max_bytes
 *	417  Expect other than 100-continue
 *	431  a head longer than max_bytes or with more than HTTP_HEAD_LINES lines
 *	501  a method that is a token but not one of enum http_method; another transfer coding
 *	505  a version other than HTTP/1.0 and HTTP/1.1
 */
#ifndef TURUNC_HTTP_HEAD_H
#define TURUNC_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "http.h"

enum { HTTP_HEAD_LINES = 101 }; /* the request line and a hundred headers */

/* status 0: nothing is wrong; else what to answer, and why, in static words. */
struct http_verdict {
	unsigned status;
	const char *why;
};

/* Looks for the end of a head that arrives in pieces, each byte once.  Starts zeroed. */
struct http_head_scan {
	size_t scanned;
	size_t line_at;
	size_t lines;
	size_t head_len; /* set when the end has been found, else 0 */
};

/* data is all that has come so far, its beginning unchanged since the last call. */
struct http_verdict http_head_scan(
    struct http_head_scan *scan, const char *data, size_t len, size_t max_bytes);

struct http_head {
	enum http_method method;
	unsigned minor; /* of HTTP/1.minor */
	const char *target; /* within the data */
	size_t target_len;
	uint64_t content_length; /* 0 without a body */
	bool close; /* HTTP/1.0, or the client wants the connection closed */
};

/* Reads a whole head, head_len bytes with the empty line.  *ret_head holds what was understood
 * until then also when something is wrong (target NULL: not that far). */
struct http_verdict http_head_parse(const char *data, size_t head_len, struct http_head *ret_head);

#endif
