/* Looks at the log for open pages, and sends them the rows that changed. */
#include "desk_live.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_result.h"
#include "desk_row.h"
#include "desk_visit.h"
#include "number.h"
#include "turunc/v1/ticket.pb-c.h"

enum {
	LOOK_MS = 200,
	BEAT_MS = 15000,
	LIFE_MS = 15000, /* then it is asked again who looks on */
	IDLE_MS = 1000,
	RECORDS_MAX = 2000, /* of one look */
	CODE_BYTES = 72,
	PERSON_VIEWERS = 20, /* an office shares its address, so the limit is each person's */
};

struct viewer {
	LIST_ENTRY(viewer) link;
	struct desk_live *live;
	struct http_stream *stream;
	struct asker who;
	enum catalogue_language language;
	bool triage, choosable;
	char department[CODE_BYTES]; /* "": all of the person's */
	int64_t ticket_id; /* a page of one ticket; 0: a list */
	uint64_t end_ms;
};
LIST_HEAD(viewer_list, viewer);

struct desk_live {
	struct desk *desk;
	struct viewer_list viewers;
	int64_t viewer_count;
	uint64_t head; /* of the log */
	uint64_t told; /* what every viewer knows */
	uint64_t from, through; /* of the look under way */
	bool busy;
	uint64_t look_at_ms, beat_at_ms;
};

struct desk_live *
desk_live_create(struct desk *d)
{
	struct desk_live *live = calloc(1, sizeof(*live));

	if (live == NULL)
		return NULL;
	live->desk = d;
	LIST_INIT(&live->viewers);
	return live;
}

static void
forget(struct viewer *v)
{
	struct desk_live *live = v->live;

	LIST_REMOVE(v, link);
	stats_set(live->desk->stats, DESK_STAT_VIEWERS, --live->viewer_count);
	asker_finish(&v->who);
	free(v);
}

void
desk_live_destroy(struct desk_live *live)
{
	if (live == NULL)
		return;
	while (!LIST_EMPTY(&live->viewers))
		forget(LIST_FIRST(&live->viewers));
	free(live);
}

void
desk_live_grew(struct desk_live *live, uint64_t seq)
{
	/* A shorter log is another history: everything is new. */
	if (seq < live->head)
		live->told = seq;
	live->head = seq;
	if (LIST_EMPTY(&live->viewers))
		live->told = seq;
}

