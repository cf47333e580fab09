/* The projector's table of counters. */
#include "projector_stats.h"

#include "live.h"

const struct stat_row projector_stat_rows[PROJECTOR_STATS] = {
	[PROJECTOR_STAT_RECORDS] = { .name = "turunc_metrics_records_total",
	    .type = STAT_COUNTER,
	    .help = "Records of the log projected" },
	[PROJECTOR_STAT_MISFITS] = { .name = "turunc_metrics_misfits_total",
	    .type = STAT_COUNTER,
	    .help = "Records left out of the figures: they have a dead letter" },
	[PROJECTOR_STAT_UNKNOWN] = { .name = "turunc_metrics_unknown_tickets_total",
	    .type = STAT_COUNTER,
	    .help = "Steps of tickets the projection has never heard of" },
	[PROJECTOR_STAT_BATCHES] = { .name = "turunc_metrics_batches_total",
	    .type = STAT_COUNTER,
	    .help = "Batches handed to Redis, by what it answered",
	    .label = "outcome",
	    .label_values = live_outcome_names },
	[PROJECTOR_STAT_REBUILDS] = { .name = "turunc_metrics_rebuilds_total",
	    .type = STAT_COUNTER,
	    .help = "Generations rebuilt from the record" },
	[PROJECTOR_STAT_REBUILD_FAILED] = { .name = "turunc_metrics_rebuilds_failed_total",
	    .type = STAT_COUNTER,
	    .help = "Rebuilds that were begun and given up" },
	[PROJECTOR_STAT_LAG] = { .name = "turunc_metrics_lag_seconds",
	    .type = STAT_HISTOGRAM,
	    .help = "Time from a record's commit to its projection",
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
	[PROJECTOR_STAT_SEQ] = { .name = "turunc_metrics_projected_seq",
	    .type = STAT_GAUGE,
	    .help = "The last record projected" },
};
