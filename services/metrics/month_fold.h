/*
 * month_fold - counts the records of the log, one after another.
 *
 * MONTH_FOLD_WHOLE holds every fact and every figure: a log that is folded from its first record.
 * MONTH_FOLD_BATCH holds the facts that a few records are about, put here before, and what their
 * figures are to change by; turning days is then its owner's (month_turn.h).  Both count by the
 * same code.
 */
#ifndef METRICS_MONTH_FOLD_H
#define METRICS_MONTH_FOLD_H

#include "month_cells.h"
#include "month_facts.h"
#include "month_turn.h"

enum month_fold_kind { MONTH_FOLD_WHOLE, MONTH_FOLD_BATCH };

struct month_fold {
	enum month_fold_kind kind;
	struct month_state state;
	struct month_facts facts;
	struct month_cells cells;
	struct month_cells touched; /* whole: watched figures as they were at the last turn */
	struct month_drawn_up *revisions; /* whole: all, numbered, as they were drawn up */
	size_t revision_count;
	uint64_t damaged; /* records that are no records or too many, facts that are no facts */
};

void month_fold_init(struct month_fold *fold, enum month_fold_kind kind);
void month_fold_finish(struct month_fold *fold);
/* A batch begins: no facts, no cells, the state as given. */
void month_fold_begin(struct month_fold *fold, const struct month_state *state);

/* Counts one record; bytes are an Event as the log has it, and what cannot be read counts for
 * nothing.  False: no memory, and the fold is of no use. */
MUST_CHECK bool month_fold_add(
    struct month_fold *fold, uint64_t seq, int64_t committed_us, const void *bytes, size_t len);

/* Whole: the report of a month as of the last record counted; see month_report_make(). */
MUST_CHECK bool month_fold_report(const struct month_fold *fold, int32_t month,
    const struct catalogue *catalogue, struct month_report *ret_report);

#endif
