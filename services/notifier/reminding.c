/* Makes and sends the digests for departments. */
#include "reminding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "istanbul.h"
#include "log.h"
#include "mail.h"
#include "notifier_stats.h"
#include "reminder.h"
#include "store.h"

enum {
	RETRY_MS = 2000, /* when the record did not answer */
	KINDS = 3,
	CODE_BYTES = 48,
	LOST_AFTER_S = 600, /* longer than any digest is on its way */
};
/* The numbers are those of turunc.reminder. */
enum state { STATE_QUEUED = 1, STATE_SENT = 3, STATE_UNKNOWN, STATE_FAILED };

struct reminding {
	struct reminding_world world;
	struct smtp_config smtp;
	struct channel *channel;
	bool stopping;
	bool busy; /* a unit is on its way */
	bool sending; /* a digest is */
	uint64_t look_ms; /* when to look again */
	/* the look under way */
	size_t next; /* of the catalogue's departments */
	char department[CODE_BYTES];
	int64_t window_us;
	size_t empty; /* of the digests being written */
};

static void on_sent(void *arg, struct job *job);
static void claim(struct reminding *r);
static void go_on(struct reminding *r);

struct reminding *
reminding_create(const struct reminding_world *world)
{
	struct reminding *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->world = *world;
	r->smtp = world->smtp;
	const struct channel_options options = { .name = "reminders",
		.workers = 1,
		.work = channel_smtp_work,
		.config = &r->smtp,
		.on_done = on_sent,
		.arg = r };
	r->channel = channel_open(world->loop, &options);
	if (r->channel == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
reminding_destroy(struct reminding *r)
{
	if (r == NULL)
		return;
	channel_close(r->channel);
	free(r);
}

void
reminding_stop(struct reminding *r)
{
	r->stopping = true;
	channel_stop(r->channel);
}

bool
reminding_busy(const struct reminding *r)
{
	return r->busy || r->sending;
}

/* What is on its way is over; the record says later how things stand. */
static void
look_later(struct reminding *r, uint64_t in_ms)
{
	r->look_ms = clock_monotonic_ms() + in_ms;
	r->world.wake(r->world.arg);
}

static bool
submit(struct reminding *r, struct db_unit *unit, db_done_fn *done)
{
	r->busy = db_submit(r->world.db, unit, done, r);
	if (!r->busy) {
		db_unit_destroy(unit);
		look_later(r, RETRY_MS);
	}
	return r->busy;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;

	r->busy = false;
	/* A row that stays "sending" is given up by a later look; it is not sent again. */
	if (reply->outcome != DB_COMMITTED)
		log_warn(
		    "what became of a digest was not written down sqlstate=%s", reply->sqlstate);
	look_later(r, reply->outcome == DB_COMMITTED ? 0 : RETRY_MS);
}

static void
settle(struct reminding *r, const struct uuid *id, uint32_t attempt, enum outcome outcome,
    const char *detail)
{
	static const struct {
		enum state state;
		enum reminders counted;
	} ends[OUTCOMES] = {
		[OUTCOME_ACCEPTED] = { STATE_SENT, REMINDERS_SENT },
		[OUTCOME_REFUSED] = { STATE_FAILED, REMINDERS_FAILED },
		[OUTCOME_DEFERRED] = { STATE_QUEUED, REMINDERS_AGAIN },
		[OUTCOME_UNREACHABLE] = { STATE_QUEUED, REMINDERS_AGAIN },
		[OUTCOME_UNKNOWN] = { STATE_UNKNOWN, REMINDERS_UNKNOWN },
	};
	struct db_unit *unit = db_unit_create(r->world.db);
	int64_t now_us = clock_now_us();

	stats_add_at(r->world.stats, NOTIFIER_STAT_REMINDERS, ends[outcome].counted, 1);
	if (outcome != OUTCOME_ACCEPTED)
		log_warn("digest for a department not sent outcome=%s why=%s",
		    outcome_name(outcome), log_quoted(detail));
	db_unit_add(unit, STORE_REMIND_SETTLE);
	db_add_uuid(unit, id);
	db_add_int4(unit, (int32_t)attempt);
	db_add_int2(unit, (int16_t)ends[outcome].state);
	if (ends[outcome].state == STATE_QUEUED)
		db_add_int8(unit, now_us + (int64_t)r->world.retry_ms * 1000);
	else
		db_add_null(unit);
	db_add_text(unit, detail);
	db_add_int8(unit, now_us);
	(void)submit(r, unit, on_settled);
}

static void
on_sent(void *arg, struct job *job)
{
	struct reminding *r = arg;

	r->sending = false;
	settle(r, &job->notification_id, job->attempt, job->outcome, job->detail);
	job_destroy(job);
}

/* NULL: it cannot be written, and *ret_why says why. */
static struct job *
job_of(struct reminding *r, const struct pg_result *rows, const char **ret_why)
{
	const struct catalogue *cat = registry_catalogue(r->world.registry);
	struct job *job = calloc(1, sizeof(*job));
	char id[UUID_TEXT_SIZE];

	*ret_why = "out of memory";
	if (job == NULL)
		return NULL;
	job->notification_id = db_get_uuid(rows, 0, REMIND_CLAIM_ID);
	job->attempt = (uint32_t)db_get_int(rows, 0, REMIND_CLAIM_ATTEMPTS);
	uuid_format(&job->notification_id, id);
	const struct mail mail = { .from = cat->municipality.email_from,
		.from_name = cat->municipality.name,
		.to = db_get_text(rows, 0, REMIND_CLAIM_RECIPIENT),
		.reply_to = "",
		.stop_url = "",
		.subject = db_get_text(rows, 0, REMIND_CLAIM_SUBJECT),
		.body = db_get_text(rows, 0, REMIND_CLAIM_BODY),
		.html = "",
		.message_id = id,
		.ticket = "",
		.language = catalogue_language_name(cat->municipality.default_language),
		.date_us = clock_now_us() };
	job->sender = strdup(mail.from);
	job->recipient = strdup(mail.to);
	job->payload = mail_compose(&mail, &job->payload_size, ret_why);
	if (job->sender != NULL && job->recipient != NULL && job->payload != NULL)
		return job;
	job_destroy(job);
	return NULL;
}

static void
on_claimed(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;
	const char *why;

	r->busy = false;
	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) == 0) {
		look_later(r, reply->outcome == DB_COMMITTED ? r->world.look_ms : RETRY_MS);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	struct job *job = job_of(r, rows, &why);
	if (job == NULL) {
		struct uuid id = db_get_uuid(rows, 0, REMIND_CLAIM_ID);
		settle(r, &id, (uint32_t)db_get_int(rows, 0, REMIND_CLAIM_ATTEMPTS),
		    OUTCOME_REFUSED, why);
		return;
	}
	if (r->stopping) {
		job->outcome = OUTCOME_UNREACHABLE;
		on_sent(r, job);
		return;
	}
	r->sending = true;
	channel_send(r->channel, job);
}

static void
claim(struct reminding *r)
{
	int64_t now_us = clock_now_us();
	struct db_unit *unit = db_unit_create(r->world.db);

	if (r->smtp.url == NULL) {
		db_unit_destroy(unit);
		look_later(r, r->world.look_ms);
		return;
	}
	db_unit_add(unit, STORE_REMIND_CLAIM);
	db_add_int8(unit, now_us);
	db_add_int8(unit, now_us - LOST_AFTER_S * US_PER_S);
	db_add_int8(unit, now_us - REMINDER_OPEN_HOURS * 3600 * US_PER_S);
	(void)submit(r, unit, on_claimed);
}

/* --- making ----------------------------------------------------------------------------------- */

/* What one digest is made of. */
struct digest_of {
	enum reminder_kind kind;
	struct reminder_item items[REMINDER_ITEMS_MAX];
	size_t count;
	bool more;
};

static void
read_items(struct digest_of *d, const struct pg_result *rows)
{
	d->more = db_rows(rows) > REMINDER_ITEMS_MAX;
	for (int row = 0; row < db_rows(rows) && d->count < REMINDER_ITEMS_MAX; row++)
		d->items[d->count++] = (struct reminder_item){
			.ticket_id = db_get_int(rows, row, REMIND_TICKET),
			.department = db_get_text(rows, row, REMIND_DEPARTMENT),
			.subject = db_get_text(rows, row, REMIND_SUBJECT),
			.neighbourhood = db_get_text(rows, row, REMIND_NEIGHBOURHOOD),
			.legal = db_get_bool(rows, row, REMIND_LEGAL),
			.due_us = db_get_int(rows, row, REMIND_DUE),
			.reference = db_get_text(rows, row, REMIND_REFERENCE),
			.answered = db_get_bool(rows, row, REMIND_ANSWERED),
		};
}

static void
on_put(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;

	r->busy = false;
	if (reply->outcome != DB_COMMITTED) {
		log_warn("digests not written down yet, again soon outcome=%d sqlstate=%s",
		    (int)reply->outcome, reply->sqlstate);
		look_later(r, RETRY_MS);
		return;
	}
	stats_add_at(r->world.stats, NOTIFIER_STAT_REMINDERS, REMINDERS_EMPTY, r->empty);
	go_on(r);
}

/* Adds one digest to the arrays; false: out of memory. */
static bool
add_digest(struct reminding *r, struct db_array *const arrays[6], const struct digest_of *d,
    const struct catalogue *cat, const struct catalogue_department *department)
{
	struct reminder_text text = { 0 };
	int64_t now_us = clock_now_us();
	struct uuid id;

	if (d->count > 0
	    && !reminder_compose(
		cat, department, d->kind, d->items, d->count, d->more, now_us, &text))
		return false;
	r->empty += d->count == 0;
	uuid_next(r->world.ids, now_us, &id);
	db_array_uuid(arrays[0], &id);
	db_array_int2(arrays[1], (int16_t)d->kind);
	db_array_int4(arrays[2], (int32_t)d->count);
	db_array_text(arrays[3], reminder_recipient(department, d->kind));
	db_array_text(arrays[4], text.subject);
	db_array_text(arrays[5], text.body);
	reminder_text_finish(&text);
	return true;
}

static bool
put(struct reminding *r, const struct digest_of *digests, const struct catalogue *cat,
    const struct catalogue_department *department)
{
	static const enum db_type types[6] = { DB_UUID, DB_INT2, DB_INT4, DB_TEXT, DB_TEXT,
		DB_TEXT };
	struct db_unit *unit = db_unit_create(r->world.db);
	struct db_array *arrays[6];
	bool ok = true;

	r->empty = 0;
	db_unit_add(unit, STORE_REMIND_PUT);
	db_add_text(unit, r->department);
	db_add_int8(unit, r->window_us);
	db_add_int8(unit, clock_now_us());
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
		arrays[i] = db_add_array(unit, types[i]);
	for (size_t i = 0; i < KINDS && ok; i++) {
		if (digests[i].kind != 0)
			ok = add_digest(r, arrays, &digests[i], cat, department);
	}
	if (!ok) {
		db_unit_destroy(unit);
		look_later(r, RETRY_MS);
		return false;
	}
	return submit(r, unit, on_put);
}

static void
on_due(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;
	const struct catalogue *cat = registry_catalogue(r->world.registry);
	const struct catalogue_department *department =
	    cat == NULL ? NULL : catalogue_department(cat, r->department);
	int64_t now_us = clock_now_us();

	r->busy = false;
	if (reply->outcome != DB_COMMITTED || r->stopping) {
		look_later(r, RETRY_MS);
		return;
	}
	/* It was made before, or the configuration has changed meanwhile. */
	if (department == NULL || db_get_bool(reply->results[0], 0, 0)) {
		go_on(r);
		return;
	}
	struct digest_of *digests = calloc(KINDS, sizeof(*digests));
	if (digests == NULL) {
		look_later(r, RETRY_MS);
		return;
	}
	digests[0].kind = REMINDER_DEPARTMENT;
	read_items(&digests[0], reply->results[1]);
	if (department->escalate_to[0] != '\0') {
		digests[1].kind = REMINDER_ESCALATION;
		for (size_t i = 0; i < digests[0].count; i++) {
			if (reminder_is_escalated(department, &digests[0].items[i], now_us))
				digests[1].items[digests[1].count++] = digests[0].items[i];
		}
		/* Those that are left out are due later than the last. */
		digests[1].more = digests[0].more && digests[1].count == digests[0].count;
	}
	if (reply->result_count > 2) {
		digests[2].kind = REMINDER_CIMER;
		read_items(&digests[2], reply->results[2]);
	}
	(void)put(r, digests, cat, department);
	free(digests);
}

static void
ask(struct reminding *r, const struct catalogue *cat, const struct catalogue_department *department)
{
	struct db_unit *unit = db_unit_create(r->world.db);

	(void)snprintf(r->department, sizeof(r->department), "%s", department->code);
	db_unit_add(unit, STORE_REMINDED);
	db_add_text(unit, r->department);
	db_add_int8(unit, r->window_us);
	db_unit_add(unit, STORE_REMIND_DUE);
	db_add_text(unit, r->department);
	db_add_int4(unit, REMINDER_ITEMS_MAX + 1);
	db_add_int8(unit, r->window_us); /* nothing is looked for twice */
	if (cat->cimer.reminded == department) {
		db_unit_add(unit, STORE_REMIND_CIMER);
		db_add_int8(unit, clock_now_us() + cat->cimer.reminder_days * US_PER_DAY);
		db_add_int4(unit, REMINDER_ITEMS_MAX + 1);
		db_add_text(unit, r->department);
		db_add_int8(unit, r->window_us);
	}
	(void)submit(r, unit, on_due);
}

/* The next department whose window is open; when there is none, what is to be sent. */
static void
go_on(struct reminding *r)
{
	const struct catalogue *cat = registry_catalogue(r->world.registry);
	int64_t now_us = clock_now_us();

	while (cat != NULL && !r->stopping && r->next < cat->department_count) {
		const struct catalogue_department *department = &cat->departments[r->next++];
		if (reminder_window(department, now_us, &r->window_us)) {
			ask(r, cat, department);
			return;
		}
	}
	if (cat == NULL || r->stopping)
		look_later(r, RETRY_MS);
	else
		claim(r);
}

int64_t
reminding_tick(struct reminding *r, uint64_t now_ms)
{
	if (r->world.look_ms == 0 || r->stopping || r->busy || r->sending
	    || db_state_now(r->world.db) != DB_READY
	    || registry_catalogue(r->world.registry) == NULL)
		return -1;
	if (now_ms < r->look_ms)
		return (int64_t)(r->look_ms - now_ms);
	r->next = 0;
	go_on(r);
	return -1;
}
