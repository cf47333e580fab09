/* router_stats - what the router counts. */
#ifndef ROUTER_ROUTER_STATS_H
#define ROUTER_ROUTER_STATS_H

#include "stats.h"
#include "status.h"

enum router_stat {
	ROUTER_STAT_ROUTED, /* by enum router_routed */
	ROUTER_STAT_CITIZEN, /* by enum router_citizen */
	ROUTER_STAT_RECORDS_DAMAGED,
	ROUTER_STAT_ROUTING_LOST,
	ROUTER_STAT_ROUTING_BATCH,
	ROUTER_STAT_ROUTING_TIME,
	ROUTER_STAT_LAG, /* records */
	ROUTER_STAT_HEAD, /* seq */
	ROUTER_STAT_ROUTED_IN,
	ROUTER_STAT_DELIVERED_IN,
	ROUTER_STAT_COMMANDS_HELD,
	ROUTER_STAT_COMMAND_BATCH,
	ROUTER_STAT_COMMAND_TIME,
	ROUTER_STAT_COMMANDS_LOST, /* batches decided again because somebody else was faster */
	ROUTER_STAT_SWEPT, /* by enum router_swept */
	ROUTER_STAT_SWEEPS_LOST,
	ROUTER_STAT_SWEEPS_REFUSED,
	ROUTER_STAT_COMMANDS, /* a row a verb from here on, by enum router_outcome */
	ROUTER_STAT_COMMANDS_UNKNOWN_VERB = ROUTER_STAT_COMMANDS + STATUS_VERBS,
	ROUTER_STATS
};

enum router_routed { ROUTED_BY_RULE, ROUTED_TO_TRIAGE };
enum router_citizen { CITIZEN_TAKEN, CITIZEN_NOT_TAKEN };
enum router_swept { SWEPT_DUE_SOON, SWEPT_OVERDUE, SWEPT_CLOSED, SWEPT_PARTITIONS };
/* The first is done; then turunc.v1.RefusalCode in order; the last is a repeat. */
enum { OUTCOME_DONE = 0, OUTCOME_REPEAT = 8 };

extern const struct stat_row router_stat_rows[ROUTER_STATS];

#endif
