/* Settles reports of messages that did not arrive, one at a time. */
#include "bouncing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "compose.h"
#include "frame.h"
#include "log.h"
#include "notifier_stats.h"
#include "outcome_record.h"
#include "store.h"
#include "telling.h"

enum {
	LOOK_MS = 1000,
	RETRY_MS = 500,
	STATUS_SIZE = 16,
	FAILURES_MAX = 10 /* of one report, in a row */
};

struct bouncing {
	struct bouncing_world world;
	struct telling *telling;
	bool busy, stopping;
	uint64_t look_at_ms;
	/* the one in hand */
	struct uuid bounce_id, notification_id;
	bool permanent, marks;
	bool tells; /* the news goes out by another way */
	struct uuid failing_id; /* the record refused to settle this one */
	unsigned failures; /* so many times */
	char status[STATUS_SIZE];
	int32_t attempt;
	struct outcome_record about;
	struct news news; /* type NULL: nothing is told again */
};

bool
bouncing_marks(const char *status)
{
	/* No such mailbox, system or name; it has moved; its domain takes no mail; disabled. */
	static const char *const none[] = { "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1" };

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (strcmp(status, none[i]) == 0)
			return true;
	return false;
}

struct bouncing *
bouncing_create(const struct bouncing_world *world)
{
	struct bouncing *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->world = *world;
	b->telling = telling_create(world->registry, world->stats, world->ids, world->key);
	if (b->telling == NULL) {
		bouncing_destroy(b);
		return NULL;
	}
	return b;
}

void
bouncing_destroy(struct bouncing *b)
{
	if (b == NULL)
		return;
	news_finish(&b->news);
	telling_destroy(b->telling);
	free(b);
}

/* Done with it, or the record is away: it is found again as long as it is open. */
static void
let_go(struct bouncing *b, uint64_t wait_ms)
{
	news_finish(&b->news);
	b->busy = false;
	b->look_at_ms = clock_monotonic_ms() + wait_ms;
}

static void
submit(struct bouncing *b, struct db_unit *unit, db_done_fn *on_reply)
{
	if (!db_submit(b->world.db, unit, on_reply, b)) {
		db_unit_destroy(unit);
		let_go(b, RETRY_MS);
	}
}

static void
count(struct bouncing *b, enum bounces what)
{
	stats_add_at(b->world.stats, NOTIFIER_STAT_BOUNCES, what, 1);
}

/* --- one that cannot be settled --------------------------------------------------------------- */

static void
on_aside(void *arg, const struct db_reply *reply)
{
	struct bouncing *b = arg;

	if (reply->outcome == DB_COMMITTED) {
		count(b, BOUNCES_ASIDE);
		let_go(b, 0);
		return;
	}
	let_go(b, RETRY_MS);
}

/* The others wait behind it: after so many refusals of the record it is left as it is. */
static void
on_failed(struct bouncing *b, const struct db_reply *reply)
{
	char id[UUID_TEXT_SIZE];

	uuid_format(&b->bounce_id, id);
	log_warn("a report of a lost mail is not settled yet, again soon bounce=%s why=%s", id,
	    log_quoted(reply->message));
	if (uuid_compare(&b->failing_id, &b->bounce_id) != 0)
		b->failures = 0;
	b->failing_id = b->bounce_id;
	b->failures += reply->outcome == DB_FAILED
		       && db_fault_of(reply->sqlstate) != DB_FAULT_PASSING;
	if (b->failures < FAILURES_MAX) {
		let_go(b, RETRY_MS);
		return;
	}
	log_error("a report of a lost mail cannot be settled, set aside bounce=%s", id);
	struct db_unit *unit = db_unit_create(b->world.db);
	db_unit_add(unit, STORE_BOUNCE_ASIDE);
	db_add_uuid(unit, &b->bounce_id);
	db_add_int8(unit, clock_now_us());
	submit(b, unit, on_aside);
}

/* --- the last step: it is settled ------------------------------------------------------------- */

static void
on_settled(void *arg, const struct db_reply *reply)
{
	struct bouncing *b = arg;
	char id[UUID_TEXT_SIZE];
	size_t last = (size_t)reply->result_count - 1;

	if (reply->outcome != DB_COMMITTED) {
		on_failed(b, reply);
		return;
	}
	uuid_format(&b->notification_id, id);
	count(b, !b->permanent ? BOUNCES_DELAYED : b->tells ? BOUNCES_ADDRESS : BOUNCES_MESSAGE);
	log_info("a mail did not arrive msg=%s status=%s permanent=%s failed=%s marked=%s", id,
	    b->status, b->permanent ? "yes" : "no",
	    db_get_int(reply->results[last], 0, 0) > 0 ? "yes" : "no", b->marks ? "yes" : "no");
	if (b->news.type != NULL) {
		telling_count(b->telling, db_affected(reply->results[0]));
		b->world.on_queued(b->world.arg);
	}
	let_go(b, 0);
}

/* people and texts are NULL when nothing is told again. */
static void
settle(struct bouncing *b, const struct pg_result *people, const struct pg_result *texts)
{
	struct db_unit *unit = db_unit_create(b->world.db);
	struct job job = { .notification_id = b->notification_id,
		.attempt = (uint32_t)b->attempt,
		.outcome = OUTCOME_REFUSED };
	uint8_t packed[OUTCOME_RECORD_MAX];
	char error[STATUS_SIZE + 16];
	int64_t now_us = clock_now_us();

	if (people != NULL)
		(void)telling_write(b->telling, unit, &b->news, 1, people, texts, NULL, now_us);
	size_t size = outcome_record_pack(&b->about, &job, b->world.ids, now_us, packed);
	snprintf(error, sizeof(error), "bounced: %s", b->status[0] != '\0' ? b->status : "?");
	db_unit_add(unit, STORE_BOUNCE_SETTLE);
	db_add_uuid(unit, &b->bounce_id);
	db_add_uuid(unit, &b->notification_id);
	db_add_bool(unit, b->permanent);
	db_add_int8(unit, now_us);
	db_add_text(unit, error);
	db_add_text(unit, outcome_record_type(OUTCOME_REFUSED));
	db_add_int8(unit, b->about.ticket_id);
	db_add_bytea(unit, packed, size);
	submit(b, unit, on_settled);
}

