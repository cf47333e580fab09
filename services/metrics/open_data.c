/* Reads a month when somebody asks for it, has it written in small steps, and hands it out. */
#include "open_data.h"

#include <event2/buffer.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "html.h"
#include "http.h"
#include "log.h"
#include "month.h"
#include "month_turn.h"
#include "open_data_files.h"
#include "open_data_page.h"
#include "registry.h"
#include "said_page.h"
#include "stats.h"
#include "store.h"
#include "web_files.h"
#include "worker.h"

enum { HELD = 2, WAITING_MAX = 64, STEP_LINES = 500, IDLE_TIMES = 9, RETRY_S = 2, ETAG_BYTES = 80 };
enum { NO_FILE = -1 }; /* a page */

enum stat { STAT_READ, STAT_SHOWN, STAT_AWAY, STAT_TOO_MANY, STAT_ROWS };
static const struct stat_row rows[STAT_ROWS] = {
	[STAT_READ] = { .name = "turunc_metrics_open_data_readings_total",
	    .help = "Months read from the record for open data" },
	[STAT_SHOWN] = { .name = "turunc_metrics_open_data_shown_total",
	    .help = "Answers with pages or files of open data" },
	[STAT_AWAY] = { .name = "turunc_metrics_open_data_away_total",
	    .help = "Answers that the record is away or too many ask" },
	[STAT_TOO_MANY] = { .name = "turunc_metrics_open_data_too_many_total",
	    .help = "Readings of months with more tickets than are published" },
};

/* Somebody who waits. */
struct asked {
	struct http_request *req;
	int32_t month; /* 0: the index */
	int file; /* enum open_data_file, or NO_FILE */
};

struct held {
	struct open_data_month month; /* .month 0: nothing */
	uint64_t made_ms;
	char digest[DIGEST_HEX_SIZE]; /* of the catalogue it was made with */
};

enum state {
	STATE_IDLE,
	STATE_READING, /* the record has been asked */
	STATE_WRITING, /* tick by tick */
	STATE_WORKING, /* the worker has the build */
};

struct open_data {
	struct open_data_options options;
	struct stats *stats;
	struct held held[HELD]; /* the one asked for last in front */
	struct asked waiting[WAITING_MAX];
	size_t waiting_count;
	enum state state;
	int32_t month; /* being read or written; 0: only where the months begin */
	int32_t first; /* the month of the oldest ticket; 0: there is none */
	uint64_t first_ms; /* when that was read; 0: never */
	struct open_data_build *build;
	struct worker_job job; /* of STATE_WORKING */
	char digest[DIGEST_HEX_SIZE]; /* of the catalogue it is read and made with */
	uint64_t asked_ms, not_before_ms;
};

struct open_data *
open_data_create(const struct open_data_options *options)
{
	struct open_data *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->options = *options;
	o->stats = stats_create(rows, STAT_ROWS);
	if (o->stats == NULL) {
		open_data_destroy(o);
		return NULL;
	}
	return o;
}

void
open_data_destroy(struct open_data *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < HELD; i++)
		open_data_month_finish(&o->held[i].month);
	open_data_build_destroy(o->build);
	stats_destroy(o->stats);
	free(o);
}

const struct stats *
open_data_stats(const struct open_data *o)
{
	return o->stats;
}

/* None at all may become one soon. */
static bool
knows_first(const struct open_data *o)
{
	return o->first != 0 && clock_monotonic_ms() - o->first_ms < o->options.fresh_ms;
}

/* As the reports have it: a month is published some days after its end. */
static int32_t
last_month(void)
{
	int64_t now_us = clock_now_us();
	int32_t month = month_add(month_of(now_us), -1);

	return month_published_us(month) <= now_us ? month : month_add(month, -1);
}

/* --- answering -------------------------------------------------------------------------------- */

static void
reply_away(struct open_data *o, struct http_request *req, int file)
{
	stats_incr(o->stats, STAT_AWAY);
	if (file == NO_FILE)
		said_page_reply(req, SAID_OPEN_DATA_AWAY);
	else
		http_reply_retry(req, 503, "The record cannot be reached at the moment.", RETRY_S);
}

static void
reply_index(struct open_data *o, struct http_request *req)
{
	struct html h;

	open_data_begin_page(&h, req, 0);
	open_data_index_page(&h, o->first, last_month());
	html_reply(&h, req, 200);
}

static void
reply_month(struct http_request *req, const struct open_data_month *m)
{
	struct html h;

	open_data_begin_page(&h, req, m->month);
	open_data_month_page(&h, m);
	html_reply(&h, req, 200);
}

