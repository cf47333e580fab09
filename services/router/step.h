/*
 * step - one step of a ticket's life: is it allowed, what does it need, what becomes of the ticket.
 *
 * The same code serves rules, commands, citizens and sweeps; they differ in the actors they may
 * act as.  A step that is refused leaves the ticket as it was and writes nothing.
 */
#ifndef ROUTER_STEP_H
#define ROUTER_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "changes.h"
#include "status.h"
#include "ticket.h"
#include "uuid.h"

enum { STEP_TEXT_BYTES = 8000, STEP_REASON_BYTES = 64, STEP_REFERENCE_BYTES = 64 };

/* What is asked for.  Strings are lent and never NULL ("" when absent). */
struct step {
	enum status_verb verb;
	unsigned actors; /* bits of enum status_actor */
	const char *actor; /* for the log */
	const char *department;
	const char *reason;
	const char *text;
	int64_t until_us;
	const char *institution;
	const char *reference;
	struct ticket *primary; /* NULL: no such ticket, or none named */
	bool names_primary;
	const char *subject;
	uint32_t priority; /* 0: as it is */
	uint32_t rule;
	const struct attachment *photos; /* durable already; of resolve and note */
	size_t photo_count;
	const char *command_id;
	const char *traceparent;
};

/* Resolve and note. */
bool step_takes_photos(enum status_verb verb);

/* Everything absent. */
struct step step_none(enum status_verb verb, unsigned actors, const char *actor);

enum step_result {
	STEP_TAKEN,
	STEP_NOT_NOW, /* the table has no such step from this status */
	STEP_NOT_YOU, /* it has, but not for these actors */
	STEP_BAD_FIELD, /* why names the field */
};

/* What a step stands on. */
struct step_world {
	const struct catalogue *cat;
	int64_t now_us;
	struct uuid_source *ids;
	struct changes *changes;
};

/* Looks and changes nothing.  why (of CHANGES_WHY_BYTES) is set when refused. */
MUST_CHECK enum step_result step_check(const struct step_world *world, const struct ticket *t,
    const struct step *step, char why[CHANGES_WHY_BYTES]);
/* step_check(), and when it passes the ticket is changed and record, hop and text are added. */
MUST_CHECK enum step_result step_take(const struct step_world *world, struct ticket *t,
    const struct step *step, char why[CHANGES_WHY_BYTES]);

/* Puts a ticket that was just opened where it was addressed to ("": nowhere) or the rules say, or
 * into triage with the reason. */
void step_route_by_rules(const struct step_world *world, struct ticket *t, const char *addressed_to,
    const char *traceparent);

#endif
