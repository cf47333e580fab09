/*
 * month_log - counts the whole log up to a record, as the reports of months need it.
 *
 * Everything comes from the log's records and from the configuration's versions, which never
 * change; so the same record gives the same figures for ever.
 */
#ifndef MASA_MONTH_LOG_H
#define MASA_MONTH_LOG_H

#include "catalogue.h"
#include "masa.h"
#include "month_fold.h"

struct month_log {
	struct month_fold fold;
	struct catalogue *catalogue; /* as applied at the last record counted; NULL: none was */
	char log_id[UUID_TEXT_SIZE];
	uint64_t head_seq; /* the last record of the batch that as_of is in */
	char head_hash[DIGEST_HEX_SIZE];
};

/* as_of 0: up to the log's end.  No transaction lasts longer than a few thousand records take: a
 * snapshot of the whole count would keep the record from clearing away what has died since.
 * Finish it in any case. */
MUST_CHECK enum exit_code month_log_count(struct masa *m, uint64_t as_of, struct month_log *log);
void month_log_finish(struct month_log *log);

/* MASA_OK: report is the caller's to finish before the log. */
MUST_CHECK enum exit_code month_log_report(
    const struct month_log *log, int32_t month, struct month_report *ret_report);

#endif
