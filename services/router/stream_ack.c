/* Collects acknowledgements of all sessions, commits them together, and tells those who wait. */
#include "stream_internal.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* An acknowledgement is durable within 50 ms (docs/bus.md); committing each at once would cost the
 * log a second commit for every batch that is delivered. */
enum { REQUESTS_MAX = 64, FLUSH_AT_REQUESTS = REQUESTS_MAX / 2, COLLECT_MS = 20 };

/* One subscription's newest position, with the frames that asked to have it kept. */
struct stream_ack {
	TAILQ_ENTRY(stream_ack) link;
	char client[ACL_NAME_BYTES + 1];
	char name[STREAM_NAME_BYTES + 1];
	uint64_t epoch, through_seq;
	struct reader *reader; /* held; NULL: the session is over */
	struct {
		uint64_t request, through_seq;
	} asked[REQUESTS_MAX];
	size_t asked_count;
};

/* Acknowledgements on their way, in the order of the statement. */
struct ack_question {
	struct stream *stream;
	struct stream_ack_list acks;
};

static void
add_texts(struct db_unit *unit, const struct ack_question *q)
{
	struct stream_ack *ack;
	struct db_array *clients = db_add_array(unit, DB_TEXT);
	struct db_array *names = db_add_array(unit, DB_TEXT);

	TAILQ_FOREACH (ack, &q->acks, link) {
		db_array_text(clients, ack->client);
		db_array_text(names, ack->name);
	}
}

static struct db_unit *
build(struct ack_question *q)
{
	struct db_unit *unit = db_unit_create(q->stream->in.db);
	struct stream_ack *ack;

	db_unit_add(unit, STORE_STREAM_ACK);
	add_texts(unit, q);
	struct db_array *epochs = db_add_array(unit, DB_INT8);
	struct db_array *seqs = db_add_array(unit, DB_INT8);
	TAILQ_FOREACH (ack, &q->acks, link) {
		db_array_int8(epochs, (int64_t)ack->epoch);
		db_array_int8(seqs, (int64_t)ack->through_seq);
	}
	db_add_int8(unit, clock_now_us());
	/* A new statement sees what the update has waited for. */
	db_unit_add(unit, STORE_STREAM_EPOCHS);
	add_texts(unit, q);
	return unit;
}

static void
tell_acked(struct reader *r, const struct stream_ack *ack)
{
	Turunc__V1__ServerFrame frame = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__Acked acked = TURUNC__V1__ACKED__INIT;

	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_ACKED;
	frame.acked = &acked;
	for (size_t i = 0; i < ack->asked_count; i++) {
		frame.request = ack->asked[i].request;
		acked.through_seq = ack->asked[i].through_seq;
		bus_send(r->session, &frame);
	}
}

/* The record's row says whether it was kept: a lost epoch touches nothing. */
static void
settle(struct stream *s, struct stream_ack *ack, const struct pg_result *rows, int row)
{
	struct reader *r = ack->reader;
	bool kept = !db_is_null(rows, row, 0) && db_get_int(rows, row, 0) == (int64_t)ack->epoch;

	stats_add(s->stats, kept ? STREAM_STAT_ACKS : STREAM_STAT_ACKS_REFUSED,
	    ack->asked_count == 0 ? 1 : ack->asked_count);
	if (r != NULL && r->state == READER_LIVE && r->epoch == ack->epoch) {
		if (kept)
			tell_acked(r, ack);
		else
			reader_compare_epoch(r, rows, row);
	}
	if (r != NULL)
		reader_release(r);
	free(ack);
}

static void
put_back(struct ack_question *q)
{
	struct stream *s = q->stream;

	TAILQ_CONCAT(&q->acks, &s->acks, link);
	TAILQ_CONCAT(&s->acks, &q->acks, link);
	stream_retry_soon(s);
}

static void
on_kept(void *arg, const struct db_reply *reply)
{
	struct ack_question *q = arg;
	struct stream *s = q->stream;
	struct stream_ack *ack;

	stream_unit_done(s, reply);
	s->acking = false;
	if (reply->outcome == DB_COMMITTED) {
		for (int row = 0; (ack = TAILQ_FIRST(&q->acks)) != NULL; row++) {
			TAILQ_REMOVE(&q->acks, ack, link);
			settle(s, ack, reply->results[1], row);
		}
		if (!evtimer_pending(s->keep, NULL))
			stream_acks_flush(s);
	} else {
		/* Unknown or refused: the same again later has the same effect. */
		put_back(q);
	}
	free(q);
}

