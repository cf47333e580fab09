/* The table of the router's statistics. */
#include "router_stats.h"

static const char *const routed[] = { "rule", "triage", NULL };
static const char *const citizen[] = { "taken", "not_taken", NULL };
static const char *const swept[] = { "due_soon", "overdue", "closed", "partitions", NULL };
static const char *const outcomes[] = { "done", "no_such_ticket", "stale_version",
	"not_allowed_now", "forbidden", "bad_field", "id_reused", "unavailable", "repeat", NULL };
static const int64_t batch_bounds[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 0 };

#define COMMANDS(index, verb)                                                        \
	[ROUTER_STAT_COMMANDS + (index)] = { .name = "turunc_router_commands_total", \
		.help = "Commands answered",                                         \
		.fixed = "verb",                                                     \
		.fixed_value = verb,                                                 \
		.label = "outcome",                                                  \
		.label_values = outcomes }

const struct stat_row router_stat_rows[ROUTER_STATS] = {
	[ROUTER_STAT_ROUTED] = { .name = "turunc_router_routed_total",
	    .help = "Tickets decided when they were opened",
	    .label = "by",
	    .label_values = routed },
	[ROUTER_STAT_CITIZEN] = { .name = "turunc_router_citizen_steps_total",
	    .help = "Steps that citizens asked for",
	    .label = "outcome",
	    .label_values = citizen },
	[ROUTER_STAT_RECORDS_DAMAGED] = { .name = "turunc_router_records_damaged_total",
	    .help = "Tickets routed by their rows because their record could not be read" },
	[ROUTER_STAT_ROUTING_LOST] = { .name = "turunc_router_routing_lost_total",
	    .help = "Routing batches that another writer overtook" },
	[ROUTER_STAT_ROUTING_BATCH] = { .name = "turunc_router_routing_batch_records",
	    .help = "Records acted on in one transaction",
	    .type = STAT_HISTOGRAM,
	    .bounds = batch_bounds },
	[ROUTER_STAT_ROUTING_TIME] = { .name = "turunc_router_routing_seconds",
	    .help = "From reading a batch of the log to its commit",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
	[ROUTER_STAT_LAG] = { .name = "turunc_router_lag_records",
	    .help = "Records of the log not looked at yet",
	    .type = STAT_GAUGE },
	[ROUTER_STAT_HEAD] = { .name = "turunc_log_head_seq",
	    .help = "The newest record of the log that is known",
	    .type = STAT_GAUGE },
	[ROUTER_STAT_ROUTED_IN] = STATS_STAGE("routed"),
	[ROUTER_STAT_DELIVERED_IN] = STATS_STAGE("delivered"),
	[ROUTER_STAT_COMMANDS_HELD] = { .name = "turunc_router_commands_held",
	    .help = "Commands waiting or on their way",
	    .type = STAT_GAUGE },
	[ROUTER_STAT_COMMAND_BATCH] = { .name = "turunc_router_command_batch",
	    .help = "Commands decided in one transaction",
	    .type = STAT_HISTOGRAM,
	    .bounds = batch_bounds },
	[ROUTER_STAT_COMMAND_TIME] = { .name = "turunc_router_command_seconds",
	    .help = "From a command's arrival to its answer",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
	[ROUTER_STAT_COMMANDS_LOST] = { .name = "turunc_router_command_batches_lost_total",
	    .help = "Command batches decided again because another writer was faster" },
	[ROUTER_STAT_SWEPT] = { .name = "turunc_router_swept_total",
	    .help = "What sweeps did",
	    .label = "what",
	    .label_values = swept },
	[ROUTER_STAT_SWEEPS_LOST] = { .name = "turunc_router_sweeps_lost_total",
	    .help = "Sweeps that another writer overtook" },
	[ROUTER_STAT_SWEEPS_REFUSED] = { .name = "turunc_router_sweeps_refused_total",
	    .help = "Tickets that sweeps leave out for a while: the record refuses their change" },
	COMMANDS(VERB_ROUTE, "route"),
	COMMANDS(VERB_TRIAGE, "triage"),
	COMMANDS(VERB_ACCEPT, "accept"),
	COMMANDS(VERB_RELEASE, "release"),
	COMMANDS(VERB_START, "start"),
	COMMANDS(VERB_RESUME, "resume"),
	COMMANDS(VERB_WAIT, "wait"),
	COMMANDS(VERB_TRANSFER, "transfer"),
	COMMANDS(VERB_ANSWER, "answer"),
	COMMANDS(VERB_EXTEND, "extend"),
	COMMANDS(VERB_RESOLVE, "resolve"),
	COMMANDS(VERB_REJECT, "reject"),
	COMMANDS(VERB_FORWARD, "forward"),
	COMMANDS(VERB_JOIN, "join"),
	COMMANDS(VERB_SEPARATE, "separate"),
	COMMANDS(VERB_WITHDRAW, "withdraw"),
	COMMANDS(VERB_REOPEN, "reopen"),
	COMMANDS(VERB_NOTE, "note"),
	COMMANDS(VERB_AMEND, "amend"),
	COMMANDS(VERB_CLOSE, "close"),
	COMMANDS(STATUS_VERBS, "unknown"),
};