/* By reference: the same bytes for everybody, however long they take to read them. */
static void
reply_file(struct open_data *o, struct http_request *req, struct open_data_month *m, int file)
{
	struct evbuffer *body = evbuffer_new();
	char hex[DIGEST_HEX_SIZE], etag[ETAG_BYTES];
	const struct http_field fields[] = { { "ETag", etag },
		{ "Access-Control-Allow-Origin", "*" } };

	digest_format(&m->digests[file], hex);
	(void)snprintf(etag, sizeof(etag), "\"%s\"", hex);
	struct http_response response = { .status = 200,
		.content_type = open_data_content_type((enum open_data_file)file),
		.cache_control = "no-cache",
		.fields = fields,
		.field_count = ARRAY_LEN(fields) };
	if (http_etag_matches(req, etag)) {
		response.status = 304;
		response.content_type = NULL;
		http_reply(req, &response);
	} else if (body == NULL || evbuffer_add_buffer_reference(body, m->files[file]) == -1) {
		reply_away(o, req, file);
	} else {
		response.body = body;
		http_reply(req, &response);
	}
	if (body != NULL)
		evbuffer_free(body);
}

static void
answer(struct open_data *o, const struct asked *asked, struct open_data_month *m)
{
	stats_incr(o->stats, STAT_SHOWN);
	if (asked->file == NO_FILE)
		reply_month(asked->req, m);
	else
		reply_file(o, asked->req, m, asked->file);
}

static void
reply_no_month(struct http_request *req, int file)
{
	if (file == NO_FILE)
		said_page_reply(req, SAID_NO_OPEN_DATA);
	else
		http_reply_error(req, 404,
		    "There are no open data of that month: it is not published yet, or the "
		    "record does not reach back to it.");
}

/* A subject may have become one of a special category, or not public. */
static bool
is_of_catalogue(const struct open_data *o, const char *digest)
{
	const struct catalogue *cat = registry_catalogue(o->options.registry);

	return cat != NULL && strcmp(cat->digest, digest) == 0;
}

/* The month as it is held; NULL: it is not, or has grown old. */
static struct open_data_month *
held_month(struct open_data *o, int32_t month)
{
	for (size_t i = 0; i < HELD; i++) {
		struct held *held = &o->held[i];
		if (held->month.month != month
		    || clock_monotonic_ms() - held->made_ms >= o->options.fresh_ms
		    || !is_of_catalogue(o, held->digest))
			continue;
		struct held front = *held;
		memmove(&o->held[1], &o->held[0], i * sizeof(*held));
		o->held[0] = front;
		return &o->held[0].month;
	}
	return NULL;
}

/* Answers whoever can be answered with what is known; the others stay. */
static void
settle(struct open_data *o, bool knows)
{
	struct asked waiting[WAITING_MAX];
	size_t count = o->waiting_count;

	memcpy(waiting, o->waiting, sizeof(waiting));
	o->waiting_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct asked *asked = &waiting[i];
		struct open_data_month *m;
		if (knows && asked->month == 0) {
			stats_incr(o->stats, STAT_SHOWN);
			reply_index(o, asked->req);
		} else if (knows
			   && (o->first == 0 || asked->month < o->first
			       || asked->month > last_month())) {
			reply_no_month(asked->req, asked->file);
		} else if ((m = held_month(o, asked->month)) != NULL) {
			answer(o, asked, m);
		} else {
			o->waiting[o->waiting_count++] = *asked;
		}
	}
}

/* Tells those who wait for the month (0: everybody) that it cannot be had now. */
static void
disappoint(struct open_data *o, int32_t month)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->waiting_count; i++)
		if (month == 0 || o->waiting[i].month == month)
			reply_away(o, o->waiting[i].req, o->waiting[i].file);
		else
			o->waiting[kept++] = o->waiting[i];
	o->waiting_count = kept;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
become_idle(struct open_data *o)
{
	o->state = STATE_IDLE;
	open_data_build_destroy(o->build);
	o->build = NULL;
	o->options.on_work(o->options.arg);
}

/* The place of a row's code in a table of the catalogue; -1: it is not there. */
#define PLACE_OF(cat, find, table, code) \
	((find)(cat, code) == NULL ? (int16_t)-1 : (int16_t)((find)(cat, code) - (cat)->table))

