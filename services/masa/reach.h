/* reach - asks services over HTTP, briefly. */
#ifndef MASA_REACH_H
#define MASA_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum { REACH_INTAKE, REACH_ROUTER, REACH_NOTIFIER, REACH_METRICS, REACH_SERVICES };

const char *reach_service_name(size_t service);
/* Where it is, without a last slash; NULL: not set. */
const char *reach_service_url(size_t service);

/* "ready", "not ready", "no answer", or "" when its address is not set; detail holds what it said,
 * cut to size. */
const char *reach_service(size_t service, char *detail, size_t size);

/* --- several at once, over connections that are kept --- */

enum { REACH_BYTES_MAX = 1 << 20 };

struct reach_answer {
	char url[512]; /* "": not asked */
	long status; /* 0: nobody answered in time */
	char *
	    text; /* what was said, cut at REACH_BYTES_MAX, ended with NUL; never NULL when asked */
	size_t len;
};

struct reach_many;
/* NULL: no memory.  Close takes NULL. */
struct reach_many *reach_many_open(void);
void reach_many_close(struct reach_many *r);

/* Fills the answers within limit_ms; each text is reach_answer_finish()'s.  Certificates are not
 * judged: nothing secret is said.  False: watch_fd (-1: none) became readable first, or memory ran
 * out; the answers are finished then. */
MUST_CHECK bool reach_many_get(
    struct reach_many *r, struct reach_answer *answers, size_t count, long limit_ms, int watch_fd);
void reach_answer_finish(struct reach_answer *answer);

#endif
