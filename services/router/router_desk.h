/* router_desk - the desk's side of the router: its people, its connections, its search. */
#ifndef ROUTER_ROUTER_DESK_H
#define ROUTER_ROUTER_DESK_H

#include "router.h"

/* After the http server was opened.  False: cannot start, and the log says why. */
MUST_CHECK bool router_desk_open(struct router *r);
/* Before http_close(): whoever waits is answered.  Then, after it: what is left goes. */
void router_desk_stop(struct router *r);
void router_desk_close(struct router *r);

/* The log reaches seq now; before router_desk_open() too. */
void router_desk_log_grew(struct router *r, uint64_t seq);

/* router.c: what became of a connection, in the log and in /readyz. */
void router_note_record(
    struct router *r, unsigned dependency, enum db_state state, const char *what, const char *why);

#endif
