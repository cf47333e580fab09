/* store - all SQL of intake, as the tables that db.h prepares. */
#ifndef INTAKE_STORE_H
#define INTAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "item.h"
#include "registry.h"

/* Of the connections that write. */
enum store_write_statement {
	STORE_ACCEPT, /* items, see 0020_add_attachments.sql */
	STORE_LOOK_UP, /* item ids -> those in the record */
	STORE_LEASE, /* year, count, lowest serial to lease -> first serial */
	STORE_ALIAS, /* numbers given out, the tickets that they are other names of */
	STORE_DRAFT, /* agent, form, now, caller, fields (null: done with) */
	STORE_FILE_FORGET, /* names of erased files that are gone */
	STORE_CIMER, /* tickets, references, kinds, units, now; with STORE_ACCEPT */
	STORE_CIMER_KNOWN, /* client, source, references */
	STORE_BOUNCE, /* id, identity, message, given up?, status, now */
	STORE_SURVEY_REFUSE, /* message, refuses?, now -> enum survey_refusal, afterwards */
	STORE_MACHINE_EXPIRE, /* from before when, now, how many at most -> how many */
	STORE_DISMISS, /* contact, why ('': not any more), user, now -> is it there? */
	STORE_WRITE_STATEMENTS
};
extern const struct db_statement store_write_statements[STORE_WRITE_STATEMENTS];

/* Of the connection that reads. */
enum store_read_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	STORE_REQUESTS_BY_ID,
	STORE_REQUESTS,
	STORE_TRACK, /* ticket asked for -> enum store_track_column, at most one row */
	STORE_TRACK_EVENTS, /* ticket asked for -> enum store_track_event_column */
	STORE_TRACK_TEXTS, /* ticket asked for -> enum store_track_text_column */
	STORE_TRACK_PHOTOS, /* ticket asked for -> enum store_track_photo_column */
	STORE_TRACK_MESSAGES, /* ticket asked for -> enum store_track_message_column */
	STORE_TRACK_LINKS, /* ticket asked for -> enum store_track_link_column */
	STORE_SURVEY_REFUSAL, /* message -> enum survey_refusal */
	STORE_SURVEY, /* survey -> enum store_survey_column, at most one row */
	STORE_SURVEY_SMS, /* phone, when -> enum store_survey_sms_column, at most one row */
	STORE_TRACK_OPENER, /* ticket asked for -> enum store_opener_column */
	STORE_FILES_ERASED, /* a name -> the next ones of files whose rows are erased */
	STORE_FILES_KNOWN, /* names of files -> those that a row speaks of */
	STORE_CALLS_MINE, /* agent, now -> enum store_call_column */
	STORE_CALLS_WAITING, /* agent, now -> the same, of others' phones and none */
	STORE_CALL, /* call key -> the same */
	STORE_CALL_CALLER, /* contact key or null, call key or null -> enum store_caller_column */
	STORE_CALL_PERSON, /* the same -> enum store_ticket_column */
	STORE_CALL_NUMBER, /* ticket asked for -> the same */
	STORE_CALL_TARGET, /* ticket asked for -> it, or what it was joined to */
	STORE_CALL_SEARCH, /* tsquery, how many at most -> the same, newest first */
	STORE_CALL_SIMILAR, /* subject -> the same, newest first */
	STORE_CALL_DRAFTS, /* agent -> enum store_draft_column */
	STORE_MAIL_TARGET, /* ticket or 0, messages answered, sender -> enum store_mail_column */
	STORE_UNASSIGNED, /* behind which moment and contact, how many -> enum store_loose_column */
	STORE_DISMISSED, /* the same of those that need none, as somebody said */
	STORE_UNASSIGNED_ONE, /* contact -> the same, at most one row */
	STORE_READ_STATEMENTS
};
extern const struct db_statement store_read_statements[STORE_READ_STATEMENTS];

/* Column order of STORE_REQUESTS and STORE_REQUESTS_BY_ID. */
enum store_request_column {
	REQUEST_TICKET,
	REQUEST_STATUS,
	REQUEST_REASON,
	REQUEST_SUBJECT,
	REQUEST_DEPARTMENT,
	REQUEST_RECORDED,
	REQUEST_UPDATED,
	REQUEST_LEGAL_DUE,
	REQUEST_SERVICE_DUE,
	REQUEST_NEIGHBOURHOOD,
	REQUEST_LATITUDE,
	REQUEST_LONGITUDE,
	REQUEST_WHOLE, /* the reader sees it whole: the columns below are filled */
	REQUEST_DESCRIPTION,
	REQUEST_ADDRESS,
	REQUEST_MEDIA_URL,
	REQUEST_TEXT, /* the last answer or closing words */
};

