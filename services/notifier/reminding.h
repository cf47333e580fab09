/*
 * reminding - sends departments, those above them and operators their digests, in working time.
 *
 * For each recipient with an open window (reminder.h) the row of that window is written first, also
 * that there is nothing to say; its key makes each digest be made once.  Then they are sent,
 * one at a time: put off by the server they are tried again as long as the window was open, of
 * unknown outcome they are left.  What became of one is kept until the record has it, also at the
 * end (busy until then).  A digest holds numbers and names of subjects, and nothing of a person.
 */
#ifndef NOTIFIER_REMINDING_H
#define NOTIFIER_REMINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"
#include "db.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct event_base;
struct reminding;

/* Everything is lent for its life. */
struct reminding_world {
	struct event_base *loop;
	struct db *db;
	struct registry *registry;
	struct stats *stats;
	struct uuid_source *ids;
	struct smtp_config smtp; /* url NULL: digests wait */
	uint64_t look_ms; /* 0: nobody is reminded */
	uint64_t retry_ms;
	void (*wake)(void *arg);
	void *arg;
};

/* NULL: no memory or no thread.  Destroy takes NULL; close the db first. */
struct reminding *reminding_create(const struct reminding_world *world);
void reminding_destroy(struct reminding *r);

int64_t reminding_tick(struct reminding *r, uint64_t now_ms);
void reminding_stop(struct reminding *r);
bool reminding_busy(const struct reminding *r);

#endif
