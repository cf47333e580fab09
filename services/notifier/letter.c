/* Writes the mail, or the request for the SMS gateway. */
#include "letter.h"

#include <string.h>

#include "clock.h"
#include "mail.h"
#include "number.h"
#include "store.h"

void
letter_refuse(struct job *job, enum outcome outcome, const char *why)
{
	job->outcome = outcome;
	job_say(job, "not sent: %s", why);
}

void
letter_write(struct job *job, const struct pg_result *rows, int row,
    const struct catalogue_municipality *m, bool sms, const struct sms_fields *fields)
{
	char id[UUID_TEXT_SIZE], number[NUMBER_SIZE] = "";
	const char *why = "out of memory";

	uuid_format(&job->notification_id, id);
	if (db_is_null(rows, row, CLAIM_RECIPIENT)) {
		letter_refuse(job, OUTCOME_REFUSED, "the person was erased");
		return;
	}
	if (db_is_null(rows, row, CLAIM_BODY)
	    || !number_format(db_get_int(rows, row, CLAIM_TICKET), number)) {
		letter_refuse(job, OUTCOME_REFUSED, db_get_text(rows, row, CLAIM_ERROR));
		return;
	}
	const char *subject = db_get_text_or_null(rows, row, CLAIM_SUBJECT);
	const struct mail mail = {
		.from = m->email_from,
		.from_name = m->name,
		.to = db_get_text(rows, row, CLAIM_RECIPIENT),
		.subject = subject != NULL ? subject : "",
		.body = db_get_text(rows, row, CLAIM_BODY),
		.message_id = id,
		.ticket = number,
		.language = db_get_text(rows, row, CLAIM_LANGUAGE),
		.date_us = clock_now_us(),
	};
	job->sender = strdup(m->email_from);
	job->recipient = strdup(mail.to);
	if (sms)
		job->payload = channel_sms_payload(
		    fields, mail.to, m->sms_sender, mail.body, id, &job->payload_size);
	else
		job->payload = mail_compose(&mail, &job->payload_size, &why);
	if (job->sender != NULL && job->recipient != NULL && job->payload != NULL)
		return;
	bool memory = strcmp(why, "") == 0 || strcmp(why, "out of memory") == 0;
	letter_refuse(
	    job, memory ? OUTCOME_DEFERRED : OUTCOME_REFUSED, memory ? "out of memory" : why);
}
