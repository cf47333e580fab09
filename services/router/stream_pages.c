/* Reads the log page by page, and keeps the newest pages for whoever else wants them. */
#include "stream_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "log.h"

enum {
	KEPT_PAGES = 64,
	KEPT_BYTES = 1024 * 1024,
	QUESTIONS_MAX = 3, /* leaves the record's connections room for views and acknowledgements */
};

/* Columns of STORE_STREAM_ROWS. */
enum row_column {
	ROW_SEQ,
	ROW_COMMITTED,
	ROW_TYPE,
	ROW_TICKET,
	ROW_DEPARTMENT,
	ROW_PREVIOUS,
	ROW_EVENT,
	ROW_LOG,
};

struct stream_page *
stream_page_find(struct stream *s, uint64_t position)
{
	struct stream_page *page;

	TAILQ_FOREACH_REVERSE(page, &s->pages, stream_page_list, link)
	{
		if (page->after <= position && position < page->through) {
			TAILQ_REMOVE(&s->pages, page, link);
			TAILQ_INSERT_TAIL(&s->pages, page, link);
			return page;
		}
	}
	return NULL;
}

void
stream_page_hold(struct stream_page *page)
{
	page->refs++;
}

void
stream_page_release(struct stream *s, struct stream_page *page)
{
	(void)s;
	if (page != NULL && --page->refs == 0)
		free(page);
}

static void
drop_oldest(struct stream *s)
{
	struct stream_page *page = TAILQ_FIRST(&s->pages);

	TAILQ_REMOVE(&s->pages, page, link);
	s->page_bytes -= page->bytes;
	s->page_count--;
	stream_page_release(s, page);
}

void
stream_pages_forget(struct stream *s)
{
	while (!TAILQ_EMPTY(&s->pages))
		drop_oldest(s);
	s->forgotten++;
}

/* --- from a result ---------------------------------------------------------------------------- */

static size_t
text_bytes(const struct pg_result *rows)
{
	size_t bytes = 0, len;

	for (int i = 0; i < db_rows(rows); i++) {
		(void)db_get_bytea(rows, i, ROW_EVENT, &len);
		bytes += len + strlen(db_get_text(rows, i, ROW_TYPE))
			 + strlen(db_get_text(rows, i, ROW_DEPARTMENT))
			 + strlen(db_get_text(rows, i, ROW_PREVIOUS)) + 3;
	}
	return bytes;
}

static const char *
keep(uint8_t **at, const void *data, size_t len)
{
	uint8_t *start = *at;

	if (len > 0)
		memcpy(start, data, len);
	*at += len;
	return (const char *)start;
}

static const char *
keep_text(uint8_t **at, const char *text)
{
	return keep(at, text, strlen(text) + 1);
}

/* A record that nobody could read would end every session it is sent to, again and again: it is
 * sent without its event, so its place is there and the sequence stays dense. */
static void
look_at_event(struct stream *s, struct stream_row *row)
{
	if (frame_readable(&turunc__v1__event__descriptor, row->event, row->event_len))
		return;
	log_error(
	    "record cannot be read, sent without its event seq=%llu", (unsigned long long)row->seq);
	stats_incr(s->stats, STREAM_STAT_UNREADABLE);
	row->event = NULL;
	row->event_len = 0;
}

static void
keep_row(struct stream_row *row, const struct pg_result *rows, int i, uint8_t **at)
{
	row->seq = (uint64_t)db_get_int(rows, i, ROW_SEQ);
	row->committed_at_us = db_get_int(rows, i, ROW_COMMITTED);
	row->ticket_id = db_get_int(rows, i, ROW_TICKET);
	row->type = keep_text(at, db_get_text(rows, i, ROW_TYPE));
	row->department = keep_text(at, db_get_text(rows, i, ROW_DEPARTMENT));
	row->previous_department = keep_text(at, db_get_text(rows, i, ROW_PREVIOUS));
	const void *event = db_get_bytea(rows, i, ROW_EVENT, &row->event_len);
	row->event = (const uint8_t *)keep(at, event, row->event_len);
}

static struct stream_page *
make_page(struct stream *s, uint64_t after, const struct pg_result *rows)
{
	size_t count = (size_t)db_rows(rows);
	size_t bytes = sizeof(struct stream_page) + count * sizeof(struct stream_row)
		       + text_bytes(rows);
	struct stream_page *page = malloc(bytes);

	assert(count > 0); /* nothing makes no page */
	if (page == NULL)
		return NULL;
	uint8_t *at = (uint8_t *)&page->rows[count];
	for (size_t i = 0; i < count; i++) {
		keep_row(&page->rows[i], rows, (int)i, &at);
		look_at_event(s, &page->rows[i]);
	}
	page->refs = 1;
	page->after = after;
	page->through = page->rows[count - 1].seq;
	page->bytes = bytes;
	page->count = count;
	if (page->through - after != count)
		log_error("log has a hole after=%llu through=%llu records=%zu",
		    (unsigned long long)after, (unsigned long long)page->through, count);
	return page;
}

