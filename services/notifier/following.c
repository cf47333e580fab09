/* Reads the stream from the notifier's own cursor and turns batches of records into messages. */
#include "following.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "compose.h"
#include "log.h"
#include "notifier_stats.h"
#include "store.h"

enum {
	BATCH_NEWS = 200,
	NEWS_MAX = 2048, /* more than the window, so it is never reached by an honest door */
	STREAM_WINDOW = 1024,
	LOOK_MS = 500, /* between two tries at what failed, and between two moves without news */
	FOREIGN_MS = 10000, /* between two looks at a cursor of another history */
};

enum step {
	STEP_LOST, /* where the cursor stands is not known */
	STEP_LOOKING,
	STEP_IDLE,
	STEP_READING, /* people and texts of the batch are asked for */
	STEP_WRITING,
};

struct following {
	struct following_world world;
	struct turunc_client *client;
	enum step step;
	struct uuid log_uuid; /* the history the cursor belongs to */
	uint64_t cursor; /* committed */
	uint64_t delivered; /* through_seq of the last Deliver taken */
	uint64_t batch_through; /* what the batch under way moves the cursor to */
	struct news news[NEWS_MAX]; /* delivered and not written, oldest first */
	size_t count;
	size_t batch; /* the first of them, in the batch under way */
	size_t batch_max; /* smaller while something that cannot be stored is looked for */
	bool poisoned; /* the one news of the batch could not be stored with its words */
	uint64_t untold[2]; /* of the batch: nobody to tell, no words */
	struct message message; /* the one being written; large */
	bool subscribed_before;
	uint64_t retry_at_ms, moved_at_ms;
	bool stopping;
};

static void look(struct following *f);
static void begin_batch(struct following *f);

struct following *
following_create(const struct following_world *world)
{
	struct following *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->world = *world;
	f->batch_max = BATCH_NEWS;
	return f;
}

static void
forget(struct following *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		news_finish(&f->news[i]);
	f->count -= count;
	memmove(f->news, f->news + count, f->count * sizeof(f->news[0]));
}

void
following_destroy(struct following *f)
{
	if (f == NULL)
		return;
	forget(f, f->count);
	free(f);
}

void
following_set_client(struct following *f, struct turunc_client *client)
{
	f->client = client;
}

/* --- where we stand --------------------------------------------------------------------------- */

static void
lose(struct following *f)
{
	f->step = STEP_LOST;
	f->batch = 0;
	f->retry_at_ms = clock_monotonic_ms() + LOOK_MS;
	f->world.wake(f->world.arg);
}

void
following_renew(struct following *f)
{
	if (f->step == STEP_IDLE)
		f->step = STEP_LOST;
	f->retry_at_ms = 0;
	f->world.wake(f->world.arg);
}

static bool
subscribe(struct following *f)
{
	char log_id[UUID_TEXT_SIZE];
	const char *types[] = { "ticket.opened", "ticket.routed", "ticket.resolved",
		"ticket.rejected", "ticket.forwarded" };

	uuid_format(&f->log_uuid, log_id);
	const struct turunc_subscription wanted = {
		.name = "notifier",
		.types = types,
		.type_count = ARRAY_LEN(types),
		.from = TURUNC__V1__FROM__FROM_SEQ,
		.from_seq = f->cursor,
		.log_id = log_id,
		.view = TURUNC__V1__VIEW__VIEW_NONE,
		.replace = true,
		/* At first from a process that died; later another one has taken over from us,
		 * and we come back when it is gone. */
		.take_over = !f->subscribed_before,
		.window = STREAM_WINDOW,
	};
	if (turunc_subscribe(f->client, &wanted) != TURUNC_TAKEN)
		return false;
	f->subscribed_before = true;
	return true;
}

static void
on_looked(void *arg, const struct db_reply *reply)
{
	struct following *f = arg;

	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[1]) != 1) {
		if (reply->outcome == DB_COMMITTED)
			log_error("the cursor belongs to another history of the log: masa doctor");
		else
			log_warn("cursor not read, again soon why=%s", log_quoted(reply->message));
		lose(f);
		if (reply->outcome == DB_COMMITTED)
			f->retry_at_ms += FOREIGN_MS;
		return;
	}
	uint64_t before = f->cursor;
	f->cursor = (uint64_t)db_get_int(reply->results[1], 0, 0);
	if (f->cursor != before)
		f->poisoned = false; /* what was suspected is written, by somebody */
	f->step = STEP_IDLE;
	size_t old = 0;
	while (old < f->count && f->news[old].seq <= f->cursor)
		old++;
	forget(f, old);
	if (f->delivered < f->cursor || f->cursor < before || !turunc_subscribed(f->client)) {
		forget(f, f->count);
		f->delivered = f->cursor;
		if (!subscribe(f)) {
			lose(f);
			return;
		}
	} else {
		(void)turunc_ack(f->client, f->cursor);
	}
	f->world.wake(f->world.arg);
}

