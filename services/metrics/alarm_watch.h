/*
 * alarm_watch - the board's alarms, as the record has them.
 *
 * It holds the figures against alarm_rules once a second while they are live and fresh, and keeps
 * what it finds in the record: an alarm is raised at once, and ends when it has not been one for a
 * minute.  Figures that are old raise nothing and end nothing.  Who acknowledges does so at the
 * desk (router), which says who it was; here the rows say when, for the board hangs where people
 * pass by.  An alarm of what may no more be named, as the configuration has changed, is not told.
 */
#ifndef METRICS_ALARM_WATCH_H
#define METRICS_ALARM_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alarm_rules.h"
#include "base.h"

struct alarm_watch;
struct db;
struct picture;
struct registry;
struct stats;

/* One that has not ended. */
struct alarm_row {
	int64_t id;
	struct alarm alarm;
	int64_t raised_us, seen_us;
	int64_t acknowledged_us; /* 0: not yet */
};

typedef void alarm_watch_change_fn(void *arg);

/* All are lent.  NULL: no memory.  Destroy takes NULL; close db before. */
struct alarm_watch *alarm_watch_create(struct db *db, const struct picture *picture,
    const struct registry *registry, alarm_watch_change_fn *on_change, void *arg);
void alarm_watch_destroy(struct alarm_watch *w);

/* Those that nobody has acknowledged first, of each the newest first.  False: the record has not
 * been read yet, which is not the same as none. */
bool alarm_watch_known(const struct alarm_watch *w);
size_t alarm_watch_rows(const struct alarm_watch *w, const struct alarm_row **ret_rows);

/* Returns ms until the next call. */
int64_t alarm_watch_tick(struct alarm_watch *w, uint64_t now_ms);

/* turunc_metrics_board_alarms*.  Lent. */
const struct stats *alarm_watch_stats(const struct alarm_watch *w);

#endif
