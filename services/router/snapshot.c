/*
 * Sends the open tickets of some departments, page by page.
 *
 * Every page is read by itself, from where the last one that was sent ended, so nothing is held in
 * the record or in memory between two pages.  as_of_seq is the log's end before the first page was
 * read; later pages may already show what came after it.  A reader that then follows the log from
 * as_of_seq on meets those changes again and passes over versions it knows: what both together
 * tell is exact.  (docs/decisions/0011-snapshots-converge.md)
 */
#include "stream_internal.h"
#include "stream_viewed.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { PAGE_ROWS = 128, PAGE_BYTES = 160 * 1024, FRAME_ROOM = FRAME_MAX_BYTES - 1024 };

struct stream_snapshot {
	uint64_t request;
	struct filter departments; /* sorted; "*" alone: all of them */
	bool all;
	size_t at; /* of the departments */
	char department[FILTER_ITEM_BYTES + 1]; /* after which to go on, when all are asked for */
	int64_t ticket_id;
	bool begun; /* as_of_seq is known */
	uint64_t as_of_seq;
	char log_id[UUID_TEXT_SIZE];
	bool asking, last;
};

static void ask_page(struct reader *r);

void
snapshot_drop(struct reader *r)
{
	struct stream_snapshot *snap = r->snapshot;

	if (snap == NULL)
		return;
	r->snapshot = NULL;
	filter_finish(&snap->departments);
	free(snap);
}

/* --- sending a page --------------------------------------------------------------------------- */

/* One page as a message; it lends the tickets' texts from the result. */
struct page {
	Turunc__V1__SnapshotPage message;
	Turunc__V1__TicketView *views[PAGE_ROWS];
	struct view cut[PAGE_ROWS];
	size_t bytes;
};

/* Adds row after row while they fit; how many did. */
static int
fill_page(struct reader *r, struct page *page, const struct pg_result *rows,
    const struct acl_client *rights)
{
	struct stream *s = r->stream;
	int n;

	r->unnoted = false;
	for (n = 0; n < db_rows(rows) && n < PAGE_ROWS; n++) {
		struct view *v = &page->cut[n];
		struct view_ticket ticket;

		view_read(rows, n, &ticket);
		bool special = stream_subject_special(s, ticket.subject_code);
		enum view_cut cut = view_cut(v, &ticket, rights, special);
		r->unnoted = stream_look_is_new(
		    r, READER_DOOR_SNAPSHOT, rights, &ticket, cut, special);
		if (r->unnoted) {
			view_clear(v);
			break;
		}
		size_t len = turunc__v1__ticket_view__get_packed_size(&v->message) + 8;
		if (page->bytes + len > FRAME_ROOM) {
			view_clear(v);
			if (n > 0)
				break;
			cut = VIEW_CUT_SIZE;
			view_cut_short(v, &ticket);
			len = turunc__v1__ticket_view__get_packed_size(&v->message) + 8;
		}
		stats_add_at(s->stats, STREAM_STAT_CUTS, cut, 1);
		page->bytes += len;
		page->views[n] = &v->message;
	}
	page->message.n_tickets = (size_t)n;
	page->message.tickets = page->views;
	return n;
}

/* Where the next page begins when everything through that row was sent. */
static void
go_on_after(struct stream_snapshot *snap, const struct pg_result *rows, int row)
{
	struct view_ticket ticket;

	view_read(rows, row, &ticket);
	snap->ticket_id = ticket.ticket_id;
	size_t len = strlen(ticket.department);
	if (snap->all && len <= FILTER_ITEM_BYTES)
		memcpy(snap->department, ticket.department, len + 1);
}

/* The list came to its end: the next department, or none. */
static void
next_department(struct stream_snapshot *snap)
{
	snap->ticket_id = 0;
	snap->at++;
	snap->last = snap->all || snap->at == snap->departments.department_count;
}

