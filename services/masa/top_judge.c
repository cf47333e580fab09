/* What of the figures is a trouble, in words, the worst first. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "top_figures.h"

/* From here on somebody should look. */
enum {
	BEHIND_RECORDS = 10000,
	LOCK_WAIT_S = 1,
	OLD_SNAPSHOT_S = 600,
	OLD_MESSAGE_S = 900,
	BOARD_AGE_S = 10,
	DISK_FREE_PERCENT = 10,
	CONNECTIONS_PERCENT = 90,
};

PRINTF(3, 4)
static void
trouble(struct top_figures *f, bool bad, const char *format, ...)
{
	va_list args;

	if (f->trouble_count == TOP_TROUBLES_MAX)
		return;
	struct top_trouble *t = &f->troubles[f->trouble_count++];
	t->bad = bad;
	va_start(args, format);
	vsnprintf(t->text, sizeof(t->text), format, args);
	va_end(args);
	top_whole_characters(t->text);
}

static double
number(const struct top_figures *f, const char *key)
{
	const struct top_number *n = top_figures_number(f, key);

	return n != NULL ? n->value : NAN;
}

/* Comparisons with what is not known are false. */
static void
judge_parts(struct top_figures *f, bool bad)
{
	for (size_t i = 0; i < TOP_PARTS; i++) {
		const struct top_part *part = &f->parts[i];
		if (part->state == (bad ? TOP_DOWN : TOP_IMPAIRED))
			trouble(f, bad, "%s: %s%s%s", part->name, part->word,
			    part->why[0] != '\0' ? ": " : "", part->why);
	}
}

static void
judge_record(struct top_figures *f)
{
	if (f->lock_longest_wait_s > LOCK_WAIT_S)
		trouble(f, true, "the log's lock is held by %s: %.0f wait, the longest for %.1f s",
		    f->lock_holder[0] != '\0' ? f->lock_holder : "somebody", f->lock_waiting,
		    f->lock_longest_wait_s);
	for (size_t i = 0; i < f->reader_count; i++)
		if (f->readers[i].frozen)
			trouble(f, true, "%s is frozen: %s", f->readers[i].name, f->readers[i].why);
	if (f->disk_free_bytes * 100 < f->disk_bytes * DISK_FREE_PERCENT)
		trouble(f, true, "%.1f %% of the disk is free",
		    f->disk_free_bytes * 100 / f->disk_bytes);
	if (f->connections * 100 > f->connections_max * CONNECTIONS_PERCENT)
		trouble(f, true, "%.0f of %.0f connections of PostgreSQL are taken", f->connections,
		    f->connections_max);
}

static void
judge_queues(struct top_figures *f)
{
	if (number(f, "spool_damaged") > 0)
		trouble(f, true, "spool: %.0f items came back damaged from the disk",
		    number(f, "spool_damaged"));
	if (number(f, "spool_set_aside") > 0)
		trouble(f, true, "spool: the record refuses %.0f items in any shape",
		    number(f, "spool_set_aside"));
	if (number(f, "dead_letters") > 0)
		trouble(f, true, "%.0f records were set aside: masa dlq list",
		    number(f, "dead_letters"));
	if (number(f, "dead") > 0)
		trouble(f, true, "%.0f messages could not be sent: masa message list --state dead",
		    number(f, "dead"));
	if (number(f, "oldest_message_s") > OLD_MESSAGE_S)
		trouble(f, true, "a message has waited for %.0f min to be sent",
		    number(f, "oldest_message_s") / 60);
}

/* What citizens notice first. */
static void
judge_promises(struct top_figures *f)
{
	if (number(f, "legal_passed") > 0)
		trouble(f, true, "%.0f tickets are past their legal deadline without an answer",
		    number(f, "legal_passed"));
	for (size_t i = 0; i < TOP_WAYS; i++)
		if (f->ways[i].away)
			trouble(f, true,
			    "%s: nobody answers where these messages leave, and they wait",
			    f->ways[i].channel);
}

static void
judge_what_passes(struct top_figures *f)
{
	if (number(f, "legal_day") > 0)
		trouble(f, false, "%.0f tickets reach their legal deadline within a day",
		    number(f, "legal_day"));
	if (number(f, "spool") > 0)
		trouble(f, false, "the spool is in use: %.0f items wait for the record",
		    number(f, "spool"));
	if (number(f, "unknown") > 0)
		trouble(f, false,
		    "%.0f messages may or may not have left: masa message list --state unknown",
		    number(f, "unknown"));
	for (size_t i = 0; i < f->reader_count; i++)
		if (!f->readers[i].frozen && f->readers[i].behind > BEHIND_RECORDS)
			trouble(f, false, "%s is %.0f records behind", f->readers[i].name,
			    f->readers[i].behind);
	if (number(f, "board_age_s") < 0)
		trouble(f, false, "the board's figures are being made anew");
	if (number(f, "board_age_s") > BOARD_AGE_S)
		trouble(f, false, "the board's figures are %.0f s old", number(f, "board_age_s"));
	if (f->oldest_transaction_s > OLD_SNAPSHOT_S)
		trouble(f, false, "a transaction has been open for %.0f min: hot tables grow",
		    f->oldest_transaction_s / 60);
}

void
top_judge(struct top_figures *f)
{
	judge_parts(f, true);
	judge_record(f);
	judge_queues(f);
	judge_promises(f);
	judge_parts(f, false);
	judge_what_passes(f);
}

bool
top_is_well(const struct top_figures *f)
{
	/* The bad ones come first. */
	return f->trouble_count == 0 || !f->troubles[0].bad;
}
