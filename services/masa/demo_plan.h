/*
 * demo_plan - who comes to a municipality in a month, by which way, and when.
 *
 * The volumes are those of one March of a real contact centre (21,219 calls answered, 11,651 of
 * them recorded); everything else is made up.  The same seed makes the same plan.  Calls follow the
 * hours of a day and the days of a week, and those of Ramazan: few while people break the fast,
 * many before and after.  Pure.
 */
#ifndef MASA_DEMO_PLAN_H
#define MASA_DEMO_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum demo_kind {
	DEMO_CALL_RECORDED, /* calls first: demo_kind_is_call() */
	DEMO_CALL_JOINED,
	DEMO_CALL_INFORMATION,
	DEMO_CALL_TRANSFERRED,
	DEMO_CALL_NUISANCE,
	DEMO_CALL_ABANDONED,
	DEMO_DESK,
	DEMO_WEB,
	DEMO_OPEN311,
	DEMO_EMAIL,
	DEMO_CIMER,
	DEMO_KINDS
};

bool demo_kind_is_call(enum demo_kind kind);
/* Does it open a ticket? */
bool demo_kind_opens(enum demo_kind kind);

struct demo_month {
	int year, month;
	int64_t start_us, end_us;
};

/* How much of the month is played: one of so many contacts (1: all), and its first days (0: all).
 */
struct demo_share {
	uint32_t one_of;
	int days;
};

struct demo_arrival {
	int64_t at_us; /* a call: when it was offered */
	enum demo_kind kind;
	uint32_t wait_ms, talk_ms; /* calls */
};

struct demo_plan {
	struct demo_month month;
	int64_t until_us; /* nobody comes later */
	struct demo_arrival *arrivals; /* in order of time; an index is a contact's number */
	size_t count;
	int64_t *files_us; /* when a file of CİMER's applications is put into the folder */
	size_t file_count;
};

/* The months that can be played: those whose days of fasting are known to the player. */
MUST_CHECK bool demo_month_parse(const char *text, struct demo_month *ret_month);
/* How many of a kind come in the whole month. */
uint32_t demo_volume(enum demo_kind kind);

/* How likely a call is in this minute, of no unit; at_us in the month. */
double demo_call_weight(const struct demo_month *month, int64_t at_us);
/* When the fast is broken that day, minutes after midnight; -1: nobody fasts. */
int demo_iftar_min(const struct demo_month *month, int day);

/* False: no memory.  Owned by the caller. */
MUST_CHECK bool demo_plan_make(struct demo_plan *ret_plan, const struct demo_month *month,
    const struct demo_share *share, uint64_t seed);
void demo_plan_finish(struct demo_plan *plan); /* zeroed is empty */

#endif
