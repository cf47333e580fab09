/* store - all SQL of the router, as the table that db.h prepares on each of its connections. */
#ifndef ROUTER_STORE_H
#define ROUTER_STORE_H

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"

enum store_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	/* the router's own place in the log */
	STORE_CURSOR_MAKE, /* log_id, now */
	STORE_CURSOR_ADOPT, /* log_id: the history it belongs to now */
	STORE_CURSOR, /* -> seq, where its row lies, log_id, the log's last seq */
	/* where its row lay, log_id, from, to, now -> where it lies; raises TU001 when it is not at
	   from */
	STORE_CURSOR_ADVANCE,
	STORE_RECORDS, /* after, through, limit -> records to act on, by seq, with their tickets */
	/* tickets and what is written of them (0006_create_router_writes.sql) */
	STORE_TICKETS, /* ids or aliases -> tickets, by ticket_id */
	STORE_PUT_STATES,
	STORE_PUT_CLOCKS,
	STORE_ADD_HOPS,
	STORE_ADD_TEXTS,
	STORE_ADD_PHOTOS,
	STORE_ANSWERS, /* clients, command ids -> first answers */
	STORE_PUT_ANSWERS,
	STORE_ACKNOWLEDGE, /* alarm, who, now -> whether it is theirs, and nobody else's */
	STORE_DECIDE_LETTER, /* consumer, seq, again, who, why, now -> whether it was */
	STORE_DECIDE_MESSAGE, /* message, again, who, why, now -> whether it was */
	STORE_ASKERS, /* names of people -> what each may do now */
	STORE_APPEND, /* -> last seq */
	/* sweeps */
	STORE_DUE, /* now, limit, but for these -> tickets with an alarm that is due */
	STORE_CLOSABLE, /* ended before, limit, but for these -> tickets */
	STORE_PARTITIONS, /* through seq */
	STORE_LETTERS, /* letters.h's own, from here on */
	STORE_LETTERS_LAST = STORE_LETTERS + LETTER_STATEMENTS - 1,
	/* the stream (0057_compare_takes.sql) */
	STORE_STREAM_COMMON, /* log_id -> the last seq it shares with the present one */
	/* after, rows, bytes -> records and the log's id; without any a row with that alone */
	STORE_STREAM_ROWS,
	STORE_STREAM_VIEWS, /* ticket ids -> what view.h reads, by ticket */
	STORE_STREAM_ROW_VIEWS, /* after, rows -> the same, of the tickets in those records */
	STORE_STREAM_TAKE,
	STORE_STREAM_ACK, /* clients, names, epochs, seqs, now */
	STORE_STREAM_EPOCHS, /* clients, names -> epoch, instance, in that order */
	STORE_STREAM_FREEZE, /* client, name, why, types, departments, now */
	STORE_STREAM_HEAD, /* -> log_id, last seq */
	STORE_STREAM_OPEN, /* department, after ticket, rows, bytes -> as VIEWS, its open tickets */
	STORE_STREAM_NOTE, /* now, client, tickets, departments, records: who is shown them */
	STORE_STREAM_OPEN_ALL, /* the same for all departments, by department and ticket */
	/* what operators watch */
	STORE_WATCH, /* now, next and near by the law, near of keys -> enum watch_column */
	STORE_WATCH_READERS, /* now -> enum watch_reader_column, the slowest first */
	STORE_STATEMENTS
};
extern const struct db_statement store_statements[STORE_STATEMENTS];

/* Columns of STORE_TICKETS, STORE_RECORDS, STORE_DUE and STORE_CLOSABLE. */
enum store_ticket_column {
	TICKET_ASKED,
	TICKET_ID, /* null in STORE_RECORDS alone, and all that follows: there is no such ticket */
	TICKET_CHANNEL,
	TICKET_GIVEN_SUBJECT,
	TICKET_NEIGHBOURHOOD,
	TICKET_GIVEN_BASIS,
	TICKET_ARRIVED,
	TICKET_RECORDED,
	TICKET_HAS_JOINED,
	TICKET_STATUS, /* from here on null when nobody has decided anything yet */
	TICKET_VERSION,
	TICKET_DEPARTMENT,
	TICKET_SUBJECT,
	TICKET_PRIORITY,
	TICKET_REASON,
	TICKET_UNTIL,
	TICKET_PRIMARY,
	TICKET_LEGAL_DUE,
	TICKET_SERVICE_DUE,
	TICKET_ANSWERED,
	TICKET_EXTENDED,
	TICKET_ENDED,
	TICKET_LEGAL_CLOCK, /* the columns of a clock, null when there is none */
	TICKET_SERVICE_CLOCK = TICKET_LEGAL_CLOCK + 11, /* CLOCK_COLUMNS */
};
/* Of a clock, counted from its first column. */
enum store_clock_column {
	CLOCK_STATE,
	CLOCK_BASIS,
	CLOCK_CALENDAR,
	CLOCK_CALENDAR_VERSION,
	CLOCK_STARTED,
	CLOCK_DUE,
	CLOCK_PROMISE,
	CLOCK_ELAPSED,
	CLOCK_RUNNING_SINCE,
	CLOCK_NEXT_ALARM,
	CLOCK_NEXT_ALARM_AT,
	CLOCK_COLUMNS,
};
/* What STORE_RECORDS has besides: TICKET_ASKED is the record's ticket. */
enum store_record_column {
	RECORD_SEQ = TICKET_SERVICE_CLOCK + CLOCK_COLUMNS,
	RECORD_TYPE,
	RECORD_EVENT,
	RECORD_COMMITTED,
};

/* Columns of STORE_WATCH and STORE_WATCH_READERS. */
enum watch_column { WATCH_NEXT, WATCH_NEAR, WATCH_PAST, WATCH_BACKUP_US, WATCH_KEYS, WATCH_ROOM };
enum watch_reader_column {
	WATCH_READER_NAME,
	WATCH_READER_RECORDS,
	WATCH_READER_US,
	WATCH_READER_FROZEN
};

/* Columns of STORE_ANSWERS. */
enum store_answer_column {
	ANSWER_CLIENT,
	ANSWER_ID,
	ANSWER_DIGEST,
	ANSWER_REFUSAL,
	ANSWER_TEXT,
	ANSWER_VERSION,
	ANSWER_STATUS
};

#endif
