/* Gives readers their turns: finds their page, asks for the views, sends the frame. */
#include "stream_internal.h"
#include "stream_viewed.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "router_stats.h"
#include "trace.h"

enum {
	TURNS_MAX = 64, /* before the loop sees to others */
	VIEW_UNITS_MAX = 2,
	VIEW_READERS_MAX = 64, /* served by one statement */
	TELL_MS = 1000, /* between two deliveries that only move a position */
};

static bool
matches(const struct reader *r, const struct stream_row *row)
{
	return filter_matches(&r->effective, row->type, row->department, row->previous_department);
}

bool
stream_subject_special(const struct stream *s, const char *subject_code)
{
	const struct catalogue *cat = s->in.catalogue(s->in.arg);

	/* Nothing is known to be harmless without a catalogue. */
	return cat == NULL || catalogue_is_special(cat, subject_code);
}

void
reader_poke(struct reader *r)
{
	const struct stream *s = r->stream;

	if (r->state == READER_LIVE && r->place == READER_RESTING && !r->blocked
	    && r->position < s->head_seq && ledger_room(&r->ledger) > 0)
		reader_enter(r, READER_READY);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Row of the ticket in a result ordered by ticket; -1: not there. */
static int
find_ticket(const struct pg_result *views, int64_t ticket_id)
{
	int low = 0, high = views == NULL ? 0 : db_rows(views);

	while (low < high) {
		int middle = low + (high - low) / 2;
		int64_t here = db_get_int(views, middle, 0);
		if (here == ticket_id)
			return middle;
		if (here < ticket_id)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* What the record of a look shows is not looked at again: it would have no end. */
static enum view_cut
cut_view(struct view *v, const struct stream_row *row, const struct view_ticket *ticket,
    const struct acl_client *rights, bool special)
{
	if (strcmp(row->type, "ticket.viewed") != 0)
		return view_cut(v, ticket, rights, special);
	view_cut_short(v, ticket);
	return VIEW_CUT_CATEGORY;
}

/* FULL with the reader's `unnoted`: it may be sent when the log says that it is. */
static enum stream_frame_result
add_record(struct reader *r, const struct stream_row *row, const struct pg_result *views,
    const struct acl_client *rights)
{
	struct stream *s = r->stream;
	struct stream_record record = { .seq = row->seq,
		.committed_at_us = row->committed_at_us,
		.event = row->event,
		.event_len = row->event_len };
	struct view *v = &s->scratch;
	struct view_ticket ticket;

	int at = row->ticket_id == 0 ? -1 : find_ticket(views, row->ticket_id);
	if (at < 0)
		return stream_frame_add(&s->frame, &record);
	view_read(views, at, &ticket);
	bool special = stream_subject_special(s, ticket.subject_code);
	enum view_cut cut = cut_view(v, row, &ticket, rights, special);
	if (stream_look_is_new(r, READER_DOOR_STREAM, rights, &ticket, cut, special)) {
		r->unnoted = true;
		view_clear(v);
		return STREAM_FRAME_FULL;
	}
	record.view = &v->message;
	enum stream_frame_result result = stream_frame_add(&s->frame, &record);
	view_clear(v);
	if (result == STREAM_FRAME_FULL && s->frame.records == 0) {
		cut = VIEW_CUT_SIZE;
		view_cut_short(v, &ticket);
		result = stream_frame_add(&s->frame, &record);
	}
	if (result == STREAM_FRAME_ADDED)
		stats_add_at(s->stats, STREAM_STAT_CUTS, cut, 1);
	return result;
}

/* Fills the frame; *ret_through is how far it reaches, and the result why not further: FULL with
 * no record in it is a record that no frame can hold. */
static enum stream_frame_result
fill_frame(struct reader *r, const struct pg_result *views, const struct acl_client *rights,
    uint64_t *ret_through)
{
	struct stream *s = r->stream;
	size_t room = ledger_room(&r->ledger);
	uint64_t through = r->position;

	r->unnoted = false;
	stream_frame_begin(&s->frame);
	for (size_t i = r->from; i < r->to; i++) {
		const struct stream_row *row = &r->page->rows[i];
		if (matches(r, row)) {
			if (s->frame.records == room)
				break;
			enum stream_frame_result result = add_record(r, row, views, rights);
			if (result != STREAM_FRAME_ADDED) {
				*ret_through = through;
				return result;
			}
		}
		through = row->seq;
	}
	*ret_through = through;
	return STREAM_FRAME_ADDED;
}

/* The frame left: the books are brought up to it. */
static void
note_sent(struct reader *r, uint64_t through)
{
	struct stream *s = r->stream;

	int64_t now_us = clock_now_us();
	for (size_t i = r->from; i < r->to && r->page->rows[i].seq <= through; i++) {
		const struct stream_row *row = &r->page->rows[i];
		if (!matches(r, row))
			continue;
		ledger_sent(&r->ledger, row->seq);
		trace_log_packed("delivered", row->event, row->event_len, "to=%s/%s seq=%llu",
		    r->client, r->name, (unsigned long long)row->seq);
		/* What was written while nobody read is no stage's delay. */
		if (row->committed_at_us >= r->since_us)
			stats_observe(
			    s->in.stages, ROUTER_STAT_DELIVERED_IN, now_us - row->committed_at_us);
	}
	ledger_told(&r->ledger, through);
	r->position = through;
	r->told_ms = clock_monotonic_ms();
	stats_add(s->stats, STREAM_STAT_RECORDS, s->frame.records);
	stats_incr(s->stats, s->frame.records > 0 ? STREAM_STAT_FRAMES : STREAM_STAT_EMPTY);
}

/* False: not now; whatever stands in the way pokes the reader when it is gone. */
static bool
offer_frame(struct reader *r, uint64_t through)
{
	struct stream *s = r->stream;
	struct stream_frame_head head = { .log_id = s->log_id,
		.epoch = r->epoch,
		.after_seq = r->ledger.told,
		.through_seq = through };
	size_t len;
	const uint8_t *data = stream_frame_close(&s->frame, &head, &len);

	if (data == NULL) {
		stream_retry_soon(s);
		return false;
	}
	enum bus_offer offer = bus_offer_bytes(r->session, data, len);
	if (offer == BUS_LATER)
		stats_incr(s->stats, STREAM_STAT_LATER);
	/* A session that is over is blocked for good. */
	r->blocked = offer != BUS_TAKEN;
	return offer == BUS_TAKEN;
}

/* All that the frame would show and that was not noted yet. */
static void
note_looks(struct reader *r, const struct pg_result *views, const struct acl_client *rights)
{
	struct stream *s = r->stream;
	struct looks looks = { 0 };
	struct view_ticket ticket;

	for (size_t i = r->from; i < r->to; i++) {
		const struct stream_row *row = &r->page->rows[i];
		int at = row->ticket_id == 0 || !matches(r, row)
			     ? -1
			     : find_ticket(views, row->ticket_id);
		if (at < 0)
			continue;
		view_read(views, at, &ticket);
		bool special = stream_subject_special(s, ticket.subject_code);
		enum view_cut cut = cut_view(&s->scratch, row, &ticket, rights, special);
		view_clear(&s->scratch);
		if (special && cut == VIEW_WHOLE)
			stream_looks_add(&looks, &ticket);
	}
	if (stream_looks_note(r, READER_DOOR_STREAM, &looks))
		reader_enter(r, READER_NOTING);
}

/* The reader's frame, rows [from, to) of its page, is sent as far as it goes. */
static void
send_frame(struct reader *r, const struct pg_result *views)
{
	struct stream *s = r->stream;
	const struct acl_client *rights = bus_session_rights(r->session);
	uint64_t through;

	reader_enter(r, READER_RESTING);
	if (rights == NULL)
		return; /* the bus is about to end the session */
	if (!ledger_reserve(&r->ledger, r->to - r->from)) {
		stream_retry_soon(s);
		return;
	}
	enum stream_frame_result result = fill_frame(r, views, rights, &through);
	if (r->unnoted && s->frame.records == 0) {
		note_looks(r, views, rights);
		return;
	}
	if (result == STREAM_FRAME_FULL && s->frame.records == 0) {
		log_error("record cannot be sent, subscription ended client=%s name=%s after=%llu",
		    r->client, r->name, (unsigned long long)through);
		reader_end(r, END_UNSENDABLE, TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
		    "the next record does not fit in a frame", 0);
		return;
	}
	if (result == STREAM_FRAME_NO_MEMORY && s->frame.records == 0) {
		stream_retry_soon(s);
		return;
	}
	if (s->frame.records == 0) {
		r->position = through;
	} else {
		if (!offer_frame(r, through))
			return;
		note_sent(r, through);
	}
	reader_poke(r);
}

/* Nothing is left of it when sending ended the reader. */
static void
let_page_go(struct reader *r)
{
	stream_page_release(r->stream, r->page);
	r->page = NULL;
}

void
reader_choose_anew(struct reader *r)
{
	if (r->place != READER_VIEWING && r->place != READER_ASKED)
		return;
	let_page_go(r);
	reader_enter(r, READER_READY);
	(void)evtimer_add(r->stream->again, &(struct timeval){ 0 });
}

void
reader_tell_position(struct reader *r, uint64_t now_ms)
{
	if (r->state != READER_LIVE || r->place == READER_ASKED || r->place == READER_VIEWING
	    || r->place == READER_NOTING || r->blocked || r->position <= r->ledger.told
	    || now_ms - r->told_ms < TELL_MS)
		return;
	stream_frame_begin(&r->stream->frame);
	if (!offer_frame(r, r->position))
		return;
	ledger_told(&r->ledger, r->position);
	r->told_ms = now_ms;
	stats_incr(r->stream->stats, STREAM_STAT_EMPTY);
}

/* --- views ------------------------------------------------------------------------------------ */

/* One statement that looks tickets up for several readers. */
struct view_question {
	struct stream *stream;
	size_t count;
	struct reader *readers[VIEW_READERS_MAX];
	uint64_t asked[VIEW_READERS_MAX]; /* each one's views_asked */
};

static void
on_views(void *arg, const struct db_reply *reply)
{
	struct view_question *q = arg;
	struct stream *s = q->stream;
	bool ok = reply->outcome == DB_COMMITTED;

	stream_unit_done(s, reply);
	s->view_units--;
	for (size_t i = 0; i < q->count; i++) {
		struct reader *r = q->readers[i];
		if (r->state == READER_LIVE && r->place == READER_ASKED
		    && r->views_asked == q->asked[i]) {
			if (ok)
				send_frame(r, reply->results[0]);
			else
				reader_enter(r, READER_RESTING);
			let_page_go(r);
		}
		reader_release(r);
	}
	free(q);
	if (!ok)
		stream_retry_soon(s);
	stream_run(s);
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left < right ? -1 : left > right;
}

/* Adds the tickets of the reader's frame to the sorted ids; false: too many. */
static bool
merge_tickets(const struct reader *r, int64_t ids[2 * STREAM_TICKETS_MAX], size_t *count)
{
	size_t n = *count, kept = 0;

	for (size_t i = r->from; i < r->to; i++) {
		const struct stream_row *row = &r->page->rows[i];
		if (row->ticket_id != 0 && matches(r, row))
			ids[n++] = row->ticket_id;
	}
	qsort(ids, n, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || ids[i] != ids[kept - 1])
			ids[kept++] = ids[i];
	*count = kept;
	return kept <= STREAM_TICKETS_MAX;
}

static void
ask_views_once(struct stream *s)
{
	int64_t ids[2 * STREAM_TICKETS_MAX], merged[2 * STREAM_TICKETS_MAX];
	size_t count = 0;
	struct view_question *q = calloc(1, sizeof(*q));
	struct db_unit *unit = q == NULL ? NULL : db_unit_create(s->in.db);
	struct reader *r;

	while (q != NULL && q->count < VIEW_READERS_MAX && (r = TAILQ_FIRST(&s->viewing)) != NULL) {
		memcpy(merged, ids, count * sizeof(*ids));
		size_t with = count;
		/* The first alone never has too many: a page has no more rows. */
		if (!merge_tickets(r, merged, &with) && q->count > 0)
			break;
		memcpy(ids, merged, with * sizeof(*ids));
		count = with;
		q->asked[q->count] = ++r->views_asked;
		q->readers[q->count++] = r;
		reader_hold(r);
		reader_enter(r, READER_ASKED);
	}
	db_unit_add(unit, STORE_STREAM_VIEWS);
	struct db_array *wanted = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < count; i++)
		db_array_int8(wanted, ids[i]);
	if (q != NULL)
		q->stream = s;
	if (q != NULL && stream_submit(s, unit, on_views, q)) {
		s->view_units++;
		stats_incr(s->stats, STREAM_STAT_VIEWS);
		return;
	}
	for (size_t i = 0; q != NULL && i < q->count; i++) {
		reader_enter(q->readers[i], READER_VIEWING);
		reader_release(q->readers[i]);
	}
	free(q);
	stream_retry_soon(s);
}

static void
ask_views(struct stream *s)
{
	while (!TAILQ_EMPTY(&s->viewing) && s->view_units < VIEW_UNITS_MAX && s->retry_ms == 0)
		ask_views_once(s);
}

/* --- turns ------------------------------------------------------------------------------------ */

static size_t
first_after(const struct stream_page *page, uint64_t position)
{
	size_t low = 0, high = page->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (page->rows[middle].seq <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Chooses the rows of the next frame; true: some of them matched.  *ret_tickets: one of those is
 * about a ticket. */
static bool
choose_rows(struct reader *r, struct stream_page *page, bool *ret_tickets)
{
	size_t room = ledger_room(&r->ledger), found = 0, bytes = 0;

	*ret_tickets = false;
	r->from = first_after(page, r->position);
	for (r->to = r->from; r->to < page->count; r->to++) {
		const struct stream_row *row = &page->rows[r->to];
		if (!matches(r, row))
			continue;
		if (found == room || (found > 0 && bytes + row->event_len > STREAM_PAGE_BYTES))
			break;
		found++;
		bytes += row->event_len;
		*ret_tickets = *ret_tickets || row->ticket_id != 0;
	}
	return found > 0;
}

static void
turn(struct reader *r)
{
	struct stream *s = r->stream;
	bool tickets;

	reader_enter(r, READER_RESTING);
	if (r->position >= s->head_seq || ledger_room(&r->ledger) == 0 || s->draining
	    || uuid_compare(&r->log_uuid, &s->log_uuid) != 0)
		return;
	struct stream_page *page = stream_page_find(s, r->position);
	if (page == NULL) {
		reader_enter(r, READER_WAITING);
		stream_page_ask(s, r->position,
		    r->view == TURUNC__V1__VIEW__VIEW_FULL
			&& s->head_seq - r->position <= STREAM_FRESH_ROWS);
		return;
	}
	stats_incr(s->stats, STREAM_STAT_PAGE_HITS);
	if (!choose_rows(r, page, &tickets)) {
		r->position = page->through;
		reader_poke(r);
		return;
	}
	r->page = page;
	stream_page_hold(page);
	bool views = tickets && r->view == TURUNC__V1__VIEW__VIEW_FULL;
	if (views && page != s->fresh_page) {
		reader_enter(r, READER_VIEWING);
		return;
	}
	send_frame(r, views ? s->fresh_views : NULL);
	let_page_go(r);
}

void
stream_run(struct stream *s)
{
	struct reader *r;

	for (int n = 0; n < TURNS_MAX && (r = TAILQ_FIRST(&s->ready)) != NULL; n++) {
		reader_hold(r);
		turn(r);
		reader_release(r);
	}
	ask_views(s);
	if (!TAILQ_EMPTY(&s->ready))
		(void)evtimer_add(s->again, &(struct timeval){ 0 });
}
