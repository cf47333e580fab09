/*
 * settling - what became of attempts, into the record: exactly once.
 *
 * One statement moves the messages, closes their attempts and appends the records of those it has
 * moved.  So an outcome may be said again whenever it is not known whether it was heard.  What
 * cannot be stored is found by smaller batches and never stops the others.
 */
#ifndef NOTIFIER_SETTLING_H
#define NOTIFIER_SETTLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "channel.h"
#include "db.h"
#include "outcome_record.h"
#include "stats.h"
#include "uuid.h"

struct settling;
struct ended;

/* Everything is lent for the life of the settling. */
struct settling_world {
	struct db *db;
	struct stats *stats;
	struct uuid_source *ids;
	uint32_t attempts_max;
	uint32_t crowd; /* so many are not kept waiting for more */
	uint64_t retry_first_ms, retry_cap_ms;
	void (*on_settled)(void *arg); /* some are written down */
	void *arg;
};

/* NULL: no memory.  Destroy takes NULL; close the db first. */
struct settling *settling_create(const struct settling_world *world);
void settling_destroy(struct settling *s);

/* Room for one outcome, taken before its message is sent, so that it cannot be lost.  NULL: no
 * memory.  Release takes NULL. */
MUST_CHECK struct ended *settling_reserve(void);
void settling_release(struct ended *place);

/* Takes the place and the job.  interrupted: a former process left it. */
void settling_add(struct settling *s, struct ended *place, struct job *job,
    const struct outcome_record *row, bool interrupted);
/* Outcomes of texts, or of mails, that are not in the record yet. */
size_t settling_count(const struct settling *s, bool sms);
/* Writes down what there is, unless a transaction is under way, was just refused, or was begun some
 * milliseconds ago: then it waits for more, so that a crowd shares a commit. */
int64_t settling_tick(struct settling *s, uint64_t now_ms);
/* What became of this message is not in the record yet. */
bool settling_holds(const struct settling *s, const struct uuid *message);
bool settling_busy(const struct settling *s);

#endif
