/* Takes mails in. */
#include "door_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "attachment_draft.h"
#include "clock.h"
#include "door_mail_internal.h"
#include "log.h"

enum {
	READERS = 2,
	READ_LIMIT_MS = 180000, /* its CPU time is what bounds it, on a busy machine too */
	ANSWER_MS = 60000, /* then 451, whatever may become of it */
	TICK_MS = 1000
};

static const char later[] = "451 4.3.0 Not taken now, come again.";
static const char no_room[] = "452 4.3.1 No room for it now, come again.";
static const char too_often[] = "450 4.7.1 Too many mails from this address, come again later.";
static const char taken[] = "250 2.0.0 Taken.";

/* --- mails -------------------------------------------------------------------------------------
 */

/* The last thing done with a mail whose item accept does not hold. */
static void
mail_free(struct mail *m)
{
	TAILQ_REMOVE(&m->door->mails, m, link);
	attachment_draft_drop(m->draft);
	item_finish(&m->item);
	mail_letter_finish(&m->letter);
	photos_finish(&m->photos);
	free(m);
}

static void
say(struct mail *m, const char *reply)
{
	if (m->session != NULL)
		lmtp_answer(m->session, reply);
	m->session = NULL;
}

void
mail_drop_files(struct mail *m)
{
	photos_drop(&m->photos);
	if (m->has_raw && !attachments_remove(m->door->in->attachments, &m->raw.digest))
		log_warn("a mail that was not taken could not be removed, a later look will why=%s",
		    log_quoted(strerror(errno)));
	m->has_raw = false;
}

void
mail_end(struct mail *m, enum mail_outcome outcome)
{
	static const char *const replies[MAIL_OUTCOMES] = {
		[MAIL_TICKET] = taken,
		[MAIL_REPLY] = taken,
		[MAIL_MACHINE] = taken,
		[MAIL_BOUNCE] = taken,
		[MAIL_REPEAT] = taken,
		[MAIL_UNREADABLE] = taken,
		[MAIL_DEFERRED] = later,
		[MAIL_TOO_OFTEN] = too_often,
		[MAIL_NO_ROOM] = no_room,
	};
	struct intake *in = m->door->in;

	stats_add_at(in->stats, INTAKE_STAT_MAILS, outcome, 1);
	/* Whoever is told to come again may do so. */
	if (outcome == MAIL_DEFERRED && m->sender[0] != '\0' && in->mail_per_address != NULL)
		ratelimit_give_back(in->mail_per_address, m->sender, strlen(m->sender));
	say(m, replies[outcome]);
	mail_free(m);
}

/* --- before DATA -------------------------------------------------------------------------------
 */

static void
lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

bool
mail_within_rate(struct intake *in, const char *address)
{
	char key[LMTP_PATH_SIZE + MAIL_LETTER_ADDRESS_BYTES];
	uint64_t wait_ms;

	if (in->mail_per_address == NULL || address[0] == '\0')
		return true;
	(void)snprintf(key, sizeof(key), "%s", address);
	lower(key);
	return ratelimit_take(
	    in->mail_per_address, key, strlen(key), clock_monotonic_ms(), &wait_ms);
}

static const char *
base_address(const struct intake *in)
{
	const struct catalogue *cat = registry_catalogue(in->registry);

	return cat == NULL || cat->municipality.email_from == NULL ? ""
								   : cat->municipality.email_from;
}

static const char *
on_sender(void *arg, const char *sender)
{
	struct door_mail *d = arg;
	struct intake *in = d->in;
	const char *why;

	(void)sender;
	if (in->writer_lost || registry_catalogue(in->registry) == NULL
	    || !intake_takes(in, 1, DOOR_MAIL_WEIGHT, &why)) {
		stats_add_at(
		    in->stats, INTAKE_STAT_BUSY, in->writer_lost ? BUSY_AWAY : BUSY_FULL, 1);
		return later;
	}
	return NULL;
}

/* One of the further addresses of the settings? */
static bool
is_further(const struct intake *in, const char *address)
{
	const char *at = in->config.mail_addresses;
	size_t len = strlen(address);

	while (*at != '\0') {
		at += strspn(at, ", ");
		size_t word = strcspn(at, ", ");
		if (word == len && strncasecmp(at, address, len) == 0)
			return true;
		at += word;
	}
	return false;
}

