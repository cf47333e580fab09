/* lmtp_internal - what the files of the LMTP door share; nobody else includes it. */
#ifndef INTAKE_LMTP_INTERNAL_H
#define INTAKE_LMTP_INTERNAL_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http_peer.h"
#include "lmtp.h"
#include "lmtp_data.h"

enum lmtp_state {
	SESSION_NEW, /* waits for LHLO */
	SESSION_READY, /* between mails */
	SESSION_MAIL, /* has a sender, and perhaps recipients */
	SESSION_DATA,
	SESSION_WAITING, /* for the mail's answer */
	SESSION_CLOSING, /* the last words are on their way */
};

struct lmtp_session {
	TAILQ_ENTRY(lmtp_session) link;
	struct lmtp *lmtp;
	struct bufferevent *bev;
	enum lmtp_state state;
	bool dead; /* to be reclaimed at the end of the turn */
	uint64_t deadline_ms; /* 0: none */
	uint64_t mail_by_ms; /* no command moves the deadline beyond */
	unsigned wrong;
	struct lmtp_envelope envelope;
	struct lmtp_data data;
	uint64_t mail_bytes;
	void *mail;
	bool swallow; /* the mail is of no use, its end is waited for */
};

struct lmtp {
	struct lmtp_settings settings;
	const struct lmtp_calls *calls;
	void *arg;
	struct event_base *loop;
	struct evconnlistener *listener;
	struct event *turn; /* reclaims */
	struct http_peers peers;
	TAILQ_HEAD(, lmtp_session) sessions;
	size_t count;
	bool draining;
};

/* lmtp.c: one session */
void lmtp_session_free(struct lmtp_session *s);
/* It is reclaimed at the end of the turn. */
void lmtp_session_end(struct lmtp_session *s);
void lmtp_say(struct lmtp_session *s, const char *line);
/* The last line; the door closes when it is on its way. */
void lmtp_say_last(struct lmtp_session *s, const char *line);
void lmtp_wait_for_command(struct lmtp_session *s);
/* Between mails: the next one must begin within several times what a command may take. */
void lmtp_wait_for_mail(struct lmtp_session *s);
void lmtp_on_readable(struct bufferevent *bev, void *arg);
void lmtp_on_written(struct bufferevent *bev, void *arg);
void lmtp_on_event(struct bufferevent *bev, short what, void *arg);

#endif
