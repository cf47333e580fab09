/* Keeps the rows of who is to be asked, and moves those that are due. */
#include "surveying.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "istanbul.h"
#include "log.h"
#include "notifier_stats.h"
#include "store.h"
#include "survey_record.h"
#include "telling.h"

enum { LOOK_MS = 500, RETRY_MS = 500, BATCH_MAX = 64 };

struct moving {
	struct uuid id;
	int64_t ticket_id;
	uint64_t ended_seq;
	enum survey_state from;
	struct survey_step step;
};

struct surveying {
	struct surveying_world world;
	bool busy, stopping, more;
	size_t count; /* under way */
	struct moving moving[BATCH_MAX];
	uint64_t look_at_ms;
	uint64_t clock_seen;
};

struct surveying *
surveying_create(const struct surveying_world *world)
{
	struct surveying *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->world = *world;
	return s;
}

void
surveying_destroy(struct surveying *s)
{
	free(s);
}

/* --- rows for the ends of tickets --------------------------------------------------------------
 */

static bool
is_invitation(const struct news *news)
{
	return !uuid_is_nil(&news->survey_id);
}

static void
note_ends(struct db_unit *unit, struct uuid_source *ids, const struct news *news, size_t count,
    const struct pg_result *people, int64_t delay_us, int64_t now_us)
{
	struct db_array *surveys = NULL, *tickets = NULL, *seqs = NULL;
	struct uuid id;

	for (size_t i = 0; i < count; i++) {
		if (news[i].faulty || !news_ends(&news[i]) || !telling_knows(&news[i], people))
			continue;
		if (surveys == NULL) {
			db_unit_add(unit, STORE_SURVEY_END);
			surveys = db_add_array(unit, DB_UUID);
			tickets = db_add_array(unit, DB_INT8);
			seqs = db_add_array(unit, DB_INT8);
			db_add_int8(unit, delay_us);
		}
		uuid_next(ids, now_us, &id);
		db_array_uuid(surveys, &id);
		db_array_int8(tickets, news[i].ticket_id);
		db_array_int8(seqs, (int64_t)news[i].seq);
	}
}

/* The message of an invitation bears the number of its record: by it the ladder finds what became
 * of it. */
static void
note_invitations(struct db_unit *unit, const struct news *news, size_t count)
{
	struct db_array *surveys = NULL, *seqs = NULL, *reminders = NULL;

	for (size_t i = 0; i < count; i++) {
		if (news[i].faulty || !is_invitation(&news[i]))
			continue;
		if (surveys == NULL) {
			db_unit_add(unit, STORE_SURVEY_SEQ);
			surveys = db_add_array(unit, DB_UUID);
			seqs = db_add_array(unit, DB_INT8);
			reminders = db_add_array(unit, DB_BOOL);
		}
		db_array_uuid(surveys, &news[i].survey_id);
		db_array_int8(seqs, (int64_t)news[i].seq);
		db_array_bool(reminders, strcmp(news[i].type, NEWS_SURVEY_REMINDED) == 0);
	}
}

void
surveying_note(struct db_unit *unit, struct uuid_source *ids,
    const struct catalogue_municipality *m, const struct news *news, size_t count,
    const struct pg_result *people, int64_t now_us)
{
	note_ends(unit, ids, news, count, people, (int64_t)m->survey_delay_hours * 60 * US_PER_MIN,
	    now_us);
	note_invitations(unit, news, count);
}

/* --- what is decided -------------------------------------------------------------------------- */

static struct survey_step
nobody(const char *reason)
{
	return (
	    struct survey_step){ .next = SURVEY_NOBODY, .type = SURVEY_SKIPPED, .reason = reason };
}

