/* The notifier's table of counters. */
#include "notifier_stats.h"

#include <stddef.h>

static const char *const reasons[] = { "no_address", "no_template", NULL };
static const char *const outcomes[] = { "accepted", "refused", "deferred", "unreachable", "unknown",
	"duplicate", "unwanted", NULL };
static const char *const receipts[] = { "nothing", "not_taken", "waiting", "delivered",
	"undelivered", "duplicate", NULL };
static const char *const callbacks[] = { "taken", "refused", "malformed", "busy", "away", "early",
	NULL };
static const char *const wishes[] = { "stopped", "started", "repeated", "stranger", NULL };
static const char *const texts[] = { "published", "repeated", "rejected", "full", NULL };

static const char *const surveys[] = { "invited", "reminded", "nobody", NULL };

static const char *const bounces[] = { "delayed", "message", "address", "set_aside", NULL };
static const char *const reminders[] = { "sent", "empty", "again", "unknown", "failed", NULL };

/* By enum lane_id of delivery_internal.h. */
static const char *const lanes[] = { "email", "sms", "sms-second", NULL };

const struct stat_row notifier_stat_rows[NOTIFIER_STATS] = {
	[NOTIFIER_STAT_RECORDS] = { .name = "turunc_notifier_records_total",
	    .help = "Records worth telling that were turned into messages" },
	[NOTIFIER_STAT_QUEUED] = { .name = "turunc_notifier_messages_queued_total",
	    .help = "Messages written down to be sent" },
	[NOTIFIER_STAT_UNTOLD] = { .name = "turunc_notifier_untold_total",
	    .help = "News that had nobody to be told to, or no words",
	    .label = "why",
	    .label_values = reasons },
	[NOTIFIER_STAT_ATTEMPTS] = { .name = "turunc_notifier_attempts_total",
	    .help = "Attempts at sending, by how they ended",
	    .label = "outcome",
	    .label_values = outcomes },
	[NOTIFIER_STAT_SENDING] = { .name = "turunc_notifier_messages_sending",
	    .help = "Messages being sent",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_SECONDS] = { .name = "turunc_notifier_attempt_seconds",
	    .help = "From handing a message over to its outcome",
	    .type = STAT_HISTOGRAM,
	    .divisor = 1000000,
	    .bounds = stats_bounds_us },
	[NOTIFIER_STAT_INTERRUPTED] = { .name = "turunc_notifier_interrupted_total",
	    .help = "Messages whose sending a former process did not see end" },
	[NOTIFIER_STAT_STRAYS] = { .name = "turunc_notifier_strays_total",
	    .help = "Messages found marked as being sent that this process did not send: their "
		    "transaction was committed after its process or connection had ended" },
	[NOTIFIER_STAT_OPEN] = { .name = "turunc_notifier_messages_waiting",
	    .help = "Messages waiting to be sent",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_IN_DOUBT] = { .name = "turunc_notifier_messages_unknown",
	    .help = "Messages that may or may not have been taken",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_GIVEN_UP] = { .name = "turunc_notifier_messages_dead",
	    .help = "Messages given up, for an operator to look at",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_OLDEST] = { .name = "turunc_notifier_oldest_waiting_seconds",
	    .help = "Age of the oldest message waiting to be sent, 0 when there is none",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_POSITION] = { .name = "turunc_notifier_log_position",
	    .help = "Seq up to which the log was told",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_HASTENED] = { .name = "turunc_notifier_hastened_total",
	    .type = STAT_COUNTER,
	    .help = "Messages that a clock set back would have kept waiting" },
	[NOTIFIER_STAT_BOUNCES] = { .name = "turunc_notifier_bounces_total",
	    .help = "Reports of mails that did not arrive: delayed, the message refused for good, "
		    "its address marked, or set aside since the record would not have it",
	    .label = "what",
	    .label_values = bounces },
	[NOTIFIER_STAT_MARKS] = { .name = "turunc_notifier_addresses_marked",
	    .help = "E-mail addresses that get no mail, since one did not arrive",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_FIRST] = { .name = "turunc_notifier_first_mails_total",
	    .help = "Mails begun to addresses that had had none" },
	[NOTIFIER_STAT_FIRST_WAITING] = { .name = "turunc_notifier_first_mails_waiting",
	    .help = "Mails to addresses that have had none, waiting to be sent",
	    .type = STAT_GAUGE },
	[NOTIFIER_STAT_SURVEYS] = { .name = "turunc_notifier_surveys_total",
	    .help =
		"Ends of tickets whose citizen was invited to say whether they are satisfied, was "
		"reminded, or was not asked",
	    .label = "step",
	    .label_values = surveys },
	[NOTIFIER_STAT_REMINDERS] = { .name = "turunc_notifier_reminders_total",
	    .help = "Digests for departments, by what became of them",
	    .label = "as",
	    .label_values = reminders },
	[NOTIFIER_STAT_ELSEWHERE] = { .name = "turunc_notifier_gateway_changes_total",
	    .help = "Messages that one SMS gateway did not take and the other was given" },
	[NOTIFIER_STAT_RECEIPTS] = { .name = "turunc_notifier_receipts_total",
	    .help = "What gateways said became of messages, asked or by themselves",
	    .label = "status",
	    .label_values = receipts },
	[NOTIFIER_STAT_CALLBACKS] = { .name = "turunc_notifier_callbacks_total",
	    .help =
		"Requests of gateways at /receipts/; early: what they tell of may be being sent, "
		"and was not written down in time",
	    .label = "outcome",
	    .label_values = callbacks },
	[NOTIFIER_STAT_CALLBACKS_HELD] = { .name = "turunc_notifier_callbacks_held_total",
	    .help = "Requests of gateways that waited until what was being sent was written down" },
	[NOTIFIER_STAT_CALLBACKS_IGNORED] = { .name =
						  "turunc_notifier_callback_items_ignored_total",
	    .help = "Pieces of callbacks that say nothing we know" },
	[NOTIFIER_STAT_TEXTS_IN] = { .name = "turunc_notifier_texts_received_total",
	    .help = "Text messages of citizens, by what intake said",
	    .label = "outcome",
	    .label_values = texts },
	[NOTIFIER_STAT_WISHES] = { .name = "turunc_notifier_sms_wishes_total",
	    .help =
		"Citizens' wishes to get no more text messages, or to get them again; those that a "
		"gateway repeated, and those from numbers that nobody gave us, change nothing",
	    .label = "outcome",
	    .label_values = wishes },
	[NOTIFIER_STAT_STAGE] = STATS_STAGE("told"),
	[NOTIFIER_STAT_AWAY] = { .name = "turunc_notifier_channel_away",
	    .type = STAT_GAUGE,
	    .help = "1: nobody answers where these messages leave, and they wait",
	    .label = "channel",
	    .label_values = lanes },
};
