/* Reads the stream from the notifier's own cursor and turns batches of records into messages. */
#include "following.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "compose.h"
#include "isolation.h"
#include "log.h"
#include "store.h"
#include "surveying.h"
#include "telling.h"

enum {
	BATCH_NEWS = 200,
	BREATH_MS = 20, /* between two batches that are not full: what comes alone goes at once */
	NEWS_TYPES_MAX = 32,
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
	struct isolation isolation; /* of what PostgreSQL refuses */
	char detail[LETTER_DETAIL_BYTES]; /* why it does */
	struct telling *telling;
	bool subscribed_before;
	uint64_t retry_at_ms, moved_at_ms, began_ms;
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
	f->telling = telling_create(world->registry, world->stats, world->ids, world->key);
	if (f->telling == NULL) {
		following_destroy(f);
		return NULL;
	}
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
	telling_destroy(f->telling);
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
	const char *types[NEWS_TYPES_MAX];
	size_t type_count = news_types(types, NEWS_TYPES_MAX);

	assert(type_count <= NEWS_TYPES_MAX);
	uuid_format(&f->log_uuid, log_id);
	const struct turunc_subscription wanted = {
		.name = "notifier",
		.types = types,
		.type_count = type_count,
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
	letters_found_place(f->world.letters, f->cursor);
	if (f->cursor != before)
		f->isolation = (struct isolation){ 0 }; /* what was suspected may be passed */
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

/* A record without an event is one that the router cannot read. */
static enum news_kind
take(struct following *f, const Turunc__V1__Record *record)
{
	struct news *news = &f->news[f->count];
	enum news_kind kind = record->event == NULL ? NEWS_MISFIT
						    : news_of(record->event, record->seq, news);

	if (kind == NEWS_MISFIT)
		*news = (struct news){ .seq = record->seq,
			.type = "",
			.faulty = true,
			.fault = record->event == NULL ? LETTER_UNDECODABLE : LETTER_MISFIT };
	return kind;
}

void
following_on_deliver(void *arg, const Turunc__V1__Deliver *deliver)
{
	struct following *f = arg;
	bool failed = false;

	for (size_t i = 0; i < deliver->n_records; i++) {
		const Turunc__V1__Record *record = deliver->records[i];
		if (record->seq <= f->delivered)
			continue; /* delivered again after a reconnection */
		if (f->count == NEWS_MAX) {
			failed = true;
			break;
		}
		enum news_kind kind = take(f, record);
		failed = kind == NEWS_NO_MEMORY;
		if (failed)
			break;
		f->count += kind != NEWS_NONE;
	}
	if (failed) {
		/* Nothing was acknowledged: the same comes again when there is memory. */
		log_warn("records put back, no room for them count=%zu", f->count);
		turunc_unsubscribe(f->client);
		if (f->step == STEP_IDLE)
			lose(f); /* else what is under way ends first, and looks then */
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

/* One of the batch is refused: smaller ones find it, at once.  Alone it is set aside. */
static void
isolate(struct following *f, const struct db_reply *reply)
{
	isolation_failed(&f->isolation, f->batch);
	letters_detail(reply, f->detail);
	if (!f->isolation.found)
		return;
	f->news[0].faulty = true;
	f->news[0].fault = LETTER_REFUSED;
	f->news[0].detail = f->detail;
}

/* Rolled back, or perhaps not: the cursor in the record tells. */
static void
on_failure(struct following *f, const struct db_reply *reply)
{
	enum db_fault fault = db_fault_of(reply->sqlstate);
	bool refused = reply->outcome == DB_FAILED && fault == DB_FAULT_DATA && f->batch > 0;

	log_warn("messages not queued yet, looking again outcome=%d sqlstate=%s news=%zu",
	    (int)reply->outcome, reply->sqlstate, f->batch);
	if (refused)
		isolate(f, reply);
	else if (reply->outcome == DB_FAILED && fault == DB_FAULT_OTHER
		 && strncmp(reply->sqlstate, "TU00", 4) != 0)
		letters_blocked(f->world.letters, reply);
	lose(f);
	if (refused)
		f->retry_at_ms = 0;
}

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct following *f = arg;

	if (reply->outcome != DB_COMMITTED) {
		on_failure(f, reply);
		return;
	}
	telling_count(f->telling, db_affected(reply->results[0]));
	letters_committed(f->world.letters);
	isolation_passed(&f->isolation, f->batch);
	forget(f, f->batch);
	f->batch = 0;
	f->cursor = f->batch_through;
	f->moved_at_ms = clock_monotonic_ms();
	f->step = STEP_IDLE;
	(void)turunc_ack(f->client, f->cursor);
	f->world.on_queued(f->world.arg);
	f->world.wake(f->world.arg);
}

/* Too much was set aside already: what comes next is tried again when it is time. */
static void
stand_still(struct following *f)
{
	letters_stop(f->world.letters, f->news[0].seq);
	if (f->news[0].faulty && f->news[0].fault == LETTER_REFUSED)
		f->news[0].faulty = false;
	f->batch = 0;
	f->step = STEP_IDLE;
}

static void
write_batch(struct following *f, const struct pg_result *people, const struct pg_result *texts)
{
	struct db_unit *unit = db_unit_create(f->world.db);
	int64_t now_us = clock_now_us();

	letters_begin(f->world.letters);
	size_t done = telling_write(
	    f->telling, unit, f->news, f->batch, people, texts, f->world.letters, now_us);
	if (done < f->batch && done == 0) {
		db_unit_destroy(unit);
		stand_still(f);
		return;
	}
	if (done < f->batch) {
		f->batch = done;
		f->batch_through = f->news[done - 1].seq;
	}
	if (f->batch > 0)
		surveying_note(unit, f->world.ids,
		    &registry_catalogue(f->world.registry)->municipality, f->news, f->batch, people,
		    now_us);
	letters_write(f->world.letters, unit, now_us);
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
	f->batch = isolation_size(&f->isolation, f->count < BATCH_NEWS ? f->count : BATCH_NEWS);
	f->batch_through = f->batch == f->count ? f->delivered : f->news[f->batch - 1].seq;
	if (f->batch == 0) {
		write_batch(f, NULL, NULL);
		return;
	}
	struct db_unit *unit = db_unit_create(f->world.db);
	telling_ask(unit, f->news, f->batch);
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
	if (!letters_may_go_on(f->world.letters, now_ms))
		return LOOK_MS;
	if (news && f->count < BATCH_NEWS && now_ms < f->began_ms + BREATH_MS)
		return (int64_t)(f->began_ms + BREATH_MS - now_ms);
	if (news || (moved && now_ms - f->moved_at_ms >= LOOK_MS)) {
		f->began_ms = now_ms;
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
