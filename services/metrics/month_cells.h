/*
 * month_cells - numbers by month and name, added up.
 *
 * Either the figures themselves or what is to be added to those that are kept.  In no order;
 * month_cells_sort() brings them into that of month and name.  Pure.
 */
#ifndef METRICS_MONTH_CELLS_H
#define METRICS_MONTH_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "figures.h"

struct month_cell {
	int32_t month;
	int64_t n;
	char name[FIGURE_NAME_SIZE];
};

/* Zeroed is empty. */
struct month_cells {
	struct month_cell *at;
	size_t count, room;
	uint32_t *table; /* of places from 1; 0: free */
	size_t table_size; /* a power of two */
	bool failed; /* no memory: what is here is not all */
};

void month_cells_finish(struct month_cells *cells);
void month_cells_clear(struct month_cells *cells);
/* A month_cell_fn. */
void month_cells_add(void *cells, int32_t month, const char *name, int64_t n);
/* Notes n, also 0, unless there is a number already. */
void month_cells_note(struct month_cells *cells, int32_t month, const char *name, int64_t n);
/* False: there is none. */
MUST_CHECK bool month_cells_get(
    const struct month_cells *cells, int32_t month, const char *name, int64_t *ret_n);
/* Nothing may be added or looked for afterwards. */
void month_cells_sort(struct month_cells *cells);
/* Those of a month that are not 0, as figures.  False: no memory. */
MUST_CHECK bool month_cells_figures(
    const struct month_cells *cells, int32_t month, struct figures *figures);

#endif