static const char *
on_recipient(void *arg, const char *sender, const char *recipient)
{
	struct door_mail *d = arg;
	struct reply_address about;
	enum reply_address_result result = reply_address_read(
	    &d->in->mail_key, base_address(d->in), recipient, &about);

	/* A report about a message that we never sent so. */
	bool forged_report = result == REPLY_ADDRESS_FORGED && sender[0] == '\0';
	if (result == REPLY_ADDRESS_FOREIGN && is_further(d->in, recipient))
		result = REPLY_ADDRESS_PLAIN;
	if (result == REPLY_ADDRESS_FOREIGN || forged_report)
		return "550 5.1.1 There is no such address here.";
	return NULL;
}

/* --- DATA --------------------------------------------------------------------------------------
 */

/* What the envelope's addresses say; an answer's says more than a report's. */
static void
read_recipients(struct mail *m, const struct lmtp_envelope *envelope)
{
	struct intake *in = m->door->in;
	struct reply_address about;

	for (size_t i = 0; i < envelope->count; i++) {
		if (reply_address_read(
			&in->mail_key, base_address(in), envelope->recipients[i], &about)
		    != REPLY_ADDRESS_OK)
			continue;
		if (about.kind == REPLY_ADDRESS_REPLY && m->asked_ticket == 0)
			m->asked_ticket = about.ticket_id;
		if (about.kind == REPLY_ADDRESS_BOUNCE) {
			m->about_message = true;
			m->message = about.notification_id;
		}
	}
}

static void *
on_data(void *arg, struct lmtp_session *session, const struct lmtp_envelope *envelope,
    const char **ret_reply)
{
	struct door_mail *d = arg;
	struct intake *in = d->in;
	char head[LMTP_PATH_SIZE + 24];
	struct mail *m;

	*ret_reply = on_sender(arg, envelope->sender);
	if (*ret_reply != NULL)
		return NULL;
	if (!mail_within_rate(in, envelope->sender)) {
		stats_add_at(in->stats, INTAKE_STAT_MAILS, MAIL_TOO_OFTEN, 1);
		*ret_reply = too_often;
		return NULL;
	}
	*ret_reply = no_room;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->door = d;
	m->session = session;
	m->at_ms = clock_monotonic_ms();
	item_init(&m->item, mail_on_done);
	memcpy(m->sender, envelope->sender, sizeof(m->sender));
	lower(m->sender);
	read_recipients(m, envelope);
	mail_identity_begin(&m->identity);
	TAILQ_INSERT_TAIL(&d->mails, m, link);
	m->draft = attachment_draft_begin(in->attachments);
	int len = snprintf(head, sizeof(head), "Return-Path: <%s>\r\n", envelope->sender);
	if (m->draft != NULL && attachment_draft_add(m->draft, head, (size_t)len))
		return m;
	log_error("a mail cannot be stored, its server is told to come again why=%s",
	    log_quoted(strerror(errno)));
	mail_free(m);
	return NULL;
}

static bool
on_bytes(void *arg, const void *data, size_t len)
{
	struct mail *m = arg;

	mail_identity_add(&m->identity, data, len);
	return attachment_draft_add(m->draft, data, len);
}

static void
on_gone(void *arg)
{
	struct mail *m = arg;

	m->session = NULL;
	/* What is not whole yet is nothing; what is goes on, for the server comes again with it. */
	if (m->draft != NULL)
		mail_free(m);
}

/* Kept whole, it is durable, and is read. */
static void
on_end(void *arg, bool whole)
{
	struct mail *m = arg;
	struct intake *in = m->door->in;
	struct digest_keyed d;
	struct digest content;

	if (!whole) {
		m->session = NULL; /* told already */
		mail_free(m);
		return;
	}
	mail_identity_finish(&m->identity, &content);
	item_identity_begin(&in->maker, &d);
	digest_keyed_add_part(&d, content.bytes, sizeof(content.bytes));
	digest_keyed_finish(&d, &m->item.identity);
	digest_format(&m->item.identity, m->identity_text);

	struct attachment_draft *draft = m->draft;
	m->draft = NULL;
	m->at_ms = clock_monotonic_ms();
	if (attachment_draft_keep(draft, FAILPOINT_INTAKE_MAIL, &m->raw) != ATTACHMENT_STORED) {
		log_error("a mail was not stored, its server is told to come again why=%s",
		    log_quoted(strerror(errno)));
		mail_end(m, MAIL_NO_ROOM);
		return;
	}
	m->has_raw = true;
	int fd = attachments_open_file(in->attachments, &m->raw.digest);
	if (fd == -1 || !mail_reader_ask(m->door->reader, fd, mail_on_read, m)) {
		mail_drop_files(m);
		mail_end(m, MAIL_NO_ROOM);
	}
}

