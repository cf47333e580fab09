/*
 * mail_identity - which mail is this, so that one that comes twice is one?
 *
 * What a mail keeps on every way it may take to us: Message-ID, From, Date and Subject as they
 * stand, and every byte behind the header.  What servers on the way add or change (Received,
 * Return-Path, signatures, marks) does not count.  Two mails under one Message-ID with other words
 * are two.  Fed while the mail comes in; needs no parser, so a mail that none can read has one too.
 *
 * For the same reason it notes whether the header says that a machine wrote the mail: whoever makes
 * mails that cannot be read must not get an answer to each.
 */
#ifndef INTAKE_MAIL_IDENTITY_H
#define INTAKE_MAIL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

enum { MAIL_IDENTITY_NAME_BYTES = 16, MAIL_IDENTITY_WORD_BYTES = 16 };

enum mail_identity_place {
	MAIL_IDENTITY_LINE, /* at the start of a header's line */
	MAIL_IDENTITY_NAME,
	MAIL_IDENTITY_VALUE,
	MAIL_IDENTITY_BODY
};

struct mail_identity_mark;

struct mail_identity {
	struct digest_sha256 digest;
	enum mail_identity_place place;
	bool counts; /* the field we are in */
	char name[MAIL_IDENTITY_NAME_BYTES];
	size_t name_len;
	const struct mail_identity_mark *mark; /* whose value's first word is read; NULL: none */
	char word[MAIL_IDENTITY_WORD_BYTES];
	size_t word_len;
	bool machine; /* Auto-Submitted and the like, or our own mail */
};

void mail_identity_begin(struct mail_identity *m);
/* In pieces of any size. */
void mail_identity_add(struct mail_identity *m, const void *data, size_t len);
void mail_identity_finish(struct mail_identity *m, struct digest *ret_digest);

#endif
