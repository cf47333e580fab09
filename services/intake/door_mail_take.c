/* Decides what a mail that was read is, and gives it to the record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "door_mail_internal.h"
#include "log.h"
#include "number.h"
#include "store.h"
#include "turunc/v1/ticket.pb-c.h"

static const char mail_source[] = "mail";

/* --- reports that a message did not arrive -------------------------------------------------------
 */

static void
on_bounce(void *arg, const struct db_reply *reply)
{
	struct mail *m = arg;

	mail_end(m, reply->outcome == DB_COMMITTED ? MAIL_BOUNCE : MAIL_DEFERRED);
}

/* The row says it all: the mail itself is not kept. */
static void
note_bounce(struct mail *m)
{
	struct intake *in = m->door->in;
	struct db_unit *unit = db_unit_create(in->writer);
	struct uuid id;

	mail_drop_files(m);
	uuid_next(&in->maker.uuids, clock_now_us(), &id);
	db_unit_add(unit, STORE_BOUNCE);
	db_add_uuid(unit, &id);
	db_add_bytea(unit, m->item.identity.bytes, sizeof(m->item.identity.bytes));
	db_add_uuid(unit, &m->message);
	db_add_bool(unit, m->letter.failed);
	db_add_text(unit, m->letter.status);
	db_add_int8(unit, clock_now_us());
	if (db_submit(in->writer, unit, on_bounce, m))
		return;
	db_unit_destroy(unit);
	mail_end(m, MAIL_DEFERRED);
}

/* --- tickets and contacts ----------------------------------------------------------------------
 */

static void
give(struct mail *m)
{
	struct intake *in = m->door->in;
	struct item *item = &m->item;

	item->source = mail_source;
	item->id = m->id;
	item->never_spooled = true;
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_EMAIL;
	if (item_seal(item, &in->maker, item->time_us)) {
		accept_add(in->accept, item, clock_monotonic_ms());
		return;
	}
	mail_drop_files(m);
	mail_end(m, MAIL_DEFERRED);
}

/* Photos that are none after all stay with the raw mail.  At once, and not when the record has
 * answered: of many mails that wait only what is read at the moment is held.  False: it was
 * answered. */
static bool
keep_photos(struct mail *m)
{
	struct intake *in = m->door->in;
	bool kept;

	for (size_t i = 0; i < m->letter.photo_count; i++) {
		const struct mail_photo *p = &m->letter.photos[i];
		if (p->len <= (size_t)in->config.photo_bytes
		    && photo_clean(p->data, p->len, (uint64_t)in->config.photo_pixels,
			   &m->photos.clean[m->photos.count])
			   == PHOTO_OK)
			m->photos.count++;
		else
			stats_add_at(in->stats, INTAKE_STAT_PHOTOS, PHOTOS_TURNED_DOWN, 1);
	}
	for (size_t i = 0; i < m->letter.photo_count; i++)
		free(m->letter.photos[i].data);
	m->letter.photo_count = 0;
	kept = photos_store(&m->photos, in->attachments).problem == PHOTOS_FINE;
	if (!kept) {
		mail_drop_files(m);
		mail_end(m, MAIL_NO_ROOM);
	}
	return kept;
}

static const char *
base_address(const struct mail *m)
{
	const struct catalogue *cat = registry_catalogue(m->door->in->registry);

	return cat == NULL || cat->municipality.email_from == NULL ? ""
								   : cat->municipality.email_from;
}

static bool
is_ours(const struct mail *m, const char *address)
{
	struct reply_address about;

	return address[0] != '\0'
	       && reply_address_read(&m->door->in->mail_key, base_address(m), address, &about)
		      != REPLY_ADDRESS_FOREIGN;
}

/* ticket_id: of the ticket it belongs to, 0: it opens one, which follows earlier_id unless 0. */
static void
record(struct mail *m, int64_t ticket_id, int64_t earlier_id)
{
	struct intake *in = m->door->in;
	struct item *item = &m->item;
	const struct catalogue *cat = registry_catalogue(in->registry);