static struct survey_step
decide_invitation(
    const struct catalogue *catalogue, const struct survey_due *due, bool has_links, int64_t now_us)
{
	const struct catalogue_municipality *m = &catalogue->municipality;
	int64_t expiry_us = m->survey_expiry_days * US_PER_DAY;
	bool reminds = m->survey_reminder_days > 0
		       && m->survey_reminder_days < m->survey_expiry_days;
	const struct person person = { .email = due->email, .phone = due->phone };
	enum catalogue_language language = m->default_language;

	if (!m->survey_enabled || !has_links)
		return nobody("disabled");
	if (due->reopened)
		return nobody("reopened");
	if (due->erased)
		return nobody("erased");
	const char *channel = compose_channel(&person);
	if (channel == NULL)
		return nobody(due->marked ? "unreachable" : "no_address");
	if (strcmp(channel, "sms") == 0 && due->opted_out)
		return nobody("opted_out");
	if (strcmp(channel, "email") == 0 && due->refused)
		return nobody("refused");
	if (now_us - due->due_us > expiry_us)
		return nobody("late");
	if (!catalogue_language_parse(due->language, &language))
		language = m->default_language;
	if (catalogue_template(catalogue, "survey", channel, language, false) == NULL)
		return nobody("disabled");
	return (struct survey_step){ .next = reminds ? SURVEY_INVITED : SURVEY_SETTLED,
		.type = NEWS_SURVEY_INVITED,
		.reason = "",
		.due_us = reminds ? now_us + m->survey_reminder_days * US_PER_DAY : 0,
		.expires_us = now_us + expiry_us };
}

struct survey_step
survey_decide(
    const struct catalogue *catalogue, const struct survey_due *due, bool has_links, int64_t now_us)
{
	struct survey_step step = { .next = SURVEY_SETTLED, .reason = "" };

	assert(due->state == SURVEY_WAITING || due->state == SURVEY_INVITED);
	if (due->state == SURVEY_WAITING)
		return decide_invitation(catalogue, due, has_links, now_us);
	bool wanted = catalogue->municipality.survey_enabled && has_links && !due->answered
		      && !due->reopened && !due->erased && !due->refused
		      && now_us < due->expires_us;
	if (wanted)
		step.type = NEWS_SURVEY_REMINDED;
	return step;
}

/* --- moving ----------------------------------------------------------------------------------- */

static void
count_steps(struct surveying *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct moving *m = &s->moving[i];
		if (m->step.next == SURVEY_NOBODY)
			stats_add_at(s->world.stats, NOTIFIER_STAT_SURVEYS, SURVEYS_NOBODY, 1);
		else if (m->step.type != NULL)
			stats_add_at(s->world.stats, NOTIFIER_STAT_SURVEYS,
			    m->from == SURVEY_WAITING ? SURVEYS_INVITED : SURVEYS_REMINDED, 1);
	}
}

static void
on_moved(void *arg, const struct db_reply *reply)
{
	struct surveying *s = arg;

	s->busy = false;
	if (reply->outcome == DB_COMMITTED) {
		count_steps(s);
		s->look_at_ms = s->more ? 0 : s->look_at_ms;
		return;
	}
	/* Whether they were moved or not, the rows say: what is still due is looked for again. */
	log_warn("invitations not written down yet, again soon outcome=%d sqlstate=%s",
	    (int)reply->outcome, reply->sqlstate);
	s->look_at_ms = clock_monotonic_ms() + RETRY_MS;
}

static struct db_unit *
unit_of(struct surveying *s, int64_t now_us)
{
	struct db_unit *unit = db_unit_create(s->world.db);
	uint8_t packed[SURVEY_RECORD_MAX];

	db_unit_add(unit, STORE_SURVEY_MOVE);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	struct db_array *from = db_add_array(unit, DB_INT2);
	struct db_array *next = db_add_array(unit, DB_INT2);
	struct db_array *reasons = db_add_array(unit, DB_TEXT);
	struct db_array *due = db_add_array(unit, DB_INT8);
	struct db_array *expires = db_add_array(unit, DB_INT8);
	struct db_array *types = db_add_array(unit, DB_TEXT);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	db_add_int8(unit, now_us);
	for (size_t i = 0; i < s->count; i++) {
		const struct moving *m = &s->moving[i];
		db_array_uuid(ids, &m->id);
		db_array_int2(from, (int16_t)m->from);
		db_array_int2(next, (int16_t)m->step.next);
		db_array_text(reasons, m->step.reason);
		db_array_int8(due, m->step.due_us);
		db_array_int8(expires, m->step.expires_us);
		db_array_text(types, m->step.type);
		db_array_int8(tickets, m->ticket_id);
		if (m->step.type == NULL) {
			db_array_null(events);
			continue;
		}
		size_t size = survey_record_pack(&(struct survey_record){ m->step.type, m->id,
						     m->ticket_id, m->ended_seq, m->step.reason },
		    s->world.ids, now_us, packed);
		db_array_bytea(events, packed, size);
	}
	return unit;
}

