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
#include "photos.h"

struct attachment_draft;

enum { DOOR_MAIL_WEIGHT = 64 * 1024 };

struct door_mail {
	struct intake *in;
	struct mail_reader *reader;
	TAILQ_HEAD(, mail) mails;
	bool closing;
};

/* One mail from DATA to its answer. */
struct mail {
	struct item item; /* first: how accept gives it back */
	TAILQ_ENTRY(mail) link;
	struct door_mail *door;
	struct lmtp_session *session; /* NULL: nobody waits for the answer any more */
	uint64_t at_ms;
	char sender[LMTP_PATH_SIZE]; /* the envelope's, in small letters */
	int64_t asked_ticket; /* by an address that we made; 0: none */
	bool about_message; /* likewise */
	struct uuid message;
	struct attachment_draft *draft; /* NULL: all is there */
	struct mail_identity identity;
	char identity_text[DIGEST_HEX_SIZE];
	bool has_raw;
	struct attachment raw;
	bool was_read;
	struct mail_letter letter;
	struct photos photos;
	struct mail_item words;
	bool plain; /* the record would not take its words: it goes without them */
	enum mail_outcome as; /* what it is when it is taken */
};

/* Answers and frees it. */
void mail_end(struct mail *m, enum mail_outcome outcome);
void mail_drop_files(struct mail *m);
/* False: over its rate.  "": nobody's. */
bool mail_within_rate(struct intake *in, const char *address);

/* door_mail_take.c */
mail_read_fn mail_on_read;
item_done_fn mail_on_done;

#endif