static bool
send_page(struct reader *r, struct page *page)
{
	struct stream_snapshot *snap = r->snapshot;
	static const Turunc__V1__ServerFrame empty = TURUNC__V1__SERVER_FRAME__INIT;
	Turunc__V1__ServerFrame frame = empty;

	page->message.as_of_seq = snap->as_of_seq;
	page->message.log_id = snap->log_id;
	page->message.last = snap->last;
	frame.request = snap->request;
	frame.body_case = TURUNC__V1__SERVER_FRAME__BODY_SNAPSHOT_PAGE;
	frame.snapshot_page = &page->message;
	enum bus_offer offer = bus_offer(r->session, &frame);
	if (offer == BUS_LATER)
		stats_incr(r->stream->stats, STREAM_STAT_LATER);
	return offer == BUS_TAKEN;
}

/* All of the page that is of a special category; it is asked for again when that is noted. */
static void
note_looks(struct reader *r, const struct pg_result *rows, const struct acl_client *rights)
{
	struct stream *s = r->stream;
	struct looks looks = { 0 };
	struct view_ticket ticket;

	for (int n = 0; n < db_rows(rows) && n < PAGE_ROWS; n++) {
		view_read(rows, n, &ticket);
		bool special = stream_subject_special(s, ticket.subject_code);
		enum view_cut cut = view_cut(&s->scratch, &ticket, rights, special);
		view_clear(&s->scratch);
		if (special && cut == VIEW_WHOLE)
			stream_looks_add(&looks, &ticket);
	}
	r->snapshot->asking = stream_looks_note(r, READER_DOOR_SNAPSHOT, &looks);
}

void
snapshot_noted(struct reader *r, bool ok)
{
	if (r->session == NULL || r->snapshot == NULL)
		return;
	r->snapshot->asking = false;
	if (ok)
		ask_page(r);
}

static void
on_rows(struct reader *r, const struct pg_result *rows, const struct acl_client *rights)
{
	struct stream_snapshot *snap = r->snapshot;
	struct stream_snapshot before = *snap;
	static const Turunc__V1__SnapshotPage empty = TURUNC__V1__SNAPSHOT_PAGE__INIT;
	struct page *page = calloc(1, sizeof(*page));

	if (page == NULL) {
		stream_retry_soon(r->stream);
		return;
	}
	page->message = empty;
	int sent = fill_page(r, page, rows, rights);
	if (sent == 0 && r->unnoted) {
		free(page);
		note_looks(r, rows, rights);
		return;
	}
	if (sent > 0)
		go_on_after(snap, rows, sent - 1);
	else
		next_department(snap);
	bool taken = (sent == 0 && !snap->last) || send_page(r, page);
	for (int i = 0; i < sent; i++)
		view_clear(&page->cut[i]);
	free(page);
	if (!taken) {
		/* Read again when there is room: nothing of it is kept meanwhile. */
		*snap = before;
		return;
	}
	stats_add(r->stream->stats, STREAM_STAT_SNAPSHOT_TICKETS, (uint64_t)sent);
	if (snap->last) {
		stats_incr(r->stream->stats, STREAM_STAT_SNAPSHOTS);
		snapshot_drop(r);
	} else {
		ask_page(r);
	}
}

/* --- asking for it ---------------------------------------------------------------------------- */

/* False: another history now, and the client was told. */
static bool
note_head(struct reader *r, const struct pg_result *rows)
{
	struct stream_snapshot *snap = r->snapshot;
	char log_id[UUID_TEXT_SIZE] = "";

	if (db_rows(rows) > 0) {
		struct uuid id = db_get_uuid(rows, 0, 0);
		uuid_format(&id, log_id);
	}
	if (!snap->begun) {
		memcpy(snap->log_id, log_id, sizeof(log_id));
		snap->as_of_seq = db_rows(rows) > 0 ? (uint64_t)db_get_int(rows, 0, 1) : 0;
		snap->begun = true;
	}
	if (strcmp(snap->log_id, log_id) == 0)
		return true;
	bus_send_error(r->session, snap->request, TURUNC__V1__ERROR_CODE__ERROR_LOG_CHANGED,
	    "the log has another history now");
	snapshot_drop(r);
	return false;
}

