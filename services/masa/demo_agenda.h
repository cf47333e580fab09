/*
 * demo_agenda - what will be done, in order of time; what is due at one time in the order in which
 * it was put down.  Pure.
 */
#ifndef MASA_DEMO_AGENDA_H
#define MASA_DEMO_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum demo_act {
	ACT_OFFERED, /* of a call; about: the contact's number, also below */
	ACT_ABANDONED,
	ACT_ANSWERED,
	ACT_ASKED, /* the call-taker opens the ticket */
	ACT_ENDED,
	ACT_CONTACT, /* somebody comes by another way than a call */
	ACT_FILE, /* a file of CİMER's applications; about: its number */
	ACT_STEP, /* of a department; about: the ticket, version: as it was then */
	ACT_SURVEY, /* the citizen answers; about: the ticket */
	ACT_WITHDRAW, /* the citizen needs it no more; about: the ticket */
};

struct demo_entry {
	int64_t at_us;
	uint64_t order;
	enum demo_act act;
	uint32_t about;
	uint32_t version;
};

struct demo_agenda {
	struct demo_entry *heap;
	size_t count, room;
	uint64_t orders;
};

/* False: no memory. */
MUST_CHECK bool demo_agenda_add(
    struct demo_agenda *a, int64_t at_us, enum demo_act act, uint32_t about, uint32_t version);
/* The first one, when it is due by then. */
MUST_CHECK bool demo_agenda_take(
    struct demo_agenda *a, int64_t until_us, struct demo_entry *ret_entry);
/* INT64_MAX: nothing is on it. */
int64_t demo_agenda_next_us(const struct demo_agenda *a);
void demo_agenda_finish(struct demo_agenda *a); /* zeroed is empty */

#endif
