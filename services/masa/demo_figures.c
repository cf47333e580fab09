/* What the player counts of tickets by department, subject and deadline: from what it keyed in and
 * what departments were told, never from the record. */
#include <string.h>

#include "catalogue.h"
#include "demo.h"

static const char nobody[] = "-";

static const char *
code_of(const struct catalogue_department *department)
{
	return department != NULL ? department->code : nobody;
}

/* All together, and of the department. */
static void
count_twice(struct demo *d, const struct catalogue_department *of, const char *name)
{
	demo_count(&d->counts, 1, "%s", name);
	demo_count(&d->counts, 1, "d.%s.%s", code_of(of), name);
}

void
demo_figures_answered(struct demo *d, struct demo_ticket *t)
{
	if (t->answered_us == 0)
		t->answered_us = d->now_us;
}

void
demo_figures_taken_up(struct demo_ticket *t)
{
	if (t->owner == NULL)
		t->owner = t->department;
}

static void
count_deadline(struct demo *d, const struct demo_ticket *t, const char *of, const char *within,
    int64_t at_us, int64_t due_us)
{
	if (due_us == 0)
		return;
	count_twice(d, t->department, of);
	if (at_us < due_us)
		count_twice(d, t->department, within);
}

/* The law asks for the first answer, a department promises each end. */
void
demo_figures_ended(struct demo *d, struct demo_ticket *t, const char *how)
{
	char name[DEMO_NAME_SIZE];

	snprintf(name, sizeof(name), "ended.%s", how);
	count_twice(d, t->department, "ended");
	count_twice(d, t->department, name);
	if (strcmp(how, "withdrawn") == 0)
		return;
	demo_figures_answered(d, t);
	count_twice(d, t->department, "ladder.ended");
	if (t->ends == 0)
		count_deadline(
		    d, t, "ended.legal.of", "ended.legal.within", t->answered_us, t->legal_due_us);
	count_deadline(
	    d, t, "ended.service.of", "ended.service.within", d->now_us, t->service_due_us);
}

void
demo_figures_reopened(struct demo *d, const struct demo_ticket *t)
{
	count_twice(d, t->department, "reopened");
}

/* Whose a ticket is and what it is about is known when the month is over. */
void
demo_figures_tickets(struct demo *d)
{
	const struct demo_ticket *t;

	for (uint32_t i = 0; (t = demo_work_at(d, i)) != NULL; i++) {
		const char *owner = code_of(t->owner != NULL ? t->owner : t->department);
		demo_count(&d->counts, 1, "tickets.department.%s", owner);
		demo_count(&d->counts, 1, "d.%s.tickets", owner);
		demo_count(&d->counts, 1, "tickets.subject.%s",
		    t->subject != NULL ? t->subject->code : nobody);
		if (t->hops > 0)
			demo_count(&d->counts, 1, "hops.tickets");
	}
}
