/* Writes the mail, or the request for the SMS gateway. */
#include "letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bouncing.h"
#include "clock.h"
#include "mail.h"
#include "message_html.h"
#include "number.h"
#include "store.h"
#include "survey_link.h"

enum { STOP_URL_SIZE = 256 };

void
letter_refuse(struct job *job, enum outcome outcome, const char *why)
{
	job->outcome = outcome;
	job_say(job, "not sent: %s", why);
}

/* Where reports of a mail that did not arrive go, and citizens' answers; without a secret, or of an
 * address that is too long for it, to the municipality's own address. */
static void
address_mail(const struct reply_address_key *key, const char *base, const struct job *job,
    int64_t ticket_id, char ret_sender[REPLY_ADDRESS_SIZE], char ret_reply[REPLY_ADDRESS_SIZE])
{
	const struct reply_address bounce = { .kind = REPLY_ADDRESS_BOUNCE,
		.notification_id = job->notification_id };
	const struct reply_address answer = { .kind = REPLY_ADDRESS_REPLY, .ticket_id = ticket_id };

	if (!reply_address_make(key, base, &bounce, ret_sender))
		snprintf(ret_sender, REPLY_ADDRESS_SIZE, "%s", base);
	if (!reply_address_make(key, base, &answer, ret_reply))
		ret_reply[0] = '\0';
}

/* Only what asks whether one is satisfied may be refused: the rest says what became of one's own
 * application. */
static void
write_stop_url(const struct reply_address_key *key, const char *base_url, const char *about,
    const struct job *job, char *ret_url, size_t size)
{
	char token[SURVEY_LINK_SIZE];

	ret_url[0] = '\0';
	if (!key->given || strncmp(about, "survey.", strlen("survey.")) != 0)
		return;
	survey_stop_make(key->bytes, sizeof(key->bytes), &job->notification_id, token);
	if (snprintf(ret_url, size, "%s" SURVEY_STOP_PATH "%s", base_url, token) >= (int)size)
		ret_url[0] = '\0';
}

static const char no_memory[] = "out of memory";

/* Fills sender and payload; or why says what is wrong. */
static void
write_mail(struct job *job, const struct pg_result *rows, int row, const char *number,
    const struct catalogue_municipality *m, const struct reply_address_key *key,
    const char **ret_why)
{
	char sender[REPLY_ADDRESS_SIZE], reply_to[REPLY_ADDRESS_SIZE], id[UUID_TEXT_SIZE];
	char stop_url[STOP_URL_SIZE];
	const char *subject = db_get_text_or_null(rows, row, CLAIM_SUBJECT);
	size_t html_size;

	subject = subject != NULL ? subject : "";
	uuid_format(&job->notification_id, id);
	address_mail(
	    key, m->email_from, job, db_get_int(rows, row, CLAIM_TICKET), sender, reply_to);
	write_stop_url(key, m->base_url, db_get_text(rows, row, CLAIM_ABOUT_TYPE), job, stop_url,
	    sizeof(stop_url));
	const struct message_html page = { .language = db_get_text(rows, row, CLAIM_LANGUAGE),
		.title = subject,
		.sender = m->name,
		.body = db_get_text(rows, row, CLAIM_BODY),
		.base_url = m->base_url };
	char *html = message_html_make(&page, &html_size);
	const struct mail mail = {
		.from = m->email_from,
		.from_name = m->name,
		.to = db_get_text(rows, row, CLAIM_RECIPIENT),
		.reply_to = reply_to,
		.stop_url = stop_url,
		.subject = subject,
		.body = page.body,
		.html = html,
		.message_id = id,
		.ticket = number,
		.language = page.language,
		.date_us = clock_now_us(),
	};
	*ret_why = no_memory;
	job->sender = html != NULL ? strdup(sender) : NULL;
	if (job->sender != NULL)
		job->payload = mail_compose(&mail, &job->payload_size, ret_why);
	free(html);
}

/* False: no memory.  The body was folded by its template's policy when it was written. */
static bool
write_sms(struct job *job, const struct gateway *gateway, const char *from, const char *body,
    const char *id)
{
	struct gateway_request request = { 0 };
	const struct gateway_text text = {
		.to = job->recipient, .from = from, .text = body, .id = id
	};

	if (!gateway->profile->request(gateway, &text, &request)) {
		gateway_request_finish(&request);
		return false;
	}
	job->url = request.url;
	job->payload = request.body;
	job->payload_size = strlen(request.body);
	job->authorization = request.authorization;
	return true;
}

static const char *
why_unwanted(const struct pg_result *rows, int row, bool sms)
{
	if (!sms)
		return "the person asked for no invitations";
	return strcmp(db_get_text(rows, row, CLAIM_ABOUT_TYPE), "sms.received") == 0
		   ? "the person has wished otherwise since"
		   : "the person asked for no text messages";
}

void
letter_write(struct job *job, const struct pg_result *rows, int row,
    const struct catalogue_municipality *m, const struct gateway *gateway,
    const struct reply_address_key *mail_key)
{
	char id[UUID_TEXT_SIZE], number[NUMBER_SIZE] = "";
	const char *why = no_memory;

	uuid_format(&job->notification_id, id);
	if (db_is_null(rows, row, CLAIM_RECIPIENT)) {
		letter_refuse(job, OUTCOME_REFUSED, "the person was erased");
		return;
	}
	if (db_get_bool(rows, row, CLAIM_MARKED)) {
		letter_refuse(job, OUTCOME_REFUSED, "mail does not reach this address");
		snprintf(job->address_status, sizeof(job->address_status), "%s", BOUNCING_HELD);
		return;
	}
	if (db_get_bool(rows, row, CLAIM_UNWANTED)) {
		letter_refuse(job, OUTCOME_UNWANTED, why_unwanted(rows, row, gateway != NULL));
		return;
	}
	if (db_is_null(rows, row, CLAIM_BODY)
	    || !number_format(db_get_int(rows, row, CLAIM_TICKET), number)) {
		letter_refuse(job, OUTCOME_REFUSED, db_get_text(rows, row, CLAIM_ERROR));
		return;
	}
	job->recipient = strdup(db_get_text(rows, row, CLAIM_RECIPIENT));
	if (gateway == NULL)
		write_mail(job, rows, row, number, m, mail_key, &why);
	else if (job->recipient != NULL)
		(void)write_sms(
		    job, gateway, m->sms_sender, db_get_text(rows, row, CLAIM_BODY), id);
	if (job->recipient != NULL && job->payload != NULL)
		return;
	bool memory = job->recipient == NULL || strcmp(why, "") == 0 || strcmp(why, no_memory) == 0;
	letter_refuse(job, memory ? OUTCOME_DEFERRED : OUTCOME_REFUSED, memory ? no_memory : why);
}
