/* Holds figures against targets. */
#include "targets.h"

#include "calendar.h"
#include "catalogue.h"
#include "figures.h"
#include "istanbul.h"

enum { MS_PER_MIN = 60000, TENTHS = 10, NEAR_LEVEL_TENTHS = 50 };

int64_t
targets_seconds_since(const struct figures *f, const char *figure, int64_t now_us)
{
	int64_t at_us;

	if (!figures_get(f, figure, &at_us))
		return -1;
	return at_us > now_us ? 0 : (now_us - at_us) / US_PER_S;
}

int64_t
targets_triage_min(const struct figures *f, const struct calendar *office, int64_t now_us)
{
	int64_t at_us;

	if (!figures_get(f, "d.-.oldest", &at_us))
		return -1;
	if (at_us > now_us)
		return 0;
	return office == NULL ? (now_us - at_us) / US_PER_MIN
			      : calendar_elapsed_ms(office, at_us, now_us, NULL) / MS_PER_MIN;
}

int64_t
targets_overdue_share(const struct figures *f)
{
	int64_t open = figures_or(f, "open", 0);

	return open <= 0 ? -1 : 1000 * figures_or(f, "overdue", 0) / open;
}

static enum target_state
at_most(int64_t value, int64_t near, int64_t most)
{
	return value > most ? TARGET_MISSED : value > near ? TARGET_NEAR : TARGET_MET;
}

static bool
set(struct figures *f, const char *name, enum target_state state)
{
	return figures_set(f, name, state);
}

/* A tenth short of the target, or closer than five points to it from above, is not well. */
static bool
set_level(struct figures *f, const struct catalogue_municipality *m)
{
	int64_t level, target = (int64_t)m->answer_target_percent * TENTHS;

	if (!figures_get(f, "calls.level", &level))
		return true;
	return set(f, "state.level",
	    level < target ? TARGET_MISSED
	    : level < target + NEAR_LEVEL_TENTHS && target + NEAR_LEVEL_TENTHS <= 1000
		? TARGET_NEAR
		: TARGET_MET);
}

static bool
set_cimer(struct figures *f)
{
	if (figures_or(f, "late.cimer", 0) > 0)
		return set(f, "state.cimer", TARGET_MISSED);
	return set(f, "state.cimer", figures_or(f, "soon.cimer", 0) > 0 ? TARGET_NEAR : TARGET_MET);
}

bool
targets_set(struct figures *f, const struct catalogue_municipality *m,
    const struct calendar *office, int64_t now_us)
{
	int64_t wait_s = targets_seconds_since(f, "calls.longest", now_us);
	int64_t triage_min = targets_triage_min(f, office, now_us);
	int64_t share = targets_overdue_share(f),
		most = (int64_t)m->overdue_target_percent * TENTHS;

	return set_level(f, m) && set_cimer(f)
	       && set(f, "state.wait", at_most(wait_s, m->answer_within_s, m->wait_alarm_s))
	       && set(f, "state.overdue", at_most(share, most * 4 / 5, most))
	       && set(f, "state.triage",
		   at_most(triage_min, m->triage_alarm_min / 2, m->triage_alarm_min));
}
