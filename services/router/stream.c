/* The stream as a whole: its readers and their places in line, time, drain and figures. */
#include "stream_internal.h"
#include "stream_viewed.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

enum { CHECK_MS = 1000, TICK_MS = 200, IDLE_TICK_MS = 1000 };

/* --- readers ---------------------------------------------------------------------------------- */

struct reader *
reader_of(struct bus_session *session)
{
	return bus_session_data(session);
}

struct reader *
reader_get(struct stream *s, struct bus_session *session, uint64_t request)
{
	struct reader *r = reader_of(session);

	if (r != NULL)
		return r;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		bus_send_error(
		    session, request, TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	r->stream = s;
	r->session = session;
	r->refs = 1;
	memcpy(r->client, bus_session_client(session), strlen(bus_session_client(session)) + 1);
	TAILQ_INSERT_TAIL(&s->readers, r, link);
	bus_session_set_data(session, r);
	return r;
}

void
reader_hold(struct reader *r)
{
	r->refs++;
}

void
reader_release(struct reader *r)
{
	assert(r->refs > 0);
	if (--r->refs > 0)
		return;
	TAILQ_REMOVE(&r->stream->readers, r, link);
	stream_looks_forget(r);
	free(r);
}

static struct reader_list *
list_of(struct reader *r)
{
	switch (r->place) {
	case READER_READY:
		return &r->stream->ready;
	case READER_WAITING:
		return &r->stream->waiting;
	case READER_VIEWING:
		return &r->stream->viewing;
	case READER_RESTING:
	case READER_ASKED:
	case READER_NOTING:
		break;
	}
	return NULL;
}

void
reader_enter(struct reader *r, enum reader_place place)
{
	struct reader_list *list = list_of(r);

	if (list != NULL)
		TAILQ_REMOVE(list, r, turn);
	r->place = place;
	list = list_of(r);
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, r, turn);
}

void
reader_stop(struct reader *r, enum stream_end why)
{
	struct stream *s = r->stream;

	if (r->state == READER_LIVE)
		stats_add_at(s->stats, STREAM_STAT_ENDS, why, 1);
	r->state = READER_NONE;
	reader_enter(r, READER_RESTING);
	stream_ack_orphan(r);
	stream_page_release(s, r->page);
	r->page = NULL;
	filter_finish(&r->asked);
	filter_finish(&r->effective);
	ledger_finish(&r->ledger);
}

void
reader_end(struct reader *r, enum stream_end why, Turunc__V1__ErrorCode code, const char *text,
    uint64_t last_common_seq)
{
	struct bus_session *session = r->session;
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Error error = TURUNC__V1__ERROR__INIT;

	log_info("subscription over client=%s name=%s session=%llu reason=%s", r->client, r->name,
	    (unsigned long long)bus_session_id(session), stream_end_names[why]);
	reader_stop(r, why);
	if (last_common_seq > 0) {
		memcpy(&error.text, &text, sizeof(text));
		error.code = code;
		error.fatal = true;
		error.last_common_seq = last_common_seq;
		frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ERROR;
		frame.error = &error;
		bus_send(session, &frame);
		code = TURUNC__V1__ERROR_CODE__ERROR_UNSPECIFIED;
	}
	bus_session_close(
	    session, why == END_SUPERSEDED ? BUS_CLOSE_SUPERSEDED : BUS_CLOSE_OWNER, code, text);
}

void
stream_session_closed(struct stream *s, struct bus_session *session)
{
	struct reader *r = reader_of(session);

	(void)s;
	if (r == NULL)
		return;
	bus_session_set_data(session, NULL);
	r->session = NULL;
	reader_stop(r, END_CLOSED);
	snapshot_drop(r);
	reader_release(r);
}

void
stream_session_writable(struct stream *s, struct bus_session *session)
{
	struct reader *r = reader_of(session);

	if (r == NULL)
		return;
	r->blocked = false;
	if (r->snapshot != NULL)
		snapshot_writable(r);
	reader_poke(r);
	stream_run(s);
}

/* --- the record ------------------------------------------------------------------------------- */

void
stream_retry_soon(struct stream *s)
{
	if (s->retry_ms == 0)
		s->retry_ms = clock_monotonic_ms() + STREAM_RETRY_MS;
	s->in.wake(s->in.arg);
}

bool
stream_submit(struct stream *s, struct db_unit *unit, db_done_fn *done, void *arg)
{
	return stream_submit_to(s, s->in.db, unit, done, arg);
}

bool
stream_submit_to(struct stream *s, struct db *db, struct db_unit *unit, db_done_fn *done, void *arg)
{
	if (db_submit(db, unit, done, arg)) {
		s->units++;
		return true;
	}
	db_unit_destroy(unit);
	stats_incr(s->stats, STREAM_STAT_FAILED);
	return false;
}