void
stream_acks_flush(struct stream *s)
{
	struct stream_ack *ack;

	if (s->acking || TAILQ_EMPTY(&s->acks) || s->retry_ms != 0)
		return;
	struct ack_question *q = malloc(sizeof(*q));
	if (q == NULL) {
		stream_retry_soon(s);
		return;
	}
	q->stream = s;
	TAILQ_INIT(&q->acks);
	TAILQ_CONCAT(&q->acks, &s->acks, link);
	TAILQ_FOREACH (ack, &q->acks, link)
		if (ack->reader != NULL && ack->reader->ack == ack)
			ack->reader->ack = NULL;
	s->acking = stream_submit(s, build(q), on_kept, q);
	if (!s->acking) {
		put_back(q);
		free(q);
	}
}

void
stream_acks_on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stream_acks_flush(arg);
}

/* More may come in a moment. */
static void
flush_soon(struct stream *s, const struct stream_ack *newest)
{
	const struct timeval delay = { .tv_usec = COLLECT_MS * 1000 };

	bool now = s->draining || newest->asked_count >= FLUSH_AT_REQUESTS;

	if (!now && (evtimer_pending(s->keep, NULL) || evtimer_add(s->keep, &delay) == 0))
		return;
	stream_acks_flush(s);
}

void
stream_ack_orphan(struct reader *r)
{
	struct stream_ack *ack = r->ack;

	/* What was acknowledged is kept even when the session is over before it could be told. */
	r->ack = NULL;
	if (ack == NULL)
		return;
	ack->reader = NULL;
	reader_release(r);
}

void
stream_acks_destroy(struct stream *s)
{
	struct stream_ack *ack;

	while ((ack = TAILQ_FIRST(&s->acks)) != NULL) {
		TAILQ_REMOVE(&s->acks, ack, link);
		if (ack->reader != NULL)
			reader_release(ack->reader);
		free(ack);
	}
}

static struct stream_ack *
collected(struct reader *r)
{
	struct stream_ack *ack = r->ack;

	if (ack != NULL)
		return ack;
	ack = calloc(1, sizeof(*ack));
	if (ack == NULL)
		return NULL;
	memcpy(ack->client, r->client, sizeof(ack->client));
	memcpy(ack->name, r->name, sizeof(ack->name));
	ack->epoch = r->epoch;
	ack->reader = r;
	reader_hold(r);
	r->ack = ack;
	TAILQ_INSERT_TAIL(&r->stream->acks, ack, link);
	return ack;
}

static void
refuse(struct reader *r, uint64_t request, Turunc__V1__ErrorCode code, const char *text)
{
	stats_incr(r->stream->stats, STREAM_STAT_ACKS_REFUSED);
	bus_send_error(r->session, request, code, text);
}

void
stream_handle_ack(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	struct reader *r = reader_of(session);
	uint64_t through_seq = frame->ack->through_seq;

	if (r == NULL || r->state != READER_LIVE || r->epoch != frame->ack->epoch) {
		stats_incr(s->stats, STREAM_STAT_ACKS_REFUSED);
		bus_send_error(session, frame->request,
		    TURUNC__V1__ERROR_CODE__ERROR_NO_SUBSCRIPTION,
		    "this session holds no subscription under this epoch");
		return;
	}
	if (through_seq > r->ledger.told) {
		refuse(r, frame->request, TURUNC__V1__ERROR_CODE__ERROR_BAD_ACK,
		    "an acknowledgement of what was not sent");
		return;
	}
	struct stream_ack *ack = collected(r);
	if (ack == NULL || ack->asked_count == REQUESTS_MAX) {
		refuse(r, frame->request,
		    ack == NULL ? TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE
				: TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
		    ack == NULL ? "out of memory" : "too many acknowledgements at once");
		return;
	}
	ack->asked[ack->asked_count].request = frame->request;
	ack->asked[ack->asked_count++].through_seq = through_seq;
	if (through_seq > ack->through_seq)
		ack->through_seq = through_seq;
	if (ledger_ack(&r->ledger, through_seq) == LEDGER_ACK_TAKEN)
		reader_poke(r);
	flush_soon(s, ack);
	stream_run(s);
}
