/* notifier_stats - what the notifier counts. */
#ifndef NOTIFIER_NOTIFIER_STATS_H
#define NOTIFIER_NOTIFIER_STATS_H

#include "stats.h"

/* Why news was told to nobody. */
enum untold { UNTOLD_NO_ADDRESS, UNTOLD_NO_TEMPLATE };

/* What became of those who might be asked whether they are satisfied. */
enum surveys { SURVEYS_INVITED, SURVEYS_REMINDED, SURVEYS_NOBODY };

/* What a report of a lost mail was: a delay, a message that was not wanted, an address that is
 * none. */
enum bounces { BOUNCES_DELAYED, BOUNCES_MESSAGE, BOUNCES_ADDRESS };
/* What became of digests for departments. */
enum reminders {
	REMINDERS_SENT,
	REMINDERS_EMPTY,
	REMINDERS_AGAIN,
	REMINDERS_UNKNOWN,
	REMINDERS_FAILED
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
	NOTIFIER_STAT_GIVEN_UP,
	NOTIFIER_STAT_OLDEST,
	NOTIFIER_STAT_POSITION,
	NOTIFIER_STAT_HASTENED,
	NOTIFIER_STAT_SURVEYS,
	NOTIFIER_STAT_BOUNCES,
	NOTIFIER_STAT_REMINDERS,
	NOTIFIER_STATS
};
extern const struct stat_row notifier_stat_rows[NOTIFIER_STATS];

#endif
