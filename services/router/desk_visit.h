/*
 * desk_visit - one request of a person at the desk, from the moment we know who it is until it is
 * answered; for the files of the desk alone.
 *
 * A visit is the first member of what a page needs to remember.  It ends with visit_end(), after
 * the answer.
 */
#ifndef ROUTER_DESK_VISIT_H
#define ROUTER_DESK_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "asker.h"
#include "base.h"
#include "catalogue.h"
#include "desk.h"
#include "desk_store.h"
#include "desk_words.h"
#include "html.h"
#include "http_static.h"

struct desk_live;

/* Who may open the desk, and who may ask for steps there. */
#define DESK_WORKERS \
	((unsigned)PEOPLE_CALL_TAKER | PEOPLE_CLERK | PEOPLE_OPERATOR | PEOPLE_ADMINISTRATOR)
#define DESK_READERS (DESK_WORKERS | PEOPLE_VIEWER)

enum {
	DESK_PAGE_ROWS = 50,
	DESK_BULK_MAX = 100,
	DESK_TOKEN_BYTES = 128,
	DESK_PATH_BYTES = 512,
	DESK_BODY_BYTES = 64 * 1024,
};

struct visit {
	TAILQ_ENTRY(visit) link;
	struct desk *desk;
	struct http_request *req;
	struct asker who;
	enum catalogue_language language;
	char form_token[DESK_TOKEN_BYTES];
	int64_t began_us; /* monotonic */
	size_t kind; /* of enum desk_page, for the statistics */
	uint64_t since; /* what the page shows is no older than the log was here */
	void (*finish)(struct visit *v); /* NULL: nothing of its own to free */
};
TAILQ_HEAD(visit_list, visit);

enum desk_page {
	PAGE_QUEUE,
	PAGE_TICKET,
	PAGE_STEP,
	PAGE_BULK,
	PAGE_SEARCH,
	PAGE_OPERATOR,
	DESK_PAGES
};
enum desk_stat {
	DESK_STAT_TIME, /* by enum desk_page */
	DESK_STAT_FORBIDDEN,
	DESK_STAT_STALE,
	DESK_STAT_REFUSED,
	DESK_STAT_AWAY,
	DESK_STAT_LOOKS,
	DESK_STAT_EVENTS,
	DESK_STAT_VIEWERS,
	DESK_STAT_CROWDED,
	DESK_STAT_PHOTOS, /* by enum desk_photos */
	DESK_STATS
};

enum desk_photos { DESK_PHOTOS_STORED, DESK_PHOTOS_TURNED_DOWN, DESK_PHOTOS_DROPPED };

struct desk {
	struct desk_world world;
	struct http_static *files;
	struct stats *stats;
	struct visit_list visits;
	struct desk_live *live;
};

/* bytes: of the whole struct, zeroed but for the visit.  NULL: answered 503 already. */
void *visit_begin(struct desk *d, struct http_request *req, const struct person *who,
    enum desk_page kind, size_t bytes, void (*finish)(struct visit *v));
void visit_end(struct visit *v);

static inline const struct catalogue *
visit_catalogue(const struct visit *v)
{
	return registry_catalogue(v->desk->world.registry);
}

/* --- pages: opened here, closed by page_reply() or page_close() ------------------------------- */

/* Head, masthead with the person's places, and heading. */
void page_open(struct html *h, const struct visit *v, const char *title);
/* The same for a list that is told what changes: department as in the query of /desk/events. */
void page_open_list(
    struct html *h, const struct visit *v, const char *title, const char *department);
/* Answers and ends the visit. */
void page_reply(struct html *h, struct visit *v, unsigned status);
/* A page that says one thing, and ends the visit. */
void page_say(struct visit *v, unsigned status, enum desk_word word);
/* 303 to a page of ours, and ends the visit. */
void page_go(struct visit *v, const char *path);

/* "lang=tr" in the page's language: links and forms carry it on. */
const char *page_lang(const struct html *h);
/* The hidden field that every form needs. */
void page_form_token(struct html *h, const struct visit *v);
/* <a class href="/desk/PATH…lang=..">text</a>; path is ours and holds a '?' or nothing after it. */
void page_link(struct html *h, const char *class, const char *path, const char *text);

/* --- who looked (desk_looks.c) ---------------------------------------------------------------- */

struct desk_look {
	int64_t ticket_id;
	uint32_t version;
	const char *department, *subject_code;
};
typedef void desk_noted_fn(struct visit *v, bool noted);
/* Writes into the log that these tickets of a special category are shown to the person, then calls
 * noted; at once when there are none.  The looks come sorted by ticket; they are copied. */
void desk_note_looks(struct visit *v, const char *door, const struct desk_look looks[],
    size_t count, desk_noted_fn *noted);

/* --- routes -------------------------------------------------------------------------------------
 */

void desk_get_queue(struct http_request *req, void *arg);
void desk_get_search(struct http_request *req, void *arg);
void desk_get_ticket(struct http_request *req, void *arg);
void desk_post_ticket(struct http_request *req, void *arg);
void desk_post_bulk(struct http_request *req, void *arg);
void desk_get_failed(struct http_request *req, void *arg);
void desk_post_failed(struct http_request *req, void *arg);
void desk_get_alarms(struct http_request *req, void *arg);
void desk_post_alarms(struct http_request *req, void *arg);

#endif
