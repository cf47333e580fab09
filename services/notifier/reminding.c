/* Makes and sends the digests. */
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
	RECIPIENT_BYTES = 256,
	BEGUN_SIZE = 64,
	MARK_SIZE = BEGUN_SIZE + 10,
	LOST_AFTER_S = 600, /* longer than any digest is on its way */
};
/* The numbers are those of turunc.reminder. */
enum state { STATE_QUEUED = 1, STATE_SENT = 3, STATE_UNKNOWN, STATE_FAILED };

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

/* What became of a digest, until the record has it. */
struct unwritten {
	bool held;
	struct uuid id;
	uint32_t attempt;
	enum outcome outcome;
	char detail[JOB_DETAIL_SIZE];
};

struct reminding {
	struct reminding_world world;
	struct smtp_config smtp;
	struct channel *channel;
	char mark[BEGUN_SIZE]; /* what the marks of this process begin with */
	uint32_t claims;
	bool stopping;
	bool busy; /* a unit is on its way */
	bool sending; /* a digest is */
	struct unwritten unwritten; /* meanwhile nothing is claimed */
	uint64_t look_ms; /* when to look again */
	/* the look under way */
	size_t next; /* for reminder_next() */
	char recipient[RECIPIENT_BYTES];
	int64_t window_us;
	enum reminder_kind asked[REMINDER_KINDS]; /* in the order of the answers */
	bool empty; /* the digest being written has nothing to say */
};

static void on_sent(void *arg, struct job *job);
static void claim(struct reminding *r);
static void go_on(struct reminding *r);

struct reminding *
reminding_create(const struct reminding_world *world)
{
	struct reminding *r = calloc(1, sizeof(*r));
	struct uuid process;
	char text[UUID_TEXT_SIZE];

	if (r == NULL)
		return NULL;
	r->world = *world;
	r->smtp = world->smtp;
	uuid_next(world->ids, clock_now_us(), &process);
	uuid_format(&process, text);
	(void)snprintf(r->mark, sizeof(r->mark), "begun by %s ", text);
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
	return r->busy || r->sending || r->unwritten.held;
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

/* It is said again until it was heard: saying it twice changes nothing. */
static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;

	r->busy = false;
	if (reply->outcome == DB_COMMITTED) {
		r->unwritten.held = false;
		look_later(r, 0);
		return;
	}
	log_warn("what became of a digest is not written down yet, again soon outcome=%d why=%s",
	    (int)reply->outcome, log_quoted(reply->message));
	if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) == DB_FAULT_DATA) {
		log_error("what became of a digest cannot be written down, again without its "
			  "words");
		r->unwritten.detail[0] = '\0';
	}
	look_later(r, RETRY_MS);
}

static void
settle(struct reminding *r)
{
	const struct unwritten *u = &r->unwritten;
	enum state state = ends[u->outcome].state;
	struct db_unit *unit = db_unit_create(r->world.db);
	int64_t now_us = clock_now_us();

	db_unit_add(unit, STORE_REMIND_SETTLE);
	db_add_uuid(unit, &u->id);
	db_add_int4(unit, (int32_t)u->attempt);
	db_add_int2(unit, (int16_t)state);
	if (state == STATE_QUEUED)
		db_add_int8(unit, now_us + (int64_t)r->world.retry_ms * 1000);
	else
		db_add_null(unit);
	db_add_text(unit, u->detail);
	db_add_int8(unit, now_us);
	(void)submit(r, unit, on_settled);
}

static void
conclude(struct reminding *r, const struct uuid *id, uint32_t attempt, enum outcome outcome,
    const char *detail)
{
	stats_add_at(r->world.stats, NOTIFIER_STAT_REMINDERS, ends[outcome].counted, 1);
	if (outcome != OUTCOME_ACCEPTED)
		log_warn("a digest was not sent outcome=%s why=%s", outcome_name(outcome),
		    log_quoted(detail));
	r->unwritten =
	    (struct unwritten){ .held = true, .id = *id, .attempt = attempt, .outcome = outcome };
	(void)snprintf(r->unwritten.detail, sizeof(r->unwritten.detail), "%s", detail);
	settle(r);
}

