/* A sorted list of named numbers, its sums, and what changed between two of them. */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
figures_finish(struct figures *f)
{
	free(f->at);
	*f = (struct figures){ 0 };
}

void
figures_clear(struct figures *f)
{
	f->count = 0;
}

/* Where the name is, or belongs. */
static size_t
place_of(const struct figures *f, const char *name, bool *ret_there)
{
	size_t low = 0, high = f->count;

	*ret_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(f->at[middle].name, name);
		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
make_room(struct figures *f)
{
	if (f->count < f->room)
		return true;
	size_t room = f->room == 0 ? 256 : f->room * 2;
	if (f->count >= FIGURES_MAX)
		return false;
	struct figure *at = realloc(f->at, room * sizeof(*at));
	if (at == NULL)
		return false;
	f->at = at;
	f->room = room;
	return true;
}

bool
figures_set(struct figures *f, const char *name, int64_t value)
{
	bool there;
	size_t i = place_of(f, name, &there);

	if (!there) {
		if (strlen(name) >= FIGURE_NAME_SIZE || !make_room(f))
			return false;
		memmove(&f->at[i + 1], &f->at[i], (f->count - i) * sizeof(*f->at));
		(void)snprintf(f->at[i].name, sizeof(f->at[i].name), "%s", name);
		f->count++;
	}
	f->at[i].value = value;
	return true;
}

bool
figures_get(const struct figures *f, const char *name, int64_t *ret_value)
{
	bool there;
	size_t i = place_of(f, name, &there);

	if (there)
		*ret_value = f->at[i].value;
	return there;
}

int64_t
figures_or(const struct figures *f, const char *name, int64_t otherwise)
{
	int64_t value;

	return figures_get(f, name, &value) ? value : otherwise;
}

static bool
ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), ending_len = strlen(ending);

	return len >= ending_len && strcmp(name + len - ending_len, ending) == 0;
}

/* The sum of all names that begin and end so. */
static int64_t
sum(const struct figures *f, const char *beginning, const char *ending)
{
	int64_t total = 0;

	for (size_t i = 0; i < f->count; i++)
		if (strncmp(f->at[i].name, beginning, strlen(beginning)) == 0
		    && ends_with(f->at[i].name, ending))
			total += f->at[i].value;
	return total;
}

int64_t
figures_asked(const struct figures *f, const char *when)
{
	char known[FIGURE_NAME_SIZE], abandoned[FIGURE_NAME_SIZE];

	(void)snprintf(known, sizeof(known), "%s.known", when);
	(void)snprintf(abandoned, sizeof(abandoned), "%s.abandoned", when);
	return figures_or(f, known, 0) + figures_or(f, abandoned, 0);
}

/* Of nothing there is no share. */
static bool
set_level(struct figures *f, const char *when)
{
	char quick[FIGURE_NAME_SIZE], level[FIGURE_NAME_SIZE];
	int64_t asked = figures_asked(f, when);

	(void)snprintf(quick, sizeof(quick), "%s.quick", when);
	(void)snprintf(level, sizeof(level), "%s.level", when);
	return asked <= 0 || figures_set(f, level, 1000 * figures_or(f, quick, 0) / asked);
}

bool
figures_complete(struct figures *f)
{
	static const char *const counted[] = { "calls.offered", "calls.answered", "calls.abandoned",
		"calls.waiting", "hour.opened", "hour.ended", "hour.offered", "hour.answered",
		"hour.abandoned" };
	int64_t unused;

	for (size_t i = 0; i < ARRAY_LEN(counted); i++)
		if (!figures_get(f, counted[i], &unused) && !figures_set(f, counted[i], 0))
			return false;
	return set_level(f, "calls") && set_level(f, "hour")
	       && figures_set(f, "today", sum(f, "today.", ""))
	       && figures_set(f, "open", sum(f, "d.", ".open"))
	       && figures_set(f, "overdue", sum(f, "d.", ".overdue"));
}

size_t
figures_diff(
    const struct figures *before, const struct figures *now, figures_diff_fn *fn, void *arg)
{
	size_t changes = 0;
	int64_t value;

	for (size_t i = 0; i < now->count; i++) {
		const struct figure *figure = &now->at[i];
		if (figures_get(before, figure->name, &value) && value == figure->value)
			continue;
		fn(arg, figure->name, true, figure->value);
		changes++;
	}
	for (size_t i = 0; i < before->count; i++) {
		if (figures_get(now, before->at[i].name, &value))
			continue;
		fn(arg, before->at[i].name, false, 0);
		changes++;
	}
	return changes;
}
