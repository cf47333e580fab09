/*
 * surveying - asks citizens whether they are satisfied: keeps a row for each time that a ticket has
 * ended, and invites and reminds when it is time.
 *
 * The row is made in the transaction that takes in the record of the end, and the record of an
 * invitation in the one that marks the row; the invitation itself is the message of that record,
 * written, sent and counted like any other.  So nobody is invited twice for one end, whatever dies
 * when.  Who is not asked has the reason in the row.
 */
#ifndef NOTIFIER_SURVEYING_H
#define NOTIFIER_SURVEYING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "compose.h"
#include "db.h"
#include "registry.h"
#include "stats.h"
#include "uuid.h"

struct surveying;

/* Everything is lent for its life. */
struct surveying_world {
	struct db *db;
	struct registry *registry;
	struct stats *stats;
	struct uuid_source *ids;
	bool has_links; /* without a secret nobody can be given a link: nobody is asked */
};

/* NULL: no memory.  Destroy takes NULL; close the db first. */
struct surveying *surveying_create(const struct surveying_world *world);
void surveying_destroy(struct surveying *s);

/* Adds what follows from these news for the rows, in the unit that takes them in; people: whom
 * telling has asked for.  Nothing to do: nothing is added. */
void surveying_note(struct db_unit *unit, struct uuid_source *ids,
    const struct catalogue_municipality *municipality, const struct news *news, size_t count,
    const struct pg_result *people, int64_t now_us);

int64_t surveying_tick(struct surveying *s, uint64_t now_ms);
void surveying_stop(struct surveying *s);
bool surveying_busy(const struct surveying *s);

/* --- what is decided; pure --- */

enum survey_state {
	SURVEY_WAITING = 1, /* for due_us, to invite */
	SURVEY_INVITED, /* waits for due_us, to remind */
	SURVEY_SETTLED, /* invited, and nothing more is sent */
	SURVEY_NOBODY, /* nobody was asked, for survey.reason */
};

/* A row that is due, and how its ticket and its citizen stand.  Texts are lent. */
struct survey_due {
	enum survey_state state;
	int64_t due_us, expires_us; /* expires_us: of one that was invited */
	bool reopened, erased, answered;
	bool opted_out; /* their number wants no SMS */
	bool refused; /* their address wants not to be asked */
	bool marked; /* they gave an address, but mail does not reach it: email is "" */
	const char *email, *phone, *language; /* "" when not given */
};
struct survey_step {
	enum survey_state next;
	const char *type; /* of the record that says it; NULL: none */
	const char *reason; /* SURVEY_NOBODY: a word of turunc.survey.reason, else "" */
	int64_t due_us, expires_us; /* 0: as it was */
};
struct survey_step survey_decide(const struct catalogue *catalogue, const struct survey_due *due,
    bool has_links, int64_t now_us);

#endif