	item->time_us = clock_now_us();
	item->arrived_us = mail_item_arrived(m->was_read ? &m->letter : NULL, item->time_us);
	item->opens = ticket_id == 0;
	if (cat != NULL)
		item->language = catalogue_language_name(cat->municipality.default_language);
	if (item->opens
	    && !numbers_take(in->numbers, number_year(item->time_us), &item->ticket_id)) {
		stats_incr(in->stats, INTAKE_STAT_NO_NUMBER);
		mail_drop_files(m);
		mail_end(m, MAIL_DEFERRED);
		return;
	}
	if (!item->opens)
		item->ticket_id = ticket_id;
	item->earlier_id = earlier_id;
	item->kind = item->opens ? "report" : "follow_up";
	item->type = item->opens ? "ticket.opened" : "contact.recorded";
	/* One mail to two tickets is two; to which is asked for, and does not change while it comes
	 * again, as what that leads to may. */
	char asked[NUMBER_SIZE];
	if (m->was_read && number_format(m->asked_ticket, asked))
		(void)snprintf(m->id, sizeof(m->id), "%s.%s", m->identity_text, asked);
	m->as = !m->was_read ? MAIL_UNREADABLE : item->opens ? MAIL_TICKET : MAIL_REPLY;
	/* What cannot be read is answered only where nothing says that a machine would hear it. */
	const char *envelope = !m->was_read && (m->by_machine || is_ours(m, m->sender)) ? ""
											: m->sender;
	mail_item_fill(&m->words, m->was_read ? &m->letter : NULL, envelope, item);
	mail_item_files(&m->words, m->photos.json, &m->raw, item);
	give(m);
}

/* Anybody can cause mails of machines: their files may fill half of what mails have, no more. */
static bool
has_room_for_machines(const struct intake *in)
{
	const struct intake_config *c = &in->config;
	uint64_t most = (uint64_t)(c->attachments_bytes / 100 * c->attachments_mail_percent) / 2;

	return attachments_bytes(in->attachments) <= most;
}

/* What a machine wrote is kept as a contact of nobody's ticket, in case it was no machine. */
static void
record_machine(struct mail *m)
{
	struct intake *in = m->door->in;
	struct item *item = &m->item;
	bool keeps = has_room_for_machines(in);

	stats_add_at(
	    in->stats, INTAKE_STAT_MACHINE_RAW, keeps ? MACHINE_RAW_KEPT : MACHINE_RAW_NO_ROOM, 1);
	if (keeps)
		mail_item_files(&m->words, "", &m->raw, item);
	else
		mail_drop_files(m);
	item->time_us = item->arrived_us = clock_now_us();
	item->kind = "machine";
	item->type = "contact.recorded";
	m->as = MAIL_MACHINE;
	mail_item_fill(&m->words, &m->letter, m->sender, item);
	give(m);
}

