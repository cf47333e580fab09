/* keeper_stats - what is counted while the months' figures are kept. */
#ifndef METRICS_KEEPER_STATS_H
#define METRICS_KEEPER_STATS_H

#include "stats.h"

enum keeper_stat {
	KEEPER_STAT_RECORDS,
	KEEPER_STAT_BATCHES,
	KEEPER_STAT_TURNS,
	KEEPER_STAT_REVISIONS,
	KEEPER_STAT_DAMAGED,
	KEEPER_STAT_BEGUN,
	KEEPER_STAT_LOST,
	KEEPER_STAT_BACK,
	KEEPER_STAT_DOUBTED,
	KEEPER_STAT_SEQ,
	KEEPER_STAT_LAG,
	KEEPER_STATS
};

extern const struct stat_row keeper_stat_rows[KEEPER_STATS];

#endif
