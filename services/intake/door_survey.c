/* The page behind the link of an invitation: asks, and takes the answer down once.  Looking at it
 * answers nothing, for programs open the links of mails before people do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "door.h"
#include "fields.h"
#include "html.h"
#include "linked.h"
#include "log.h"
#include "number.h"
#include "store.h"
#include "survey_answer.h"
#include "survey_link.h"
#include "survey_page.h"
#include "track_page.h"

enum { BODY_BYTES = 32 * 1024, WEIGHT_BYTES = 32 * 1024 };

/* One request, from the link to its answer. */
struct survey_visit {
	struct item item; /* first: how accept gives it back */
	struct intake *in;
	struct http_request *req;
	bool answering; /* or only looking */
	struct uuid survey;
	struct survey_form form; /* as typed, or as it was answered first */
	char token[SURVEY_LINK_SIZE];
	char text[4 * FIELD_DESCRIPTION_CHARS + 1];
	bool answered, denied; /* already, as the record has it */
	int first_score;
	bool may_reopen, may_follow; /* what saying that it is not solved would do */
	bool denies; /* it takes back what was answered before */
	struct linked *linked;
	int64_t linked_id;
	struct survey_answer answer;
};

static void
visit_destroy(struct survey_visit *v)
{
	item_finish(&v->item);
	linked_destroy(v->linked);
	free(v);
}

