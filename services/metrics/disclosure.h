/*
 * disclosure - which counts of a table by two features must not be published.
 *
 * A count under five may point at a person.  Leaving it out is not enough: whoever has the totals
 * subtracts.  So further cells are hidden, the smallest first, until
 *	- no hidden count under five follows from the totals by subtraction, along one line or along
 *	  any combination of lines.  Hidden cells are the edges of a graph between rows and columns
 *	  (the totals being one more row and column): what follows exactly is what lies on no
 *circle;
 *	- on no line do the hidden cells leave one another fewer than five possible values, knowing
 *	  that each is at least 1 (a cell of 0 is never hidden: it says nothing of anybody).
 * A total is hidden like any other cell when nothing else is left to hide.  Pure.
 */
#ifndef METRICS_DISCLOSURE_H
#define METRICS_DISCLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { DISCLOSURE_LEAST = 5, DISCLOSURE_CELLS_MAX = 1000000 };

struct disclosure;

/* NULL: no memory, or more cells than that.  Destroy takes NULL. */
struct disclosure *disclosure_create(size_t rows, size_t columns);
void disclosure_destroy(struct disclosure *d);

/* Before disclosure_protect(). */
void disclosure_add(struct disclosure *d, size_t row, size_t column, int64_t count);

/* Decides. */
void disclosure_protect(struct disclosure *d);

/* After it; row == rows or column == columns: a total. */
int64_t disclosure_count(const struct disclosure *d, size_t row, size_t column);
bool disclosure_hides(const struct disclosure *d, size_t row, size_t column);
/* Is nothing to be said at all, not even the whole? */
bool disclosure_hides_all(const struct disclosure *d);

#endif
