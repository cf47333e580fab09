/*
 * lmtp - the door that a mail server brings mail through (RFC 2033): sessions, commands, bounds.
 *
 * What a mail is and what becomes of it is its user's to say, by the calls.  Every mail that began
 * ends in exactly one of on_gone() and lmtp_answer(); each of its recipients gets an answer.
 *
 * Bounds and their answers: connections (421 and the door), peers that are not let in (554),
 * recipients of a mail (452), its size (552), a line's length (500), commands that are wrong (421
 * after 20), time for a command, from mail to mail and for a mail (421).  What a sender says ahead
 * is read when its turn comes, and not more than 64 KiB of it are held; while so much of our
 * replies is unread its commands wait.
 */
#ifndef INTAKE_LMTP_H
#define INTAKE_LMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "lmtp_command.h"

struct event_base;
struct lmtp;
struct lmtp_session;

enum { LMTP_RECIPIENTS_MAX = 100 };

struct lmtp_settings {
	const char *host;
	uint16_t port; /* 0: any free one */
	const char *trusted_peers; /* who may connect beside loopback; NULL: nobody */
	size_t max_connections;
	uint64_t max_mail_bytes;
	uint64_t command_ms; /* between commands */
	uint64_t mail_ms; /* from 354 to the dot */
};

/* Lent for the call. */
struct lmtp_envelope {
	char sender[LMTP_PATH_SIZE]; /* "" for <> */
	size_t count;
	char (*recipients)[LMTP_PATH_SIZE];
};

enum lmtp_count {
	LMTP_COUNT_CONNECTIONS,
	LMTP_COUNT_TURNED_AWAY, /* no room, or a peer that is not let in */
	LMTP_COUNT_REFUSED, /* answers 4xx and 5xx */
	LMTP_COUNT_TIMED_OUT,
};

/* Replies are whole lines without their end, "451 4.3.0 Later." */
struct lmtp_calls {
	/* NULL: the sender may go on. */
	const char *(*on_sender)(void *arg, const char *sender);
	const char *(*on_recipient)(
	    void *arg, const struct lmtp_envelope *so_far, const char *recipient);
	/* The mail's handle; NULL: *ret_reply says why not. */
	void *(*on_data)(void *arg, struct lmtp_session *session,
	    const struct lmtp_envelope *envelope, const char **ret_reply);
	/* False: the rest is of no use; on_end() comes nonetheless. */
	bool (*on_bytes)(void *mail, const void *data, size_t len);
	/* All is there (whole) or it was too large (not whole: 552 is sent and the mail forgotten).
	 * lmtp_answer() follows for a whole one, now or later. */
	void (*on_end)(void *mail, bool whole);
	/* The session ended; nobody will hear an answer. */
	void (*on_gone)(void *mail);
	void (*on_count)(void *arg, enum lmtp_count what);
};

/* NULL: *ret_why. */
struct lmtp *lmtp_open(struct event_base *loop, const struct lmtp_settings *settings,
    const struct lmtp_calls *calls, void *arg, const char **ret_why);
/* Takes NULL.  Mails under way are gone. */
void lmtp_close(struct lmtp *l);
uint16_t lmtp_port(const struct lmtp *l);
size_t lmtp_connections(const struct lmtp *l);

/* Not from within on_data() or on_bytes().  One reply for each recipient, or the same for all. */
void lmtp_answer_each(struct lmtp_session *session, const char *const *replies);
void lmtp_answer(struct lmtp_session *session, const char *reply);

/* Nobody new, and who is between mails is sent away; drained when none is left. */
void lmtp_drain(struct lmtp *l);
bool lmtp_drained(const struct lmtp *l);
/* Deadlines; ms until it wants to be called again. */
int64_t lmtp_tick(struct lmtp *l, uint64_t now_ms);

#endif