void
stream_unit_done(struct stream *s, const struct db_reply *reply)
{
	s->units--;
	if (reply->outcome == DB_COMMITTED)
		return;
	stats_incr(s->stats, STREAM_STAT_FAILED);
	if (reply->outcome == DB_FAILED)
		log_error("stream cannot ask the record sqlstate=%s statement=%zu", reply->sqlstate,
		    reply->failed_at);
}

static void
grow(struct stream *s, uint64_t head_seq)
{
	struct reader *r;

	if (head_seq <= s->head_seq)
		return;
	s->head_seq = head_seq;
	while ((r = TAILQ_FIRST(&s->waiting)) != NULL)
		reader_enter(r, READER_READY);
	TAILQ_FOREACH (r, &s->readers, link)
		reader_poke(r);
	stream_run(s);
}

/* Calls each for the live readers; it may end them. */
static void
each_live(struct stream *s, void (*each)(struct reader *r, void *arg), void *arg)
{
	struct reader *r, *next;

	for (r = TAILQ_FIRST(&s->readers); r != NULL; r = next) {
		reader_hold(r);
		if (r->state == READER_LIVE)
			each(r, arg);
		next = TAILQ_NEXT(r, link);
		reader_release(r);
	}
}

/* Readers of a history that is not the present one, to be told how far the two are the same. */
struct history_question {
	struct stream *stream;
	struct uuid former;
	uint64_t common_seq;
};

static void
end_if_of_it(struct reader *r, void *arg)
{
	const struct history_question *q = arg;

	if (uuid_compare(&r->log_uuid, &q->former) == 0)
		reader_end(r, END_LOG_CHANGED, TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED,
		    "the log has another history now", q->common_seq);
}

static void
on_common_seq(void *arg, const struct db_reply *reply)
{
	struct history_question *q = arg;
	const struct pg_result *rows = reply->results == NULL ? NULL : reply->results[0];

	stream_unit_done(q->stream, reply);
	if (reply->outcome == DB_COMMITTED && db_rows(rows) > 0 && !db_is_null(rows, 0, 0))
		q->common_seq = (uint64_t)db_get_int(rows, 0, 0);
	/* Null: it is the present history after all. */
	if (uuid_compare(&q->former, &q->stream->log_uuid) != 0)
		each_live(q->stream, end_if_of_it, q);
	free(q);
}

/* Until they are told nothing is delivered to them: see turn(). */
static void
tell_readers_of(struct stream *s, const struct uuid *former)
{
	struct history_question *q = calloc(1, sizeof(*q));
	struct history_question now = { .stream = s, .former = *former };
	struct db_unit *unit = q == NULL ? NULL : db_unit_create(s->in.db);

	if (q != NULL)
		*q = now;
	db_unit_add(unit, STORE_STREAM_COMMON);
	db_add_uuid(unit, former);
	if (q != NULL && stream_submit(s, unit, on_common_seq, q))
		return;
	free(q);
	each_live(s, end_if_of_it, &now);
}

struct head_question {
	struct stream *stream;
	uint64_t forgotten; /* what was so when it was asked */
};

static void
tell_if_behind(struct reader *r, void *arg)
{
	const struct uuid *now = arg;

	if (uuid_compare(&r->log_uuid, now) != 0)
		tell_readers_of(r->stream, &r->log_uuid);
}

static void
on_head(void *arg, const struct db_reply *reply)
{
	struct head_question *q = arg;
	struct stream *s = q->stream;
	bool late = q->forgotten != s->forgotten;

	free(q);
	stream_unit_done(s, reply);
	s->looking = false;
	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) == 0)
		return;
	/* Another answer was quicker, and may be newer. */
	if (late) {
		stream_look(s);
		return;
	}
	struct uuid id = db_get_uuid(reply->results[0], 0, 0);
	stream_log_is(s, &id);
	each_live(s, tell_if_behind, &id);
	grow(s, (uint64_t)db_get_int(reply->results[0], 0, 1));
}

void
stream_look(struct stream *s)
{
	if (s->looking || s->draining)
		return;
	struct head_question *q = malloc(sizeof(*q));
	struct db_unit *unit = q == NULL ? NULL : db_unit_create(s->in.db);
	db_unit_add(unit, STORE_STREAM_HEAD);
	s->looking = q != NULL && stream_submit(s, unit, on_head, q);
	if (s->looking)
		*q = (struct head_question){ s, s->forgotten };
	else
		free(q);
}

