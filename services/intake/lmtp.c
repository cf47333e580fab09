/* Speaks LMTP with one mail server. */
#include <assert.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "lmtp_internal.h"

enum {
	PIECE_BYTES = 16 * 1024,
	WRONG_MAX = 20,
	LINGER_MS = 2000, /* for the peer to read our last words */
	UNREAD_BYTES_MAX = 64 * 1024, /* of our replies; then its commands wait */
	COMMAND_TIMES = 4, /* until the next mail begins */
};

/* --- sessions ----------------------------------------------------------------------------------
 */

void
lmtp_session_free(struct lmtp_session *s)
{
	struct lmtp *l = s->lmtp;

	if (s->mail != NULL)
		l->calls->on_gone(s->mail);
	TAILQ_REMOVE(&l->sessions, s, link);
	l->count--;
	bufferevent_free(s->bev);
	free(s->envelope.recipients);
	free(s);
}

void
lmtp_session_end(struct lmtp_session *s)
{
	if (s->dead)
		return;
	s->dead = true;
	bufferevent_disable(s->bev, EV_READ | EV_WRITE);
	event_active(s->lmtp->turn, EV_TIMEOUT, 0);
}

void
lmtp_say(struct lmtp_session *s, const char *line)
{
	struct evbuffer *out = bufferevent_get_output(s->bev);

	if (line[0] >= '4')
		s->lmtp->calls->on_count(s->lmtp->arg, LMTP_COUNT_REFUSED);
	/* Out of memory: the peer must not take silence for an answer to something else. */
	if (evbuffer_add_printf(out, "%s\r\n", line) < 0)
		lmtp_session_end(s);
}

/* The last line; the door closes when it is on its way. */
void
lmtp_say_last(struct lmtp_session *s, const char *line)
{
	lmtp_say(s, line);
	s->state = SESSION_CLOSING;
}

/* Another wrong command: too many end the session. */
static void
say_wrong(struct lmtp_session *s, const char *line)
{
	if (++s->wrong > WRONG_MAX)
		lmtp_say_last(s, "421 4.7.0 Too many commands that are wrong, closing.");
	else
		lmtp_say(s, line);
}

static void
forget_envelope(struct lmtp_session *s)
{
	free(s->envelope.recipients);
	s->envelope = (struct lmtp_envelope){ .count = 0 };
	if (s->state == SESSION_MAIL || s->state == SESSION_DATA || s->state == SESSION_WAITING)
		s->state = SESSION_READY;
}

void
lmtp_wait_for_command(struct lmtp_session *s)
{
	uint64_t by_ms = clock_monotonic_ms() + s->lmtp->settings.command_ms;

	s->deadline_ms = by_ms < s->mail_by_ms ? by_ms : s->mail_by_ms;
}

