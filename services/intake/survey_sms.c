/* Finds the invitation that an SMS answers, and makes the item an answer to it. */
#include "survey_sms.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intake.h"
#include "linked.h"
#include "number.h"
#include "store.h"
#include "survey_answer.h"
#include "track_page.h"
#include "turunc/v1/ticket.pb-c.h"

struct survey_sms {
	struct item follower; /* first: how accept gives it back */
	struct intake *in;
	struct item *item;
	survey_sms_fn *done;
	void *arg;
	struct survey_said said;
	struct survey_answer texts, follower_texts;
	struct linked *linked; /* what the follower lends */
	bool answers; /* the item became an answer */
};

void
survey_sms_destroy(struct survey_sms *s)
{
	if (s == NULL)
		return;
	item_finish(&s->follower);
	linked_destroy(s->linked);
	free(s);
}

void
survey_sms_count(const struct survey_sms *s, enum item_outcome outcome)
{
	size_t as = SURVEYED_REPEATED;

	if (s == NULL || !s->answers)
		return;
	if (outcome == ITEM_ACCEPTED || outcome == ITEM_SPOOLED)
		as = s->said.again ? SURVEYED_DENIED : SURVEYED_ANSWERED;
	else if (outcome != ITEM_DUPLICATE)
		return;
	stats_add_at(s->in->stats, INTAKE_STAT_SURVEYS, as, 1);
}

static void
become_answer(struct survey_sms *s)
{
	survey_answer_describe(s->item, &s->said, &s->texts);
	item_finish(s->item);
	s->answers = item_seal(s->item, &s->in->maker, clock_now_us());
	s->done(s->arg, s->answers ? SURVEY_SMS_NONE : SURVEY_SMS_NO_MEMORY);
}

/* --- the ticket that follows a closed one ----------------------------------------------------- */

/* The new ticket first, as the page does it: what comes again after a death finds it there, and has
 * answered nothing. */
static void
on_followed(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct survey_sms *s = (struct survey_sms *)item;

	(void)ticket_id;
	stats_add_at(s->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	if (outcome == ITEM_ACCEPTED)
		stats_incr(s->in->stats, INTAKE_STAT_OPENED);
	/* Refused: another one opened just now that follows. */
	if (outcome == ITEM_UNAVAILABLE)
		s->done(s->arg, SURVEY_SMS_AWAY);
	else
		become_answer(s);
}

static void
open_follower(struct survey_sms *s, const struct pg_result *opener)
{
	struct item *item = &s->follower;
	int64_t now_us = clock_now_us();

	s->linked = db_rows(opener) == 0 ? NULL : linked_begin(opener, item);
	if (s->linked == NULL
	    || !numbers_take(s->in->numbers, number_year(now_us), &item->ticket_id)) {
		s->done(s->arg, SURVEY_SMS_AWAY);
		return;
	}
	survey_answer_identify(item, &s->in->maker, &s->said.survey, SURVEY_ID_LINKED, s->said.text,
	    &s->follower_texts);
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_SMS;
	item->time_us = item->arrived_us = now_us;
	item->description = s->said.text;
	item->earlier_id = s->said.ticket_id;
	if (item_seal(item, &s->in->maker, now_us))
		accept_add(s->in->accept, item, clock_monotonic_ms());
	else
		s->done(s->arg, SURVEY_SMS_AWAY);
}

static void
on_ticket(void *arg, const struct db_reply *reply)
{
	struct survey_sms *s = arg;
	const struct catalogue *cat = registry_catalogue(s->in->registry);

	if (reply->outcome != DB_COMMITTED || cat == NULL || db_rows(reply->results[0]) == 0)
		s->done(s->arg, SURVEY_SMS_AWAY);
	else if (track_may_say(cat, reply->results[0], reply->results[1], clock_now_us())
		 & TRACK_FOLLOW)
		open_follower(s, reply->results[2]);
	else
		become_answer(s); /* one follows already */
}

static void
ask_ticket(struct survey_sms *s)
{
	static const size_t statements[] = { STORE_TRACK, STORE_TRACK_LINKS, STORE_TRACK_OPENER };
	struct db_unit *unit = db_unit_create(s->in->reader);

	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		db_unit_add(unit, statements[i]);
		db_add_int8(unit, s->said.ticket_id);
	}
	if (db_submit(s->in->reader, unit, on_ticket, s))
		return;
	db_unit_destroy(unit);
	s->done(s->arg, SURVEY_SMS_AWAY);
}

/* --- the invitation --------------------------------------------------------------------------- */

/* Does it say something that is not known yet? */
static bool
fits(struct survey_sms *s, const struct pg_result *rows)
{
	if (db_rows(rows) == 0)
		return false;
	bool answered = db_get_bool(rows, 0, SURVEY_SMS_ANSWERED);
	s->said.survey = db_get_uuid(rows, 0, SURVEY_SMS_ID);
	s->said.ticket_id = db_get_int(rows, 0, SURVEY_SMS_TICKET);
	s->said.again = answered;
	if (answered)
		s->said.score = 0;
	return !answered || (s->said.not_solved && !db_get_bool(rows, 0, SURVEY_SMS_DENIED));
}

static void
on_found(void *arg, const struct db_reply *reply)
{
	struct survey_sms *s = arg;

	if (reply->outcome != DB_COMMITTED)
		s->done(s->arg, SURVEY_SMS_AWAY);
	else if (!fits(s, reply->results[0]))
		s->done(s->arg, SURVEY_SMS_NONE);
	else if (s->said.not_solved
		 && db_get_int(reply->results[0], 0, SURVEY_SMS_STATUS)
			== TURUNC__V1__STATUS__STATUS_CLOSED)
		ask_ticket(s);
	else
		become_answer(s);
}

enum survey_sms_look
survey_sms_look(struct intake *in, struct item *item, survey_sms_fn *done, void *arg,
    struct survey_sms **ret_sms)
{
	struct survey_said said = { .text = item->description };

	*ret_sms = NULL;
	if (item->kind == NULL || strcmp(item->kind, "sms") != 0 || item->phone == NULL
	    || said.text == NULL
	    || !survey_answer_read_sms(said.text, &said.score, &said.not_solved))
		return SURVEY_SMS_NONE;
	struct survey_sms *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return SURVEY_SMS_AWAY;
	*s = (struct survey_sms){ .in = in, .item = item, .done = done, .arg = arg, .said = said };
	item_init(&s->follower, on_followed);
	struct db_unit *unit = db_unit_create(in->reader);
	db_unit_add(unit, STORE_SURVEY_SMS);
	db_add_text(unit, item->phone);
	db_add_int8(unit, item->time_us);
	if (db_submit(in->reader, unit, on_found, s)) {
		*ret_sms = s;
		return SURVEY_SMS_ASKED;
	}
	db_unit_destroy(unit);
	survey_sms_destroy(s);
	return SURVEY_SMS_AWAY;
}