static struct survey_due
due_of(const struct pg_result *rows, int row)
{
	static const char nothing[] = "";
	const char *email = db_get_text_or_null(rows, row, SURVEY_DUE_EMAIL);
	const char *phone = db_get_text_or_null(rows, row, SURVEY_DUE_PHONE);
	const char *language = db_get_text_or_null(rows, row, SURVEY_DUE_LANGUAGE);

	return (struct survey_due){
		.state = (enum survey_state)db_get_int(rows, row, SURVEY_DUE_STATE),
		.due_us = db_get_int(rows, row, SURVEY_DUE_AT),
		.expires_us = db_get_int(rows, row, SURVEY_DUE_EXPIRES),
		.reopened = db_get_bool(rows, row, SURVEY_DUE_REOPENED),
		.erased = db_get_bool(rows, row, SURVEY_DUE_ERASED),
		.answered = db_get_bool(rows, row, SURVEY_DUE_ANSWERED),
		.marked = email == NULL && db_get_bool(rows, row, SURVEY_DUE_GAVE_EMAIL),
		.opted_out = db_get_bool(rows, row, SURVEY_DUE_OPTED_OUT),
		.refused = db_get_bool(rows, row, SURVEY_DUE_REFUSED),
		.email = email != NULL ? email : nothing,
		.phone = phone != NULL ? phone : nothing,
		.language = language != NULL ? language : nothing,
	};
}

static void
on_due(void *arg, const struct db_reply *reply)
{
	struct surveying *s = arg;
	const struct catalogue *catalogue = registry_catalogue(s->world.registry);
	int64_t now_us = clock_now_us();

	s->busy = false;
	if (reply->outcome != DB_COMMITTED || catalogue == NULL || s->stopping) {
		s->look_at_ms = clock_monotonic_ms() + RETRY_MS;
		return;
	}
	const struct pg_result *rows = reply->results[0];
	s->count = (size_t)db_rows(rows);
	s->more = s->count == BATCH_MAX;
	if (s->count == 0)
		return;
	for (int row = 0; row < db_rows(rows); row++) {
		const struct survey_due due = due_of(rows, row);
		s->moving[row] = (struct moving){ .id = db_get_uuid(rows, row, SURVEY_DUE_ID),
			.ticket_id = db_get_int(rows, row, SURVEY_DUE_TICKET),
			.ended_seq = (uint64_t)db_get_int(rows, row, SURVEY_DUE_ENDED_SEQ),
			.from = due.state,
			.step = survey_decide(catalogue, &due, s->world.has_links, now_us) };
	}
	struct db_unit *unit = unit_of(s, now_us);
	s->busy = db_submit(s->world.db, unit, on_moved, s);
	if (!s->busy)
		db_unit_destroy(unit);
}

int64_t
surveying_tick(struct surveying *s, uint64_t now_ms)
{
	if (s->busy || s->stopping || db_state_now(s->world.db) != DB_READY
	    || registry_catalogue(s->world.registry) == NULL)
		return -1;
	if (now_ms < s->look_at_ms && !clock_was_set(&s->clock_seen))
		return (int64_t)(s->look_at_ms - now_ms);
	s->look_at_ms = now_ms + LOOK_MS;
	struct db_unit *unit = db_unit_create(s->world.db);
	db_unit_add(unit, STORE_SURVEY_DUE);
	db_add_int8(unit, clock_now_us());
	db_add_int4(unit, BATCH_MAX);
	s->busy = db_submit(s->world.db, unit, on_due, s);
	if (!s->busy)
		db_unit_destroy(unit);
	return LOOK_MS;
}

void
surveying_stop(struct surveying *s)
{
	s->stopping = true;
}

bool
surveying_busy(const struct surveying *s)
{
	return s->busy;
}
