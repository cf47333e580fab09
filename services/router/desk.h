/*
 * desk - the pages at which clerks and operators work with tickets: /desk/.
 *
 * Everything is a page of ours that works without JavaScript; desk.js makes it live and quick.  The
 * desk reads on connections of its own (desk_store.h) and changes nothing itself: what people ask
 * goes through commands.h like any client's Command, and is answered after its COMMIT.  What a
 * person may see and do follows from their roles (asker.h); a ticket of a special category is shown
 * only when the log says to whom.
 */
#ifndef ROUTER_DESK_H
#define ROUTER_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "commands.h"
#include "db.h"
#include "http.h"
#include "people.h"
#include "photos.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct desk;

struct desk_world {
	struct people *people;
	struct commands *commands;
	const struct registry *registry;
	struct db *reader; /* of desk_statements */
	struct db *writer; /* of store_statements: who looked */
	struct db *searcher; /* of search_statements */
	struct uuid_source *ids;
	struct attachments *attachments; /* NULL: photos are neither shown nor taken */
	struct photos_limits photo_limits;
};

/* world is copied.  NULL: out of memory.  Destroy after the dbs and the http server were closed;
 * takes NULL. */
struct desk *desk_create(const struct desk_world *world);
void desk_destroy(struct desk *d);

MUST_CHECK bool desk_add_routes(struct desk *d, struct http *http);
const struct stats *desk_stats(const struct desk *d);

/* The log reaches seq now.  Takes NULL: not open yet. */
void desk_log_grew(struct desk *d, uint64_t seq);
/* Milliseconds until the next turn. */
int64_t desk_tick(struct desk *d, uint64_t now_ms);

#endif
