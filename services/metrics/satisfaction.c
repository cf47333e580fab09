/* Reads the ladder when somebody asks for it, and answers all who do with one reading. */
#include "satisfaction.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "clock.h"
#include "db.h"
#include "html.h"
#include "http.h"
#include "istanbul.h"
#include "log.h"
#include "satisfaction_page.h"
#include "stats.h"
#include "store.h"

enum { MONTHS = 13, WAITING_MAX = 64, FRESH_MS = 2000, FRESH_TIMES = 10, RETRY_S = 2 };

enum stat { STAT_READ, STAT_SHOWN, STAT_AWAY, STAT_ODD, STAT_ROWS };
static const struct stat_row rows[STAT_ROWS] = {
	[STAT_READ] = { .name = "turunc_metrics_satisfaction_readings_total",
	    .help = "Times that the ladder was read from the record" },
	[STAT_SHOWN] = { .name = "turunc_metrics_satisfaction_shown_total",
	    .help = "Answers with the ladder" },
	[STAT_AWAY] = { .name = "turunc_metrics_satisfaction_away_total",
	    .help = "Answers that the record is away or too many ask" },
	[STAT_ODD] = { .name = "turunc_metrics_satisfaction_odd_total",
	    .help = "Months whose steps do not hold one another: a fault of this program" },
};

struct waiting {
	struct http_request *req;
	bool json;
};

struct satisfaction {
	struct db *db;
	struct board *board;
	struct stats *stats;
	struct ladder months[MONTHS];
	size_t count;
	int64_t read_us; /* wall time of the reading */
	uint64_t read_ms; /* monotonic; 0: never */
	uint64_t asked_ms, took_ms; /* the last reading */
	bool reading;
	struct waiting waiting[WAITING_MAX];
	size_t waiting_count;
};

struct satisfaction *
satisfaction_create(struct db *db, struct board *board)
{
	struct satisfaction *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->db = db;
	s->board = board;
	s->stats = stats_create(rows, STAT_ROWS);
	if (s->stats == NULL) {
		satisfaction_destroy(s);
		return NULL;
	}
	return s;
}

void
satisfaction_destroy(struct satisfaction *s)
{
	if (s == NULL)
		return;
	stats_destroy(s->stats);
	free(s);
}

const struct stats *
satisfaction_stats(const struct satisfaction *s)
{
	return s->stats;
}

/* --- answering -------------------------------------------------------------------------------- */

static void
reply_away(struct satisfaction *s, struct http_request *req)
{
	stats_incr(s->stats, STAT_AWAY);
	http_reply_retry(req, 503, "The record cannot be reached at the moment.", RETRY_S);
}

static void
reply_json(struct satisfaction *s, struct http_request *req)
{
	board_reply_json(req, satisfaction_json(s->months, s->count, s->read_us));
}

static void
reply_page(struct satisfaction *s, struct http_request *req)
{
	struct html h;
	enum catalogue_language language = html_language(req);
	bool english = language == CATALOGUE_EN;
	const struct html_page page = {
		.title = english ? "Satisfaction of citizens" : "Başvuranların memnuniyeti",
		.style = "/live/satisfaction.css",
		.home = english ? "/live/?lang=en" : "/live/?lang=tr",
		.other = english ? "/live/satisfaction?lang=tr" : "/live/satisfaction?lang=en",
	};

	html_begin_page(&h, language, &page);
	satisfaction_page(&h, s->months, s->count, s->read_us);
	html_reply(&h, req, 200);
}

