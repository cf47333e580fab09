/* Reads a ticket for a person, notes that they look when the law asks for it, and shows it. */
#include "desk_ticket.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "number.h"
#include "status_words.h"
#include "step_form.h"
#include "turunc/v1/bus.pb-c.h"

enum { HISTORY_MAX = 300 };

static void
finish(struct visit *v)
{
	struct ticket_visit *t = (struct ticket_visit *)v;

	if (t->page.out != NULL)
		evbuffer_free(t->page.out);
	photos_finish(&t->photos);
}

/* To somebody whose roles do not cover it: that it is there, and whose it is; no more than a system
 * on the bus is told. */
static void
show_short(struct ticket_visit *t, const struct pg_result *row)
{
	const char *department = db_get_text(row, 0, ONE_DEPARTMENT);
	char number[NUMBER_SIZE];
	struct html h;

	if (!number_format(db_get_int(row, 0, ONE_TICKET), number))
		number[0] = '\0';
	stats_incr(t->v.desk->stats, DESK_STAT_FORBIDDEN);
	page_open(&h, &t->v, number);
	html_complaint(&h, desk_word(WORD_NOT_YOURS, t->v.language));
	html_raw(&h, "<p class=\"status\"><b>");
	html_text(&h, status_word(db_get_int(row, 0, ONE_STATUS), h.language));
	html_raw(&h, "</b> ");
	html_text(&h, desk_department(visit_catalogue(&t->v), department, h.language));
	html_raw(&h, "</p>\n");
	page_reply(&h, &t->v, 403);
}

static void
on_noted(struct visit *v, bool noted)
{
	struct ticket_visit *t = (struct ticket_visit *)v;

	if (!noted) {
		page_say(v, 503, WORD_AWAY);
		return;
	}
	struct html page = t->page;
	t->page.out = NULL;
	page_reply(&page, v, t->status);
}

static void
show(struct ticket_visit *t, const struct ticket_rows *rows)
{
	const char *subject = db_get_text(rows->ticket, 0, ONE_SUBJECT);
	const struct desk_look look = { .ticket_id = db_get_int(rows->ticket, 0, ONE_TICKET),
		.version = (uint32_t)db_get_int(rows->ticket, 0, ONE_VERSION),
		.department = db_get_text(rows->ticket, 0, ONE_DEPARTMENT),
		.subject_code = subject };
	bool noted = catalogue_is_special(visit_catalogue(&t->v), subject)
		     && asker_sees_people(&t->v.who);
	char number[NUMBER_SIZE];

	if (!number_format(look.ticket_id, number))
		number[0] = '\0';
	page_open(&t->page, &t->v, number);
	ticket_page_write(&t->page, t, rows, clock_now_us());
	desk_note_looks(&t->v, "desk", &look, noted ? 1 : 0, on_noted);
}

static void
on_rows(void *arg, const struct db_reply *reply)
{
	struct ticket_visit *t = arg;
	const struct pg_result *const *r = reply->results;

	if (reply->outcome != DB_COMMITTED || visit_catalogue(&t->v) == NULL) {
		page_say(&t->v, 503, WORD_AWAY);
		return;
	}
	const struct ticket_rows rows = { r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8],
		r[9] };
	if (db_rows(rows.ticket) == 0)
		page_say(&t->v, 404, WORD_NO_TICKET);
	else if (!asker_covers(&t->v.who, db_get_text(rows.ticket, 0, ONE_DEPARTMENT)))
		show_short(t, rows.ticket);
	else
		show(t, &rows);
}

void
ticket_show(struct ticket_visit *t)
{
	struct db *db = t->v.desk->world.reader;
	struct db_unit *unit = db_unit_create(db);

	for (size_t s = DESK_TICKET; s <= DESK_LINKS; s++) {
		db_unit_add(unit, s);
		db_add_int8(unit, t->ticket_id);
		if (s == DESK_HISTORY)
			db_add_int8(unit, HISTORY_MAX);
	}
	if (db_submit(db, unit, on_rows, t))
		return;
	db_unit_destroy(unit);
	page_say(&t->v, 503, WORD_AWAY);
}

static void
known_ticket(void *arg, struct http_request *req, const struct person *who)
{
	struct ticket_visit *t = visit_begin(arg, req, who, PAGE_TICKET, sizeof(*t), finish);

	if (t == NULL)
		return;
	t->status = 200;
	if (number_parse(http_path_param(req, "number"), &t->ticket_id) != NUMBER_OK)
		page_say(&t->v, 404, WORD_NOT_A_NUMBER);
	else
		ticket_show(t);
}

void
desk_get_ticket(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, DESK_READERS, known_ticket, arg);
}

/* --- a step (the form of desk_ticket_steps.c) ---------------------------------------------------
 */

/* After a transfer it may be another department's. */
static bool
still_theirs(const struct ticket_visit *t)
{
	const char *department = http_form(t->v.req, "department", NULL);

	return t->attempt.verb != VERB_TRANSFER
	       || (department != NULL && asker_covers(&t->v.who, department));
}

