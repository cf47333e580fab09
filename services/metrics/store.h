/* store - all SQL of metrics, as the table that db.h prepares on each of its connections. */
#ifndef METRICS_STORE_H
#define METRICS_STORE_H

#include "base.h"
#include "db.h"
#include "letters.h"
#include "month_turn.h"
#include "registry.h"

enum store_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	STORE_HEAD, /* -> log_id, last seq, its committed_us, the transaction's isolation */
	STORE_TICKETS, /* -> every ticket that is not closed */
	STORE_TODAY, /* day start, next day's start -> channel, is it tomorrow, tickets */
	STORE_HOUR, /* start -> minute, type, department, records */
	STORE_CALLS, /* start -> type, event, committed_us of the calls since */
	STORE_PLACES, /* start -> day, neighbourhood, subject, tickets opened */
	STORE_PLACES_HOUR, /* start -> minute, neighbourhood, subject, tickets opened */
	STORE_SAMPLE_PUT, /* slot, keep from, the figures of a sample */
	STORE_SAMPLES, /* from, to, step, zone -> step's start, means by enum history_value */
	STORE_SAMPLE_THEN, /* moment, slack -> open, overdue, today, calls offered, level */
	STORE_ALARM_KEEP, /* schema 0052 */
	STORE_ALARMS, /* most -> enum alarm_column of those that have not ended */
	STORE_LADDER, /* first month -> enum ladder_column, newest month first; none: no state */
	STORE_MONTH_STATE, /* -> enum month_column */
	STORE_MONTH_BEGIN, /* fold version, log_id, now */
	STORE_MONTH_RECORDS, /* seq, limit -> seq, committed_us, event, the log's last seq */
	STORE_MONTH_FACTS, /* keys -> key, fact */
	STORE_MONTH_TAKE, /* schema 0041 */
	STORE_MONTH_TOUCHED, /* -> month, name, was, is */
	STORE_MONTH_OPEN, /* -> name, n of month 0 */
	STORE_MONTH_TURN, /* schema 0041 */
	STORE_CURSOR, /* log_id, seq, now: where the projection stands */
	STORE_OPEN_DATA_FIRST, /* -> recorded_us of the oldest ticket, or null */
	STORE_OPEN_DATA, /* subjects, from, to, published, most rows -> enum open_data_column */
	STORE_REPORT, /* month, the one before, a year before -> rows that report_read.c knows */
	STORE_REPORT_CONFIG, /* version -> files of the months' configuration if it is another */
	STORE_REPORT_MONTHS, /* -> rows that report_read.c knows */
	STORE_RECORD, /* seq -> committed_us, event */
	STORE_LETTERS, /* letters.h's own, from here on */
	STORE_LETTERS_LAST = STORE_LETTERS + LETTER_STATEMENTS - 1,
	STORE_STATEMENTS
};
enum alarm_column {
	ALARM_COLUMN_ID,
	ALARM_COLUMN_KIND,
	ALARM_COLUMN_ABOUT,
	ALARM_COLUMN_VALUE,
	ALARM_COLUMN_BOUND,
	ALARM_COLUMN_RAISED,
	ALARM_COLUMN_SEEN,
	ALARM_COLUMN_ACKNOWLEDGED /* null: not yet */
};
enum ladder_column {
	LADDER_COLUMN_MONTH, /* null, and so the name and n: nothing was counted */
	LADDER_COLUMN_NAME,
	LADDER_COLUMN_N,
	LADDER_COLUMN_AT, /* commit of the last record that is counted */
	LADDER_COLUMN_ALL /* it is the log's last */
};
enum open_data_column {
	OPEN_DATA_TICKET,
	OPEN_DATA_STATUS,
	OPEN_DATA_REASON,
	OPEN_DATA_SUBJECT,
	OPEN_DATA_DEPARTMENT,
	OPEN_DATA_NEIGHBOURHOOD,
	OPEN_DATA_CHANNEL,
	OPEN_DATA_ARRIVED,
	OPEN_DATA_UPDATED,
	OPEN_DATA_ENDED,
	OPEN_DATA_LATITUDE,
	OPEN_DATA_LONGITUDE
};
enum month_column {
	MONTH_COLUMN_LOG_ID,
	MONTH_COLUMN_VERSION, /* null: nothing is counted yet, and so is the state */
	MONTH_COLUMN_SAME_LOG, /* what was counted is of this history */
	MONTH_COLUMN_HEAD, /* the log's last seq */
	MONTH_COLUMN_STATE /* store_month_state()'s, from here on */
};
extern const struct db_statement store_statements[STORE_STATEMENTS];

/* The members of month_state as the columns of a row, from that one on. */
#define STORE_MONTH_STATE_COLUMNS(s)                                                           \
	s ".seq, " s ".at_us, " s ".day, " s ".first, " s ".rolled, " s ".published, " s       \
	  ".ladder_published, " s ".config_version, " s ".doubted_us, " s ".leapt_from_us, " s \
	  ".leapt_day"
struct month_state store_month_state(const struct pg_result *rows, int row, int column);

#endif
