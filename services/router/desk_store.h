/* desk_store - the SQL that the desk reads by, on connections of its own: what clerks look for
 * never holds up routing or commands, and is ended by its own statement timeout. */
#ifndef ROUTER_DESK_STORE_H
#define ROUTER_DESK_STORE_H

#include "db.h"

enum desk_statement {
	/* departments, subject, neighbourhood, status, order, key, due, ticket, limit -> rows */
	DESK_QUEUE,
	DESK_QUEUE_PLACES, /* the same, by neighbourhood or within one */
	DESK_COUNTS, /* departments, now -> by status: how many, how many are late */
	DESK_TRIAGE, /* after ticket, limit -> rows */
	DESK_ROWS, /* tickets -> rows */
	DESK_TICKET, /* ticket or alias -> one row */
	DESK_HISTORY, /* ticket, limit */
	DESK_TEXTS, /* ticket */
	DESK_HOPS, /* ticket */
	DESK_CONTACTS, /* ticket */
	DESK_NEAR, /* ticket */
	DESK_JOINED, /* ticket -> rows of those joined to it, and its primary */
	DESK_MESSAGES, /* ticket */
	DESK_PHOTOS, /* ticket */
	DESK_LINKS, /* ticket -> what it follows, and what follows it */
	DESK_BACK, /* tickets -> where each came from last */
	DESK_CHANGED, /* after, through -> rows of tickets with records of change there */
	DESK_LEFT, /* after, through -> tickets that left a department there */
	DESK_ALARMS, /* since, most -> enum desk_alarm_column; open ones first */
	DESK_FAILED, /* -> messages that wait for a person */
	DESK_LETTERS, /* -> dead letters of every service */
	DESK_STATEMENTS
};
extern const struct db_statement desk_statements[DESK_STATEMENTS];

/* Columns of DESK_QUEUE, DESK_TRIAGE, DESK_ROWS, DESK_NEAR and DESK_JOINED. */
enum desk_row_column {
	ROW_TICKET,
	ROW_STATUS,
	ROW_VERSION,
	ROW_DEPARTMENT,
	ROW_SUBJECT,
	ROW_PRIORITY,
	ROW_LEGAL_DUE, /* null once it is answered */
	ROW_SERVICE_DUE,
	ROW_UNTIL,
	ROW_NEIGHBOURHOOD,
	ROW_CHANNEL,
	ROW_ARRIVED,
	ROW_REASON,
	ROW_DUE, /* the earlier of both, or INT64_MAX */
	ROW_KEY, /* what comes before the deadline in this order */
	ROW_DESCRIPTION,
	ROW_ADDRESS,
};

enum desk_order { DESK_BY_DEADLINE = 1, DESK_BY_NEIGHBOURHOOD, DESK_BY_SUBJECT };

enum desk_ticket_column {
	ONE_TICKET,
	ONE_STATUS,
	ONE_VERSION,
	ONE_DEPARTMENT,
	ONE_SUBJECT,
	ONE_PRIORITY,
	ONE_REASON,
	ONE_UNTIL,
	ONE_PRIMARY,
	ONE_ANSWERED,
	ONE_EXTENDED,
	ONE_ENDED,
	ONE_NEIGHBOURHOOD,
	ONE_CHANNEL,
	ONE_ARRIVED,
	ONE_RECORDED,
	ONE_CLIENT,
	ONE_LEGAL_STATE, /* enum ticket_clock_state; the clock's columns are null without one */
	ONE_LEGAL_BASIS,
	ONE_LEGAL_STARTED,
	ONE_LEGAL_DUE,
	ONE_SERVICE_STATE,
	ONE_SERVICE_CALENDAR,
	ONE_SERVICE_STARTED,
	ONE_SERVICE_DUE,
	ONE_SERVICE_PROMISE,
	ONE_SERVICE_ELAPSED,
	ONE_CIMER_REFERENCE, /* null: not by way of CİMER */
	ONE_CIMER_KIND,
};

enum desk_history_column { EVENT_SEQ, EVENT_AT, EVENT_TYPE, EVENT_ACTOR, EVENT_BYTES };
enum desk_text_column { TEXT_VERSION, TEXT_KIND, TEXT_ACTOR, TEXT_BODY, TEXT_AT };
enum desk_hop_column { HOP_FROM, HOP_TO, HOP_REASON, HOP_ACTOR, HOP_AT };
enum desk_contact_column {
	CONTACT_KIND,
	CONTACT_CHANNEL,
	CONTACT_AT,
	CONTACT_NAME,
	CONTACT_PHONE,
	CONTACT_EMAIL,
	CONTACT_DESCRIPTION,
	CONTACT_ADDRESS,
	CONTACT_LATITUDE,
	CONTACT_LONGITUDE,
	CONTACT_MEDIA,
	CONTACT_ANSWERS,
	CONTACT_ERASED,
};
enum desk_message_column { MESSAGE_ABOUT, MESSAGE_CHANNEL, MESSAGE_STATE, MESSAGE_AT };

enum desk_photo_column {
	PHOTO_DIGEST,
	PHOTO_WIDTH,
	PHOTO_HEIGHT,
	PHOTO_AT,
	PHOTO_ORIGIN,
	PHOTO_ACTOR,
};
enum desk_link_column { LINK_TICKET, LINK_EARLIER };
enum desk_back_column { BACK_TICKET, BACK_VERSION, BACK_STATUS, BACK_DEPARTMENT, BACK_FROM };
enum desk_alarm_column {
	ALARM_ID,
	ALARM_KIND,
	ALARM_ABOUT,
	ALARM_VALUE,
	ALARM_RAISED,
	ALARM_ENDED, /* null: not yet */
	ALARM_ACKNOWLEDGED, /* null: not yet, and so by whom */
	ALARM_BY
};
enum desk_failed_column {
	FAILED_ID,
	FAILED_TICKET,
	FAILED_ABOUT,
	FAILED_STATE,
	FAILED_ERROR,
	FAILED_AT,
};
enum desk_letter_column {
	LETTER_CONSUMER,
	LETTER_SEQ,
	LETTER_TYPE,
	LETTER_TICKET,
	LETTER_REASON,
	LETTER_DETAIL,
	LETTER_AT,
	LETTER_STATE,
};
enum desk_left_column { LEFT_TICKET, LEFT_DEPARTMENT };

#endif
