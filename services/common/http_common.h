/*
 * http_common - the three pages every daemon has, and its server's part in draining.
 *
 *	/healthz  200 "ok" for as long as the loop turns
 *	/readyz   what the daemon stands on, as JSON; 200 when ready, 503 when not
 *	/metrics  Prometheus text: the process, the server, and what else was added
 */
#ifndef TURUNC_HTTP_COMMON_H
#define TURUNC_HTTP_COMMON_H

#include <stdbool.h>

#include "base.h"

struct daemon;
struct evbuffer;
struct http;
struct http_common;
struct stats;

/* Adds the routes to the server, and the server to the daemon's parts, which drain.  Both must
 * outlive it but for being closed: close it after the server.  NULL: no memory or no room for
 * another table of routes. */
struct http_common *http_common_open(struct http *http, struct daemon *daemon);
/* Accepts NULL. */
void http_common_close(struct http_common *common);

/* Brings gauges up to date just before they are shown; may be NULL. */
typedef void http_refresh_fn(void *arg);

/* One more table on /metrics, lent.  Asserts at most 16. */
void http_common_add_stats(
    struct http_common *common, const struct stats *stats, http_refresh_fn *refresh, void *arg);

/* Text that no table of fixed rows can hold.  False: out of memory. */
typedef bool http_metrics_fn(void *arg, struct evbuffer *out);
/* One more piece of /metrics, behind the tables added before.  Counts as a table. */
void http_common_add_writer(struct http_common *common, http_metrics_fn *write, void *arg);

#endif