static void
on_sent(void *arg, struct job *job)
{
	struct reminding *r = arg;

	r->sending = false;
	conclude(r, &job->notification_id, job->attempt, job->outcome, job->detail);
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
	if (reply->outcome != DB_COMMITTED) {
		look_later(r, RETRY_MS);
		return;
	}
	const struct pg_result *rows = reply->results[0];
	int64_t again = db_get_int(rows, 0, REMIND_CLAIM_AGAIN);
	if (again > 0) {
		log_warn("a digest was claimed and not sent, it is queued again");
		stats_add_at(
		    r->world.stats, NOTIFIER_STAT_REMINDERS, REMINDERS_AGAIN, (uint64_t)again);
	}
	if (db_is_null(rows, 0, REMIND_CLAIM_ID)) {
		look_later(r, again > 0 ? 0 : r->world.look_ms);
		return;
	}
	struct job *job = job_of(r, rows, &why);
	if (job == NULL) {
		struct uuid id = db_get_uuid(rows, 0, REMIND_CLAIM_ID);
		conclude(r, &id, (uint32_t)db_get_int(rows, 0, REMIND_CLAIM_ATTEMPTS),
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
	char mark[MARK_SIZE];

	if (r->smtp.url == NULL) {
		db_unit_destroy(unit);
		look_later(r, r->world.look_ms);
		return;
	}
	/* Nothing of ours is being sent: what bears the mark of an earlier claim never was. */
	(void)snprintf(mark, sizeof(mark), "%s%010u", r->mark, (unsigned)++r->claims);
	db_unit_add(unit, STORE_REMIND_CLAIM);
	db_add_int8(unit, now_us);
	db_add_int8(unit, now_us - LOST_AFTER_S * US_PER_S);
	db_add_int8(unit, now_us - REMINDER_OPEN_HOURS * 3600 * US_PER_S);
	db_add_text(unit, r->mark);
	db_add_text(unit, mark);
	(void)submit(r, unit, on_claimed);
}

/* --- making ----------------------------------------------------------------------------------- */

static void
read_items(struct reminder_part *part, const struct pg_result *rows)
{
	part->more = db_rows(rows) > REMINDER_ITEMS_MAX;
	for (int row = 0; row < db_rows(rows) && part->count < REMINDER_ITEMS_MAX; row++)
		part->items[part->count++] = (struct reminder_item){
			.ticket_id = db_get_int(rows, row, REMIND_TICKET),
			.department = db_get_text(rows, row, REMIND_DEPARTMENT),
			.subject = db_get_text(rows, row, REMIND_SUBJECT),
			.neighbourhood = db_get_text(rows, row, REMIND_NEIGHBOURHOOD),
			.legal = db_get_bool(rows, row, REMIND_LEGAL),
			.due_us = db_get_int(rows, row, REMIND_DUE),
			.arrived_us = db_get_int(rows, row, REMIND_ARRIVED),
			.reference = db_get_text(rows, row, REMIND_REFERENCE),
			.answered = db_get_bool(rows, row, REMIND_ANSWERED),
		};
}

/* Of what is overdue, what has been so for long. */
static void
keep_escalated(struct reminder_part *part, const struct catalogue *cat, int64_t now_us)
{
	size_t kept = 0;

	for (size_t i = 0; i < part->count; i++) {
		const struct catalogue_department *d = catalogue_department(
		    cat, part->items[i].department);
		if (d != NULL && reminder_is_escalated(d, &part->items[i], now_us))
			part->items[kept++] = part->items[i];
	}
	part->count = kept;
	part->more = part->more && kept > 0;
}

static void
on_put(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;

	r->busy = false;
	if (reply->outcome != DB_COMMITTED) {
		log_warn("a digest is not written down yet, again soon outcome=%d sqlstate=%s",
		    (int)reply->outcome, reply->sqlstate);
		look_later(r, RETRY_MS);
		return;
	}
	if (r->empty)
		stats_add_at(r->world.stats, NOTIFIER_STAT_REMINDERS, REMINDERS_EMPTY, 1);
	go_on(r);
}

static bool
put(struct reminding *r, const struct reminder_part parts[REMINDER_KINDS],
    const struct catalogue *cat, int64_t now_us)
{
	struct reminder_text text = { 0 };
	struct uuid id;
	size_t tickets = 0;

	for (size_t i = 0; i < REMINDER_KINDS; i++)
		tickets += parts[i].count;
	r->empty = tickets == 0;
	if (!r->empty && !reminder_compose(cat, parts, now_us, &text)) {
		look_later(r, RETRY_MS);
		return false;
	}
	struct db_unit *unit = db_unit_create(r->world.db);
	uuid_next(r->world.ids, now_us, &id);
	db_unit_add(unit, STORE_REMIND_PUT);
	db_add_text(unit, r->recipient);
	db_add_int8(unit, r->window_us);
	db_add_int8(unit, now_us);
	db_add_uuid(unit, &id);
	db_add_int4(unit, (int32_t)tickets);
	db_add_text(unit, text.subject);
	db_add_text(unit, text.body);
	reminder_text_finish(&text);
	return submit(r, unit, on_put);
}

static void
on_due(void *arg, const struct db_reply *reply)
{
	struct reminding *r = arg;
	const struct catalogue *cat = registry_catalogue(r->world.registry);
	int64_t now_us = clock_now_us();

	r->busy = false;
	if (reply->outcome != DB_COMMITTED || cat == NULL || r->stopping) {
		look_later(r, RETRY_MS);
		return;
	}
	if (db_get_bool(reply->results[0], 0, 0)) { /* it was made before */
		go_on(r);
		return;
	}
	struct reminder_part *parts = calloc(REMINDER_KINDS, sizeof(*parts));
	if (parts == NULL) {
		look_later(r, RETRY_MS);
		return;
	}
	for (size_t i = 1; i < reply->result_count; i++)
		read_items(&parts[r->asked[i - 1]], reply->results[i]);
	keep_escalated(&parts[REMINDER_ESCALATION], cat, now_us);
	(void)put(r, parts, cat, now_us);
	free(parts);
}

/* The digest that everything is asked for: nothing is looked for when it was made. */
static void
add_plan(struct db_unit *unit, const struct reminder_plan *plan)
{
	db_add_int4(unit, REMINDER_ITEMS_MAX + 1);
	db_add_text(unit, plan->recipient);
	db_add_int8(unit, plan->window_us);
}

/* False: no department has anything of that kind for this digest. */
static bool
ask_kind(const struct catalogue *cat, struct db_unit *unit, enum reminder_kind kind,
    const struct reminder_plan *plan, int64_t now_us)
{
	struct db_array *departments = NULL;

	for (size_t i = 0; i < cat->department_count; i++) {
		const struct catalogue_department *d = &cat->departments[i];
		if (!reminder_belongs(cat, d, kind, plan))
			continue;
		if (kind == REMINDER_TRIAGE || kind == REMINDER_CIMER) {
			db_unit_add(unit,
			    kind == REMINDER_TRIAGE ? STORE_REMIND_TRIAGE : STORE_REMIND_CIMER);
			add_plan(unit, plan);
			if (kind == REMINDER_CIMER)
				db_add_int8(unit, now_us + cat->cimer.reminder_days * US_PER_DAY);
			return true;
		}
		if (departments == NULL) {
			db_unit_add(unit, STORE_REMIND_DUE);
			add_plan(unit, plan);
			db_add_int8(unit, kind == REMINDER_ESCALATION ? now_us : INT64_MAX);
			departments = db_add_array(unit, DB_TEXT);
		}
		db_array_text(departments, d->code);
	}
	return departments != NULL;
}

static void
ask(struct reminding *r, const struct catalogue *cat, const struct reminder_plan *plan)
{
	struct db_unit *unit = db_unit_create(r->world.db);
	int64_t now_us = clock_now_us();
	size_t asked = 0;

	(void)snprintf(r->recipient, sizeof(r->recipient), "%s", plan->recipient);
	r->window_us = plan->window_us;
	db_unit_add(unit, STORE_REMINDED);
	db_add_text(unit, r->recipient);
	db_add_int8(unit, r->window_us);
	for (size_t kind = 0; kind < REMINDER_KINDS; kind++)
		if (ask_kind(cat, unit, (enum reminder_kind)kind, plan, now_us))
			r->asked[asked++] = (enum reminder_kind)kind;
	(void)submit(r, unit, on_due);
}

/* The next digest whose window is open; when there is none, what is to be sent. */
static void
go_on(struct reminding *r)
{
	const struct catalogue *cat = registry_catalogue(r->world.registry);
	struct reminder_plan plan;

	if (cat == NULL || r->stopping)
		look_later(r, RETRY_MS);
	else if (reminder_next(cat, clock_now_us(), &r->next, &plan))
		ask(r, cat, &plan);
	else
		claim(r);
}

int64_t
reminding_tick(struct reminding *r, uint64_t now_ms)
{
	bool may_begin = !r->stopping && registry_catalogue(r->world.registry) != NULL;

	if (r->world.look_ms == 0 || r->busy || r->sending || db_state_now(r->world.db) != DB_READY
	    || (!r->unwritten.held && !may_begin))
		return -1;
	if (now_ms < r->look_ms)
		return (int64_t)(r->look_ms - now_ms);
	if (r->unwritten.held) {
		settle(r);
		return -1;
	}
	r->next = 0;
	go_on(r);
	return -1;
}