static void
add_page(struct stream *s, struct stream_page *page)
{
	while (!TAILQ_EMPTY(&s->pages)
	       && (s->page_count >= KEPT_PAGES || s->page_bytes + page->bytes > KEPT_BYTES))
		drop_oldest(s);
	TAILQ_INSERT_TAIL(&s->pages, page, link);
	s->page_bytes += page->bytes;
	s->page_count++;
}

/* --- asking ----------------------------------------------------------------------------------- */

struct page_question {
	struct stream *stream;
	uint64_t after, forgotten;
	bool with_views;
};

static void
question_over(struct stream *s, uint64_t after)
{
	for (size_t i = 0; i < s->fetch_count; i++)
		if (s->fetching[i] == after) {
			s->fetching[i] = s->fetching[--s->fetch_count];
			return;
		}
}

/* Everybody waiting looks again: who still finds no page asks for one. */
static void
wake_waiting(struct stream *s, uint64_t but_at)
{
	struct reader *r, *next;

	for (r = TAILQ_FIRST(&s->waiting); r != NULL; r = next) {
		next = TAILQ_NEXT(r, turn);
		if (r->position != but_at)
			reader_enter(r, READER_READY);
	}
}

/* NULL: nothing yet, for those at the same place. */
static struct stream_page *
take_page(const struct page_question *q, const struct db_reply *reply)
{
	struct stream *s = q->stream;

	if (reply->outcome != DB_COMMITTED || q->forgotten != s->forgotten)
		return NULL;
	const struct pg_result *rows = reply->results[0];
	if (db_rows(rows) == 0)
		return NULL;
	struct uuid log_id = db_get_uuid(rows, 0, ROW_LOG);
	if (uuid_compare(&log_id, &s->log_uuid) != 0) {
		stream_log_is(s, &log_id);
		return NULL;
	}
	if (db_is_null(rows, 0, ROW_SEQ))
		return NULL;
	struct stream_page *page = make_page(s, q->after, rows);
	if (page == NULL)
		return NULL;
	stats_incr(s->stats, STREAM_STAT_PAGES);
	add_page(s, page);
	return page;
}

static void
on_page(void *arg, const struct db_reply *reply)
{
	struct page_question *q = arg;
	struct stream *s = q->stream;

	stream_unit_done(s, reply);
	question_over(s, q->after);
	const struct stream_page *page = take_page(q, reply);
	wake_waiting(s, page != NULL ? UINT64_MAX : q->after);
	if (page == NULL)
		stream_retry_soon(s);
	/* What is not sent in these turns asks for its views by itself, later. */
	if (page != NULL && q->with_views) {
		s->fresh_page = page;
		s->fresh_views = reply->results[1];
	}
	free(q);
	stream_run(s);
	s->fresh_page = NULL;
	s->fresh_views = NULL;
}

void
stream_page_ask(struct stream *s, uint64_t position, bool with_views)
{
	for (size_t i = 0; i < s->fetch_count; i++)
		if (s->fetching[i] == position)
			return;
	if (s->fetch_count == QUESTIONS_MAX)
		return;
	struct page_question *q = malloc(sizeof(*q));
	struct db_unit *unit = q == NULL ? NULL : db_unit_create(s->in.db);
	if (q != NULL)
		*q = (struct page_question){ s, position, s->forgotten, with_views };
	db_unit_add(unit, STORE_STREAM_ROWS);
	db_add_int8(unit, (int64_t)position);
	db_add_int8(unit, with_views ? STREAM_FRESH_ROWS : STREAM_PAGE_ROWS);
	db_add_int8(unit, STREAM_PAGE_BYTES);
	if (with_views) {
		/* A later statement sees more rows but no others among the first so many. */
		db_unit_add(unit, STORE_STREAM_ROW_VIEWS);
		db_add_int8(unit, (int64_t)position);
		db_add_int8(unit, STREAM_FRESH_ROWS);
	}
	if (q == NULL || !stream_submit(s, unit, on_page, q)) {
		free(q);
		stream_retry_soon(s);
		return;
	}
	s->fetching[s->fetch_count++] = position;
}
