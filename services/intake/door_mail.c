/* Takes mails in. */
#include "door_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "attachment_draft.h"
#include "clock.h"
#include "door_mail_internal.h"
#include "log.h"
#include "reader_sandbox.h"

enum {
	READERS = 2,
	READ_LIMIT_MS = 180000, /* its CPU time is what bounds it, on a busy machine too */
	ANSWER_MS = 60000, /* then 451, whatever may become of it */
	TICK_MS = 1000
};

static const char later[] = "451 4.3.0 Not taken now, come again.";
static const char no_room[] = "452 4.3.1 No room for it now, come again.";
static const char too_often[] = "450 4.7.1 Too many mails from this address, come again later.";
static const char too_many[] = "452 4.5.3 So many tickets in one mail; bring the rest in another.";
static const char taken[] = "250 2.0.0 Taken.";

/* --- mails -------------------------------------------------------------------------------------
 */

/* The last thing done with a mail whose item accept does not hold. */
static void
mail_free(struct mail *m)
{
	TAILQ_REMOVE(&m->door->mails, m, link);
	m->door->count--;
	attachment_draft_drop(m->draft);
	item_finish(&m->item);
	mail_letter_finish(&m->letter);
	photos_finish(&m->photos);
	free(m);
}

/* Its recipients hear it when all of the transaction's do. */
static void
say(struct mail *m, const char *reply)
{
	struct delivery *of = m->delivery;
	const char *replies[LMTP_RECIPIENTS_MAX];

	if (of == NULL)
		return;
	m->delivery = NULL;
	of->mails[m->place] = NULL;
	of->replies[m->place] = reply;
	for (size_t i = 0; i < of->count; i++)
		if (of->mails[i] != NULL)
			return;
	for (size_t i = 0; i < of->recipients; i++)
		replies[i] = of->replies[of->places[i]];
	lmtp_answer_each(of->session, replies);
	free(of);
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
		[MAIL_CROWDED] = later,
		[MAIL_NOT_READ] = later,
	};
	struct intake *in = m->door->in;

	stats_add_at(in->stats, INTAKE_STAT_MAILS, outcome, 1);
	/* Whoever is told to come again for a reason of ours may do so. */
	if (replies[outcome] == later || replies[outcome] == no_room) {
		if (m->place == 0)
			mail_give_back(in, m->sender);
		if (m->shown_counts)
			mail_give_back(in, m->letter.texts[MAIL_ADDRESS]);
	}
	say(m, replies[outcome]);
	mail_free(m);
}

/* Nobody waits for it any more.  One that nobody has begun to read goes, file and all: its server
 * has it, comes again with it, and would otherwise find itself behind its own repeats.  Others go
 * on, so that the next time finds them taken. */
static void
drop_unless_begun(struct mail *m)
{
	if (m->reading == NULL || !mail_reader_withdraw(m->reading))
		return;
	m->reading = NULL;
	mail_drop_files(m);
	mail_end(m, MAIL_CROWDED);
}

/* Nobody hears of it any more; what is not whole yet is nothing. */
static void
forsake(struct delivery *of)
{
	for (size_t i = 0; i < of->count; i++) {
		struct mail *m = of->mails[i];
		if (m == NULL)
			continue;
		m->delivery = NULL;
		if (m->draft != NULL)
			mail_free(m);
		else
			drop_unless_begun(m);
	}
	free(of);
}

/* --- before DATA -------------------------------------------------------------------------------
 */

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

/* The ticket whose signed address it is; 0: none's. */
static int64_t
ticket_of(const struct intake *in, const char *recipient)
{
	struct reply_address about;
	enum reply_address_result result = reply_address_read(
	    &in->mail_key, base_address(in), recipient, &about);

	return result == REPLY_ADDRESS_OK && about.kind == REPLY_ADDRESS_REPLY ? about.ticket_id
									       : 0;
}

/* The place of the ticket among those asked for, where there is room for it. */
static size_t
place_of(int64_t tickets[MAIL_TARGETS_MAX], size_t *count, int64_t ticket_id)
{
	size_t at = 0;

	while (at < *count && tickets[at] != ticket_id)
		at++;
	if (at == *count && at < MAIL_TARGETS_MAX)
		tickets[(*count)++] = ticket_id;
	return at;
}

