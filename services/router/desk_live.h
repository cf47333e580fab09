/*
 * desk_live - tells open pages what changes, by server-sent events.
 *
 * One look at the log serves every page, at most every 200 ms: the rows of the tickets that changed
 * are written once a language and sent to those whose list they belong to.
 *
 *	event: row   {"n": number, "v": version, "html": the row}
 *	event: gone  {"n": number}              it left this list
 *	event: many  {}                         too much changed to be told: load the page again
 *
 * Every event carries the log's position as its id; a page says what it has seen when it connects
 * ("since", or Last-Event-ID).  A row may come again: older or same versions are to be passed over.
 * A stream ends after a quarter of a minute and is asked for again, so that whoever has been
 * signed out or moved does not go on reading; that it is open is no use of the session.
 */
#ifndef ROUTER_DESK_LIVE_H
#define ROUTER_DESK_LIVE_H

#include <stdint.h>

#include "http.h"

struct desk;
struct desk_live;

/* NULL: out of memory.  Destroy takes NULL, after the http server was closed. */
struct desk_live *desk_live_create(struct desk *d);
void desk_live_destroy(struct desk_live *live);

void desk_live_grew(struct desk_live *live, uint64_t seq);
uint64_t desk_live_head(const struct desk_live *live);
/* Milliseconds until the next turn. */
int64_t desk_live_tick(struct desk_live *live, uint64_t now_ms);

void desk_get_events(struct http_request *req, void *arg);

#endif
