/*
 * telling - turns news into messages: asks for the people concerned and what was answered, and
 * writes a row for each person who is to hear of it.
 */
#ifndef NOTIFIER_TELLING_H
#define NOTIFIER_TELLING_H

#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "compose.h"
#include "db.h"
#include "registry.h"
#include "reply_address.h"
#include "stats.h"
#include "uuid.h"

struct letters;
struct telling;

/* All are lent.  NULL: no memory.  Destroy takes NULL. */
struct telling *telling_create(const struct registry *registry, struct stats *stats,
    struct uuid_source *ids, const struct reply_address_key *key);
void telling_destroy(struct telling *t);

/* Adds the questions (people, texts); their results are what telling_write() takes. */
void telling_ask(struct db_unit *unit, const struct news *news, size_t count);

/* Is it about a ticket there is?  people: the result for a batch that holds it. */
bool telling_knows(const struct news *news, const struct pg_result *people);

/*
 * Adds the messages of the news, in order, as one statement.  What cannot be told for its record's
 * sake goes to letters (may be NULL when there is no such news).  Returns how many of the news are
 * dealt with: fewer when letters takes no more.  people and texts may be NULL when count is 0.
 */
size_t telling_write(struct telling *t, struct db_unit *unit, const struct news *news, size_t count,
    const struct pg_result *people, const struct pg_result *texts, struct letters *letters,
    int64_t now_us);

/* The last telling_write() is in the record: so many of its rows were new. */
void telling_count(struct telling *t, int64_t queued);

#endif