static bool
take_row(const struct catalogue *cat, const struct pg_result *r, int i, struct open_data_row *row)
{
	*row = (struct open_data_row){
		.ticket_id = db_get_int(r, i, OPEN_DATA_TICKET),
		.status = (uint8_t)db_get_int(r, i, OPEN_DATA_STATUS),
		.channel = (uint8_t)db_get_int(r, i, OPEN_DATA_CHANNEL),
		.arrived_us = db_get_int(r, i, OPEN_DATA_ARRIVED),
		.updated_us = db_get_int(r, i, OPEN_DATA_UPDATED),
		.ended_us = db_get_int(r, i, OPEN_DATA_ENDED),
		.subject = PLACE_OF(
		    cat, catalogue_subject, subjects, db_get_text(r, i, OPEN_DATA_SUBJECT)),
		.neighbourhood = PLACE_OF(cat, catalogue_neighbourhood, neighbourhoods,
		    db_get_text(r, i, OPEN_DATA_NEIGHBOURHOOD)),
		.department = PLACE_OF(cat, catalogue_department, departments,
		    db_get_text(r, i, OPEN_DATA_DEPARTMENT)),
		.reason = PLACE_OF(cat, catalogue_closure_reason, closure_reasons,
		    db_get_text(r, i, OPEN_DATA_REASON)),
		.placed = !db_is_null(r, i, OPEN_DATA_LATITUDE)
			  && !db_is_null(r, i, OPEN_DATA_LONGITUDE),
	};
	if (row->placed) {
		row->latitude = db_get_float8(r, i, OPEN_DATA_LATITUDE);
		row->longitude = db_get_float8(r, i, OPEN_DATA_LONGITUDE);
	}
	return row->subject >= 0;
}

/* False: it cannot be published, and why is told. */
static bool
take_rows(struct open_data *o, const struct catalogue *cat, const struct pg_result *r)
{
	size_t count = (size_t)db_rows(r), taken = 0;

	if (count > o->options.tickets_max) {
		stats_incr(o->stats, STAT_TOO_MANY);
		log_error("a month has more tickets than open data may have month=%d max=%zu",
		    (int)o->month, o->options.tickets_max);
		return false;
	}
	struct open_data_row *list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list != NULL && i < count; i++)
		taken += take_row(cat, r, (int)i, &list[taken]);
	if (list != NULL)
		o->build = open_data_build_create(cat, o->month, clock_now_us(), list, taken);
	if (o->build == NULL)
		free(list);
	return o->build != NULL;
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct open_data *o = arg;
	const struct catalogue *cat = registry_catalogue(o->options.registry);
	int32_t month = o->month;
	uint64_t now_ms = clock_monotonic_ms();

	/* Whatever is written out of it meanwhile, the record rests. */
	o->not_before_ms = now_ms + (now_ms - o->asked_ms) * IDLE_TIMES;
	if (reply->outcome != DB_COMMITTED || cat == NULL) {
		become_idle(o);
		disappoint(o, 0);
		return;
	}
	o->first = 0;
	o->first_ms = now_ms;
	if (!db_is_null(reply->results[0], 0, 0))
		o->first = month_of(db_get_int(reply->results[0], 0, 0));
	if (month == 0) {
		become_idle(o);
	} else if (!is_of_catalogue(o, o->digest)) {
		log_info("a month is read anew, under another catalogue month=%d", (int)month);
		become_idle(o);
	} else if (take_rows(o, cat, reply->results[1])) {
		stats_incr(o->stats, STAT_READ);
		o->state = STATE_WRITING;
		o->options.on_work(o->options.arg);
	} else {
		become_idle(o);
		disappoint(o, month);
	}
	settle(o, true);
}

/* Anonymous readers of Open311 see these, and no others. */
static void
add_subjects(struct db_unit *unit, const struct catalogue *cat)
{
	struct db_array *subjects = db_add_array(unit, DB_TEXT);

	for (size_t i = 0; i < cat->subject_count; i++)
		if (cat->subjects[i].is_public && !cat->subjects[i].special_category)
			db_array_text(subjects, cat->subjects[i].code);
}