static void
answer(struct satisfaction *s, const struct waiting *w)
{
	stats_incr(s->stats, STAT_SHOWN);
	if (w->json)
		reply_json(s, w->req);
	else
		reply_page(s, w->req);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void
check_month(struct satisfaction *s, const struct ladder *l)
{
	if (ladder_holds(l))
		return;
	stats_incr(s->stats, STAT_ODD);
	log_error("the steps of satisfaction do not hold one another month=%d", (int)l->month);
}

/* Newest month first, a row a figure.  While records wait to be counted the figures are as old as
 * the last one that was. */
static void
take_months(struct satisfaction *s, const struct pg_result *r)
{
	s->count = 0;
	s->read_us = clock_now_us();
	for (int row = 0; row < db_rows(r); row++) {
		if (!db_get_bool(r, row, LADDER_COLUMN_ALL))
			s->read_us = db_get_int(r, row, LADDER_COLUMN_AT);
		if (db_is_null(r, row, LADDER_COLUMN_MONTH))
			continue;
		int32_t month = (int32_t)db_get_int(r, row, LADDER_COLUMN_MONTH);
		if (s->count == 0 || s->months[s->count - 1].month != month) {
			if (s->count == MONTHS)
				break;
			s->months[s->count++] = (struct ladder){ .month = month };
		}
		(void)ladder_set(&s->months[s->count - 1], db_get_text(r, row, LADDER_COLUMN_NAME),
		    db_get_int(r, row, LADDER_COLUMN_N));
	}
	for (size_t i = 0; i < s->count; i++)
		check_month(s, &s->months[i]);
}

static void
on_read(void *arg, const struct db_reply *reply)
{
	struct satisfaction *s = arg;
	size_t count = s->waiting_count;
	struct waiting waiting[WAITING_MAX];

	memcpy(waiting, s->waiting, sizeof(waiting));
	s->waiting_count = 0;
	s->reading = false;
	bool known = reply->outcome == DB_COMMITTED && db_rows(reply->results[0]) > 0;
	if (known) {
		take_months(s, reply->results[0]);
		s->read_ms = clock_monotonic_ms();
		s->took_ms = s->read_ms - s->asked_ms;
		stats_incr(s->stats, STAT_READ);
	}
	for (size_t i = 0; i < count; i++)
		if (known)
			answer(s, &waiting[i]);
		else
			reply_away(s, waiting[i].req);
}

/* Months are counted as 12 times the year and what has passed of it. */
static int32_t
first_month(int64_t now_us)
{
	struct istanbul_time t = istanbul_split(now_us);
	int32_t months = t.year * 12 + t.month - 1 - (MONTHS - 1);

	return months / 12 * 100 + months % 12 + 1;
}

static bool
begin_reading(struct satisfaction *s)
{
	struct db_unit *unit = db_unit_create(s->db);

	db_unit_add(unit, STORE_LADDER);
	db_add_int4(unit, first_month(clock_now_us()));
	s->asked_ms = clock_monotonic_ms();
	s->reading = db_submit(s->db, unit, on_read, s);
	if (!s->reading)
		db_unit_destroy(unit);
	return s->reading;
}

/* However long a reading takes, and however many look, the record is busy with it for a tenth of
 * the time at most. */
static bool
is_fresh(const struct satisfaction *s)
{
	uint64_t fresh_ms = s->took_ms * FRESH_TIMES;

	if (fresh_ms < FRESH_MS)
		fresh_ms = FRESH_MS;
	return s->read_ms != 0 && clock_monotonic_ms() - s->read_ms < fresh_ms;
}

static void
ask(struct satisfaction *s, struct http_request *req, bool json)
{
	const struct waiting w = { req, json };

	if (!board_may_see(s->board, req))
		return;
	if (is_fresh(s)) {
		answer(s, &w);
		return;
	}
	if (s->waiting_count == WAITING_MAX || (!s->reading && !begin_reading(s))) {
		reply_away(s, req);
		return;
	}
	s->waiting[s->waiting_count++] = w;
}

static void
get_page(struct http_request *req, void *arg)
{
	ask(arg, req, false);
}

static void
get_json(struct http_request *req, void *arg)
{
	ask(arg, req, true);
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/live/satisfaction", get_page, 0 },
	{ HTTP_GET, "/live/memnuniyet", get_page, 0 },
	{ HTTP_GET, "/live/satisfaction.json", get_json, 0 },
};

bool
satisfaction_add_routes(struct satisfaction *s, struct http *http)
{
	return http_add_routes(http, routes, ARRAY_LEN(routes), s);
}
