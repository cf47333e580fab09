/*
 * mail_letter - what was read of one mail, and how the process that read it tells it to the one
 * that asked.
 *
 * The reader may have been led astray by what it read: whoever takes a letter from it believes
 * lengths, counts and texts only after mail_letter_take() has looked at them.
 */
#ifndef INTAKE_MAIL_LETTER_H
#define INTAKE_MAIL_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base.h"
#include "photos.h"
#include "uuid.h"

enum {
	MAIL_LETTER_SUBJECT_BYTES = 2000,
	MAIL_LETTER_TEXT_BYTES = 64 * 1024,
	MAIL_LETTER_FILES_BYTES = 4000,
	MAIL_LETTER_NAME_BYTES = 800,
	MAIL_LETTER_ADDRESS_BYTES = 320,
	MAIL_LETTER_ANSWERED = 32,
	MAIL_LETTER_TO = 16,
	MAIL_LETTER_STATUS_SIZE = 16,
	/* All of a letter, photos included. */
	MAIL_LETTER_BYTES = PHOTOS_MAX * PHOTOS_EACH_BYTES_MAX + 256 * 1024
};

enum mail_kind {
	MAIL_OF_PERSON,
	MAIL_OF_MACHINE, /* RFC 3834, or our own */
	MAIL_OF_POSTMASTER, /* RFC 3464 or older: a mail did not arrive, or not yet */
	MAIL_KINDS
};

enum mail_text {
	MAIL_SUBJECT,
	MAIL_TEXT,
	MAIL_NAME, /* of the sender, as shown */
	MAIL_ADDRESS, /* From's first */
	MAIL_FILES, /* names of what is kept with the raw mail alone, comma separated */
	MAIL_TEXTS
};

struct mail_letter {
	enum mail_kind kind;
	bool no_answers; /* from a list, or it asks that no machine answer: RFC 3834, 2 */
	bool cut; /* there was more than is read of any mail */
	bool failed; /* MAIL_OF_POSTMASTER: given up; false: delayed, or it does not say */
	char status[MAIL_LETTER_STATUS_SIZE]; /* "5.1.1" or "" */
	int64_t received_us; /* when our server took it; 0: it does not say */
	char *texts[MAIL_TEXTS]; /* owned, never NULL in a whole letter */
	struct uuid answered[MAIL_LETTER_ANSWERED]; /* from In-Reply-To and References */
	size_t answered_count;
	char *to[MAIL_LETTER_TO]; /* owned: addresses in To and Cc that have a + */
	size_t to_count;
	struct mail_photo {
		uint8_t *data; /* owned */
		size_t len;
	} photos[PHOTOS_MAX];
	size_t photo_count;
};

/* Frees what it owns, and zeroes it. */
void mail_letter_finish(struct mail_letter *letter);

/* False: out could not be written. */
MUST_CHECK bool mail_letter_tell(const struct mail_letter *letter, FILE *out);
/* Zeroed letter.  False: not a whole letter, or not a good one; nothing is held. */
MUST_CHECK bool mail_letter_take(struct mail_letter *letter, const uint8_t *data, size_t len);

#endif
