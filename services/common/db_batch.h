/*
 * db_batch - many items in one unit, and what to do when it fails.
 *
 * The items [0, count) go to the database together.  When the failure blames data, the range is
 * tried again in halves, down to the single item that is at fault, so one bad row never stops a
 * batch; when it blames the moment (deadlock, shutdown, lost connection) the same range is tried
 * again with backoff; anything else is reported for the range as it stands.  Items settle in
 * order, each exactly once, and one unit is on its way at a time.
 */
#ifndef TURUNC_DB_BATCH_H
#define TURUNC_DB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"

struct db_batch;

struct db_batch_rules {
	/* Puts the statements for the items [from, to) into the empty unit.  May be called several
	 * times for an item, and must then write the same again. */
	void (*build)(void *arg, struct db_unit *unit, size_t from, size_t to);
	/* What became of the items [from, to).  DB_FAILED blames exactly one item when
	 * db_fault_of() says data. */
	void (*settled)(void *arg, size_t from, size_t to, const struct db_reply *reply);
	/* Every item is settled; the batch is gone after this call.  arg may be freed here. */
	void (*finished)(void *arg);
	/* The statements have the same effect when repeated (identities, ON CONFLICT): an unknown
	 * outcome is resolved by doing it again.  False: DB_UNKNOWN is reported. */
	bool repeatable;
	/* How long passing faults, a full queue and a lost database are waited out before they are
	 * reported; 0: not at all; UINT64_MAX: for ever. */
	uint64_t patience_ms;
	/* What could not be sent is reported at once: the caller knows where else it can go. */
	bool unsent_at_once;
};

/* Sends the first unit.  rules and arg are lent until finished().  False (nothing is called): no
 * memory, too much is waiting, or the db is draining.  count is not 0.  A batch at work when the
 * db drains goes on; db_close() settles what is left of it. */
MUST_CHECK bool db_batch_start(
    struct db *db, const struct db_batch_rules *rules, void *arg, size_t count);

#endif