static void
count(const struct survey_visit *v, size_t outcome)
{
	stats_add_at(v->in->stats, INTAKE_STAT_SURVEYS, outcome, 1);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void
begin_page(const struct survey_visit *v, struct html *h, enum survey_word title)
{
	enum catalogue_language language = html_language(v->req);
	char path[sizeof(SURVEY_LINK_PATH) + SURVEY_LINK_SIZE];

	(void)snprintf(path, sizeof(path), SURVEY_LINK_PATH "%s", v->token);
	html_begin(h, language, survey_word(title, language), path);
}

static void
reply_word(struct survey_visit *v, unsigned status, enum survey_word word, size_t outcome)
{
	struct html h;

	count(v, outcome);
	begin_page(v, &h, SURVEY_TITLE);
	html_complaint(&h, survey_word(word, h.language));
	html_reply(&h, v->req, status);
	visit_destroy(v);
}

/* SURVEY_WORDS: no complaint. */
static void
reply_form(struct survey_visit *v, unsigned status, enum survey_word complaint)
{
	struct html h;
	bool complains = complaint != SURVEY_WORDS;

	count(v, complains ? SURVEYED_REFUSED : SURVEYED_SHOWN);
	begin_page(v, &h, v->answered && !complains ? SURVEY_THANKS : SURVEY_TITLE);
	const char *words = complains ? survey_word(complaint, h.language) : NULL;
	if (v->answered)
		survey_page_thank(
		    &h, &v->form, !v->denied && (v->may_reopen || v->may_follow), 0, words);
	else
		survey_page_ask(&h, &v->form, words);
	html_reply(&h, v->req, status);
	visit_destroy(v);
}

static void
reply_thanks(struct survey_visit *v, size_t outcome)
{
	struct html h;

	count(v, outcome);
	begin_page(v, &h, SURVEY_THANKS);
	if (v->denies)
		v->form.score = v->first_score;
	survey_page_thank(&h, &v->form,
	    !v->form.not_solved && !v->denied && (v->may_reopen || v->may_follow), v->linked_id,
	    NULL);
	html_reply(&h, v->req, 200);
	visit_destroy(v);
}

/* --- recording -------------------------------------------------------------------------------- */

static void
on_answered(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct survey_visit *v = (struct survey_visit *)item;
	char path[sizeof(SURVEY_LINK_PATH) + SURVEY_LINK_SIZE + 16];

	(void)ticket_id;
	stats_add_at(v->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	switch (outcome) {
	case ITEM_ACCEPTED:
	case ITEM_SPOOLED:
		reply_thanks(v, v->denies ? SURVEYED_DENIED : SURVEYED_ANSWERED);
		return;
	case ITEM_DUPLICATE: /* the form was sent twice */
		reply_thanks(v, SURVEYED_REPEATED);
		return;
	case ITEM_ID_REUSED: { /* another one was first, just now: its page says what counts */
		const struct http_field to[] = { { "Location", path } };
		(void)snprintf(path, sizeof(path), SURVEY_LINK_PATH "%s?lang=%s", v->token,
		    catalogue_language_name(html_language(v->req)));
		count(v, SURVEYED_REPEATED);
		http_reply(v->req,
		    &(struct http_response){ .status = 303, .fields = to, .field_count = 1 });
		visit_destroy(v);
		return;
	}
	case ITEM_REFUSED:
	case ITEM_UNAVAILABLE:
	case ITEM_OUTCOMES:
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
		return;
	}
}

static void
record_answer(struct survey_visit *v)
{
	struct item *item = &v->item;
	const struct survey_said said = { .survey = v->survey,
		.ticket_id = v->form.ticket_id,
		.score = v->denies ? 0 : v->form.score,
		.solved = v->form.solved,
		.not_solved = v->form.not_solved,
		.again = v->denies,
		.text = v->text };

	item_init(item, on_answered);
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
	item->language = catalogue_language_name(html_language(v->req));
	survey_answer_fill(item, &v->in->maker, &said, &v->answer, clock_now_us());
	if (item_seal(item, &v->in->maker, item->time_us))
		accept_add(v->in->accept, item, clock_monotonic_ms());
	else
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
}

/* The new ticket first: who gives up in between has it, and has answered nothing. */
static void
on_linked(struct item *item, enum item_outcome outcome, int64_t ticket_id)
{
	struct survey_visit *v = (struct survey_visit *)item;
	bool there = outcome == ITEM_ACCEPTED || outcome == ITEM_SPOOLED
		     || outcome == ITEM_DUPLICATE || outcome == ITEM_ID_REUSED;

	stats_add_at(v->in->stats, INTAKE_STAT_ITEMS, outcome, 1);
	if (outcome == ITEM_ACCEPTED)
		stats_incr(v->in->stats, INTAKE_STAT_OPENED);
	/* Refused: its page at /track has opened one that follows, just now. */
	if (!there && outcome != ITEM_REFUSED) {
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
		return;
	}
	v->linked_id = there ? ticket_id : 0;
	item_finish(item);
	record_answer(v);
}

static void
record_linked(struct survey_visit *v, const struct pg_result *opener)
{
	struct item *item = &v->item;
	int64_t now_us = clock_now_us();

	item_init(item, on_linked);
	v->linked = db_rows(opener) == 0 ? NULL : linked_begin(opener, item);
	if (v->linked == NULL
	    || !numbers_take(v->in->numbers, number_year(now_us), &item->ticket_id)) {
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
		return;
	}
	survey_answer_identify(
	    item, &v->in->maker, &v->survey, SURVEY_ID_LINKED, v->text, &v->answer);
	item->channel = TURUNC__V1__CHANNEL__CHANNEL_WEB;
	item->time_us = item->arrived_us = now_us;
	item->description = v->text;
	item->earlier_id = v->form.ticket_id;
	if (item_seal(item, &v->in->maker, now_us))
		accept_add(v->in->accept, item, clock_monotonic_ms());
	else
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
}

/* --- what may be said ------------------------------------------------------------------------- */

static void
take_answer(struct survey_visit *v, const struct pg_result *opener)
{
	bool written = strspn(v->text, " \n\t") < strlen(v->text);
	bool opens = v->form.not_solved && v->may_follow;

	v->denies = v->answered;
	if (v->answered && (v->denied || !v->form.not_solved)) {
		/* A repeat, or another score: the first one is the answer. */
		v->form.score = v->first_score;
		v->form.not_solved = v->denied;
		v->denies = false;
		reply_thanks(v, SURVEYED_REPEATED);
	} else if (!v->answered && v->form.score == 0) {
		reply_form(v, 400, SURVEY_NO_SCORE);
	} else if (opens && !written) {
		v->form.score = v->answered ? v->first_score : v->form.score;
		reply_form(v, 400, SURVEY_NO_WORDS);
	} else if (opens) {
		record_linked(v, opener);
	} else {
		record_answer(v);
	}
}

static void
on_ticket(void *arg, const struct db_reply *reply)
{
	struct survey_visit *v = arg;
	const struct catalogue *cat = registry_catalogue(v->in->registry);

	if (reply->outcome != DB_COMMITTED || cat == NULL || db_rows(reply->results[0]) == 0) {
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
		return;
	}
	unsigned may = track_may_say(cat, reply->results[0], reply->results[1], clock_now_us());
	v->may_reopen = (may & TRACK_NOT_SOLVED) != 0;
	v->may_follow = v->form.closed = (may & TRACK_FOLLOW) != 0;
	if (v->answering) {
		take_answer(v, reply->results[2]);
		return;
	}
	v->form.score = v->answered ? v->first_score : 0;
	v->form.not_solved = v->denied;
	reply_form(v, 200, SURVEY_WORDS);
}

static void
ask_ticket(struct survey_visit *v)
{
	static const size_t statements[] = { STORE_TRACK, STORE_TRACK_LINKS, STORE_TRACK_OPENER };
	struct db_unit *unit = db_unit_create(v->in->reader);

	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		db_unit_add(unit, statements[i]);
		db_add_int8(unit, v->form.ticket_id);
	}
	if (db_submit(v->in->reader, unit, on_ticket, v))
		return;
	db_unit_destroy(unit);
	reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
}

static void
on_survey(void *arg, const struct db_reply *reply)
{
	struct survey_visit *v = arg;

	if (reply->outcome != DB_COMMITTED) {
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	if (db_rows(rows) == 0 || db_get_int(rows, 0, SURVEY_EXPIRES) == 0) {
		/* Ours, but of another history of the record. */
		reply_word(v, 404, SURVEY_WRONG, SURVEYED_WRONG);
		return;
	}
	v->form.ticket_id = db_get_int(rows, 0, SURVEY_TICKET);
	v->answered = db_get_bool(rows, 0, SURVEY_ANSWERED);
	v->denied = db_get_bool(rows, 0, SURVEY_DENIED);
	v->first_score = db_is_null(rows, 0, SURVEY_SCORE) ? 0
							   : (int)db_get_int(rows, 0, SURVEY_SCORE);
	if (db_get_bool(rows, 0, SURVEY_ERASED))
		reply_word(v, 410, SURVEY_FORGOTTEN, SURVEYED_OVER);
	else if (clock_now_us() >= db_get_int(rows, 0, SURVEY_EXPIRES))
		reply_word(v, 410, SURVEY_OVER, SURVEYED_OVER);
	else
		ask_ticket(v);
}

/* --- requests --------------------------------------------------------------------------------- */

/* False: it was answered.  Who brings wrong links is slowed down as who guesses digits is. */
static bool
link_fits(struct survey_visit *v, const char *token)
{
	struct intake *in = v->in;
	const char *address = http_client_network(v->req);
	uint64_t wait_ms;

	if (!ratelimit_take(
		in->track_per_address, address, strlen(address), clock_monotonic_ms(), &wait_ms)) {
		reply_word(v, 429, SURVEY_TOO_MANY, SURVEYED_LIMITED);
		return false;
	}
	if (!in->mail_key.given
	    || !survey_link_read(
		in->mail_key.bytes, sizeof(in->mail_key.bytes), token, &v->survey)) {
		reply_word(v, 404, SURVEY_WRONG, SURVEYED_WRONG);
		return false;
	}
	ratelimit_give_back(in->track_per_address, address, strlen(address));
	memcpy(v->token, token, SURVEY_LINK_SIZE);
	return true;
}

static struct survey_visit *
visit_begin(struct http_request *req, struct intake *in, bool answering)
{
	struct survey_visit *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		http_reply_retry(req, 503, "Out of memory.", 1);
		return NULL;
	}
	item_init(&v->item, on_answered);
	v->in = in;
	v->req = req;
	v->answering = answering;
	v->form.token = v->token;
	v->form.text = v->text;
	return link_fits(v, http_path_param(req, "token")) ? v : NULL;
}

static void
ask_survey(struct survey_visit *v)
{
	struct db_unit *unit = db_unit_create(v->in->reader);

	db_unit_add(unit, STORE_SURVEY);
	db_add_uuid(unit, &v->survey);
	if (db_submit(v->in->reader, unit, on_survey, v))
		return;
	db_unit_destroy(unit);
	reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
}

static void
get_survey(struct http_request *req, void *arg)
{
	struct survey_visit *v = visit_begin(req, arg, false);

	if (v != NULL)
		ask_survey(v);
}

/* Browsers send line ends as CR LF.  False: it is too long, or no text. */
static bool
take_text(struct survey_visit *v, const char *text)
{
	struct problems p = { 0 };
	size_t len = 0;

	for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
		if (*c == '\r')
			continue;
		if (len + 1 >= sizeof(v->text))
			return false;
		v->text[len++] = *c;
	}
	v->text[len] = '\0';
	return field_check_text(&p, "text", v->text, FIELD_LINES, FIELD_DESCRIPTION_CHARS);
}