static bool
has_place(const struct intake *in, const struct lmtp_envelope *so_far, const char *recipient)
{
	int64_t tickets[MAIL_TARGETS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < so_far->count; i++)
		(void)place_of(tickets, &count, ticket_of(in, so_far->recipients[i]));
	return place_of(tickets, &count, ticket_of(in, recipient)) < MAIL_TARGETS_MAX;
}

static const char *
on_recipient(void *arg, const struct lmtp_envelope *so_far, const char *recipient)
{
	struct door_mail *d = arg;
	struct reply_address about;
	enum reply_address_result result = reply_address_read(
	    &d->in->mail_key, base_address(d->in), recipient, &about);

	/* A report about a message that we never sent so. */
	bool forged_report = result == REPLY_ADDRESS_FORGED && so_far->sender[0] == '\0';
	if (result == REPLY_ADDRESS_FOREIGN && is_further(d->in, recipient))
		result = REPLY_ADDRESS_PLAIN;
	if (result == REPLY_ADDRESS_FOREIGN || forged_report)
		return "550 5.1.1 There is no such address here.";
	return has_place(d->in, so_far, recipient) ? NULL : too_many;
}

/* --- DATA --------------------------------------------------------------------------------------
 */

/* The message that a report would be about, or its answer. */
static void
read_message_address(struct mail *m, const char *recipient)
{
	struct reply_address about;
	enum reply_address_result result = reply_address_read(
	    &m->door->in->mail_key, base_address(m->door->in), recipient, &about);

	if (result == REPLY_ADDRESS_OK && about.kind == REPLY_ADDRESS_BOUNCE) {
		m->about_message = true;
		m->message = about.notification_id;
	}
}

/* The mail at the delivery's next place.  False: it cannot be stored. */
static bool
begin_mail(struct door_mail *d, struct delivery *of, int64_t asked_ticket, const char *sender)
{
	char head[LMTP_PATH_SIZE + 24];
	struct mail *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return false;
	m->door = d;
	m->delivery = of;
	m->place = of->count;
	m->at_ms = clock_monotonic_ms();
	m->asked_ticket = asked_ticket;
	item_init(&m->item, mail_on_done);
	(void)snprintf(m->sender, sizeof(m->sender), "%s", sender);
	mail_lower(m->sender);
	TAILQ_INSERT_TAIL(&d->mails, m, link);
	d->count++;
	of->mails[of->count++] = m;
	m->draft = attachment_draft_begin(d->in->attachments);
	int len = snprintf(head, sizeof(head), "Return-Path: <%s>\r\n", sender);
	if (m->draft != NULL && attachment_draft_add(m->draft, head, (size_t)len))
		return true;
	log_error("a mail cannot be stored, its server is told to come again why=%s",
	    log_quoted(strerror(errno)));
	if (m->draft == NULL) { /* or else it is taken for whole */
		of->count--;
		mail_free(m);
	}
	return false;
}

/* A mail for each ticket asked for.  False: not all of them could be begun. */
static bool
begin_mails(struct door_mail *d, struct delivery *of, const struct lmtp_envelope *envelope)
{
	int64_t tickets[MAIL_TARGETS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < envelope->count; i++) {
		const char *recipient = envelope->recipients[i];
		int64_t ticket_id = ticket_of(d->in, recipient);
		size_t place = place_of(tickets, &count, ticket_id);
		/* Too many: only where the municipality's address changed since RCPT. */
		if (place == MAIL_TARGETS_MAX
		    || (place == of->count && !begin_mail(d, of, ticket_id, envelope->sender)))
			return false;
		of->places[i] = (uint8_t)place;
		if (ticket_id == 0)
			read_message_address(of->mails[place], recipient);
	}
	return true;
}

/* Whose rate it counts to.  The null sender is one like any other, but where it writes to an
 * address that we signed: reports come as many at once as our mails went. */
