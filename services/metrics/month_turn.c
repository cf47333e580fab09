/* The calendar of the log, and reports as of where it stands. */
#include "month_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "istanbul.h"
#include "month_open.h"

enum { MONTHS_A_TURN = 240 };

static int64_t
end_us(int32_t month)
{
	return month_start_us(month_add(month, 1));
}

/* Without the department that it is of. */
static const char *
plain(const char *name)
{
	const char *dot = strncmp(name, "d.", 2) == 0 ? strchr(name + 2, '.') : NULL;

	return dot == NULL ? name : dot + 1;
}

static bool
is_ladder(const char *name)
{
	return strncmp(plain(name), "ladder.", 7) == 0;
}

bool
month_turn_takes_back(const struct month_state *state, int32_t month, const char *name)
{
	name = plain(name);
	return month > state->calendar.rolled
	       && (strcmp(name, "open") == 0 || strncmp(name, "open.", 5) == 0);
}

bool
month_is_watched(const struct month_state *state, int32_t month, const char *name)
{
	return state->calendar.first != 0 && month >= state->calendar.first
	       && month <= state->published
	       && (month <= state->ladder_published || !is_ladder(name));
}

int64_t
month_published_us(int32_t month)
{
	return istanbul_day_start_us(istanbul_day(end_us(month)) + MONTH_GRACE_DAYS);
}

static int64_t
ladder_us(int32_t month)
{
	return istanbul_day_start_us(istanbul_day(end_us(month)) + MONTH_LADDER_DAYS);
}

bool
month_ladder_is_final(const struct month_state *state, int32_t month)
{
	return state->at_us >= ladder_us(month);
}

void
month_turned_finish(struct month_turned *turned)
{
	month_cells_finish(&turned->cells);
	for (size_t i = 0; i < turned->revision_count; i++)
		free(turned->revisions[i].revision.changes);
	free(turned->revisions);
	*turned = (struct month_turned){ 0 };
}

/* --- revisions -------------------------------------------------------------------------------- */

static struct month_revision *
draw_up(struct month_turned *turned, int32_t month, uint64_t seq, int64_t at_us)
{
	struct month_drawn_up *revisions = realloc(
	    turned->revisions, (turned->revision_count + 1) * sizeof(*revisions));

	if (revisions == NULL)
		return NULL;
	turned->revisions = revisions;
	struct month_drawn_up *r = &revisions[turned->revision_count++];
	*r = (struct month_drawn_up){ .month = month, .revision = { .seq = seq, .at_us = at_us } };
	return &r->revision;
}

static int
compare(const void *a, const void *b)
{
	const struct month_touched *left = a, *right = b;

	if (left->month != right->month)
		return left->month < right->month ? -1 : 1;
	return strcmp(left->name, right->name);
}

static bool
add_change(struct month_revision *r, const struct month_touched *t)
{
	struct month_change *changes = realloc(
	    r->changes, (r->change_count + 1) * sizeof(*changes));

	if (changes == NULL)
		return false;
	r->changes = changes;
	struct month_change *c = &changes[r->change_count++];
	*c = (struct month_change){ .was = t->was, .is = t->is };
	(void)strcpy(c->name, t->name);
	return true;
}

/* The day that ends is state's; what it published too early is none. */
static bool
revise(struct month_turned *turned, const struct month_state *state, struct month_touched *touched,
    size_t count)
{
	int64_t at_us = istanbul_day_start_us(turned->back ? turned->state.day : state->day + 1);
	struct month_revision *r = NULL;
	int32_t month = 0;

	if (count > 0)
		qsort(touched, count, sizeof(*touched), compare);
	for (size_t i = 0; i < count; i++) {
		if (touched[i].was == touched[i].is || touched[i].month > turned->state.published)
			continue;
		if (r == NULL || touched[i].month != month) {
			month = touched[i].month;
			r = draw_up(turned, month, state->seq, at_us);
		}
		if (r == NULL || !add_change(r, &touched[i]))
			return false;
	}
	return true;
}

/* --- turning ---------------------------------------------------------------------------------- */

static void
roll(struct month_turned *turned, const struct month_cells *now, int32_t month)
{
	for (size_t i = 0; i < now->count; i++)
		if (now->at[i].month == 0)
			month_open_cells(now->at[i].name, now->at[i].n, month, end_us(month),
			    month_cells_add, &turned->cells);
}

/* Nobody was there yet: what is over, and published, is what would be. */
static void
go_back(struct month_state *state, int64_t committed_us)
{
	struct month_calendar *calendar = &state->calendar;
	int32_t over = month_add(month_of(committed_us), -1);

	if (calendar->first > month_add(over, 1))
		calendar->first = month_add(over, 1);
	if (calendar->rolled > over)
		calendar->rolled = over;
	if (state->published > calendar->rolled)
		state->published = calendar->rolled;
	while (state->published >= calendar->first
	       && month_published_us(state->published) > committed_us)
		state->published = month_add(state->published, -1);
	if (state->ladder_published > state->published)
		state->ladder_published = state->published;
	while (state->ladder_published >= calendar->first
	       && ladder_us(state->ladder_published) > committed_us)
		state->ladder_published = month_add(state->ladder_published, -1);
}

