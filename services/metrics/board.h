/*
 * board - the live board: its pages, its stream of changes, and the same figures as JSON.
 *
 *	/live/             the page
 *	/live/events       server-sent events: first "snapshot" (everything), then "patch" (what
 *	                   changed, by name; null: not known any more) and every 2 s "beat"
 *	/live/state.json   what a snapshot says
 *	/live/history.json the past: ?span=day, week or month (history.h)
 *	/live/tables       all of it as a page without scripts (board_tables.h)
 *	/live/wall/KEY     for a screen on a wall (board_wall.h)
 *
 * Aggregates only, and for loopback, whom board_show_to() names, and who has a key for it: anybody
 * else gets 403.
 */
#ifndef METRICS_BOARD_H
#define METRICS_BOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct acl;
struct alarm_watch;
struct board;
struct history;
struct http;
struct http_request;
struct picture;
struct registry;
struct stats;

/* All are lent. */
struct board_options {
	const struct picture *picture;
	const struct registry *registry;
	const struct acl *acl;
	const struct alarm_watch *alarms;
	const struct history *history;
};
/* NULL: no memory. */
struct board *board_create(const struct board_options *options);
/* Takes NULL; close http before. */
void board_destroy(struct board *b);
/* Who sees it beside this machine: "10.0.0.1, 10.0.0.2".  False: not addresses, or no memory. */
MUST_CHECK bool board_show_to(struct board *b, const char *addresses);
/* By the address; a key opens the board alone.  False: it was answered with 403. */
MUST_CHECK bool board_may_see(struct board *b, struct http_request *req);
/* Takes the value; NULL: no memory for it, and the answer says so. */
void board_reply_json(struct http_request *req, json_t *value);
/* False: no room for another table of routes. */
MUST_CHECK bool board_add_routes(struct board *b, struct http *http);

/* The picture, the alarms, the history or the catalogue has changed: tells everybody what is
 * different. */
void board_changed(struct board *b);

/* Returns ms until the next call. */
int64_t board_tick(struct board *b, uint64_t now_ms);

/* turunc_metrics_board_*.  Lent. */
const struct stats *board_stats(const struct board *b);
void board_refresh_stats(void *board);

#endif
