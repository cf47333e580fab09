/*
 * rebuild - fills a new generation of the projection from the record.
 *
 * One transaction reads everything as of one seq (REPEATABLE READ, which it checks); then Redis is
 * filled in portions and switched to the new generation in one step.  One at a time.
 */
#ifndef METRICS_REBUILD_H
#define METRICS_REBUILD_H

#include <stdbool.h>

#include "base.h"
#include "live.h"

struct db;
struct rebuild;

/* position NULL: it did not succeed, why says so; the former generation, if any, still stands. */
typedef void rebuild_done_fn(
    void *arg, const struct live_position *position, size_t tickets, const char *why);

/* db (store_statements) and live are lent.  NULL: no memory. */
struct rebuild *rebuild_create(struct db *db, struct live *live, rebuild_done_fn *done, void *arg);
/* Takes NULL; close db and redis before. */
void rebuild_destroy(struct rebuild *r);

/* False: one is under way, or nothing can be sent now.  done is never called from here. */
MUST_CHECK bool rebuild_start(struct rebuild *r);
bool rebuild_running(const struct rebuild *r);

#endif
