/* Writes letters before the projection passes their records, and looks at requeued ones. */
#include "misfits.h"

#include <stdlib.h>

#include "clock.h"
#include "db.h"
#include "frame.h"
#include "ops.h"
#include "store.h"

enum { RETRY_MS = 500 };

enum step {
	STEP_NONE,
	STEP_READING, /* the requeued record */
	STEP_REBUILDING, /* the figures, with it */
	STEP_ENDING, /* its letter */
};

struct misfits {
	struct misfits_world world;
	uint64_t known; /* the last record whose letter was written */
	uint64_t writing; /* the one whose letter is being written, 0: none */
	enum step step;
	uint64_t requeued; /* the letter in hand, of step */
	uint64_t retry_at_ms;
	struct ops scratch;
};

struct misfits *
misfits_create(const struct misfits_world *world)
{
	struct misfits *m = calloc(1, sizeof(*m));

	if (m != NULL)
		m->world = *world;
	return m;
}

void
misfits_destroy(struct misfits *m)
{
	if (m == NULL)
		return;
	ops_finish(&m->scratch);
	free(m);
}

bool
misfits_of(struct misfits *m, const Turunc__V1__Record *record, enum letter_reason *ret_reason)
{
	/* The router sends a record that it cannot read without its event. */
	*ret_reason = LETTER_UNDECODABLE;
	if (record->event == NULL)
		return true;
	*ret_reason = LETTER_MISFIT;
	ops_clear(&m->scratch);
	return !ops_add_record(&m->scratch, record);
}

bool
misfits_known(const struct misfits *m, uint64_t seq)
{
	return seq == m->known;
}

void
misfits_found_place(struct misfits *m, uint64_t seq)
{
	letters_found_place(m->world.letters, seq);
}

void
misfits_counted(struct misfits *m)
{
	if (m->writing != 0)
		return;
	letters_begin(m->world.letters);
	letters_acted(m->world.letters);
	letters_committed(m->world.letters);
}

bool
misfits_may_go_on(const struct misfits *m, uint64_t now_ms)
{
	return m->writing == 0 && letters_may_go_on(m->world.letters, now_ms);
}

bool
misfits_busy(const struct misfits *m)
{
	return m->writing != 0 || m->step == STEP_ENDING || letters_busy(m->world.letters);
}

/* --- a new one -------------------------------------------------------------------------------- */

static void
on_written(void *arg, const struct db_reply *reply)
{
	struct misfits *m = arg;

	if (reply->outcome == DB_COMMITTED) {
		m->known = m->writing;
		letters_committed(m->world.letters);
	}
	m->writing = 0;
	m->world.on_written(m->world.arg);
}

void
misfits_write(struct misfits *m, uint64_t seq, enum letter_reason reason)
{
	letters_begin(m->world.letters);
	if (!letters_add(m->world.letters, seq, reason, NULL)) {
		letters_stop(m->world.letters, seq);
		return;
	}
	struct db_unit *unit = db_unit_create(m->world.db);
	letters_write(m->world.letters, unit, clock_now_us());
	m->writing = seq;
	if (!db_submit(m->world.db, unit, on_written, m)) {
		db_unit_destroy(unit);
		m->writing = 0;
	}
}

/* --- a requeued one --------------------------------------------------------------------------- */

static void
let_go(struct misfits *m)
{
	m->step = STEP_NONE;
	m->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
}

static void
on_ended(void *arg, const struct db_reply *reply)
{
	struct misfits *m = arg;

	let_go(m);
	letters_ended(m->world.letters, m->requeued, reply);
}

void
misfits_rebuilt(struct misfits *m, uint64_t seq)
{
	if (m->step != STEP_REBUILDING || seq < m->requeued)
		return;
	struct db_unit *unit = db_unit_create(m->world.db);
	letters_end(m->world.letters, unit, m->requeued, clock_now_us());
	m->step = STEP_ENDING;
	if (!db_submit(m->world.db, unit, on_ended, m)) {
		db_unit_destroy(unit);
		let_go(m);
	}
}

/* Does it fit now? */
static void
look_at(struct misfits *m, const struct pg_result *rows)
{
	Turunc__V1__Record record = TURUNC__V1__RECORD__INIT;
	struct frame *frame = NULL;
	enum letter_reason reason;
	size_t len;
	const void *data = db_get_bytea(rows, 0, 1, &len);
	enum frame_result result = frame_unpack(
	    &turunc__v1__event__descriptor, data, len, &frame, NULL);

	if (result == FRAME_NO_MEMORY) {
		let_go(m);
		return;
	}
	record.seq = m->requeued;
	record.committed_at_us = db_get_int(rows, 0, 0);
	if (result == FRAME_OK) {
		/* The frame is ours to read, and the record lives no longer than it. */
		Turunc__V1__Event event = *(const Turunc__V1__Event *)frame_message(frame);
		record.event = &event;
		if (!misfits_of(m, &record, &reason)) {
			m->step = STEP_REBUILDING;
			frame_destroy(frame);
			m->world.on_countable(m->world.arg);
			return;
		}
	} else {
		reason = LETTER_UNDECODABLE;
	}
	frame_destroy(frame);
	let_go(m);
	letters_return(m->world.letters, m->requeued, reason, NULL);
}

static void
on_record(void *arg, const struct db_reply *reply)
{
	struct misfits *m = arg;

	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) != 1)
		let_go(m);
	else
		look_at(m, reply->results[0]);
}

int64_t
misfits_tick(struct misfits *m, uint64_t now_ms)
{
	uint64_t seq = letters_requeued(m->world.letters);

	if (m->step == STEP_REBUILDING && seq != m->requeued)
		m->step = STEP_NONE; /* somebody has discarded it meanwhile */
	if (m->step != STEP_NONE || seq == 0 || db_state_now(m->world.db) != DB_READY)
		return -1;
	if (now_ms < m->retry_at_ms)
		return (int64_t)(m->retry_at_ms - now_ms);
	struct db_unit *unit = db_unit_create(m->world.db);
	db_unit_add(unit, STORE_RECORD);
	db_add_int8(unit, (int64_t)seq);
	m->requeued = seq;
	m->step = STEP_READING;
	if (!db_submit(m->world.db, unit, on_record, m)) {
		db_unit_destroy(unit);
		let_go(m);
		return RETRY_MS;
	}
	return -1;
}
