/*
 * keeper - keeps the months' figures in the record, as far as the log has come.
 *
 * It reads the log in batches behind its own cursor and commits what they change with the cursor's
 * move: facts, cells, and when the log's day changes months that are over and revisions (schema
 * 0041).  So the figures are those as of one record always, whatever dies when; what cannot be
 * committed is read again.  A program that counts differently (MONTH_FOLD_VERSION), a log of
 * another history, and one shorter than what was counted are counted anew from the first record.
 */
#ifndef METRICS_KEEPER_H
#define METRICS_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct db;
struct keeper;
struct stats;

/* db is lent, store_statements; pause_ms: between two looks when nothing is left to count.  NULL:
 * no memory.  Destroy takes NULL; close the db before. */
struct keeper *keeper_create(struct db *db, uint64_t pause_ms);
void keeper_destroy(struct keeper *k);

/* Returns ms until the next call; waits in its callbacks, which wake the daemon by themselves. */
int64_t keeper_tick(struct keeper *k, uint64_t now_ms);
void keeper_stop(struct keeper *k);
bool keeper_busy(void *keeper);

/* turunc_metrics_month_*.  Lent. */
const struct stats *keeper_stats(const struct keeper *k);

#endif
