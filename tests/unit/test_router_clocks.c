/* The two clocks of a ticket: single cases, and what must hold for any course of events. */
#include <string.h>

#include "base.h"
#include "check.h"
#include "clocks.h"
#include "istanbul.h"
#include "muratpasa.h"

#define HOUR_MS INT64_C(3600000)

static int64_t
at(int year, int month, int day, int hour, int minute)
{
	return istanbul_moment_us(civil_day(year, month, day), hour * 60 + minute);
}

/* A small generator of our own, so that a failing case is the same on every machine. */
static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int64_t
below(uint64_t *state, int64_t bound)
{
	return (int64_t)(next_random(state) % (uint64_t)bound);
}

static const struct {
	const char *name;
	enum legal_basis basis;
	bool extended;
	int from[3], due[3]; /* due: the last day, which ends at 24:00 */
} periods[] = {
	{ "petition: 30 days from the next", LEGAL_PETITION_3071, false, { 2026, 3, 2 },
	    { 2026, 4, 1 } },
	{ "information: 15 working days", LEGAL_INFORMATION_4982, false, { 2026, 2, 2 },
	    { 2026, 2, 23 } },
	{ "information, extended", LEGAL_INFORMATION_4982, true, { 2026, 2, 2 }, { 2026, 3, 16 } },
	{ "personal data: 30 days", LEGAL_KVKK_13, false, { 2026, 3, 2 }, { 2026, 4, 1 } },
};

TEST(test_clocks_legal)
{
	struct catalogue *cat = muratpasa_load();
	if (cat == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
		struct ticket_clock c = { 0 };
		int64_t arrived = at(
		    periods[i].from[0], periods[i].from[1], periods[i].from[2], 10, 0);
		int64_t due = at(
		    periods[i].due[0], periods[i].due[1], periods[i].due[2], 1440 / 60, 0);

		clocks_legal_start(&c, cat, periods[i].basis, arrived, arrived);
		if (periods[i].extended)
			clocks_legal_extend(&c, cat, arrived, arrived + US_PER_DAY);
		CHECK_I64(periods[i].name, c.due_us, due);
		CHECK_I64(periods[i].name, c.state, CLOCK_RUNNING);
		CHECK_I64(periods[i].name, c.next_alarm, ALARM_DUE_SOON);
		CHECK_I64(periods[i].name, c.next_alarm_us,
		    due - cat->municipality.legal_due_soon_days * US_PER_DAY);
		CHECK_STR(periods[i].name, c.calendar_version, cat->office->version);
	}
	struct ticket_clock none = { 0 };
	clocks_legal_start(&none, cat, LEGAL_NONE, 0, 0);
	CHECK_I64("no basis, no clock", none.state, CLOCK_ABSENT);
	CHECK_FALSE("nothing to write", none.changed);
	catalogue_destroy(cat);
}

TEST(test_clocks_legal_stop_and_continue)
{
	struct catalogue *cat = muratpasa_load();
	struct ticket_clock c = { 0 };
	int64_t arrived = at(2026, 3, 2, 10, 0);
	if (cat == NULL)
		return;
	clocks_legal_start(&c, cat, LEGAL_PETITION_3071, arrived, arrived);
	int64_t due = c.due_us;
	clocks_legal_stop(&c);
	CHECK_I64("no alarm when stopped", c.next_alarm_us, 0);
	clocks_legal_continue(&c, cat, due - US_PER_DAY);
	CHECK_I64("the deadline is the same", c.due_us, due);
	CHECK_I64("due soon, at once", c.next_alarm, ALARM_DUE_SOON);
	CHECK_TRUE("at once", c.next_alarm_us <= due - US_PER_DAY);
	CHECK_I64("it falls", clocks_fall(&c, due - US_PER_DAY), ALARM_DUE_SOON);
	CHECK_I64("overdue next", c.next_alarm_us, due);
	CHECK_I64("late", clocks_fall(&c, due), ALARM_OVERDUE);
	CHECK_I64("no more", c.next_alarm, ALARM_NONE_LEFT);
	CHECK_I64("no more", c.next_alarm_us, 0);
	clocks_legal_stop(&c);
	clocks_legal_continue(&c, cat, due + US_PER_DAY);
	CHECK_I64("never twice", c.next_alarm_us, 0);
	catalogue_destroy(cat);
}

TEST(test_clocks_alarms_missed)
{
	struct catalogue *cat = muratpasa_load();
	struct ticket_clock c = { 0 };
	int64_t arrived = at(2026, 3, 2, 10, 0);
	if (cat == NULL)
		return;
	clocks_legal_start(&c, cat, LEGAL_PETITION_3071, arrived, arrived);
	CHECK_I64("both at once are overdue", clocks_fall(&c, c.due_us + 1), ALARM_OVERDUE);
	CHECK_I64("and no more", c.next_alarm_us, 0);

	struct ticket_clock old = { 0 };
	clocks_legal_start(&old, cat, LEGAL_PETITION_3071, arrived, arrived + 400 * US_PER_DAY);
	CHECK_I64("an old one is overdue from the start", old.next_alarm, ALARM_OVERDUE);
	CHECK_I64("at its deadline", old.next_alarm_us, old.due_us);
	/* An extension moves the deadline ahead again: both alarms are armed anew. */
	struct ticket_clock info = { 0 };
	clocks_legal_start(&info, cat, LEGAL_INFORMATION_4982, arrived, arrived);
	(void)clocks_fall(&info, info.due_us);
	clocks_legal_extend(&info, cat, arrived, info.due_us + 1);
	CHECK_I64("armed anew", info.next_alarm, ALARM_DUE_SOON);
	CHECK_TRUE("in the future", info.next_alarm_us > info.started_us);
	catalogue_destroy(cat);
}

