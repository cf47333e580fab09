/* Makes a mail that is whole durable, without the loop waiting for the disk, and has it read. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "attachment_draft.h"
#include "clock.h"
#include "door_mail_internal.h"
#include "log.h"

/* The same mail, which its server has brought before and did not wait for? */
static bool
is_in_hand(const struct mail *m)
{
	const struct mail *other;

	TAILQ_FOREACH (other, &m->door->mails, link)
		if (other != m && other->draft == NULL && other->asked_ticket == m->asked_ticket
		    && digest_equal(&other->item.identity, &m->item.identity))
			return true;
	return false;
}

static void
on_kept(struct worker_job *job, bool worked)
{
	struct mail *m = (struct mail *)((char *)job - offsetof(struct mail, keeping));
	struct intake *in = m->door->in;
	struct attachment_draft *draft = m->settling;

	m->settling = NULL;
	if (!worked) {
		attachment_draft_drop(draft); /* the door closes, and frees the mail */
		return;
	}
	m->has_raw = attachment_draft_end(draft, &m->raw) == ATTACHMENT_STORED;
	if (m->door->closing) {
		mail_drop_files(m);
		return;
	}
	if (!m->has_raw) {
		log_error("a mail was not stored, its server is told to come again why=%s",
		    log_quoted(strerror(errno)));
		mail_end(m, MAIL_NO_ROOM);
		return;
	}
	if (m->delivery == NULL) { /* nobody has waited */
		mail_drop_files(m);
		mail_end(m, MAIL_CROWDED);
		return;
	}
	m->at_ms = clock_monotonic_ms();
	int fd = attachments_open_file(in->attachments, &m->raw.digest);
	if (fd != -1)
		m->reading = mail_reader_ask(m->door->reader, fd, m->raw.bytes, mail_on_read, m);
	if (m->reading == NULL) {
		mail_drop_files(m);
		mail_end(m, MAIL_NO_ROOM);
	}
}

/* On the disk's thread. */
static void
settle(struct worker_job *job)
{
	struct mail *m = (struct mail *)((char *)job - offsetof(struct mail, keeping));

	attachment_draft_settle(m->settling, FAILPOINT_INTAKE_MAIL);
}

/* Whole, it is made durable, and is read then. */
void
mail_keep(struct mail *m, const struct digest *content)
{
	struct intake *in = m->door->in;
	struct digest_keyed d;

	item_identity_begin(&in->maker, &d);
	digest_keyed_add_part(&d, content->bytes, sizeof(content->bytes));
	digest_keyed_finish(&d, &m->item.identity);
	digest_format(&m->item.identity, m->identity_text);
	(void)snprintf(m->id, sizeof(m->id), "%s", m->identity_text);

	if (is_in_hand(m)) {
		mail_end(m, MAIL_CROWDED);
		return;
	}
	m->settling = m->draft;
	m->draft = NULL;
	m->at_ms = clock_monotonic_ms();
	m->keeping.work = settle;
	m->keeping.done = on_kept;
	worker_give(m->door->disk, &m->keeping);
}
