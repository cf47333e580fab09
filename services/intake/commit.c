/* The way of accept's batches into PostgreSQL, and of its answers back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_batch.h"
#include "intake.h"
#include "log.h"
#include "store.h"
#include "trace.h"

enum { PATIENCE_MS = 3000 };

/* A batch on its way; the batch itself goes when its last item is answered. */
struct sending {
	struct intake *in;
	struct batch *batch;
};

static bool
has_room(void *arg)
{
	struct intake *in = arg;
	return db_state_now(in->writer) == DB_READY && db_has_room(in->writer);
}

/* A short loss is waited out in the queue; the time of a failover or a restart is not. */
static bool
is_away(void *arg)
{
	struct intake *in = arg;
	return in->writer_lost && clock_monotonic_ms() - in->writer_lost_ms >= INTAKE_AWAY_MS;
}

static void
build(void *arg, struct db_unit *unit, size_t from, size_t to)
{
	struct sending *s = arg;
	if (s->batch->items[from]->from_spool)
		db_unit_step(unit, FAILPOINT_INTAKE_DRAIN);
	store_add_accept(unit, clock_now_us(), s->batch->items + from, to - from);
}

/* What is a repeat was recorded, and traced, before. */
static void
trace_new(const struct sending *s, size_t from, size_t to, const struct batch_repeat *repeats,
    size_t repeat_count)
{
	bool *repeated = calloc(to - from + 1, sizeof(*repeated));

	for (size_t i = 0; repeated != NULL && i < repeat_count; i++)
		if (repeats[i].place >= from && repeats[i].place < to)
			repeated[repeats[i].place - from] = true;
	for (size_t i = from; repeated != NULL && i < to; i++) {
		const struct item *item = s->batch->items[i];
		if (!repeated[i - from])
			trace_log_packed(
			    "committed", item->event, item->event_len, "items=%zu", to - from);
	}
	free(repeated);
}

static void
answer_committed(struct sending *s, size_t from, size_t to, const struct pg_result *rows)
{
	int count = db_rows(rows);
	size_t repeat_count = 0;
	uint64_t last_seq = 0;
	struct batch_repeat *repeats = calloc((size_t)count + 1, sizeof(*repeats));

	for (int i = 0; i < count; i++) {
		int64_t place = db_get_int(rows, i, 0);
		int64_t ticket_id = db_is_null(rows, i, 1) ? 0 : db_get_int(rows, i, 1);
		if (place == 0)
			last_seq = (uint64_t)ticket_id;
		else if (repeats != NULL)
			repeats[repeat_count++] = (struct batch_repeat){
				.place = from + (size_t)place - 1,
				.ticket_id = ticket_id,
				.same_content = db_get_bool(rows, i, 2),
			};
	}
	if (repeats != NULL)
		trace_new(s, from, to, repeats, repeat_count);
	/* Without memory for the repeats nobody can be told the right thing now: look it up. */
	if (repeats == NULL)
		accept_answer(s->batch, from, to, BATCH_UNKNOWN, NULL, 0, 0);
	else
		accept_answer(s->batch, from, to, BATCH_COMMITTED, repeats, repeat_count, last_seq);
	free(repeats);
}

static bool
is_own_row(const char *constraint)
{
	return strcmp(constraint, "contact_pkey") == 0 || strcmp(constraint, "ticket_pkey") == 0
	       || strcmp(constraint, "published_body_pkey") == 0;
}

static enum batch_outcome
failure(const struct db_reply *reply, size_t items)
{
	enum db_fault fault = db_fault_of(reply->sqlstate);

	if (fault == DB_FAULT_DATA && items == 1) {
		if (strcmp(reply->sqlstate, "23505") == 0 && is_own_row(reply->constraint))
			return BATCH_ITEM_EXISTS;
		log_warn("item refused by the record, others committed sqlstate=%s constraint=%s",
		    reply->sqlstate, log_quoted(reply->constraint));
		return BATCH_ITEM_AT_FAULT;
	}
	if (fault == DB_FAULT_OTHER)
		log_error("the record refuses batches, senders are told to come again sqlstate=%s "
			  "why=%s",
		    reply->sqlstate, log_quoted(reply->message));
	else
		log_warn("batch not written, senders are told to come again items=%zu sqlstate=%s",
		    items, reply->sqlstate);
	return BATCH_NOT_WRITTEN;
}

