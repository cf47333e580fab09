/* The table of the keeper's counters. */
#include "keeper_stats.h"

const struct stat_row keeper_stat_rows[KEEPER_STATS] = {
	[KEEPER_STAT_RECORDS] = { .name = "turunc_metrics_month_records_total",
	    .help = "Records counted for the months' figures" },
	[KEEPER_STAT_BATCHES] = { .name = "turunc_metrics_month_batches_total",
	    .help = "Transactions that counted them" },
	[KEEPER_STAT_TURNS] = { .name = "turunc_metrics_month_days_total",
	    .help = "Days of the log that were closed" },
	[KEEPER_STAT_REVISIONS] = { .name = "turunc_metrics_month_revisions_total",
	    .help = "Revisions of months drawn up, the first of each included" },
	[KEEPER_STAT_DAMAGED] = { .name = "turunc_metrics_month_damaged_total",
	    .help = "Records that could not be read, and so count for nothing" },
	[KEEPER_STAT_BEGUN] = { .name = "turunc_metrics_month_begun_total",
	    .help = "Times that all was counted anew from the first record" },
	[KEEPER_STAT_LOST] = { .name = "turunc_metrics_month_failed_total",
	    .help = "Steps that the record did not take, tried again" },
	[KEEPER_STAT_SEQ] = { .name = "turunc_metrics_month_seq",
	    .type = STAT_GAUGE,
	    .help = "The last record that the figures count" },
	[KEEPER_STAT_LAG] = { .name = "turunc_metrics_month_lag_records",
	    .type = STAT_GAUGE,
	    .help = "Records of the log that are not counted, at the last look" },
};