static void
post_survey(struct http_request *req, void *arg)
{
	struct intake *in = arg;
	struct survey_visit *v = visit_begin(req, in, true);
	const char *why;

	if (v == NULL)
		return;
	const char *score = http_form(req, "score", NULL), *solved = http_form(req, "solved", NULL);
	if (score != NULL && strlen(score) == 1 && score[0] >= '1' && score[0] <= '5')
		v->form.score = score[0] - '0';
	v->form.solved = solved != NULL && strcmp(solved, "yes") == 0;
	v->form.not_solved = solved != NULL && strcmp(solved, "no") == 0;
	if (!intake_takes(in, 1, WEIGHT_BYTES, &why))
		reply_word(v, 503, SURVEY_AWAY, SURVEYED_AWAY);
	else if (!door_within_rate(in, req))
		reply_word(v, 429, SURVEY_TOO_MANY, SURVEYED_LIMITED);
	else if (!take_text(v, http_form(req, "text", NULL)))
		reply_word(v, 400, SURVEY_TOO_LONG, SURVEYED_REFUSED);
	else
		ask_survey(v);
}

const struct http_route door_survey_routes[] = {
	{ HTTP_GET, "/anket/{token}", get_survey, 0 },
	{ HTTP_POST, "/anket/{token}", post_survey, BODY_BYTES },
	{ HTTP_GET, "/survey/{token}", get_survey, 0 },
	{ HTTP_POST, "/survey/{token}", post_survey, BODY_BYTES },
};
const size_t door_survey_route_count = ARRAY_LEN(door_survey_routes);
