/* Finds the invitation that an SMS answers, and makes the item an answer to it. */
#include "survey_sms.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intake.h"
#include "store.h"
#include "survey_answer.h"
#include "turunc/v1/ticket.pb-c.h"

struct survey_sms {
	struct intake *in;
	struct item *item;
	survey_sms_fn *done;
	void *arg;
	struct survey_said said;
	struct survey_answer texts;
};

void
survey_sms_destroy(struct survey_sms *s)
{
	free(s);
}

/* Does it say something that is not known yet, of a ticket of which it may be said? */
static bool
fits(struct survey_sms *s, const struct pg_result *rows)
{
	if (db_rows(rows) == 0)
		return false;
	bool answered = db_get_bool(rows, 0, SURVEY_SMS_ANSWERED);
	bool closed = db_get_int(rows, 0, SURVEY_SMS_STATUS) == TURUNC__V1__STATUS__STATUS_CLOSED;
	s->said.survey = db_get_uuid(rows, 0, SURVEY_SMS_ID);
	s->said.ticket_id = db_get_int(rows, 0, SURVEY_SMS_TICKET);
	s->said.again = answered;
	if (s->said.not_solved && closed)
		return false;
	if (answered)
		s->said.score = 0;
	return !answered || (s->said.not_solved && !db_get_bool(rows, 0, SURVEY_SMS_DENIED));
}

static void
on_found(void *arg, const struct db_reply *reply)
{
	struct survey_sms *s = arg;
	bool sealed = true;

	if (reply->outcome == DB_COMMITTED && fits(s, reply->results[0])) {
		survey_answer_describe(s->item, &s->said, &s->texts);
		item_finish(s->item);
		sealed = item_seal(s->item, &s->in->maker, clock_now_us());
		stats_add_at(s->in->stats, INTAKE_STAT_SURVEYS,
		    s->said.again ? SURVEYED_DENIED : SURVEYED_ANSWERED, 1);
	}
	s->done(s->arg, sealed);
}

struct survey_sms *
survey_sms_look(struct intake *in, struct item *item, survey_sms_fn *done, void *arg)
{
	struct survey_said said = { .text = item->description };

	if (item->kind == NULL || strcmp(item->kind, "sms") != 0 || item->phone == NULL
	    || said.text == NULL
	    || !survey_answer_read_sms(said.text, &said.score, &said.not_solved))
		return NULL;
	struct survey_sms *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	*s = (struct survey_sms){ in, item, done, arg, said, { { 0 }, { 0 }, { 0 } } };
	struct db_unit *unit = db_unit_create(in->reader);
	db_unit_add(unit, STORE_SURVEY_SMS);
	db_add_text(unit, item->phone);
	db_add_int8(unit, item->time_us);
	if (db_submit(in->reader, unit, on_found, s))
		return s;
	db_unit_destroy(unit);
	survey_sms_destroy(s);
	return NULL;
}
