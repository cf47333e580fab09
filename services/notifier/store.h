/* store - all SQL of the notifier, as the table that db.h prepares on each of its connections. */
#ifndef NOTIFIER_STORE_H
#define NOTIFIER_STORE_H

#include "base.h"
#include "db.h"
#include "letters.h"
#include "registry.h"

enum store_statement {
	STORE_REGISTRY, /* registry.h's own, from here on */
	STORE_REGISTRY_LAST = STORE_REGISTRY + REGISTRY_STATEMENTS - 1,
	STORE_CURSOR_MAKE, /* log_id, now */
	STORE_CURSOR, /* log_id -> seq, no row when the cursor is another history's */
	STORE_CURSOR_ADVANCE, /* log_id, from, to, now: raises TU001 when it is elsewhere */
	STORE_PEOPLE, /* ticket ids, those joined to which ones as well, now -> whom to tell */
	STORE_TEXTS, /* text ids -> what was answered */
	STORE_QUEUE, /* new messages; those known already are left as they are */
	STORE_SENDING, /* from, to -> messages marked as being sent, claimed at another time */
	STORE_LEFT, /* this process's mark -> messages marked as being sent */
	STORE_CLAIM, /* channel, now, limit, looked at, mark, routes, gateway, urgent alone, first
			mails too -> messages to send, marked */
	STORE_SETTLE, /* what became of attempts, and the records of what that moved */
	STORE_ASK, /* gateway, now, limit -> messages to ask it about */
	STORE_BEING_SENT, /* gateway -> enum being_sent_column */
	STORE_KNOWN, /* ids, references, gateway -> those of its messages */
	STORE_RECEIPTS, /* what has become of messages, and the records of what that moved */
	STORE_ANSWERS, /* phone, ticket ids, since -> the ticket that a text from there is about */
	STORE_WISH, /* id of the text, phone, to stop?, counts again after us, now, id, languages
		       and bodies of its confirmation -> enum wish_taken */
	STORE_RECORD, /* seq -> its event */
	STORE_LETTERS, /* letters.h's own, from here on */
	STORE_LETTERS_LAST = STORE_LETTERS + LETTER_STATEMENTS - 1,
	STORE_BOUNCE_NEXT, /* -> enum bounce_column, the first that is open */
	STORE_MARKS_FORGET, /* now: marks that are over */
	STORE_BOUNCE_MARK, /* message, status, now: its address gets no mail from now on */
	STORE_BOUNCE_SETTLE, /* it is dealt with, and what that moved */
	STORE_BOUNCE_ASIDE, /* id, now: it cannot be dealt with */
	STORE_BOUNCE_ADD, /* ids, messages, statuses, now */
	STORE_HASTEN, /* now, later than: what waits for such a time is due now -> how many */
	STORE_SURVEY_END, /* ids, tickets, seqs of ends, delay: their rows */
	STORE_SURVEY_SEQ, /* surveys, seqs, is it a reminder: the records that say so */
	STORE_SURVEY_DUE, /* now, limit -> enum survey_due_column */
	STORE_SURVEY_MOVE, /* what is decided of those, and the records of what that moved */
	STORE_REMINDED, /* recipient, window -> whether their digest was made */
	STORE_REMIND_DUE, /* limit, recipient, window, due before, departments -> enum
			     remind_column; nothing when it was made */
	STORE_REMIND_TRIAGE, /* limit, recipient, window -> the same */
	STORE_REMIND_CIMER, /* limit, recipient, window, legal end before -> the same */
	STORE_REMIND_PUT, /* recipient, window, now, id, tickets, subject, body */
	STORE_REMIND_CLAIM, /* now, lost before, window after, what our marks begin with, mark ->
			       enum remind_claim_column */
	STORE_REMIND_SETTLE, /* id, attempt, state, next attempt, detail, now */
	STORE_BACKLOG, /* now -> enum backlog_column */
	STORE_STATEMENTS
};
extern const struct db_statement store_statements[STORE_STATEMENTS];

/* What STORE_WISH says became of a wish; as turunc.take_sms_wish has it. */
enum wish_taken { WISH_TAKEN = 1, WISH_TAKEN_BEFORE, WISH_OF_STRANGER, WISH_CONFIRMED };

/* Columns of STORE_PEOPLE. */
enum people_column {
	PEOPLE_ABOUT, /* the ticket that was asked for */
	PEOPLE_TICKET, /* this person's own, or joined one: the same, or one joined to it */
	PEOPLE_NAME,
	PEOPLE_PHONE,
	PEOPLE_EMAIL,
	PEOPLE_LANGUAGE,
	PEOPLE_SUBJECT,
	PEOPLE_RECORDED_US,
	PEOPLE_CONTACT, /* of a caller who was joined to it; NULL: they opened it */
	PEOPLE_UNPROVEN /* name and address stood in a mail */
};

