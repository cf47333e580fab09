/*
 * month - a month's figures as of one record of the log, and all that is needed to print them.
 *
 * The figures are counts made of the log's records alone, by one fold (month_fold.h), so that
 * whoever folds the same log up to the same record has the same ones for ever.  An event belongs
 * to the month of its own time in Istanbul, whenever it was recorded.
 *
 * Names (each defined in month_words.c; what did not happen is absent; "-" is the code of what has
 * none):
 *	calls.offered .answered .abandoned .unfinished; of the answered: .recorded .joined
 *	.information .transferred .nuisance .undisposed; calls.wait_ms
 *	calls.offered.w<1-7>.h<0-23>, calls.answered.w<1-7>.h<0-23>	(1: Monday)
 *	contacts.<channel>, contacts.without_ticket.<channel>
 *	tickets, tickets.channel.<c>, tickets.subject.<code>, tickets.department.<code>,
 *	tickets.neighbourhood.<code>, tickets.day.<1-31>
 *	ended, ended.<resolved|rejected|forwarded|duplicate|withdrawn>, ended.legal.of,
 *	ended.legal.within, ended.service.of, ended.service.within, reopened, hops, hops.tickets
 *	open, open.age.<bucket>						(at the month's end)
 *	ladder.<step>, ladder.rest.<why>, ladder.not_solved		(ladder.h)
 *	d.<department>.<one of: tickets, tickets.subject.*, ended*, reopened, open, open.age.*,
 *	ladder.*>
 * and, so that rates are quotients of figures:
 *	minutes			of the month that have passed
 *	inhabitants, inhabitants.<neighbourhood>	by the configuration as of that record
 */
#ifndef METRICS_MONTH_H
#define METRICS_MONTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "digest.h"
#include "figures.h"
#include "uuid.h"

struct catalogue;

/* A figure that was published with another value. */
struct month_change {
	char name[FIGURE_NAME_SIZE];
	int64_t was, is;
};

/* The first is what was published when the month had been over for some days; each later one says
 * what late records changed. */
struct month_revision {
	uint32_t number; /* from 1 */
	uint64_t seq; /* the last record that it counts */
	int64_t at_us; /* the midnight at which it was drawn up */
	struct month_change *changes; /* by name; of the first none */
	size_t change_count;
};

struct month_report {
	int32_t month; /* 202603 */
	char log_id[UUID_TEXT_SIZE];
	uint64_t as_of_seq; /* 0: the log is empty */
	int64_t as_of_us; /* when that record was committed */
	uint64_t head_seq; /* the last record of its batch, which the hash covers */
	char head_hash[DIGEST_HEX_SIZE];
	uint64_t config_version; /* as applied at as_of_seq; 0: none */
	bool over; /* as of then; else the figures are of the month so far */
	bool ladder_final; /* nobody can still answer for it */
	int64_t published_from_us; /* when its first revision is due, or was */
	struct figures figures, month_before, year_before;
	bool has_month_before, has_year_before; /* the log reaches back so far */
	int32_t log_begins; /* the month in which it does, which is not whole; 0: not known */
	struct month_revision *revisions; /* by number; none: nothing published yet */
	size_t revision_count;
	const struct catalogue *catalogue; /* lent; NULL: none was applied */
};

/* Frees what it holds, not itself; zeroed is empty. */
void month_report_finish(struct month_report *report);

/* The canonical form: sorted keys, integers only, the same bytes for ever.  Ends with a newline.
 * The caller frees it; NULL: no memory. */
char *month_report_text(const struct month_report *report);
/* The same as a value; owned by the caller. */
json_t *month_report_json(const struct month_report *report);

/* 202603 <- "2026-03"; false: it is none of 1970-01 to 2999-12. */
MUST_CHECK bool month_parse(const char *text, int32_t *ret_month);
enum { MONTH_TEXT_SIZE = 8 };
void month_format(int32_t month, char out[MONTH_TEXT_SIZE]); /* "2026-03" */
/* A moment that months can be made of: within 1970 to 2998.  Clocks can be wrong, and so can dates
 * that others give. */
int64_t month_moment_us(int64_t at_us);
int32_t month_of(int64_t at_us); /* in Istanbul */
int32_t month_add(int32_t month, int count);
int64_t month_start_us(int32_t month); /* its first midnight in Istanbul */
int month_days(int32_t month);
/* "Mart 2026", "March 2026"; out is cut when it is too small. */
void month_title(int32_t month, int language, char *out, size_t size);

#endif