TEST(test_clocks_service_single_cases)
{
	struct catalogue *cat = muratpasa_load();
	struct ticket_clock c = { 0 };
	if (cat == NULL)
		return;
	const struct calendar *office = cat->office;
	const struct calendar *always = catalogue_department(cat, "zabita")->calendar;
	int64_t start = at(2026, 3, 3, 10, 0); /* a Tuesday */

	clocks_service_start(&c, cat, office, 0, start);
	CHECK_I64("nothing promised, no clock", c.state, CLOCK_ABSENT);
	clocks_service_start(&c, cat, always, 8 * HOUR_MS, start);
	CHECK_I64("day and night", c.due_us, at(2026, 3, 3, 18, 0));
	CHECK_I64("three quarters", c.next_alarm_us, at(2026, 3, 3, 16, 0));
	clocks_service_stand(&c, cat, CLOCK_PAUSED, at(2026, 3, 3, 12, 0));
	CHECK_I64("used", c.elapsed_ms, 2 * HOUR_MS);
	CHECK_I64("no alarm in a pause", c.next_alarm_us, 0);
	clocks_service_run(&c, cat, always, at(2026, 3, 4, 12, 0));
	CHECK_I64("six hours left", c.due_us, at(2026, 3, 4, 18, 0));
	CHECK_I64("due soon again ahead", c.next_alarm_us, at(2026, 3, 4, 16, 0));
	clocks_service_promise(&c, cat, 3 * HOUR_MS, at(2026, 3, 4, 12, 0));
	CHECK_I64("a shorter promise", c.due_us, at(2026, 3, 4, 13, 0));
	clocks_service_promise(&c, cat, HOUR_MS, at(2026, 3, 4, 12, 30));
	CHECK_I64("used up: due now, not before", c.due_us, at(2026, 3, 4, 12, 30));
	CHECK_I64("overdue now", clocks_fall(&c, at(2026, 3, 4, 12, 30)), ALARM_OVERDUE);
	int64_t due = c.due_us;
	clocks_service_run(&c, cat, office, at(2026, 3, 5, 9, 0));
	CHECK_I64("a passed deadline stays", c.due_us, due);
	CHECK_I64("and is not told again", c.next_alarm_us, 0);
	catalogue_destroy(cat);
}

/*
 * Any course of pauses, endings and transfers: what was used is exactly the working time, each
 * stretch in the calendar it ran in; while it runs, working time from now to the deadline is what
 * is left of the promise; each alarm falls once.
 */
static void
live_through(const struct catalogue *cat, uint64_t *random)
{
	const struct calendar *calendars[] = { cat->office,
		catalogue_department(cat, "zabita")->calendar,
		catalogue_department(cat, "temizlik")->calendar,
		catalogue_department(cat, "fen")->calendar };
	int64_t now = at(2026, 1, 1, 0, 0) + below(random, 300 * US_PER_DAY) / 1000 * 1000;
	int64_t promise = (1 + below(random, 200)) * HOUR_MS;
	const struct calendar *cal = calendars[below(random, 4)];
	struct ticket_clock c = { 0 };
	int64_t used = 0;
	int soon = 0, late = 0;

	clocks_service_start(&c, cat, cal, promise, now);
	for (int step = 0; step < 12; step++) {
		int64_t then = now + below(random, 5 * US_PER_DAY) / 1000 * 1000;
		while (c.next_alarm_us != 0 && c.next_alarm_us <= then) {
			int64_t fell = c.next_alarm_us;
			if (clocks_fall(&c, fell) == ALARM_DUE_SOON)
				soon++;
			else
				late++;
		}
		if (c.state == CLOCK_RUNNING)
			used += calendar_elapsed_ms(cal, now, then, NULL);
		now = then;
		if (below(random, 3) == 0) {
			clocks_service_stand(
			    &c, cat, below(random, 2) == 0 ? CLOCK_PAUSED : CLOCK_STOPPED, now);
		} else {
			cal = calendars[below(random, 4)];
			clocks_service_run(&c, cat, cal, now);
			int64_t left = promise - c.elapsed_ms;
			if (left > 0)
				CHECK_I64("left until the deadline",
				    calendar_elapsed_ms(cal, now, c.due_us, NULL), left);
			else
				CHECK_TRUE("passed", c.due_us <= now);
		}
		CHECK_I64("used", c.elapsed_ms, used);
		CHECK_TRUE("due soon once", soon <= 1);
		CHECK_TRUE("overdue once", late <= 1);
		CHECK_I64("overdue is used up", late == 1, c.elapsed_ms >= promise);
	}
}

TEST(test_clocks_service_any_course)
{
	struct catalogue *cat = muratpasa_load();
	uint64_t random = 88172645463325252u;
	if (cat == NULL)
		return;
	for (int i = 0; i < 2000; i++)
		live_through(cat, &random);
	catalogue_destroy(cat);
}