/* Columns of STORE_CLAIM. */
enum claim_column {
	CLAIM_ID,
	CLAIM_TICKET,
	CLAIM_ABOUT_SEQ,
	CLAIM_ABOUT_TYPE,
	CLAIM_LANGUAGE,
	CLAIM_RECIPIENT,
	CLAIM_SUBJECT,
	CLAIM_BODY, /* NULL: it could not be written, and CLAIM_ERROR says why; or erased */
	CLAIM_ATTEMPTS,
	CLAIM_ERROR,
	CLAIM_DEFERRALS,
	CLAIM_MARKED, /* mail does not reach the address */
	CLAIM_REFUSED_BY,
	CLAIM_REPEATED, /* this gateway was tried before */
	CLAIM_UNWANTED, /* they want no text messages, or no invitations, or what it confirms not */
	CLAIM_FIRST, /* a mail to an address that has had none */
	CLAIM_CREATED,
	CLAIM_SEEN, /* how many were looked at, of all that is due */
	CLAIM_EVENT /* that it tells of, NULL: none */
};

/* Columns of STORE_BOUNCE_NEXT; from BOUNCE_TICKET on NULL for a message that there is not. */
enum bounce_column {
	BOUNCE_ID,
	BOUNCE_NOTIFICATION,
	BOUNCE_PERMANENT,
	BOUNCE_STATUS,
	BOUNCE_TICKET,
	BOUNCE_ABOUT_SEQ,
	BOUNCE_ABOUT_TYPE,
	BOUNCE_LANGUAGE,
	BOUNCE_ATTEMPTS,
	BOUNCE_RECIPIENT, /* NULL: erased */
	BOUNCE_NEWS_SEQ, /* the last that was to be told */
	BOUNCE_EVENT /* of that; NULL: not in the log any more */
};

/* Columns of STORE_LEFT. */
enum left_column {
	LEFT_ID,
	LEFT_TICKET,
	LEFT_ABOUT_SEQ,
	LEFT_ABOUT_TYPE,
	LEFT_LANGUAGE,
	LEFT_ATTEMPTS,
	LEFT_CHANNEL,
	LEFT_OURS, /* begun by this process */
	LEFT_GATEWAY,
	LEFT_ROUTE,
	LEFT_REFUSED_BY,
	LEFT_EVENT /* that it tells of, NULL: none */
};

/* Columns of STORE_BEING_SENT, NULL when nothing is: when its messages were claimed. */
enum being_sent_column { BEING_SENT_FIRST, BEING_SENT_LAST };

/* Columns of STORE_ASK, and of STORE_KNOWN with the place in its arrays (from 1) before them. */
enum known_column {
	KNOWN_ID,
	KNOWN_TICKET,
	KNOWN_ABOUT_SEQ,
	KNOWN_ABOUT_TYPE,
	KNOWN_CHANNEL,
	KNOWN_LANGUAGE,
	KNOWN_ATTEMPTS,
	KNOWN_STATE,
	KNOWN_ASKS,
	KNOWN_EVENT, /* that it tells of, NULL: none */
	ASK_REFERENCE, /* STORE_ASK alone, from here on */
	ASK_RECIPIENT,
	ASK_BEGUN_US,
	ASK_OTHERS
};

/* Columns of STORE_SURVEY_DUE. */
enum survey_due_column {
	SURVEY_DUE_ID,
	SURVEY_DUE_TICKET,
	SURVEY_DUE_ENDED_SEQ,
	SURVEY_DUE_STATE,
	SURVEY_DUE_AT,
	SURVEY_DUE_EXPIRES,
	SURVEY_DUE_REOPENED, /* since that end */
	SURVEY_DUE_ERASED,
	SURVEY_DUE_ANSWERED,
	SURVEY_DUE_EMAIL,
	SURVEY_DUE_PHONE,
	SURVEY_DUE_LANGUAGE,
	SURVEY_DUE_GAVE_EMAIL,
	SURVEY_DUE_OPTED_OUT, /* their number, of SMS */
	SURVEY_DUE_REFUSED /* their address, of being asked */
};

/* Columns of STORE_REMIND_DUE, STORE_REMIND_TRIAGE and STORE_REMIND_CIMER. */
enum remind_column {
	REMIND_TICKET,
	REMIND_DEPARTMENT,
	REMIND_SUBJECT,
	REMIND_NEIGHBOURHOOD,
	REMIND_LEGAL,
	REMIND_DUE,
	REMIND_REFERENCE,
	REMIND_ANSWERED,
	REMIND_ARRIVED
};

/* Columns of STORE_REMIND_CLAIM: one row, null but for the last when there is none to send. */
enum remind_claim_column {
	REMIND_CLAIM_ID,
	REMIND_CLAIM_RECIPIENT,
	REMIND_CLAIM_SUBJECT,
	REMIND_CLAIM_BODY,
	REMIND_CLAIM_ATTEMPTS,
	REMIND_CLAIM_AGAIN /* so many of ours, claimed and never sent, were queued again */
};

/* Columns of STORE_BACKLOG. */
enum backlog_column {
	BACKLOG_WAITING,
	BACKLOG_UNKNOWN,
	BACKLOG_DEAD,
	BACKLOG_OLDEST_US,
	BACKLOG_MARKS,
	BACKLOG_FIRST
};

#endif