bool
month_turn(const struct month_state *state, int64_t committed_us, const struct month_cells *now,
    struct month_touched *touched, size_t touched_count, struct month_turned *ret_turned)
{
	struct month_turned turned = { .state = *state };
	struct month_state *next = &turned.state;

	turned.back = month_clock_turn(next, committed_us);
	if (turned.back)
		go_back(next, committed_us);
	bool good = revise(&turned, state, touched, touched_count);
	/* A clock that leaps must not hold everything up: what is left is rolled on later days. */
	for (int n = 0;
	     n < MONTHS_A_TURN && end_us(month_add(next->calendar.rolled, 1)) <= committed_us;
	     n++) {
		next->calendar.rolled = month_add(next->calendar.rolled, 1);
		roll(&turned, now, next->calendar.rolled);
	}
	while (good && next->published < next->calendar.rolled
	       && month_published_us(month_add(next->published, 1)) <= committed_us) {
		next->published = month_add(next->published, 1);
		good = draw_up(&turned, next->published, state->seq,
			   month_published_us(next->published))
		       != NULL;
	}
	while (next->ladder_published < next->published
	       && ladder_us(month_add(next->ladder_published, 1)) <= committed_us)
		next->ladder_published = month_add(next->ladder_published, 1);
	if (good && !turned.cells.failed) {
		*ret_turned = turned;
		return true;
	}
	month_turned_finish(&turned);
	*ret_turned = turned;
	return false;
}

/* --- reports ---------------------------------------------------------------------------------- */

static int64_t
minutes_of(const struct month_state *state, int32_t month)
{
	int64_t from_us = month_start_us(month), to_us = end_us(month);

	if (state->at_us < to_us)
		to_us = state->at_us;
	return to_us <= from_us ? 0 : (to_us - from_us) / US_PER_MIN;
}

static bool
add_inhabitants(struct figures *f, const struct catalogue *catalogue)
{
	char name[FIGURE_NAME_SIZE];
	int64_t all = 0;

	for (size_t i = 0; catalogue != NULL && i < catalogue->neighbourhood_count; i++) {
		const struct catalogue_neighbourhood *n = &catalogue->neighbourhoods[i];
		all += n->population;
		(void)snprintf(name, sizeof(name), "inhabitants.%s", n->code);
		if (!figures_set(f, name, n->population))
			return false;
	}
	return catalogue == NULL || figures_set(f, "inhabitants", all);
}

/* What is open in a month that is not over follows from what is open now. */
static bool
add_open(struct figures *f, int32_t month, const struct month_state *state,
    const struct month_cells *cells)
{
	struct month_cells open = { 0 };

	if (state->at_us >= end_us(month) || state->at_us < month_start_us(month))
		return true;
	for (size_t i = 0; i < cells->count; i++)
		if (cells->at[i].month == 0)
			month_open_cells(cells->at[i].name, cells->at[i].n, month, state->at_us + 1,
			    month_cells_add, &open);
	bool good = !open.failed && month_cells_figures(&open, month, f);
	month_cells_finish(&open);
	return good;
}

static bool
fill(struct figures *f, int32_t month, const struct month_state *state,
    const struct month_cells *cells, const struct catalogue *catalogue)
{
	return month_cells_figures(cells, month, f) && add_open(f, month, state, cells)
	       && figures_set(f, "minutes", minutes_of(state, month))
	       && add_inhabitants(f, catalogue);
}

bool
month_report_make(struct month_report *ret_report, int32_t month, const struct month_state *state,
    const struct month_cells *cells, const struct catalogue *catalogue)
{
	int32_t before = month_add(month, -1), year = month_add(month, -12);
	int32_t first = state->calendar.first;
	struct month_report r = {
		.month = month,
		.as_of_seq = state->seq,
		.as_of_us = state->at_us,
		.config_version = state->config_version,
		.over = state->at_us >= end_us(month),
		.ladder_final = month_ladder_is_final(state, month),
		.published_from_us = month_published_us(month),
		.has_month_before = first != 0 && before >= first,
		.has_year_before = first != 0 && year >= first,
		.catalogue = catalogue,
	};

	bool good = fill(&r.figures, month, state, cells, catalogue)
		    && fill(&r.month_before, before, state, cells, catalogue)
		    && fill(&r.year_before, year, state, cells, catalogue);
	if (!good)
		month_report_finish(&r);
	*ret_report = r;
	return good;
}