/* month 0: only where the months begin. */
static bool
begin_reading(struct open_data *o, int32_t month)
{
	const struct catalogue *cat = registry_catalogue(o->options.registry);
	struct db_unit *unit = cat == NULL ? NULL : db_unit_create(o->options.db);

	if (unit == NULL)
		return false;
	db_unit_add(unit, STORE_OPEN_DATA_FIRST);
	if (month != 0) {
		db_unit_add(unit, STORE_OPEN_DATA);
		add_subjects(unit, cat);
		db_add_int8(unit, month_start_us(month));
		db_add_int8(unit, month_start_us(month_add(month, 1)));
		db_add_int8(unit, month_published_us(month));
		db_add_int8(unit, (int64_t)o->options.tickets_max + 1);
	}
	if (!db_submit(o->options.db, unit, on_read, o)) {
		db_unit_destroy(unit);
		return false;
	}
	o->month = month;
	(void)snprintf(o->digest, sizeof(o->digest), "%s", cat->digest);
	o->state = STATE_READING;
	o->asked_ms = clock_monotonic_ms();
	return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
hold(struct open_data *o, struct open_data_month *m)
{
	size_t last = HELD - 1;

	for (size_t i = 0; i < HELD; i++)
		if (o->held[i].month.month == m->month)
			last = i;
	open_data_month_finish(&o->held[last].month);
	memmove(&o->held[1], &o->held[0], last * sizeof(o->held[0]));
	o->held[0] = (struct held){ .month = *m, .made_ms = clock_monotonic_ms() };
	memcpy(o->held[0].digest, o->digest, sizeof(o->digest));
}

#define OWNER_OF(job) ((struct open_data *)((char *)(job)-offsetof(struct open_data, job)))

static void
work_on_build(struct worker_job *job)
{
	open_data_build_work(OWNER_OF(job)->build);
}

static void
on_worked(struct worker_job *job, bool worked)
{
	struct open_data *o = OWNER_OF(job);

	if (!worked)
		return; /* all is being closed */
	o->state = STATE_WRITING;
	o->options.on_work(o->options.arg);
}

static void
write_on(struct open_data *o)
{
	const struct catalogue *cat = registry_catalogue(o->options.registry);
	int32_t month = o->month;
	struct open_data_month made;

	/* Its tables have moved: those who wait have it read anew. */
	if (!is_of_catalogue(o, o->digest)) {
		become_idle(o);
		return;
	}
	switch (open_data_build_step(o->build, cat, STEP_LINES, &made)) {
	case OPEN_DATA_MORE:
		return;
	case OPEN_DATA_WORK:
		o->state = STATE_WORKING;
		o->job = (struct worker_job){ .work = work_on_build, .done = on_worked };
		worker_give(o->options.worker, &o->job);
		return;
	case OPEN_DATA_DONE:
		hold(o, &made);
		become_idle(o);
		settle(o, knows_first(o));
		return;
	case OPEN_DATA_FAILED:
		become_idle(o);
		disappoint(o, month);
		return;
	}
}

int64_t
open_data_tick(struct open_data *o, uint64_t now_ms)
{
	if (o->state == STATE_WRITING) {
		write_on(o);
		if (o->state == STATE_WRITING)
			return 0;
	}
	if (o->state == STATE_READING || o->state == STATE_WORKING || o->waiting_count == 0)
		return -1;
	if (now_ms < o->not_before_ms)
		return (int64_t)(o->not_before_ms - now_ms);
	if (!begin_reading(o, knows_first(o) ? o->waiting[0].month : 0))
		disappoint(o, 0);
	return -1;
}

/* --- requests --------------------------------------------------------------------------------- */

static void
ask(struct open_data *o, struct http_request *req, int32_t month, int file)
{
	if (o->waiting_count == WAITING_MAX) {
		reply_away(o, req, file);
		return;
	}
	o->waiting[o->waiting_count++] = (struct asked){ req, month, file };
	settle(o, knows_first(o));
	o->options.on_work(o->options.arg);
}

static void
get_index(struct http_request *req, void *arg)
{
	ask(arg, req, 0, NO_FILE);
}

static void
get_month(struct http_request *req, void *arg)
{
	int32_t month;

	if (month_parse(http_path_param(req, "month"), &month))
		ask(arg, req, month, NO_FILE);
	else
		reply_no_month(req, NO_FILE);
}

static void
get_file(struct http_request *req, void *arg)
{
	enum open_data_file file;
	int32_t month;

	if (!month_parse(http_path_param(req, "month"), &month))
		reply_no_month(req, OPEN_DATA_SUMS);
	else if (!open_data_file_named(http_path_param(req, "file"), &file))
		http_reply_error(req, 404, "There is no file of that name.");
	else
		ask(arg, req, month, (int)file);
}

static void
get_style(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_data(req, 200, "text/css; charset=utf-8", web_report_css,
	    (size_t)(web_report_css_end - web_report_css));
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/open-data/", get_index, 0 },
	{ HTTP_GET, "/open-data/open-data.css", get_style, 0 },
	{ HTTP_GET, "/open-data/{month}", get_month, 0 },
	{ HTTP_GET, "/open-data/{month}/{file}", get_file, 0 },
};

bool
open_data_add_routes(struct open_data *o, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), o);
}