enum store_track_column {
	TRACK_TICKET_ID,
	TRACK_STATUS,
	TRACK_SUBJECT,
	TRACK_DEPARTMENT,
	TRACK_REASON,
	TRACK_ARRIVED,
	TRACK_LEGAL_DUE,
	TRACK_SERVICE_DUE,
	TRACK_ENDED,
	TRACK_PHONES, /* of the contact that opened it */
	TRACK_ENDED_AS, /* type of the record that ended it last, or "" */
};
enum store_call_column {
	CALL_KEY,
	CALL_CLIENT,
	CALL_ID,
	CALL_QUEUE,
	CALL_AGENT,
	CALL_CALLER, /* may be null */
	CALL_FIRST,
	CALL_ANSWERED, /* may be null */
	CALL_ENDED, /* may be null */
	CALL_DISPOSITION,
};
enum store_caller_column { CALLER_NAME, CALLER_ADDRESS, CALLER_NEIGHBOURHOOD, CALLER_EMAIL };
enum store_draft_column { DRAFT_FORM, DRAFT_SAVED, DRAFT_CALLER, DRAFT_FIELDS };
/* A ticket as a call-taker sees it in a list. */
enum store_ticket_column {
	TICKET_ID,
	TICKET_STATUS,
	TICKET_SUBJECT,
	TICKET_DEPARTMENT,
	TICKET_NEIGHBOURHOOD,
	TICKET_ARRIVED,
	TICKET_ENDED, /* may be null, and so all below */
	TICKET_LATITUDE,
	TICKET_LONGITUDE,
	TICKET_ADDRESS,
	TICKET_DESCRIPTION,
	TICKET_PRIMARY, /* what it was joined to */
};
/* Of STORE_CALL_TARGET: what a caller is joined to. */
enum store_target_column { TARGET_TICKET, TARGET_ENDED /* may be null */ };
/* As turunc.survey_refusal_of has it. */
enum survey_refusal { SURVEY_REFUSAL_OF_NOTHING, SURVEY_REFUSAL_NONE, SURVEY_REFUSAL_STANDS };
enum store_survey_column {
	SURVEY_TICKET,
	SURVEY_EXPIRES, /* 0: nobody was invited */
	SURVEY_ERASED, /* whoever was invited is not known any more */
	SURVEY_ANSWERED,
	SURVEY_SCORE, /* may be null */
	SURVEY_SOLVED, /* may be null */
	SURVEY_DENIED, /* said then or later: it is not solved */
};
enum store_survey_sms_column {
	SURVEY_SMS_ID,
	SURVEY_SMS_TICKET,
	SURVEY_SMS_STATUS,
	SURVEY_SMS_ANSWERED,
	SURVEY_SMS_DENIED,
};
/* Of STORE_TRACK_OPENER: the ticket and the contact that opened it. */
enum store_opener_column {
	OPENER_SUBJECT,
	OPENER_NEIGHBOURHOOD,
	OPENER_BASIS,
	OPENER_PUBLIC,
	OPENER_LANGUAGE,
	OPENER_INFORMATION,
	OPENER_NAME,
	OPENER_PHONE,
	OPENER_EMAIL,
	OPENER_ADDRESS,
	OPENER_LATITUDE,
	OPENER_LONGITUDE,
};
/* Of STORE_MAIL_TARGET: the ticket that a mail belongs to. */
enum store_mail_column {
	TARGET_OF_MAIL,
	TARGET_OF_MAIL_STATUS,
	TARGET_OF_MAIL_LINKED, /* another ticket follows it already */
};
/* What came and belongs to no ticket, the newest first. */
enum store_loose_column {
	LOOSE_ID,
	LOOSE_KIND,
	LOOSE_CHANNEL,
	LOOSE_ARRIVED,
	LOOSE_RECORDED,
	LOOSE_LANGUAGE,
	LOOSE_NAME,
	LOOSE_PHONE,
	LOOSE_EMAIL,
	LOOSE_WORDS,
	LOOSE_TICKET, /* made of it; null: none */
	LOOSE_DISMISSED, /* when somebody said that it needs none; null: nobody did */
	LOOSE_DISMISSED_BY,
	LOOSE_DISMISSED_AS,
	LOOSE_RAW, /* its mail's file; null: none */
};
enum store_track_link_column { TRACK_LINK_TICKET, TRACK_LINK_LATER };
enum store_track_event_column { TRACK_EVENT_AT, TRACK_EVENT_TYPE, TRACK_EVENT_DEPARTMENT };
enum store_track_text_column { TRACK_TEXT_AT, TRACK_TEXT_BODY };
enum store_track_photo_column {
	TRACK_PHOTO_AT,
	TRACK_PHOTO_DIGEST,
	TRACK_PHOTO_WIDTH,
	TRACK_PHOTO_HEIGHT,
	TRACK_PHOTO_EVIDENCE /* the department's, not the citizen's */
};
enum store_track_message_column {
	TRACK_MESSAGE_AT,
	TRACK_MESSAGE_ABOUT,
	TRACK_MESSAGE_CHANNEL,
	TRACK_MESSAGE_STATE
};

/* The call of turunc.accept_items for these items; at_us is the moment of the transaction. */
void store_add_accept(struct db_unit *unit, int64_t at_us, struct item *const *items, size_t count);

#endif
