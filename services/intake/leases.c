/* Leases ticket numbers from the record: for numbers.h, and to be set aside on disk. */
#include <stdlib.h>

#include "clock.h"
#include "intake.h"
#include "istanbul.h"
#include "log.h"
#include "number.h"
#include "store.h"

enum { ASIDE_AGAIN_MS = 10000 };

struct leasing {
	struct intake *in;
	int year;
	int32_t how_many;
	bool aside;
};

/* Without the note a record restored from a backup could lease these once more; that is no reason
 * to turn anybody away now. */
static void
note_lease(const struct leasing *l, int64_t first)
{
	if (!number_file_note_lease(l->in->number_file, l->year, first, l->how_many))
		log_error(
		    "the disk does not keep how far ticket numbers were leased year=%d", l->year);
}

/* What the disk does not take is offered to it again: leasing others each time would use up the
 * year's numbers. */
static void
keep_aside(struct intake *in)
{
	if (number_file_set_aside(
		in->number_file, in->not_aside.year, in->not_aside.first, in->not_aside.count)) {
		in->not_aside.count = 0;
		return;
	}
	log_error("the disk does not keep ticket numbers for the time without the record year=%d",
	    in->not_aside.year);
	in->not_aside.at_ms = clock_monotonic_ms() + ASIDE_AGAIN_MS;
}

static void
leased(const struct leasing *l, int64_t first)
{
	if (!l->aside) {
		note_lease(l, first);
		numbers_leased(l->in->numbers, l->year, first, l->how_many);
		return;
	}
	l->in->not_aside.year = l->year;
	l->in->not_aside.first = first;
	l->in->not_aside.count = l->how_many;
	keep_aside(l->in);
}

static void
on_leased(void *arg, const struct db_reply *reply)
{
	struct leasing *l = arg;

	/* An unknown outcome skips a block, which costs nothing. */
	if (reply->outcome == DB_COMMITTED) {
		leased(l, db_get_int(reply->results[0], 0, 0));
	} else {
		log_warn("ticket numbers not leased, will be tried again sqlstate=%s why=%s",
		    reply->sqlstate, log_quoted(reply->message));
		if (!l->aside)
			numbers_lease_failed(l->in->numbers, l->year);
	}
	if (l->aside)
		l->in->setting_aside = false;
	free(l);
}

static bool
lease(struct intake *in, int year, int32_t how_many, bool aside)
{
	if (db_state_now(in->writer) != DB_READY)
		return false;
	struct leasing *l = malloc(sizeof(*l));
	if (l == NULL)
		return false;
	*l = (struct leasing){ in, year, how_many, aside };
	struct db_unit *unit = db_unit_create(in->writer);
	db_unit_add(unit, STORE_LEASE);
	db_add_int4(unit, year);
	db_add_int4(unit, how_many);
	db_add_int8(unit, number_file_high_water(in->number_file, year));
	if (db_submit(in->writer, unit, on_leased, l))
		return true;
	db_unit_destroy(unit);
	free(l);
	return false;
}

bool
intake_lease_numbers(void *arg, int year, int32_t how_many)
{
	return lease(arg, year, how_many, false);
}

bool
intake_numbers_aside(void *arg, int year, int32_t how_many, int64_t *ret_first, int32_t *ret_count)
{
	struct intake *in = arg;
	return number_file_take(in->number_file, year, how_many, ret_first, ret_count);
}

/* The next year's as well on its last day, for the record may be away at midnight. */
void
intake_set_numbers_aside(struct intake *in)
{
	int64_t now_us = clock_now_us(), wanted = in->config.numbers_aside;
	int year = number_year(now_us), tomorrow = number_year(now_us + US_PER_DAY);

	if (in->not_aside.count > 0) {
		if (clock_monotonic_ms() >= in->not_aside.at_ms)
			keep_aside(in);
		return;
	}
	for (int y = year; y <= tomorrow && !in->setting_aside; y++)
		if (number_file_left(in->number_file, y) < (wanted + 1) / 2)
			in->setting_aside = lease(in, y, (int32_t)wanted, true);
}