void
stream_log_is(struct stream *s, const struct uuid *log_id)
{
	struct uuid former = s->log_uuid;
	struct reader *r;

	if (uuid_compare(&former, log_id) == 0)
		return;
	s->log_uuid = *log_id;
	uuid_format(log_id, s->log_id);
	s->head_seq = 0;
	stream_pages_forget(s);
	stream_look(s);
	if (uuid_is_nil(&former))
		return;
	log_warn("log has another history now, readers are told log_id=%s", s->log_id);
	TAILQ_FOREACH (r, &s->readers, link) {
		reader_enter(r, READER_RESTING);
		stream_page_release(s, r->page);
		r->page = NULL;
	}
	tell_readers_of(s, &former);
}

/* --- what others tell ------------------------------------------------------------------------- */

void
stream_log_grew(struct stream *s, const char *log_id, uint64_t head_seq)
{
	struct uuid id;

	if (!uuid_parse(log_id, strlen(log_id), &id))
		return;
	if (uuid_is_nil(&s->log_uuid))
		stream_log_is(s, &id);
	/* Who tells of another history may be behind as well as ahead of us: the record decides. */
	if (uuid_compare(&id, &s->log_uuid) == 0)
		grow(s, head_seq);
	else
		stream_look(s);
}

/* --- time ------------------------------------------------------------------------------------- */

static void
retry(struct stream *s)
{
	struct reader *r;

	s->retry_ms = 0;
	while ((r = TAILQ_FIRST(&s->waiting)) != NULL)
		reader_enter(r, READER_READY);
	TAILQ_FOREACH (r, &s->readers, link) {
		reader_poke(r);
		if (r->snapshot != NULL)
			snapshot_retry(r);
	}
	stream_acks_flush(s);
	stream_run(s);
}

int64_t
stream_tick(struct stream *s, uint64_t now_ms)
{
	struct reader *r;

	if (s->retry_ms != 0 && now_ms >= s->retry_ms)
		retry(s);
	TAILQ_FOREACH (r, &s->readers, link)
		reader_tell_position(r, now_ms);
	if (now_ms >= s->check_ms) {
		s->check_ms = now_ms + CHECK_MS;
		stream_check_epochs(s);
		if (s->head_seq == 0 && s->log_id[0] != '\0')
			stream_look(s);
	}
	if (s->retry_ms != 0)
		return s->retry_ms > now_ms ? (int64_t)(s->retry_ms - now_ms) : 1;
	return TAILQ_EMPTY(&s->readers) ? IDLE_TICK_MS : TICK_MS;
}

void
stream_drain(struct stream *s)
{
	s->draining = true;
	stream_acks_flush(s);
}

bool
stream_busy(const struct stream *s)
{
	return s->acking || (!TAILQ_EMPTY(&s->acks) && db_state_now(s->in.db) == DB_READY);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stream_run(arg);
}

/* --- figures ---------------------------------------------------------------------------------- */

const struct stats *
stream_stats(const struct stream *s)
{
	return s->stats;
}

void
stream_stats_refresh(void *arg)
{
	struct stream *s = arg;
	struct reader *r;
	int64_t held = 0;
	uint64_t lag = 0;

	TAILQ_FOREACH (r, &s->readers, link) {
		if (r->state != READER_LIVE)
			continue;
		held++;
		if (s->head_seq > r->ledger.acked && s->head_seq - r->ledger.acked > lag)
			lag = s->head_seq - r->ledger.acked;
	}
	stats_set(s->stats, STREAM_STAT_READERS, held);
	stats_set(s->stats, STREAM_STAT_LAG, (int64_t)lag);
}

/* --- create and destroy ----------------------------------------------------------------------- */

struct stream *
stream_create(const struct stream_inputs *inputs)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->in = *inputs;
	TAILQ_INIT(&s->readers);
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->waiting);
	TAILQ_INIT(&s->viewing);
	TAILQ_INIT(&s->pages);
	TAILQ_INIT(&s->acks);
	s->stats = stats_create(stream_stat_rows, STREAM_STATS);
	s->again = evtimer_new(inputs->loop, on_again, s);
	s->keep = evtimer_new(inputs->loop, stream_acks_on_time, s);
	if (s->stats == NULL || s->again == NULL || s->keep == NULL) {
		stream_destroy(s);
		return NULL;
	}
	return s;
}

/* With db and door closed nothing holds a reader any more. */
void
stream_destroy(struct stream *s)
{
	if (s == NULL)
		return;
	stream_acks_destroy(s);
	assert(TAILQ_EMPTY(&s->readers));
	stream_pages_forget(s);
	stream_frame_finish(&s->frame);
	if (s->again != NULL)
		event_free(s->again);
	if (s->keep != NULL)
		event_free(s->keep);
	stats_destroy(s->stats);
	free(s);
}