static void
look(struct following *f)
{
	const struct registry_head *head = registry_head(f->world.registry);
	struct db_unit *unit;

	if (head->log_id[0] == '\0' || (unit = db_unit_create(f->world.db)) == NULL) {
		lose(f);
		return;
	}
	f->log_uuid = head->log_uuid;
	db_unit_add(unit, STORE_CURSOR_MAKE);
	db_add_uuid(unit, &f->log_uuid);
	db_add_int8(unit, clock_now_us());
	db_unit_add(unit, STORE_CURSOR);
	db_add_uuid(unit, &f->log_uuid);
	f->step = STEP_LOOKING;
	if (!db_submit(f->world.db, unit, on_looked, f)) {
		db_unit_destroy(unit);
		lose(f);
	}
}

/* --- the stream ------------------------------------------------------------------------------- */

void
following_on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct following *f = arg;
	bool failed = false;

	for (size_t i = 0; i < deliver->n_records; i++) {
		const Turunc__V1__Record *record = deliver->records[i];
		if (record->seq <= f->delivered || record->event == NULL)
			continue; /* delivered again after a reconnection */
		if (f->count == NEWS_MAX) {
			failed = true;
			break;
		}
		if (news_of(record->event, record->seq, &f->news[f->count], &failed))
			f->count++;
		if (failed)
			break;
	}
	if (failed) {
		/* Nothing was acknowledged: the same comes again when there is memory. */
		log_warn("records put back, no room for them count=%zu", f->count);
		turunc_unsubscribe(f->client);
		lose(f);
		return;
	}
	if (deliver->through_seq > f->delivered)
		f->delivered = deliver->through_seq;
	f->world.wake(f->world.arg);
}

