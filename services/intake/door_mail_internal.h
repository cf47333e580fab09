/* door_mail_internal - what the files of the mail door share; nobody else includes it. */
#ifndef INTAKE_DOOR_MAIL_INTERNAL_H
#define INTAKE_DOOR_MAIL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "attachment.h"
#include "intake.h"
#include "item.h"
#include "lmtp.h"
#include "mail_identity.h"
#include "mail_item.h"
#include "mail_letter.h"
#include "mail_reader.h"
#include "number.h"
#include "photos.h"
#include "worker.h"

struct attachment_draft;

/* How many tickets' addresses one transaction may name, and the plain address counts as one. */
enum { DOOR_MAIL_WEIGHT = 64 * 1024, MAIL_TARGETS_MAX = 4 };

struct door_mail {
	struct intake *in;
	struct mail_reader *reader;
	struct worker *disk; /* large mails take it long to keep */
	TAILQ_HEAD(, mail) mails;
	size_t count; /* of them */
	bool closing;
};

/* How much of a mail the record takes. */
enum mail_form { MAIL_WHOLE, MAIL_WORDLESS, MAIL_NAMELESS };

struct mail;

/* What a server brings in one transaction: a mail for each ticket that its recipients name, which
 * go their own ways with a file of their own, for each contact's can be erased; and one for the
 * plain addresses. */
struct delivery {
	struct lmtp_session *session;
	struct mail_identity identity;
	size_t recipients;
	uint8_t places[LMTP_RECIPIENTS_MAX]; /* the mail that answers the recipient */
	size_t count;
	struct mail *mails[MAIL_TARGETS_MAX]; /* NULL: answered */
	const char *replies[MAIL_TARGETS_MAX];
};

/* One mail from DATA to its answer. */
struct mail {
	struct item item; /* first: how accept gives it back */
	TAILQ_ENTRY(mail) link;
	struct door_mail *door;
	struct delivery *delivery; /* NULL: nobody waits for the answer any more */
	size_t place; /* in it */
	uint64_t at_ms;
	char sender[LMTP_PATH_SIZE]; /* the envelope's, in small letters */
	int64_t asked_ticket; /* by an address that we made; 0: none */
	bool about_message; /* likewise */
	struct uuid message;
	struct attachment_draft *draft; /* NULL: all is there */
	struct attachment_draft *settling; /* and is being made durable */
	struct worker_job keeping;
	bool by_machine; /* says its header */
	char identity_text[DIGEST_HEX_SIZE];
	char id[DIGEST_HEX_SIZE + NUMBER_SIZE]; /* and of which ticket it is an answer */
	bool has_raw;
	struct attachment raw;
	struct mail_reading *reading; /* NULL: not asked yet, or read */
	bool was_read;
	bool shown_counts; /* the letter's address gave a token of its own */
	struct mail_letter letter;
	struct photos photos;
	struct mail_item words;
	bool looked_again; /* for the ticket it belongs to */
	enum mail_form form;
	enum mail_outcome as; /* what it is when it is taken */
};

/* Answers and frees it. */
void mail_end(struct mail *m, enum mail_outcome outcome);
void mail_drop_files(struct mail *m);

/* door_mail_keep.c: the mail is whole.  content: digested, for it to be known again by. */
void mail_keep(struct mail *m, const struct digest *content);

/* door_mail_rate.c: False: over its rate.  "": nobody's. */
bool mail_within_rate(struct intake *in, const char *address);
void mail_give_back(struct intake *in, const char *address);
void mail_lower(char *text);

/* door_mail_take.c */
mail_read_fn mail_on_read;
item_done_fn mail_on_done;

#endif
