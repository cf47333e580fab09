/* store - all SQL of metrics, as the table that db.h prepares on each of its connections. */
#ifndef METRICS_STORE_H
#define METRICS_STORE_H

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"

enum store_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	STORE_HEAD, /* -> log_id, last seq, its committed_us, the transaction's isolation */
	STORE_TICKETS, /* -> every ticket that is not closed */
	STORE_TODAY, /* day start, next day's start -> channel, is it tomorrow, tickets */
	STORE_HOUR, /* start -> minute, type, department, records */
	STORE_CALLS, /* start -> type, event, committed_us of the calls since */
	STORE_LADDER, /* first month -> enum ladder_column, newest month first */
	STORE_CURSOR, /* log_id, seq, now: where the projection stands */
	STORE_OPEN_DATA_FIRST, /* -> recorded_us of the oldest ticket, or null */
	STORE_OPEN_DATA, /* subjects, from, to, most rows -> enum open_data_column */
	STORE_RECORD, /* seq -> committed_us, event */
	STORE_LETTERS, /* letters.h's own, from here on */
	STORE_LETTERS_LAST = STORE_LETTERS + LETTER_STATEMENTS - 1,
	STORE_STATEMENTS
};
/* The steps and the rests follow one another as ladder.h has them. */
enum ladder_column {
	LADDER_COLUMN_MONTH,
	LADDER_COLUMN_NOT_SOLVED,
	LADDER_COLUMN_STEPS,
	LADDER_COLUMN_RESTS = LADDER_COLUMN_STEPS + 6
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
extern const struct db_statement store_statements[STORE_STATEMENTS];

#endif