void
following_on_trouble(void *arg, const struct turunc_trouble *trouble)
{
	struct following *f = arg;

	if (!trouble->final || trouble->about != TURUNC_ABOUT_SUBSCRIPTION) {
		log_debug("stream trouble why=%s", log_quoted(trouble->text));
		return;
	}
	log_warn("the subscription ended, it is asked for anew why=%s", log_quoted(trouble->text));
	if (f->step == STEP_IDLE)
		lose(f);
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Something in the batch cannot be stored: smaller ones find it.  Alone it is told without words,
 * which the delivery refuses; and when even that cannot be stored, it is left out. */
static void
narrow(struct following *f)
{
	if (f->batch > 1) {
		f->batch_max = f->batch / 2;
		return;
	}
	if (f->batch == 0)
		return;
	if (f->poisoned) {
		log_error("news that cannot be stored is left out seq=%llu",
		    (unsigned long long)f->news[0].seq);
		f->news[0].unstorable = true;
		stats_add_at(f->world.stats, NOTIFIER_STAT_UNTOLD, UNTOLD_NOT_STORABLE, 1);
	}
	f->batch_max = 1;
	f->poisoned = true;
}

static void
count_batch(struct following *f, int64_t queued)
{
	stats_add(f->world.stats, NOTIFIER_STAT_RECORDS, f->batch);
	stats_add(f->world.stats, NOTIFIER_STAT_QUEUED, (uint64_t)queued);
	stats_add_at(
	    f->world.stats, NOTIFIER_STAT_UNTOLD, UNTOLD_NO_ADDRESS, f->untold[UNTOLD_NO_ADDRESS]);
	stats_add_at(f->world.stats, NOTIFIER_STAT_UNTOLD, UNTOLD_NO_TEMPLATE,
	    f->untold[UNTOLD_NO_TEMPLATE]);
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct following *f = arg;

	if (reply->outcome != DB_COMMITTED) {
		/* Rolled back, or perhaps not: the cursor in the record tells. */
		log_warn("messages not queued yet, looking again outcome=%d why=%s",
		    (int)reply->outcome, log_quoted(reply->message));
		if (reply->outcome == DB_FAILED && db_fault_of(reply->sqlstate) == DB_FAULT_DATA)
			narrow(f);
		lose(f);
		return;
	}
	count_batch(f, db_affected(reply->results[0]));
	f->batch_max = f->batch_max < BATCH_NEWS / 2 ? f->batch_max * 2 : BATCH_NEWS;
	f->poisoned = false;
	forget(f, f->batch);
	f->batch = 0;
	f->cursor = f->batch_through;
	f->moved_at_ms = clock_monotonic_ms();
	f->step = STEP_IDLE;
	(void)turunc_ack(f->client, f->cursor);
	f->world.on_queued(f->world.arg);
	f->world.wake(f->world.arg);
}

/* One person's copy of one piece of news, as a row of STORE_QUEUE. */
struct columns {
	struct db_array *ids, *tickets, *seqs, *types, *channels, *languages, *recipients,
	    *subjects, *bodies, *errors;
};

static struct person
person_of(const struct pg_result *people, int row)
{
	static const char nothing[] = "";
	const char *name = db_get_text_or_null(people, row, PEOPLE_NAME);
	const char *phone = db_get_text_or_null(people, row, PEOPLE_PHONE);
	const char *email = db_get_text_or_null(people, row, PEOPLE_EMAIL);
	const char *subject = db_get_text_or_null(people, row, PEOPLE_SUBJECT);

	return (struct person){
		.ticket_id = db_get_int(people, row, PEOPLE_TICKET),
		.name = name != NULL ? name : nothing,
		.phone = phone != NULL ? phone : nothing,
		.email = email != NULL ? email : nothing,
		.language = db_get_text(people, row, PEOPLE_LANGUAGE),
		.subject_code = subject != NULL ? subject : nothing,
		.recorded_us = db_get_int(people, row, PEOPLE_RECORDED_US),
	};
}

static void
queue_one(struct following *f, const struct columns *c, const struct news *news,
    const struct person *person, const char *answer)
{
	struct message *m = &f->message;
	struct uuid id;
	enum compose_result result = compose(
	    registry_catalogue(f->world.registry), news, person, answer, m);

	if (result == COMPOSE_NOBODY || result == COMPOSE_NO_TEMPLATE) {
		f->untold[result == COMPOSE_NOBODY ? UNTOLD_NO_ADDRESS : UNTOLD_NO_TEMPLATE]++;
		return;
	}
	bool worded = result == COMPOSED && !f->poisoned;
	uuid_next(f->world.ids, clock_now_us(), &id);
	db_array_uuid(c->ids, &id);
	db_array_int8(c->tickets, person->ticket_id);
	db_array_int8(c->seqs, (int64_t)news->seq);
	db_array_text(c->types, news->type);
	db_array_text(c->channels, m->channel);
	db_array_text(c->languages, m->language);
	db_array_text(c->recipients, m->recipient);
	db_array_text(c->subjects, worded ? m->subject : NULL);
	db_array_text(c->bodies, worded ? m->body : NULL);
	db_array_text(c->errors, worded ? "" : "the text could not be made of its template");
}

static bool
is_first_routing(const struct following *f, size_t at)
{
	const struct news *news = &f->news[at];

	if (strcmp(news->type, "ticket.routed") != 0)
		return true;
	for (size_t i = 0; i < at; i++)
		if (f->news[i].ticket_id == news->ticket_id && f->news[i].type == news->type)
			return false;
	return true;
}

static const char *
answer_of(const struct pg_result *texts, const struct uuid *text_id)
{
	for (int row = 0; row < db_rows(texts); row++) {
		struct uuid found = db_get_uuid(texts, row, 0);
		if (uuid_compare(&found, text_id) == 0)
			return db_get_text(texts, row, 1);
	}
	return "";
}

static void
write_batch(struct following *f, const struct pg_result *people, const struct pg_result *texts)
{
	struct db_unit *unit = db_unit_create(f->world.db);
	int64_t now_us = clock_now_us();
	struct columns c;

	db_unit_add(unit, STORE_QUEUE);
	c.ids = db_add_array(unit, DB_UUID);
	c.tickets = db_add_array(unit, DB_INT8);
	c.seqs = db_add_array(unit, DB_INT8);
	c.types = db_add_array(unit, DB_TEXT);
	c.channels = db_add_array(unit, DB_TEXT);
	c.languages = db_add_array(unit, DB_TEXT);
	c.recipients = db_add_array(unit, DB_TEXT);
	c.subjects = db_add_array(unit, DB_TEXT);
	c.bodies = db_add_array(unit, DB_TEXT);
	c.errors = db_add_array(unit, DB_TEXT);
	db_add_int8(unit, now_us);
	memset(f->untold, 0, sizeof(f->untold));
	for (size_t i = 0; i < f->batch; i++) {
		const struct news *news = &f->news[i];
		if (news->unstorable || !is_first_routing(f, i))
			continue;
		const char *answer = uuid_is_nil(&news->text_id) ? ""
								 : answer_of(texts, &news->text_id);
		for (int row = 0; people != NULL && row < db_rows(people); row++) {
			const struct person person = person_of(people, row);
			if (db_get_int(people, row, PEOPLE_ABOUT) == news->ticket_id
			    && (news_ends(news) || person.ticket_id == news->ticket_id))
				queue_one(f, &c, news, &person, answer);
		}
	}
	db_unit_add(unit, STORE_CURSOR_ADVANCE);
	db_add_uuid(unit, &f->log_uuid);
	db_add_int8(unit, (int64_t)f->cursor);
	db_add_int8(unit, (int64_t)f->batch_through);
	db_add_int8(unit, now_us);
	f->step = STEP_WRITING;
	if (!db_submit(f->world.db, unit, on_written, f)) {
		db_unit_destroy(unit);
		lose(f);
	}
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct following *f = arg;

	if (reply->outcome != DB_COMMITTED || registry_catalogue(f->world.registry) == NULL) {
		log_warn("people not read yet, looking again outcome=%d why=%s",
		    (int)reply->outcome, log_quoted(reply->message));
		lose(f);
		return;
	}
	write_batch(f, reply->results[0], reply->results[1]);
}

/* People and texts first; a batch without news only moves the cursor. */
static void
begin_batch(struct following *f)
{
	f->batch = f->count < f->batch_max ? f->count : f->batch_max;
	f->batch_through = f->batch == f->count ? f->delivered : f->news[f->batch - 1].seq;
	if (f->batch == 0) {
		write_batch(f, NULL, NULL);
		return;
	}
	struct db_unit *unit = db_unit_create(f->world.db);
	db_unit_add(unit, STORE_PEOPLE);
	struct db_array *all = db_add_array(unit, DB_INT8);
	struct db_array *ended = db_add_array(unit, DB_INT8);
	db_unit_add(unit, STORE_TEXTS);
	struct db_array *texts = db_add_array(unit, DB_UUID);
	for (size_t i = 0; i < f->batch; i++) {
		bool again = false;
		for (size_t j = 0; j < i && !again; j++)
			again = f->news[j].ticket_id == f->news[i].ticket_id;
		if (!again)
			db_array_int8(all, f->news[i].ticket_id);
		if (news_ends(&f->news[i]))
			db_array_int8(ended, f->news[i].ticket_id);
		if (!uuid_is_nil(&f->news[i].text_id))
			db_array_uuid(texts, &f->news[i].text_id);
	}
	f->step = STEP_READING;
	if (!db_submit(f->world.db, unit, on_read, f)) {
		db_unit_destroy(unit);
		lose(f);
	}
}

int64_t
following_tick(struct following *f, uint64_t now_ms)
{
	if (f->stopping || db_state_now(f->world.db) != DB_READY)
		return -1;
	if (f->step == STEP_LOST) {
		if (now_ms < f->retry_at_ms)
			return (int64_t)(f->retry_at_ms - now_ms);
		look(f);
		return -1;
	}
	if (f->step != STEP_IDLE)
		return -1;
	if (!turunc_subscribed(f->client)) {
		lose(f);
		return LOOK_MS;
	}
	/* The first batch tells whoever was first; without a catalogue there are no words. */
	if (registry_catalogue(f->world.registry) == NULL)
		return LOOK_MS;
	bool news = f->count > 0;
	bool moved = f->delivered > f->cursor;
	if (news || (moved && now_ms - f->moved_at_ms >= LOOK_MS)) {
		begin_batch(f);
		return -1;
	}
	return moved ? (int64_t)(f->moved_at_ms + LOOK_MS - now_ms) : -1;
}

void
following_stop(struct following *f)
{
	f->stopping = true;
}

bool
following_busy(const struct following *f)
{
	return f->step == STEP_LOOKING || f->step == STEP_READING || f->step == STEP_WRITING;
}

uint64_t
following_position(const struct following *f)
{
	return f->cursor;
}

bool
following_is_reading(const struct following *f)
{
	return f->step != STEP_LOST && f->step != STEP_LOOKING;
}
