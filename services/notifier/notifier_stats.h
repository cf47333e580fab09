/* notifier_stats - what the notifier counts, and the states a message is in. */
#ifndef NOTIFIER_NOTIFIER_STATS_H
#define NOTIFIER_NOTIFIER_STATS_H

#include "stats.h"

/* turunc.notification.state. */
enum message_state {
	MESSAGE_QUEUED = 1, /* waiting for next_attempt_us */
	MESSAGE_SENDING, /* an attempt was begun and has no outcome yet */
	MESSAGE_SENT, /* the other side took it */
	MESSAGE_UNKNOWN, /* it may have been taken: an operator decides */
	MESSAGE_DEAD, /* given up: an operator sees it */
	MESSAGE_DELIVERED, /* a receipt says so */
	MESSAGE_DISCARDED, /* an operator said so */
	MESSAGE_STATES
};

enum notifier_stat {
	NOTIFIER_STAT_RECORDS,
	NOTIFIER_STAT_QUEUED,
	NOTIFIER_STAT_UNTOLD,
	NOTIFIER_STAT_ATTEMPTS,
	NOTIFIER_STAT_SENDING,
	NOTIFIER_STAT_SECONDS,
	NOTIFIER_STAT_INTERRUPTED,
	NOTIFIER_STAT_OPEN,
	NOTIFIER_STAT_IN_DOUBT,
	NOTIFIER_STAT_POSITION,
	NOTIFIER_STATS
};
extern const struct stat_row notifier_stat_rows[NOTIFIER_STATS];

#endif