/* --- the same news by another way ------------------------------------------------------------- */

static void
on_marked(void *arg, const struct db_reply *reply)
{
	struct bouncing *b = arg;

	if (reply->outcome != DB_COMMITTED) {
		on_failed(b, reply);
		return;
	}
	if (registry_catalogue(b->world.registry) == NULL) {
		let_go(b, RETRY_MS);
		return;
	}
	/* Behind the statements of the mark. */
	const struct pg_result *const *asked = reply->results + (b->marks ? 2 : 0);
	if (b->news.type == NULL || !telling_knows(&b->news, asked[0])) {
		news_finish(&b->news);
		settle(b, NULL, NULL);
		return;
	}
	settle(b, asked[0], asked[1]);
}

/* The address first, so that whoever is looked for now is not told by it again. */
static void
mark_and_ask(struct bouncing *b)
{
	struct db_unit *unit;

	if (!b->marks && b->news.type == NULL) {
		settle(b, NULL, NULL);
		return;
	}
	unit = db_unit_create(b->world.db);
	if (b->marks) {
		db_unit_add(unit, STORE_MARKS_FORGET);
		db_add_int8(unit, clock_now_us());
		db_unit_add(unit, STORE_BOUNCE_MARK);
		db_add_uuid(unit, &b->notification_id);
		db_add_text(unit, b->status);
		db_add_int8(unit, clock_now_us());
	}
	if (b->news.type != NULL)
		telling_ask(unit, &b->news, 1);
	submit(b, unit, on_marked);
}

/* False: no memory, so that it is tried again. */
static bool
read_news(struct bouncing *b, const struct pg_result *row)
{
	struct frame *frame = NULL;
	enum frame_result result = FRAME_OK;
	enum news_kind kind = NEWS_NONE;
	size_t len;

	if (db_is_null(row, 0, BOUNCE_EVENT))
		return true;
	const void *data = db_get_bytea(row, 0, BOUNCE_EVENT, &len);
	result = frame_unpack(&turunc__v1__event__descriptor, data, len, &frame, NULL);
	if (result == FRAME_OK)
		kind = news_of((const Turunc__V1__Event *)frame_message(frame),
		    (uint64_t)db_get_int(row, 0, BOUNCE_NEWS_SEQ), &b->news);
	frame_destroy(frame);
	return result != FRAME_NO_MEMORY && kind != NEWS_NO_MEMORY;
}

/* --- the next one ----------------------------------------------------------------------------- */

static void
take(struct bouncing *b, const struct pg_result *row)
{
	bool known = !db_is_null(row, 0, BOUNCE_TICKET);

	b->bounce_id = db_get_uuid(row, 0, BOUNCE_ID);
	b->notification_id = db_get_uuid(row, 0, BOUNCE_NOTIFICATION);
	b->permanent = known && db_get_bool(row, 0, BOUNCE_PERMANENT);
	snprintf(b->status, sizeof(b->status), "%s", db_get_text(row, 0, BOUNCE_STATUS));
	b->marks = b->permanent && bouncing_marks(b->status)
		   && !db_is_null(row, 0, BOUNCE_RECIPIENT);
	b->tells = b->marks || (b->permanent && strcmp(b->status, BOUNCING_HELD) == 0);
	b->about = (struct outcome_record){ .channel = "email", .reason = "bounced" };
	if (!known)
		return;
	outcome_record_follow(&b->about, row, 0, BOUNCE_EVENT);
	b->attempt = (int32_t)db_get_int(row, 0, BOUNCE_ATTEMPTS);
	b->about.ticket_id = db_get_int(row, 0, BOUNCE_TICKET);
	b->about.about_seq = (uint64_t)db_get_int(row, 0, BOUNCE_ABOUT_SEQ);
	snprintf(b->about.about_type, sizeof(b->about.about_type), "%s",
	    db_get_text(row, 0, BOUNCE_ABOUT_TYPE));
	snprintf(b->about.language, sizeof(b->about.language), "%s",
	    db_get_text(row, 0, BOUNCE_LANGUAGE));
}

static void
on_next(void *arg, const struct db_reply *reply)
{
	struct bouncing *b = arg;

	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) == 0) {
		let_go(b, LOOK_MS);
		return;
	}
	take(b, reply->results[0]);
	if (!b->tells)
		settle(b, NULL, NULL);
	else if (read_news(b, reply->results[0]))
		mark_and_ask(b);
	else
		let_go(b, RETRY_MS);
}

int64_t
bouncing_tick(struct bouncing *b, uint64_t now_ms)
{
	if (b->busy || b->stopping || db_state_now(b->world.db) != DB_READY
	    || registry_catalogue(b->world.registry) == NULL)
		return -1;
	if (now_ms < b->look_at_ms)
		return (int64_t)(b->look_at_ms - now_ms);
	struct db_unit *unit = db_unit_create(b->world.db);
	db_unit_add(unit, STORE_BOUNCE_NEXT);
	b->busy = true;
	submit(b, unit, on_next);
	return LOOK_MS;
}

void
bouncing_stop(struct bouncing *b)
{
	b->stopping = true;
}

bool
bouncing_busy(const struct bouncing *b)
{
	return b->busy;
}
