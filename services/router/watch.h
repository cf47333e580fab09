/*
 * watch - what only the record knows and its operators want to be warned of: readers that are
 * behind, deadlines of the law, the age of the last backup, keys that expire.
 *
 * Read every few seconds and shown on /metrics.  What could not be read is not shown: an alert that
 * sees nothing says so, and does not go by figures of yesterday.
 */
#ifndef ROUTER_WATCH_H
#define ROUTER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"

struct evbuffer;
struct watch;

/* db has store_statements, lent.  NULL: out of memory.  Destroy takes NULL, and after the db was
 * closed. */
struct watch *watch_create(struct db *db, uint64_t every_ms);
void watch_destroy(struct watch *w);

int64_t watch_tick(struct watch *w, uint64_t now_ms);

/* An http_metrics_fn: Prometheus text of what was read last. */
MUST_CHECK bool watch_write(void *w, struct evbuffer *out);

#endif
