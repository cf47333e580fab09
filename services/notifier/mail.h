/*
 * mail - one message to a citizen as RFC 5322 text, ready for SMTP.
 *
 * The words twice (multipart/alternative): plain, and as HTML beside it; UTF-8, headers by RFC
 * 2047, bodies in quoted-printable, lines ended by CRLF.  Auto-Submitted (RFC 3834) keeps answering
 * machines quiet, List-Id (RFC 2919) lets people sort.  The Message-ID is made of the
 * notification's id, so that whoever finds the mail finds the row, and answers find their ticket.
 */
#ifndef NOTIFIER_MAIL_H
#define NOTIFIER_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { MAIL_SUBJECT_MAX = 400 };

struct mail {
	const char *from; /* address */
	const char *from_name; /* shown, may be "" */
	const char *to; /* address */
	const char *reply_to; /* address, "": to from */
	/* Where it can be stopped (RFC 2369), "": nowhere; https: by programs, too (RFC 8058). */
	const char *stop_url;
	const char *subject;
	const char *body; /* lines by \n */
	const char *html; /* the same as HTML; "": plain text alone */
	const char *message_id; /* left side of the Message-ID */
	const char *ticket; /* printed number, for the X-Turunc-Ticket header; "": of none */
	const char *language; /* "tr" */
	int64_t date_us;
};

/*
 * The text and its size, to be freed by the caller.  NULL: out of memory, an address that is not
 * valid, or a header with a line end (which could add headers); why says which.
 */
MUST_CHECK char *mail_compose(const struct mail *mail, size_t *ret_size, const char **ret_why);

#endif