static void
on_target(void *arg, const struct db_reply *reply)
{
	struct mail *m = arg;

	if (reply->outcome != DB_COMMITTED) {
		mail_drop_files(m);
		mail_end(m, MAIL_DEFERRED);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	if (db_rows(rows) == 0) {
		record(m, 0, 0);
		return;
	}
	int64_t ticket_id = db_get_int(rows, 0, TARGET_OF_MAIL);
	bool closed = db_get_int(rows, 0, TARGET_OF_MAIL_STATUS)
		      == TURUNC__V1__STATUS__STATUS_CLOSED;
	if (!closed)
		record(m, ticket_id, 0);
	else
		record(m, 0, db_get_bool(rows, 0, TARGET_OF_MAIL_LINKED) ? 0 : ticket_id);
}

static void
look_up_target(struct mail *m)
{
	struct intake *in = m->door->in;
	struct db_unit *unit = db_unit_create(in->reader);
	struct db_array *answered;

	db_unit_add(unit, STORE_MAIL_TARGET);
	db_add_int8(unit, m->asked_ticket);
	answered = db_add_array(unit, DB_UUID);
	for (size_t i = 0; i < m->letter.answered_count; i++)
		db_array_uuid(answered, &m->letter.answered[i]);
	/* Who answers to the envelope's address answers that message. */
	if (m->about_message)
		db_array_uuid(answered, &m->message);
	db_add_text(unit, m->letter.texts[MAIL_ADDRESS]);
	if (db_submit(in->reader, unit, on_target, m))
		return;
	db_unit_destroy(unit);
	mail_drop_files(m);
	mail_end(m, MAIL_DEFERRED);
}

/* --- deciding ----------------------------------------------------------------------------------
 */

/* The addresses it was written to: an answer's may stand there though another copy came here. */
static void
read_to(struct mail *m)
{
	const char *base = base_address(m);
	struct reply_address about;

	for (size_t i = 0; i < m->letter.to_count && m->asked_ticket == 0; i++)
		if (reply_address_read(&m->door->in->mail_key, base, m->letter.to[i], &about)
			== REPLY_ADDRESS_OK
		    && about.kind == REPLY_ADDRESS_REPLY)
			m->asked_ticket = about.ticket_id;
}

static void
decide(struct mail *m)
{
	struct intake *in = m->door->in;
	const char *from = m->letter.texts[MAIL_ADDRESS];

	/* A true report has the null sender (RFC 3464, section 2); any other anybody may write. */
	if (m->letter.kind == MAIL_OF_POSTMASTER && m->about_message && m->sender[0] == '\0') {
		note_bounce(m);
		return;
	}
	if (m->letter.kind != MAIL_OF_PERSON || m->by_machine || is_ours(m, from)) {
		record_machine(m);
		return;
	}
	if (strcasecmp(from, m->sender) != 0) {
		m->shown_counts = mail_within_rate(in, from);
		if (!m->shown_counts) {
			mail_drop_files(m);
			mail_end(m, MAIL_TOO_OFTEN);
			return;
		}
	}
	read_to(m);
	if (!keep_photos(m))
		return;
	if (m->asked_ticket != 0 || m->letter.answered_count > 0 || m->about_message)
		look_up_target(m);
	else
		record(m, 0, 0);
}

void
mail_on_read(void *arg, enum mail_reading_end end, struct mail_letter *letter)
{
	struct mail *m = arg;

	m->reading = NULL;
	if (m->door->closing) {
		mail_drop_files(m);
		return; /* freed with the door */
	}
	switch (end) {
	case MAIL_READING_TOLD:
		m->letter = *letter;
		m->was_read = true;
		decide(m);
		return;
	case MAIL_READING_NOT_BEGUN:
		log_error("no process could read a mail, its server is told to come again");
		mail_drop_files(m);
		mail_end(m, MAIL_NOT_READ);
		return;
	case MAIL_READING_FAILED:
		break;
	}
	log_warn("a mail could not be read, it becomes a ticket as it is bytes=%u", m->raw.bytes);
	/* Perhaps a report about a message of ours: a person will see. */
	record(m, 0, 0);
}

/* --- afterwards --------------------------------------------------------------------------------
 */

/* The record would not take it.  Somebody else may have followed the same closed ticket in the same
 * moment: then it belongs where that led, or stands alone.  Else it goes without what its sender
 * wrote, and at last without who that was: the raw mail has both, and nobody's mail is refused. */
static bool
try_again(struct mail *m)
{
	struct item *item = &m->item;

	if (item->earlier_id != 0) {
		item_finish(item);
		if (!m->looked_again) {
			m->looked_again = true;
			look_up_target(m);
		} else {
			item->earlier_id = 0;
			give(m);
		}
		return true;
	}
	if (m->form == MAIL_NAMELESS)
		return false;
	m->form++;
	log_warn("the record would not take a mail's words, it becomes a ticket without them");
	item_finish(item);
	/* A machine stays without address, so that nobody answers it. */
	bool named = m->form == MAIL_WORDLESS && m->letter.kind == MAIL_OF_PERSON && !m->by_machine;
	mail_item_plain(&m->words, named, item);
	m->as = item->opens ? MAIL_UNREADABLE : m->as;
	give(m);
	return true;
}

void
mail_on_done(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct mail *m = (struct mail *)item;
	struct intake *in = m->door->in;

	(void)ticket_id;
	if (outcome == ITEM_REFUSED && try_again(m))
		return;
	stats_add_at(in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	bool accepted = outcome == ITEM_ACCEPTED;
	bool repeat = outcome == ITEM_DUPLICATE || outcome == ITEM_ID_REUSED;
	stats_add_at(in->stats, INTAKE_STAT_PHOTOS, accepted ? PHOTOS_STORED : PHOTOS_DROPPED,
	    m->photos.stored_count);
	/* What may yet surface keeps its files; if it does not, they go as orphans. */
	if (!item_keeps_files(item, outcome))
		mail_drop_files(m);
	if (accepted && item->opens)
		stats_incr(in->stats, INTAKE_STAT_OPENED);
	mail_end(m, accepted ? m->as : repeat ? MAIL_REPEAT : MAIL_DEFERRED);
}