uint64_t
desk_live_head(const struct desk_live *live)
{
	return live->head;
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void
send_text(struct viewer *v, uint64_t seq, const char *kind, const char *data)
{
	struct evbuffer *frame = evbuffer_new();

	if (frame != NULL
	    && evbuffer_add_printf(
		   frame, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", seq, kind, data)
		   > 0) {
		size_t len = evbuffer_get_length(frame);
		const void *bytes = evbuffer_pullup(frame, -1);
		if (bytes != NULL && http_stream_send(v->stream, bytes, len))
			stats_incr(v->live->desk->stats, DESK_STAT_EVENTS);
	}
	if (frame != NULL)
		evbuffer_free(frame);
}

/* Owns event, and takes NULL: no memory, and the reader's next page makes it good. */
static char *
dump(json_t *event)
{
	char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT);

	json_decref(event);
	return text;
}

static void
send_gone(struct viewer *v, int64_t ticket_id)
{
	char number[NUMBER_SIZE], data[NUMBER_SIZE + 16];

	if (!number_format(ticket_id, number))
		return;
	(void)snprintf(data, sizeof(data), "{\"n\":\"%s\"}", number);
	send_text(v, v->live->through, "gone", data);
}

/* The row as that list shows it.  NULL: no memory. */
static char *
make_row(const struct desk_live *live, const struct pg_result *rows, int row,
    enum catalogue_language language, bool choosable)
{
	const struct catalogue *cat = registry_catalogue(live->desk->world.registry);
	struct html h = { .out = evbuffer_new(), .language = language };
	char number[NUMBER_SIZE], *text = NULL;

	if (cat != NULL && number_format(db_get_int(rows, row, ROW_TICKET), number)) {
		desk_row_write(&h, cat, rows, row, clock_now_us(), choosable);
		const char *markup = h.out == NULL || h.failed
					 ? NULL
					 : (const char *)evbuffer_pullup(h.out, -1);
		if (markup != NULL)
			text = dump(json_pack("{s:s, s:I, s:s%}", "n", number, "v",
			    (json_int_t)db_get_int(rows, row, ROW_VERSION), "html", markup,
			    evbuffer_get_length(h.out)));
	}
	if (h.out != NULL)
		evbuffer_free(h.out);
	return text;
}

/* Whether a ticket with this department belongs on that page. */
static bool
concerns(const struct viewer *v, const char *department)
{
	if (v->triage || !asker_covers(&v->who, department))
		return false;
	return v->department[0] == '\0' ? !asker_has_all(&v->who)
					: strcmp(v->department, department) == 0;
}

static void
tell_row(struct desk_live *live, const struct pg_result *rows, int row)
{
	const char *department = db_get_text(rows, row, ROW_DEPARTMENT);
	int64_t ticket_id = db_get_int(rows, row, ROW_TICKET);
	int64_t status = db_get_int(rows, row, ROW_STATUS);
	char *made[CATALOGUE_LANGUAGES][2] = { { NULL } };
	struct viewer *v;

	LIST_FOREACH (v, &live->viewers, link) {
		bool one = v->ticket_id == ticket_id && asker_covers(&v->who, department);
		if (!one && (v->ticket_id != 0 || !concerns(v, department)))
			continue;
		if (!one && status > TURUNC__V1__STATUS__STATUS_WAITING) {
			send_gone(v, ticket_id);
			continue;
		}
		char **text = &made[v->language][v->choosable ? 1 : 0];
		if (*text == NULL)
			*text = make_row(live, rows, row, v->language, v->choosable);
		if (*text != NULL)
			send_text(v, live->through, "row", *text);
	}
	for (size_t l = 0; l < CATALOGUE_LANGUAGES; l++)
		for (size_t c = 0; c < 2; c++)
			free(made[l][c]);
}

static void
tell_left(
    struct desk_live *live, const struct pg_result *left, int row, const struct pg_result *rows)
{
	int64_t ticket_id = db_get_int(left, row, LEFT_TICKET);
	const char *department = db_get_text(left, row, LEFT_DEPARTMENT), *now = "";
	struct viewer *v;

	for (int i = 0; i < db_rows(rows); i++)
		if (db_get_int(rows, i, ROW_TICKET) == ticket_id)
			now = db_get_text(rows, i, ROW_DEPARTMENT);
	LIST_FOREACH (v, &live->viewers, link)
		if ((v->ticket_id == 0 || v->ticket_id == ticket_id) && concerns(v, department)
		    && !concerns(v, now))
			send_gone(v, ticket_id);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void
on_changes(void *arg, const struct db_reply *reply)
{
	struct desk_live *live = arg;

	live->busy = false;
	/* Otherwise the same is looked for again. */
	if (reply->outcome != DB_COMMITTED)
		return;
	for (int i = 0; i < db_rows(reply->results[0]); i++)
		tell_row(live, reply->results[0], i);
	for (int i = 0; i < db_rows(reply->results[1]); i++)
		tell_left(live, reply->results[1], i, reply->results[0]);
	/* Whoever came meanwhile with an older page is still owed what lies before this look. */
	if (live->told >= live->from && live->told < live->through)
		live->told = live->through;
}

static void
tell_many(struct desk_live *live)
{
	struct viewer *v;

	live->through = live->told = live->head;
	LIST_FOREACH (v, &live->viewers, link)
		send_text(v, live->head, "many", "{}");
}

static void
look(struct desk_live *live)
{
	struct db *db = live->desk->world.reader;

	if (live->head - live->told > RECORDS_MAX) {
		tell_many(live);
		return;
	}
	struct db_unit *unit = db_unit_create(db);
	for (size_t s = DESK_CHANGED; s <= DESK_LEFT; s++) {
		db_unit_add(unit, s);
		db_add_int8(unit, (int64_t)live->told);
		db_add_int8(unit, (int64_t)live->head);
	}
	live->from = live->told;
	live->through = live->head;
	live->busy = db_submit(db, unit, on_changes, live);
	if (!live->busy)
		db_unit_destroy(unit);
}

static void
beat(struct desk_live *live, uint64_t now_ms)
{
	static const char nothing[] = ": beat\n\n";
	struct viewer *v = LIST_FIRST(&live->viewers);

	while (v != NULL) {
		struct viewer *next = LIST_NEXT(v, link);
		if (now_ms >= v->end_ms) {
			http_stream_end(v->stream);
			forget(v);
		} else {
			(void)http_stream_send(v->stream, nothing, sizeof(nothing) - 1);
		}
		v = next;
	}
}

int64_t
desk_live_tick(struct desk_live *live, uint64_t now_ms)
{
	if (LIST_EMPTY(&live->viewers))
		return IDLE_MS;
	if (now_ms >= live->beat_at_ms) {
		live->beat_at_ms = now_ms + BEAT_MS;
		beat(live, now_ms);
	}
	if (!live->busy && live->head > live->told && now_ms >= live->look_at_ms) {
		live->look_at_ms = now_ms + LOOK_MS;
		look(live);
	}
	return live->head > live->told && !live->busy ? (int64_t)(live->look_at_ms - now_ms)
						      : IDLE_MS;
}

/* --- coming and going ------------------------------------------------------------------------- */

static void
on_close(void *arg, struct http_stream *stream, enum http_stream_end why)
{
	(void)stream;
	(void)why;
	forget(arg);
}

static void
read_query(struct viewer *v, const struct http_request *req)
{
	const char *department = http_query(req, "department", NULL);
	const char *ticket = http_query(req, "ticket", NULL);

	if (department != NULL && strlen(department) < sizeof(v->department))
		(void)snprintf(v->department, sizeof(v->department), "%s", department);
	v->triage = strcmp(v->department, "-") == 0;
	v->choosable = http_query(req, "choose", NULL) != NULL;
	v->language = html_language(req);
	if (ticket == NULL || number_parse(ticket, &v->ticket_id) != NUMBER_OK)
		v->ticket_id = 0;
}

/* What the page has seen; a page without a word of it knows what there is now. */
static uint64_t
seen(const struct desk_live *live, const struct http_request *req)
{
	const char *text = http_header(req, "Last-Event-ID");
	char *end;

	if (text == NULL)
		text = http_query(req, "since", NULL);
	if (text == NULL)
		return live->head;
	unsigned long long seq = strtoull(text, &end, 10);
	return *end != '\0' || seq > live->head ? live->head : seq;
}

static bool
has_enough(const struct desk_live *live, const char *name)
{
	const struct viewer *v;
	size_t count = 0;

	LIST_FOREACH (v, &live->viewers, link)
		count += strcmp(v->who.name, name) == 0 ? 1 : 0;
	return count >= PERSON_VIEWERS;
}

static void
known_events(void *arg, struct http_request *req, const struct person *who)
{
	static const char retry[] = "retry: 1500\n\n";
	struct desk_live *live = ((struct desk *)arg)->live;

	if (has_enough(live, who->name)) {
		stats_incr(live->desk->stats, DESK_STAT_CROWDED);
		http_reply_retry(req, 429, "You have too many pages open.", 30);
		return;
	}
	struct viewer *v = calloc(1, sizeof(*v));
	if (v == NULL || !asker_take(&v->who, who)) {
		free(v);
		http_reply_retry(req, 503, "Out of memory.", 1);
		return;
	}
	v->live = live;
	read_query(v, req);
	uint64_t since = seen(live, req);
	v->end_ms = clock_monotonic_ms() + LIFE_MS;
	v->stream = http_stream_begin(req, "text/event-stream", on_close, v);
	if (v->stream == NULL) {
		asker_finish(&v->who);
		free(v);
		return;
	}
	bool far = live->head - since > RECORDS_MAX;
	if (!far && since < live->told)
		live->told = since;
	LIST_INSERT_HEAD(&live->viewers, v, link);
	stats_set(live->desk->stats, DESK_STAT_VIEWERS, ++live->viewer_count);
	(void)http_stream_send(v->stream, retry, sizeof(retry) - 1);
	if (far)
		send_text(v, live->head, "many", "{}");
}

void
desk_get_events(struct http_request *req, void *arg)
{
	people_ask_looking_on(
	    ((struct desk *)arg)->world.people, req, DESK_READERS, known_events, arg);
}
