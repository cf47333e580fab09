/* Decides who is reminded when, and of which departments. */
#include "reminder.h"

#include <assert.h>
#include <strings.h>

#include "istanbul.h"

enum { MS_PER_HOUR = 3600000 };

static bool
can_be_reminded(const struct catalogue_department *d)
{
	return d->active && d->email[0] != '\0' && d->remind_count > 0;
}

bool
reminder_window(
    const struct catalogue_department *department, int64_t now_us, int64_t *ret_window_us)
{
	int32_t day = istanbul_day(now_us);

	if (!can_be_reminded(department) || !calendar_is_open(department->calendar, now_us))
		return false;
	for (size_t i = department->remind_count; i-- > 0;) {
		int64_t window_us = istanbul_moment_us(day, department->remind_at_min[i]);
		if (window_us > now_us)
			continue;
		if (now_us - window_us >= REMINDER_OPEN_HOURS * 3600 * US_PER_S
		    || !calendar_is_open(department->calendar, window_us))
			return false;
		*ret_window_us = window_us;
		return true;
	}
	return false;
}

/* Each department can give two recipients, which another may have given already. */
static const char *
recipient_of(const struct catalogue *cat, size_t at)
{
	const struct catalogue_department *d = &cat->departments[at / 2];

	return at % 2 == 0 ? d->email : d->escalate_to;
}

static bool
plan_of(const struct catalogue *cat, int64_t now_us, size_t at, struct reminder_plan *ret_plan)
{
	ret_plan->recipient = recipient_of(cat, at);
	return ret_plan->recipient[0] != '\0'
	       && reminder_window(&cat->departments[at / 2], now_us, &ret_plan->window_us);
}

/* An address in other letters is the same mailbox. */
static bool
same_address(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

static bool
is_new(const struct catalogue *cat, int64_t now_us, size_t at, const struct reminder_plan *plan)
{
	struct reminder_plan before;

	for (size_t i = 0; i < at; i++)
		if (same_address(recipient_of(cat, i), plan->recipient)
		    && plan_of(cat, now_us, i, &before) && before.window_us == plan->window_us)
			return false;
	return true;
}

bool
reminder_next(
    const struct catalogue *cat, int64_t now_us, size_t *at, struct reminder_plan *ret_plan)
{
	while (*at < 2 * cat->department_count) {
		size_t this = (*at)++;
		if (plan_of(cat, now_us, this, ret_plan) && is_new(cat, now_us, this, ret_plan))
			return true;
	}
	return false;
}

static bool
works_at(const struct catalogue_department *d, int64_t window_us)
{
	int32_t day = istanbul_day(window_us);

	if (!can_be_reminded(d) || !calendar_is_open(d->calendar, window_us))
		return false;
	for (size_t i = 0; i < d->remind_count; i++)
		if (istanbul_moment_us(day, d->remind_at_min[i]) == window_us)
			return true;
	return false;
}

bool
reminder_belongs(const struct catalogue *cat, const struct catalogue_department *department,
    enum reminder_kind kind, const struct reminder_plan *plan)
{
	const char *recipient = department->email;

	assert(kind < REMINDER_KINDS);
	if (kind == REMINDER_ESCALATION)
		recipient = department->escalate_to;
	if ((kind == REMINDER_TRIAGE && cat->triage != department)
	    || (kind == REMINDER_CIMER && cat->cimer.reminded != department))
		return false;
	return same_address(recipient, plan->recipient) && works_at(department, plan->window_us);
}

bool
reminder_is_escalated(
    const struct catalogue_department *department, const struct reminder_item *item, int64_t now_us)
{
	return department->escalate_to[0] != '\0' && item->due_us < now_us
	       && calendar_elapsed_ms(department->calendar, item->due_us, now_us, NULL)
		      >= (int64_t)department->escalate_after_hours * MS_PER_HOUR;
}