static void
note_stage(const struct sending *s, size_t from, size_t to)
{
	int64_t now_us = clock_monotonic_us();

	for (size_t i = from; i < to; i++)
		stats_observe(
		    s->in->stats, INTAKE_STAT_STAGE, now_us - s->batch->items[i]->queued_us);
}

static void
settled(void *arg, size_t from, size_t to, const struct db_reply *reply)
{
	struct sending *s = arg;

	switch (reply->outcome) {
	case DB_COMMITTED:
		note_stage(s, from, to);
		answer_committed(s, from, to, reply->results[0]);
		return;
	case DB_FAILED:
		accept_answer(s->batch, from, to, failure(reply, to - from), NULL, 0, 0);
		return;
	case DB_UNKNOWN:
		log_warn("outcome of a batch unknown, will be looked up items=%zu", to - from);
		accept_answer(s->batch, from, to, BATCH_UNKNOWN, NULL, 0, 0);
		return;
	case DB_NOT_SENT:
		accept_answer(s->batch, from, to, BATCH_NOT_SENT, NULL, 0, 0);
		return;
	}
}

static void
finished(void *arg)
{
	free(arg);
}

static bool
send_batch(void *arg, struct batch *batch)
{
	static const struct db_batch_rules rules = {
		.build = build,
		.settled = settled,
		.finished = finished,
		.repeatable = false,
		.patience_ms = PATIENCE_MS,
		.unsent_at_once = true,
	};
	struct intake *in = arg;
	struct sending *s = malloc(sizeof(*s));

	if (s == NULL)
		return false;
	*s = (struct sending){ in, batch };
	size_t count = batch->count;
	if (!db_batch_start(in->writer, &rules, s, count)) {
		free(s);
		return false;
	}
	stats_observe(in->stats, INTAKE_STAT_BATCH_ITEMS, (int64_t)count);
	return true;
}

/* --- looking up ------------------------------------------------------------------------------- */

static void
on_looked_up(void *arg, const struct db_reply *reply)
{
	struct batch *batch = arg;
	bool *found = reply->outcome == DB_COMMITTED ? calloc(batch->count, sizeof(*found)) : NULL;

	for (int row = 0; found != NULL && row < db_rows(reply->results[0]); row++) {
		struct uuid id = db_get_uuid(reply->results[0], row, 0);
		for (size_t i = 0; i < batch->count; i++)
			found[i] = found[i] || uuid_compare(&batch->items[i]->item_id, &id) == 0;
	}
	accept_found(batch, found);
	free(found);
}

static bool
look_up(void *arg, struct batch *batch)
{
	struct intake *in = arg;
	struct db_unit *unit = db_unit_create(in->writer);

	db_unit_add(unit, STORE_LOOK_UP);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	for (size_t i = 0; i < batch->count; i++)
		db_array_uuid(ids, &batch->items[i]->item_id);
	if (db_submit(in->writer, unit, on_looked_up, batch))
		return true;
	db_unit_destroy(unit);
	return false;
}

static void
on_commit(void *arg, uint64_t last_seq, size_t fresh, size_t repeats)
{
	struct intake *in = arg;
	const struct registry_head *head = registry_head(in->registry);

	(void)repeats;
	stats_incr(in->stats, INTAKE_STAT_BATCHES);
	stats_add(in->stats, INTAKE_STAT_RECORDS, fresh);
	/* A lost ring costs a quarter of a second, no more. */
	if (last_seq != 0 && head->log_id[0] != '\0')
		(void)doorbell_button_press(in->bell, head->log_id, last_seq);
}

static void
wake(void *arg)
{
	struct intake *in = arg;
	daemon_wake_now(in->daemon);
}

static void
on_spool_refusal(void *arg, enum spool_answer why)
{
	struct intake *in = arg;
	bool full = why == SPOOL_FULL;

	stats_add_at(in->stats, INTAKE_STAT_SPOOL_REFUSED,
	    full ? SPOOL_REFUSED_FULL : SPOOL_REFUSED_DISK, 1);
	log_error("the spool did not take what it was given, senders are told to come again why=%s",
	    full ? "full" : log_quoted(spool_why(in->spool)));
}

const struct accept_calls intake_accept_calls = {
	.has_room = has_room,
	.is_away = is_away,
	.send = send_batch,
	.look_up = look_up,
	.on_commit = on_commit,
	.wake = wake,
	.on_spool_refusal = on_spool_refusal,
};
