/* The arithmetic of a ticket's clocks. */
#include "clocks.h"

#include <assert.h>
#include <stdio.h>

#include "istanbul.h"

enum { PERCENT = 100 };

static void
name_calendar(struct ticket_clock *c, const struct calendar *cal)
{
	ticket_copy_code(c->calendar, cal->name);
	(void)snprintf(c->calendar_version, sizeof(c->calendar_version), "%s", cal->version);
}

/* Sets the next alarm after the deadline was set or moved; soon_us is the moment of "due soon". */
static void
arm(struct ticket_clock *c, int64_t soon_us, int64_t now_us)
{
	c->changed = true;
	if (soon_us > now_us) {
		c->next_alarm = ALARM_DUE_SOON;
		c->next_alarm_us = soon_us;
	} else if (c->due_us <= now_us && c->next_alarm == ALARM_NONE_LEFT) {
		c->next_alarm_us = 0;
	} else if (c->due_us <= now_us || c->next_alarm > ALARM_DUE_SOON) {
		c->next_alarm = ALARM_OVERDUE;
		c->next_alarm_us = c->due_us;
	} else {
		c->next_alarm = ALARM_DUE_SOON;
		c->next_alarm_us = soon_us;
	}
}

/* --- legal ------------------------------------------------------------------------------------ */

static void
run_legal(struct ticket_clock *c, const struct catalogue *cat, int64_t now_us)
{
	c->state = CLOCK_RUNNING;
	arm(c, c->due_us - cat->municipality.legal_due_soon_days * US_PER_DAY, now_us);
}

void
clocks_legal_start(struct ticket_clock *c, const struct catalogue *cat, enum legal_basis basis,
    int64_t arrived_us, int64_t now_us)
{
	int64_t due_us;

	if (!legal_deadline(basis, false, arrived_us, cat->office, &due_us, NULL))
		return;
	c->basis = (int)basis;
	c->started_us = arrived_us;
	c->running_since_us = arrived_us;
	c->due_us = due_us;
	name_calendar(c, cat->office);
	c->next_alarm = ALARM_DUE_SOON;
	run_legal(c, cat, now_us);
}

void
clocks_legal_extend(
    struct ticket_clock *c, const struct catalogue *cat, int64_t arrived_us, int64_t now_us)
{
	int64_t due_us;

	if (!legal_deadline(
		(enum legal_basis)c->basis, true, arrived_us, cat->office, &due_us, NULL))
		return;
	c->due_us = due_us;
	name_calendar(c, cat->office);
	run_legal(c, cat, now_us);
}

void
clocks_legal_stop(struct ticket_clock *c)
{
	if (c->state == CLOCK_ABSENT)
		return;
	c->state = CLOCK_STOPPED;
	c->next_alarm_us = 0;
	c->changed = true;
}

void
clocks_legal_continue(struct ticket_clock *c, const struct catalogue *cat, int64_t now_us)
{
	if (c->state == CLOCK_STOPPED)
		run_legal(c, cat, now_us);
}

/* --- service ---------------------------------------------------------------------------------- */

/* Counts the working time since running_since_us as used. */
static void
count_used(struct ticket_clock *c, const struct catalogue *cat, int64_t now_us)
{
	if (c->state != CLOCK_RUNNING)
		return;
	/* A calendar that the configuration no longer has: the department's own at that time
	 * cannot be known, so the office's stands in for it. */
	const struct calendar *cal = catalogue_calendar(cat, c->calendar);
	c->elapsed_ms += calendar_elapsed_ms(
	    cal != NULL ? cal : cat->office, c->running_since_us, now_us, NULL);
	c->running_since_us = now_us;
	c->changed = true;
}

/* The clock runs from now on; its deadline is what is left of the promise. */
static void
run_service(
    struct ticket_clock *c, const struct catalogue *cat, const struct calendar *cal, int64_t now_us)
{
	int64_t left_ms = c->promise_ms - c->elapsed_ms;
	int64_t soon_ms = c->promise_ms / PERCENT * cat->municipality.service_due_soon_percent
			  + c->promise_ms % PERCENT * cat->municipality.service_due_soon_percent
				/ PERCENT
			  - c->elapsed_ms;
	int64_t soon_us = now_us;

	c->state = CLOCK_RUNNING;
	c->running_since_us = now_us;
	name_calendar(c, cal);
	/* A calendar that never gets there leaves the deadline where it was. */
	if (left_ms > 0)
		(void)!calendar_deadline(cal, now_us, left_ms, &c->due_us, NULL);
	else if (c->due_us > now_us)
		c->due_us = now_us;
	if (soon_ms > 0)
		(void)!calendar_deadline(cal, now_us, soon_ms, &soon_us, NULL);
	arm(c, soon_us, now_us);
}

void
clocks_service_start(struct ticket_clock *c, const struct catalogue *cat,
    const struct calendar *cal, int64_t promise_ms, int64_t now_us)
{
	int64_t due_us;

	if (promise_ms <= 0 || !calendar_deadline(cal, now_us, promise_ms, &due_us, NULL))
		return;
	c->started_us = now_us;
	c->promise_ms = promise_ms;
	c->elapsed_ms = 0;
	c->due_us = due_us;
	c->next_alarm = ALARM_DUE_SOON;
	run_service(c, cat, cal, now_us);
}

void
clocks_service_run(
    struct ticket_clock *c, const struct catalogue *cat, const struct calendar *cal, int64_t now_us)
{
	if (c->state == CLOCK_ABSENT)
		return;
	count_used(c, cat, now_us);
	run_service(c, cat, cal, now_us);
}

void
clocks_service_stand(struct ticket_clock *c, const struct catalogue *cat,
    enum ticket_clock_state state, int64_t now_us)
{
	assert(state == CLOCK_PAUSED || state == CLOCK_STOPPED);
	if (c->state == CLOCK_ABSENT)
		return;
	count_used(c, cat, now_us);
	c->state = state;
	c->next_alarm_us = 0;
	c->changed = true;
}

void
clocks_service_promise(
    struct ticket_clock *c, const struct catalogue *cat, int64_t promise_ms, int64_t now_us)
{
	const struct calendar *cal = catalogue_calendar(cat, c->calendar);

	if (c->state == CLOCK_ABSENT || promise_ms <= 0 || promise_ms == c->promise_ms)
		return;
	count_used(c, cat, now_us);
	c->promise_ms = promise_ms;
	c->changed = true;
	if (c->state == CLOCK_RUNNING)
		run_service(c, cat, cal != NULL ? cal : cat->office, now_us);
}

/* --- alarms ----------------------------------------------------------------------------------- */

enum ticket_alarm
clocks_fall(struct ticket_clock *c, int64_t now_us)
{
	bool overdue = c->next_alarm == ALARM_OVERDUE || c->due_us <= now_us;

	assert(c->state == CLOCK_RUNNING && c->next_alarm_us != 0);
	c->next_alarm = overdue ? ALARM_NONE_LEFT : ALARM_OVERDUE;
	c->next_alarm_us = overdue ? 0 : c->due_us;
	c->changed = true;
	return overdue ? ALARM_OVERDUE : ALARM_DUE_SOON;
}