/* False: its rights became less since it was asked for, and the client was told. */
static bool
still_covered(struct reader *r, const struct acl_client *rights)
{
	struct stream_snapshot *snap = r->snapshot;
	const struct filter wanted = { .departments = snap->departments.departments,
		.department_count = snap->departments.department_count };

	if (acl_allows_verb(rights, ACL_SNAPSHOT) && filter_covered(&wanted, rights))
		return true;
	bus_send_error(r->session, snap->request, TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
	    "the client's rights no longer cover this snapshot");
	snapshot_drop(r);
	return false;
}

static void
on_page(void *arg, const struct db_reply *reply)
{
	struct reader *r = arg;
	struct stream *s = r->stream;

	stream_unit_done(s, reply);
	if (r->session != NULL && r->snapshot != NULL) {
		const struct acl_client *rights = bus_session_rights(r->session);
		r->snapshot->asking = false;
		if (reply->outcome != DB_COMMITTED)
			stream_retry_soon(s);
		else if (rights != NULL && still_covered(r, rights)
			 && note_head(r, reply->results[0]))
			on_rows(r, reply->results[1], rights);
	}
	reader_release(r);
}

static void
ask_page(struct reader *r)
{
	struct stream *s = r->stream;
	struct stream_snapshot *snap = r->snapshot;
	struct db_unit *unit = db_unit_create(s->in.db);

	if (snap->asking || s->draining) {
		db_unit_destroy(unit);
		return;
	}
	db_unit_add(unit, STORE_STREAM_HEAD);
	db_unit_add(unit, snap->all ? STORE_STREAM_OPEN_ALL : STORE_STREAM_OPEN);
	db_add_text(unit, snap->all ? snap->department : snap->departments.departments[snap->at]);
	db_add_int8(unit, snap->ticket_id);
	db_add_int8(unit, PAGE_ROWS);
	db_add_int8(unit, PAGE_BYTES);
	snap->asking = stream_submit(s, unit, on_page, r);
	if (snap->asking)
		reader_hold(r);
	else
		stream_retry_soon(s);
}

void
snapshot_writable(struct reader *r)
{
	ask_page(r);
}

void
snapshot_retry(struct reader *r)
{
	ask_page(r);
}

static struct stream_snapshot *
make_snapshot(const Turunc__V1__Snapshot *asked, const struct acl_client *rights)
{
	struct stream_snapshot *snap = calloc(1, sizeof(*snap));
	struct filter wanted = { 0 };

	if (snap == NULL || !filter_init(&wanted, NULL, 0, asked->departments, asked->n_departments)
	    || !filter_effective(&wanted, rights, &snap->departments)) {
		filter_finish(&wanted);
		free(snap);
		return NULL;
	}
	filter_finish(&wanted);
	for (size_t i = 0; i < snap->departments.department_count; i++)
		snap->all = snap->all || strcmp(snap->departments.departments[i], "*") == 0;
	return snap;
}

static bool
covered(const Turunc__V1__Snapshot *asked, const struct acl_client *rights)
{
	struct filter wanted = { .departments = asked->departments,
		.department_count = asked->n_departments };

	return rights->departments.count > 0 && filter_covered(&wanted, rights);
}

void
stream_handle_snapshot(
    struct stream *s, struct bus_session *session, const Turunc__V1__ClientFrame *frame)
{
	const Turunc__V1__Snapshot *asked = frame->snapshot;
	const struct acl_client *rights = bus_session_rights(session);
	const char *fault = filter_fault(NULL, 0, asked->departments, asked->n_departments);
	struct reader *r = reader_get(s, session, frame->request);

	if (r == NULL)
		return;
	if (fault != NULL) {
		bus_send_error(
		    session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_MALFORMED, fault);
	} else if (!covered(asked, rights)) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_FORBIDDEN,
		    "the client's rights do not cover these departments");
	} else if (r->snapshot != NULL) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_TOO_MUCH,
		    "one snapshot at a time");
	} else if (s->draining || db_state_now(s->in.db) != DB_READY
		   || (r->snapshot = make_snapshot(asked, rights)) == NULL) {
		bus_send_error(session, frame->request, TURUNC__V1__ERROR_CODE__ERROR_UNAVAILABLE,
		    "the record is away");
	} else {
		r->snapshot->request = frame->request;
		ask_page(r);
	}
}
