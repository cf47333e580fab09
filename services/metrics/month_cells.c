/* A hash table of sums. */
#include "month_cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
month_cells_finish(struct month_cells *cells)
{
	free(cells->at);
	free(cells->table);
	*cells = (struct month_cells){ 0 };
}

void
month_cells_clear(struct month_cells *cells)
{
	cells->count = 0;
	cells->failed = false;
	if (cells->table != NULL)
		memset(cells->table, 0, cells->table_size * sizeof(*cells->table));
}

/* FNV-1a */
static size_t
hash(int32_t month, const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint32_t)month;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

/* Where it is, or belongs. */
static uint32_t *
place_of(const struct month_cells *cells, int32_t month, const char *name)
{
	size_t mask = cells->table_size - 1, i = hash(month, name) & mask;

	while (cells->table[i] != 0) {
		const struct month_cell *c = &cells->at[cells->table[i] - 1];
		if (c->month == month && strcmp(c->name, name) == 0)
			break;
		i = (i + 1) & mask;
	}
	return &cells->table[i];
}

static bool
make_room(struct month_cells *cells)
{
	if (cells->count < cells->room)
		return true;
	size_t room = cells->room == 0 ? 512 : cells->room * 2;
	struct month_cell *at = realloc(cells->at, room * sizeof(*at));
	if (at == NULL)
		return false;
	cells->at = at;
	uint32_t *table = calloc(room * 2, sizeof(*table));
	if (table == NULL)
		return false;
	free(cells->table);
	cells->table = table;
	cells->table_size = room * 2;
	cells->room = room;
	for (size_t i = 0; i < cells->count; i++)
		*place_of(cells, at[i].month, at[i].name) = (uint32_t)i + 1;
	return true;
}

/* The cell of that name, made with 0 if need be; NULL: no memory. */
static struct month_cell *
cell_of(struct month_cells *cells, int32_t month, const char *name, bool *ret_made)
{
	*ret_made = false;
	if (cells->failed || !make_room(cells) || strlen(name) >= FIGURE_NAME_SIZE) {
		cells->failed = true;
		return NULL;
	}
	uint32_t *place = place_of(cells, month, name);
	if (*place == 0) {
		struct month_cell *c = &cells->at[cells->count++];
		*c = (struct month_cell){ .month = month };
		(void)snprintf(c->name, sizeof(c->name), "%s", name);
		*place = (uint32_t)cells->count;
		*ret_made = true;
	}
	return &cells->at[*place - 1];
}

void
month_cells_add(void *arg, int32_t month, const char *name, int64_t n)
{
	bool made;
	struct month_cell *c = n == 0 ? NULL : cell_of(arg, month, name, &made);

	if (c != NULL)
		c->n += n;
}

void
month_cells_note(struct month_cells *cells, int32_t month, const char *name, int64_t n)
{
	bool made;
	struct month_cell *c = cell_of(cells, month, name, &made);

	if (c != NULL && made)
		c->n = n;
}

bool
month_cells_get(const struct month_cells *cells, int32_t month, const char *name, int64_t *ret_n)
{
	if (cells->table == NULL)
		return false;
	uint32_t place = *place_of(cells, month, name);
	if (place != 0)
		*ret_n = cells->at[place - 1].n;
	return place != 0;
}

static int
compare(const void *a, const void *b)
{
	const struct month_cell *left = a, *right = b;

	if (left->month != right->month)
		return left->month < right->month ? -1 : 1;
	return strcmp(left->name, right->name);
}

void
month_cells_sort(struct month_cells *cells)
{
	if (cells->count > 0)
		qsort(cells->at, cells->count, sizeof(*cells->at), compare);
}

bool
month_cells_figures(const struct month_cells *cells, int32_t month, struct figures *figures)
{
	for (size_t i = 0; i < cells->count; i++)
		if (cells->at[i].month == month && cells->at[i].n != 0
		    && !figures_set(figures, cells->at[i].name, cells->at[i].n))
			return false;
	return true;
}
