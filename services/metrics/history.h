/*
 * history - the figures of past moments: one sample in five minutes, kept in the record.
 *
 * A sample is taken when the figures are live and fresh; five minutes without one are a hole, which
 * charts show as such.  Spans are read again when a sample was taken, and handed out from memory.
 */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

struct db;
struct figures;
struct history;
struct picture;
struct stats;

enum history_span { HISTORY_DAY, HISTORY_WEEK, HISTORY_MONTH, HISTORY_SPANS };
enum history_value {
	HISTORY_OPEN,
	HISTORY_OVERDUE,
	HISTORY_OPENED, /* in the hour before; likewise below */
	HISTORY_ENDED,
	HISTORY_OFFERED,
	HISTORY_ANSWERED,
	HISTORY_ABANDONED,
	HISTORY_WAITING,
	HISTORY_LEVEL, /* tenths of a percent */
	HISTORY_VALUES
};
enum { HISTORY_ROWS_MAX = 100, HISTORY_UNKNOWN = -1 };

/* Means of the samples of one step of the span. */
struct history_row {
	int64_t at_us; /* where it begins */
	int64_t values[HISTORY_VALUES]; /* or HISTORY_UNKNOWN */
};

/* "day", "week", "month"; HISTORY_SPANS: no such span. */
enum history_span history_span_parse(const char *name);
const char *history_span_name(enum history_span span);
const char *history_value_name(enum history_value value);
int64_t history_step_us(enum history_span span);

typedef void history_change_fn(void *arg);

/* db and picture are lent.  on_change: the spans were read.  NULL: no memory.  Destroy takes NULL;
 * close db before. */
struct history *history_create(
    struct db *db, const struct picture *picture, history_change_fn *on_change, void *arg);
void history_destroy(struct history *h);

/* Rises with every reading. */
uint64_t history_version(const struct history *h);
/* Oldest first.  0 before the first reading as well as without samples. */
size_t history_rows(
    const struct history *h, enum history_span span, const struct history_row **ret_rows);
/* {"span", "step_us", "names", "rows": [[at_us, ...]]}; null for what is not known.  NULL: no
 * memory. */
json_t *history_json(const struct history *h, enum history_span span);

/* Adds what was at this time a day ago, when it is known: then.open, then.overdue, then.today,
 * then.calls.offered, then.calls.level.  False: no memory. */
MUST_CHECK bool history_add_then(const struct history *h, struct figures *f);

/* Returns ms until the next call. */
int64_t history_tick(struct history *h, uint64_t now_ms);

/* turunc_metrics_board_samples_*.  Lent. */
const struct stats *history_stats(const struct history *h);

#endif
