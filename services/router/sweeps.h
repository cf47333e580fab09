/*
 * sweeps - what time alone brings: alarms of the clocks, closing what ended long ago, room for the
 * log.
 *
 * Each looks for a bounded number of tickets, writes them in one transaction that fails as a whole
 * when somebody else was faster, and goes on at once when there was more.  A ticket whose change
 * the record refuses is found by halves and left out for ten minutes, so that it stops nobody
 * else's; of more than 64 of them the fault is elsewhere, and the sweep is tried as it is.
 */
#ifndef ROUTER_SWEEPS_H
#define ROUTER_SWEEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct sweeps;

enum { SWEEPS_BATCH = 500 };

struct sweeps_world {
	struct db *db;
	const struct registry *registry;
	struct stats *stats; /* of router_stats */
	struct uuid_source *ids;
	uint64_t every_ms;
	void (*on_append)(void *arg, uint64_t seq);
	void (*wake)(void *arg);
	void *arg;
};

/* world is copied.  NULL: out of memory.  Destroy after the db was closed; takes NULL. */
struct sweeps *sweeps_create(const struct sweeps_world *world);
void sweeps_destroy(struct sweeps *s);

int64_t sweeps_tick(struct sweeps *s, uint64_t now_ms);
void sweeps_stop(struct sweeps *s);
bool sweeps_busy(const struct sweeps *s);

#endif