static const char *
rated_sender(const struct intake *in, const struct lmtp_envelope *envelope)
{
	struct reply_address about;

	if (envelope->sender[0] != '\0')
		return envelope->sender;
	for (size_t i = 0; i < envelope->count; i++)
		if (reply_address_read(
			&in->mail_key, base_address(in), envelope->recipients[i], &about)
		    == REPLY_ADDRESS_OK)
			return "";
	return "<>";
}

static void *
on_data(void *arg, struct lmtp_session *session, const struct lmtp_envelope *envelope,
    const char **ret_reply)
{
	struct door_mail *d = arg;
	struct intake *in = d->in;
	struct delivery *of;

	*ret_reply = on_sender(arg, envelope->sender);
	if (*ret_reply != NULL)
		return NULL;
	if (d->count >= (size_t)in->config.mails_in_hand) {
		stats_add_at(in->stats, INTAKE_STAT_MAILS, MAIL_CROWDED, 1);
		*ret_reply = later;
		return NULL;
	}
	if (!mail_within_rate(in, rated_sender(in, envelope))) {
		stats_add_at(in->stats, INTAKE_STAT_MAILS, MAIL_TOO_OFTEN, 1);
		*ret_reply = too_often;
		return NULL;
	}
	*ret_reply = no_room;
	of = calloc(1, sizeof(*of));
	if (of == NULL) {
		mail_give_back(in, envelope->sender);
		return NULL;
	}
	of->session = session;
	of->recipients = envelope->count;
	mail_identity_begin(&of->identity);
	if (begin_mails(d, of, envelope))
		return of;
	stats_add_at(in->stats, INTAKE_STAT_MAILS, MAIL_NO_ROOM, 1);
	mail_give_back(in, envelope->sender);
	forsake(of);
	return NULL;
}

static bool
on_bytes(void *arg, const void *data, size_t len)
{
	struct delivery *of = arg;
	bool any = false;

	mail_identity_add(&of->identity, data, len);
	/* One that failed knows it, and is not kept. */
	for (size_t i = 0; i < of->count; i++)
		any = attachment_draft_add(of->mails[i]->draft, data, len) || any;
	return any;
}

static void
on_gone(void *arg)
{
	forsake(arg);
}

static void
on_end(void *arg, bool whole)
{
	struct delivery *of = arg;
	struct mail *mails[MAIL_TARGETS_MAX];
	struct digest content;
	size_t count = of->count;

	if (!whole) {
		forsake(of); /* told already */
		return;
	}
	mail_identity_finish(&of->identity, &content);
	for (size_t i = 0; i < count; i++) {
		mails[i] = of->mails[i];
		mails[i]->by_machine = of->identity.machine;
	}
	for (size_t i = 0; i < count; i++)
		mail_keep(mails[i], &content); /* the last may be the end of the delivery */
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
	struct mail *m, *next;

	stats_set(d->in->stats, INTAKE_STAT_LMTP_OPEN, (int64_t)lmtp_connections(d->in->lmtp));
	stats_set(d->in->stats, INTAKE_STAT_MAILS_IN_HAND, (int64_t)d->count);
	for (m = TAILQ_FIRST(&d->mails); m != NULL; m = next) {
		next = TAILQ_NEXT(m, link);
		if (m->draft == NULL && m->delivery != NULL && now_ms - m->at_ms >= ANSWER_MS) {
			say(m, later);
			drop_unless_begun(m);
		}
	}
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
	const struct mail_reader_settings reading = { .at_once = READERS,
		.limit_ms = READ_LIMIT_MS,
		.memory_bytes = (uint64_t)c->mail_reader_bytes };
	const char *why = "out of memory";

	d->reader = mail_reader_create(daemon_loop(in->daemon), &reading);
	d->disk = worker_open(daemon_loop(in->daemon));
	if (d->reader != NULL && d->disk != NULL)
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
	reader_sandbox_shut();
	if (!reader_sandbox_known())
		log_warn("this kernel filters no system calls, mails are read without that");
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
	worker_close(d->disk);
	mail_reader_destroy(d->reader);
	while (!TAILQ_EMPTY(&d->mails))
		mail_free(TAILQ_FIRST(&d->mails));
	free(d);
}