void
lmtp_wait_for_mail(struct lmtp_session *s)
{
	s->mail_by_ms = clock_monotonic_ms() + COMMAND_TIMES * s->lmtp->settings.command_ms;
	lmtp_wait_for_command(s);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void
do_lhlo(struct lmtp_session *s)
{
	char line[80];

	forget_envelope(s);
	s->state = SESSION_READY;
	lmtp_say(s, "250-Turunc");
	lmtp_say(s, "250-PIPELINING");
	lmtp_say(s, "250-ENHANCEDSTATUSCODES");
	lmtp_say(s, "250-8BITMIME");
	lmtp_say(s, "250-SMTPUTF8");
	(void)snprintf(line, sizeof(line), "250 SIZE %llu",
	    (unsigned long long)s->lmtp->settings.max_mail_bytes);
	lmtp_say(s, line);
}

static void
do_mail(struct lmtp_session *s, const struct lmtp_command *c)
{
	struct lmtp *l = s->lmtp;
	const char *reply;

	if (s->state != SESSION_READY) {
		say_wrong(s, s->state == SESSION_NEW ? "503 5.5.1 LHLO first."
						     : "503 5.5.1 A mail was begun already.");
		return;
	}
	if (c->size_bytes > l->settings.max_mail_bytes) {
		lmtp_say(s, "552 5.3.4 The mail is too large.");
		return;
	}
	if (l->draining) {
		lmtp_say_last(s, "421 4.3.2 The service is stopping, come again.");
		return;
	}
	reply = l->calls->on_sender(l->arg, c->path);
	if (reply != NULL) {
		lmtp_say(s, reply);
		return;
	}
	memcpy(s->envelope.sender, c->path, sizeof(s->envelope.sender));
	s->state = SESSION_MAIL;
	lmtp_say(s, "250 2.1.0 Ok");
}

static void
do_rcpt(struct lmtp_session *s, const struct lmtp_command *c)
{
	struct lmtp *l = s->lmtp;
	struct lmtp_envelope *e = &s->envelope;

	if (s->state != SESSION_MAIL) {
		say_wrong(s, "503 5.5.1 MAIL first.");
		return;
	}
	if (e->count == LMTP_RECIPIENTS_MAX) {
		lmtp_say(s, "452 4.5.3 Too many recipients in one mail.");
		return;
	}
	const char *reply = l->calls->on_recipient(l->arg, e, c->path);
	if (reply != NULL) {
		lmtp_say(s, reply);
		return;
	}
	char(*grown)[LMTP_PATH_SIZE] = reallocarray(
	    e->recipients, e->count + 1, sizeof(e->recipients[0]));
	if (grown == NULL) {
		lmtp_say(s, "452 4.3.1 Out of memory, come again.");
		return;
	}
	e->recipients = grown;
	memcpy(e->recipients[e->count++], c->path, LMTP_PATH_SIZE);
	lmtp_say(s, "250 2.1.5 Ok");
}

static void
do_data(struct lmtp_session *s)
{
	struct lmtp *l = s->lmtp;
	const char *reply = "451 4.3.0 Come again.";

	if (s->state != SESSION_MAIL) {
		say_wrong(s, "503 5.5.1 MAIL and RCPT first.");
		return;
	}
	/* RFC 2033, 4.2: without a recipient DATA fails. */
	if (s->envelope.count == 0) {
		lmtp_say(s, "503 5.5.1 No valid recipients.");
		return;
	}
	s->mail = l->calls->on_data(l->arg, s, &s->envelope, &reply);
	if (s->mail == NULL) {
		lmtp_say(s, reply);
		forget_envelope(s);
		return;
	}
	s->state = SESSION_DATA;
	s->data = (struct lmtp_data){ .place = LMTP_DATA_LINE };
	s->mail_bytes = 0;
	s->swallow = false;
	s->deadline_ms = clock_monotonic_ms() + l->settings.mail_ms;
	lmtp_say(s, "354 End with a dot on a line of its own.");
}

static void
do_command(struct lmtp_session *s, const char *line, size_t len)
{
	struct lmtp_command c;

	lmtp_command_parse(line, len, &c);
	lmtp_wait_for_command(s);
	if (c.fault == LMTP_BAD_PARAMETER) {
		say_wrong(s, "555 5.5.4 A parameter that is not known here.");
		return;
	}
	if (c.fault == LMTP_BAD_SYNTAX) {
		say_wrong(s, "501 5.5.4 That is not how it is written.");
		return;
	}
	switch (c.verb) {
	case LMTP_LHLO:
		do_lhlo(s);
		break;
	case LMTP_MAIL:
		do_mail(s, &c);
		break;
	case LMTP_RCPT:
		do_rcpt(s, &c);
		break;
	case LMTP_DATA:
		do_data(s);
		break;
	case LMTP_RSET:
		forget_envelope(s);
		lmtp_say(s, "250 2.0.0 Ok");
		break;
	case LMTP_NOOP:
		lmtp_say(s, "250 2.0.0 Ok");
		break;
	case LMTP_VRFY:
		lmtp_say(s, "252 2.5.2 Send a mail and see.");
		break;
	case LMTP_QUIT:
		lmtp_say_last(s, "221 2.0.0 Bye");
		break;
	case LMTP_HELO:
		say_wrong(s, "500 5.5.1 This is LMTP: say LHLO.");
		break;
	case LMTP_UNKNOWN:
		say_wrong(s, "500 5.5.2 That is not known here.");
		break;
	}
}

/* --- reading -----------------------------------------------------------------------------------
 */

void
lmtp_answer(struct lmtp_session *s, const char *reply)
{
	const char *replies[LMTP_RECIPIENTS_MAX];

	for (size_t i = 0; i < s->envelope.count; i++)
		replies[i] = reply;
	lmtp_answer_each(s, replies);
}

void
lmtp_answer_each(struct lmtp_session *s, const char *const *replies)
{
	assert(s->state == SESSION_WAITING && s->mail != NULL);
	s->mail = NULL;
	for (size_t i = 0; i < s->envelope.count; i++)
		lmtp_say(s, replies[i]);
	forget_envelope(s);
	lmtp_wait_for_mail(s);
	if (s->lmtp->draining)
		lmtp_say_last(s, "421 4.3.2 The service is stopping, come again.");
	else if (!s->dead) /* what came meanwhile, at the next turn */
		bufferevent_trigger(
		    s->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void
end_mail(struct lmtp_session *s)
{
	struct lmtp *l = s->lmtp;
	bool whole = s->mail_bytes <= l->settings.max_mail_bytes;

	s->state = SESSION_WAITING;
	s->deadline_ms = 0;
	if (whole) {
		l->calls->on_end(s->mail, true); /* may answer at once */
		return;
	}
	void *mail = s->mail;
	lmtp_answer(s, "552 5.3.4 The mail is too large.");
	l->calls->on_end(mail, false);
}

/* False: nothing is left to read. */
static bool
read_data(struct lmtp_session *s, struct evbuffer *in)
{
	char bytes[PIECE_BYTES], content[PIECE_BYTES + 2];
	size_t content_len;
	ev_ssize_t len = evbuffer_copyout(in, bytes, sizeof(bytes));

	if (len <= 0)
		return false;
	size_t taken = lmtp_data_take(&s->data, bytes, (size_t)len, content, &content_len);
	(void)evbuffer_drain(in, taken);
	s->mail_bytes += content_len;
	if (s->mail_bytes > s->lmtp->settings.max_mail_bytes)
		s->swallow = true;
	if (!s->swallow && content_len > 0)
		s->swallow = !s->lmtp->calls->on_bytes(s->mail, content, content_len);
	if (s->data.place == LMTP_DATA_ENDED)
		end_mail(s);
	return true;
}

/* False: no whole line is there. */
static bool
read_command(struct lmtp_session *s, struct evbuffer *in)
{
	char line[LMTP_LINE_MAX];
	struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);

	if (end.pos == -1 ? evbuffer_get_length(in) < sizeof(line)
			  : (size_t)end.pos < sizeof(line) - 1) {
		if (end.pos == -1)
			return false;
		size_t len = (size_t)end.pos;
		(void)evbuffer_remove(in, line, len + 1);
		if (len == 0 || line[len - 1] != '\r')
			lmtp_say_last(s, "500 5.5.2 Lines end with CR LF.");
		else
			do_command(s, line, len - 1);
		return true;
	}
	lmtp_say_last(s, "500 5.5.2 The line is too long.");
	return true;
}

void
lmtp_on_readable(struct bufferevent *bev, void *arg)
{
	struct lmtp_session *s = arg;
	struct evbuffer *in = bufferevent_get_input(bev), *out = bufferevent_get_output(bev);
	bool more = true;

	while (more && !s->dead && s->state != SESSION_WAITING && s->state != SESSION_CLOSING
	       && evbuffer_get_length(out) < UNREAD_BYTES_MAX)
		more = s->state == SESSION_DATA ? read_data(s, in) : read_command(s, in);
	if (s->state == SESSION_CLOSING)
		(void)evbuffer_drain(in, evbuffer_get_length(in));
}

void
lmtp_on_written(struct bufferevent *bev, void *arg)
{
	struct lmtp_session *s = arg;

	if (s->state != SESSION_CLOSING) {
		/* What waited until it had read our replies. */
		if (!s->dead && evbuffer_get_length(bufferevent_get_input(bev)) > 0)
			bufferevent_trigger(
			    bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
		return;
	}
	/* Closing with something unread would take our last words back from the peer. */
	(void)shutdown(bufferevent_getfd(bev), SHUT_WR);
	s->deadline_ms = clock_monotonic_ms() + LINGER_MS;
}

void
lmtp_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) != 0)
		lmtp_session_end(arg);
}