/* What the record does not speak of has no place in the folder; what it may speak of stays, and
 * goes as an orphan if it does not. */
static void
settle_photos(struct ticket_visit *t, bool kept)
{
	stats_add_at(t->v.desk->stats, DESK_STAT_PHOTOS,
	    kept ? DESK_PHOTOS_STORED : DESK_PHOTOS_DROPPED, t->photos.stored_count);
	if (!kept)
		photos_drop(&t->photos);
}

static void
on_answered(void *arg, const struct command_answer *answer)
{
	struct ticket_visit *t = arg;
	const char *back = http_form(t->v.req, "back", NULL);
	char path[DESK_PATH_BYTES], number[NUMBER_SIZE];

	settle_photos(t, answer->kept);
	if (!number_format(t->ticket_id, number))
		number[0] = '\0';
	if (answer->refusal == TURUNC__V1__REFUSAL_CODE__REFUSAL_UNSPECIFIED) {
		bool triage = back != NULL && strcmp(back, "-") == 0;
		bool stays = !triage && still_theirs(t);
		(void)snprintf(path, sizeof(path), "/desk/%s%s?lang=%s&done=%s&of=%s%s",
		    stays ? "ticket/" : "", stays ? number : "",
		    catalogue_language_name(t->v.language), status_rule(t->attempt.verb)->verb,
		    number, triage ? "&department=-" : "");
		page_go(&t->v, path);
		return;
	}
	t->attempt.made = true;
	t->attempt.refusal = answer->refusal;
	(void)snprintf(t->attempt.why, sizeof(t->attempt.why), "%s", answer->text);
	switch (answer->refusal) {
	case TURUNC__V1__REFUSAL_CODE__REFUSAL_STALE_VERSION:
		stats_incr(t->v.desk->stats, DESK_STAT_STALE);
		t->status = 409;
		break;
	case TURUNC__V1__REFUSAL_CODE__REFUSAL_FORBIDDEN:
		stats_incr(t->v.desk->stats, DESK_STAT_FORBIDDEN);
		t->status = 403;
		break;
	case TURUNC__V1__REFUSAL_CODE__REFUSAL_UNAVAILABLE:
		stats_incr(t->v.desk->stats, DESK_STAT_AWAY);
		t->status = 503;
		break;
	case TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD:
		stats_incr(t->v.desk->stats, DESK_STAT_REFUSED);
		t->status = 422;
		break;
	default:
		stats_incr(t->v.desk->stats, DESK_STAT_REFUSED);
		t->status = 409;
		break;
	}
	ticket_show(t);
}

/* The photos last: from here on they would have to be taken away again.  False: one is not fine, or
 * they cannot be kept; nothing of them stands anywhere. */
static bool
take_photos(struct ticket_visit *t, struct command_photos *ret)
{
	const struct desk_world *world = &t->v.desk->world;
	struct photos_fault fault = photos_read(&t->photos, t->v.req, &world->photo_limits);

	*ret = (struct command_photos){ .count = t->photos.count };
	t->attempt.had_photos = photos_sent(t->v.req);
	if (fault.problem == PHOTOS_FINE && t->photos.count > 0) {
		for (size_t i = 0; i < t->photos.count; i++)
			photos_digest(&t->photos, i, ret->content[i]);
		if (world->attachments == NULL)
			fault.problem = PHOTOS_NOT_KEPT;
		else
			fault = photos_store(&t->photos, world->attachments);
		memcpy(ret->stored, t->photos.stored, sizeof(ret->stored));
	}
	if (fault.problem == PHOTOS_FINE)
		return true;
	stats_add_at(t->v.desk->stats, DESK_STAT_PHOTOS, DESK_PHOTOS_TURNED_DOWN, 1);
	photos_words(&fault, t->v.language, t->attempt.photos);
	t->status = fault.problem == PHOTOS_NOT_KEPT ? 503 : 422;
	t->attempt.made = true;
	t->attempt.refusal = TURUNC__V1__REFUSAL_CODE__REFUSAL_BAD_FIELD;
	return false;
}

static void
known_step(void *arg, struct http_request *req, const struct person *who)
{
	struct ticket_visit *t = visit_begin(arg, req, who, PAGE_STEP, sizeof(*t), finish);
	struct step_form form;
	struct command_photos photos;

	if (t == NULL)
		return;
	if (number_parse(http_path_param(req, "number"), &t->ticket_id) != NUMBER_OK) {
		page_say(&t->v, 404, WORD_NOT_A_NUMBER);
		return;
	}
	if (!step_form_read(&form, req)) {
		page_say(&t->v, 503, WORD_AWAY);
		return;
	}
	t->attempt.verb = form.verb;
	t->attempt.seen_version = (int64_t)form.command.expected_version;
	if (take_photos(t, &photos))
		commands_ask(
		    t->v.desk->world.commands, &t->v.who, &form.command, &photos, on_answered, t);
	else
		ticket_show(t);
	step_form_finish(&form);
}

void
desk_post_ticket(struct http_request *req, void *arg)
{
	people_ask(((struct desk *)arg)->world.people, req, DESK_WORKERS, known_step, arg);
}
