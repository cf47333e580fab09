/*
 * backlog - how much is waiting, and that a clock set back keeps nothing waiting.
 *
 * The times in the record are those of the clock that wrote them: after an hour back, what was
 * queued just before would wait for an hour.
 */
#ifndef NOTIFIER_BACKLOG_H
#define NOTIFIER_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "stats.h"

struct backlog;

/* Everything is lent.  retry_cap_ms: nothing is due later than so far from now.  on_hastened:
 * something is due now.  NULL: no memory; destroy takes NULL. */
struct backlog *backlog_create(struct db *db, struct stats *stats, uint64_t retry_cap_ms,
    void (*on_hastened)(void *arg), void *arg);
void backlog_destroy(struct backlog *b);

/* Each turn, whether the record is there or not. */
void backlog_watch_clock(struct backlog *b);
/* When the record is there. */
void backlog_look(struct backlog *b, uint64_t now_ms);
bool backlog_busy(const struct backlog *b);

#endif
