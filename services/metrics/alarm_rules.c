/* Decides what is an alarm. */
#include "alarm_rules.h"

#include <stdio.h>
#include <string.h>

#include "base.h"
#include "catalogue.h"
#include "targets.h"

/* Fewer calls or open tickets than these say nothing by their shares.  A level is bad when it stays
 * ten points under its target in the last hour: a target just missed is for the tile to say, and a
 * morning that was bad is over when it is. */
enum { CALLS_LEAST = 20, OPEN_LEAST = 20, LEVEL_SLACK_TENTHS = 100, TENTHS = 10 };
enum { USUAL_HOURS = 7 * 24 };

const char *const alarm_kind_names[ALARM_KINDS + 1] = {
	[ALARM_WAIT] = "wait",
	[ALARM_LEVEL] = "level",
	[ALARM_CIMER] = "cimer",
	[ALARM_OVERDUE] = "overdue",
	[ALARM_TRIAGE] = "triage",
	[ALARM_SURGE] = "surge",
};

const char *
alarm_kind_name(enum alarm_kind kind)
{
	return alarm_kind_names[kind];
}

enum alarm_kind
alarm_kind_parse(const char *name)
{
	size_t kind = 0;

	while (kind < ALARM_KINDS && strcmp(alarm_kind_names[kind], name) != 0)
		kind++;
	return (enum alarm_kind)kind;
}

/* The smallest surge makes room for a greater one. */
static struct alarm *
place_for(struct alarms *all, const struct alarm *a)
{
	struct alarm *least = NULL;

	if (all->count < ALARMS_MAX)
		return &all->at[all->count++];
	all->left_out++;
	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].kind == ALARM_SURGE
		    && (least == NULL || all->at[i].value < least->value))
			least = &all->at[i];
	return least != NULL && least->value < a->value ? least : NULL;
}

static void
raise_if(bool so, struct alarms *all, enum alarm_kind kind, int64_t value, int64_t bound)
{
	const struct alarm a = { .kind = kind, .value = value, .bound = bound };
	struct alarm *place = so ? place_for(all, &a) : NULL;

	if (place != NULL)
		*place = a;
}

bool
alarm_may_be_named(const struct catalogue *catalogue, const char *place)
{
	const char *slash = strchr(place, '/');
	const struct catalogue_subject *subject = slash == NULL || catalogue == NULL
						      ? NULL
						      : catalogue_subject(catalogue, slash + 1);

	return subject != NULL && subject->is_public && !subject->special_category;
}

static void
find_surges(const struct figures *f, const struct catalogue *catalogue, struct alarms *all)
{
	static const char surge[] = "surge.";
	const struct catalogue_municipality *m = &catalogue->municipality;
	char usual_name[FIGURE_NAME_SIZE];

	for (size_t i = 0; i < f->count; i++) {
		const struct figure *figure = &f->at[i];
		const char *place = figure->name + sizeof(surge) - 1;
		if (strncmp(figure->name, surge, sizeof(surge) - 1) != 0
		    || !alarm_may_be_named(catalogue, place))
			continue;
		(void)snprintf(usual_name, sizeof(usual_name), "usual.%.*s",
		    (int)(sizeof(usual_name) - sizeof("usual.")), place);
		int64_t before = figures_or(f, usual_name, 0), n = figure->value;
		if (n < m->surge_reports || n * USUAL_HOURS < m->surge_times * before)
			continue;
		struct alarm a = { .kind = ALARM_SURGE, .value = n, .bound = m->surge_reports };
		(void)snprintf(a.about, sizeof(a.about), "%.*s", (int)sizeof(a.about) - 1, place);
		struct alarm *to = place_for(all, &a);
		if (to != NULL)
			*to = a;
	}
}

void
alarm_rules(const struct figures *f, const struct catalogue *catalogue, int64_t now_us,
    struct alarms *ret_alarms)
{
	*ret_alarms = (struct alarms){ 0 };
	if (catalogue == NULL)
		return;
	const struct catalogue_municipality *m = &catalogue->municipality;
	int64_t wait_s = targets_seconds_since(f, "calls.longest", now_us);
	int64_t triage_min = targets_triage_min(f, catalogue->office, now_us);
	int64_t level = figures_or(f, "hour.level", 0), late = figures_or(f, "late.cimer", 0);
	int64_t target = (int64_t)m->answer_target_percent * TENTHS;
	int64_t share = targets_overdue_share(f);
	int64_t most = (int64_t)m->overdue_target_percent * TENTHS;

	raise_if(wait_s > m->wait_alarm_s, ret_alarms, ALARM_WAIT, wait_s, m->wait_alarm_s);
	raise_if(figures_asked(f, "hour") >= CALLS_LEAST && level < target - LEVEL_SLACK_TENTHS,
	    ret_alarms, ALARM_LEVEL, level, target);
	raise_if(late > 0, ret_alarms, ALARM_CIMER, late, 0);
	raise_if(figures_or(f, "open", 0) >= OPEN_LEAST && share > most, ret_alarms, ALARM_OVERDUE,
	    share, most);
	raise_if(triage_min > m->triage_alarm_min, ret_alarms, ALARM_TRIAGE, triage_min,
	    m->triage_alarm_min);
	find_surges(f, catalogue, ret_alarms);
}