static void
on_count(void *arg, enum lmtp_count what)
{
	struct door_mail *d = arg;

	stats_add_at(d->in->stats, INTAKE_STAT_LMTP, what, 1);
	/* More of them is told at once, fewer at the next tick. */
	stats_set(d->in->stats, INTAKE_STAT_LMTP_OPEN, (int64_t)lmtp_connections(d->in->lmtp));
}

/* --- the door ----------------------------------------------------------------------------------
 */

/* The mail server's patience is not without end, though the record's absence may be. */
static int64_t
tick(void *arg, uint64_t now_ms)
{
	struct door_mail *d = arg;
	struct mail *m;

	stats_set(d->in->stats, INTAKE_STAT_LMTP_OPEN, (int64_t)lmtp_connections(d->in->lmtp));
	TAILQ_FOREACH (m, &d->mails, link)
		if (m->draft == NULL && m->session != NULL && now_ms - m->at_ms >= ANSWER_MS)
			say(m, later);
	int64_t next_ms = lmtp_tick(d->in->lmtp, now_ms);
	return next_ms < TICK_MS ? next_ms : TICK_MS;
}

static void
stop(void *arg)
{
	lmtp_drain(((struct door_mail *)arg)->in->lmtp);
}

static bool
busy(void *arg)
{
	const struct door_mail *d = arg;

	return !TAILQ_EMPTY(&d->mails) || !lmtp_drained(d->in->lmtp);
}

static bool
open_lmtp(struct door_mail *d)
{
	static const struct lmtp_calls calls = { on_sender, on_recipient, on_data, on_bytes, on_end,
		on_gone, on_count };
	struct intake *in = d->in;
	const struct intake_config *c = &in->config;
	const struct lmtp_settings settings = {
		.host = c->lmtp_listen.host,
		.port = c->lmtp_listen.port,
		.trusted_peers = c->lmtp_trusted[0] == '\0' ? NULL : c->lmtp_trusted,
		.max_connections = (size_t)c->lmtp_connections,
		.max_mail_bytes = (uint64_t)c->lmtp_mail_bytes,
		.command_ms = (uint64_t)c->lmtp_command_ms,
		.mail_ms = (uint64_t)c->lmtp_mail_ms,
	};
	const char *why = "out of memory";

	d->reader = mail_reader_create(daemon_loop(in->daemon), READERS, READ_LIMIT_MS);
	if (d->reader != NULL)
		in->lmtp = lmtp_open(daemon_loop(in->daemon), &settings, &calls, d, &why);
	if (in->lmtp == NULL)
		log_error("cannot start what=TURUNC_LMTP_LISTEN host=%s port=%u why=%s",
		    log_quoted(c->lmtp_listen.host), c->lmtp_listen.port, log_quoted(why));
	return in->lmtp != NULL;
}

bool
door_mail_open(struct intake *in)
{
	struct door_mail *d = calloc(1, sizeof(*d));

	in->mail = d;
	if (d == NULL) {
		log_error("cannot start why=\"out of memory\"");
		return false;
	}
	d->in = in;
	TAILQ_INIT(&d->mails);
	if (!reply_address_key_init(&in->mail_key, in->config.mail_secret)) {
		log_error("cannot start what=TURUNC_MAIL_SECRET_FILE why=\"shorter than 16 "
			  "characters\"");
		return false;
	}
	if (!open_lmtp(d))
		return false;
	const struct daemon_part part = { "mail", stop, busy, d };
	daemon_add_part(in->daemon, part);
	daemon_add_tick(in->daemon, tick, d);
	return true;
}

void
door_mail_close(struct door_mail *d)
{
	if (d == NULL)
		return;
	d->closing = true;
	lmtp_close(d->in->lmtp);
	d->in->lmtp = NULL;
	mail_reader_destroy(d->reader);
	while (!TAILQ_EMPTY(&d->mails))
		mail_free(TAILQ_FIRST(&d->mails));
	free(d);
}
