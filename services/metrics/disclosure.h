/*
 * disclosure - which counts of a table by two features must not be published.
 *
 * A count under five may point at a person.  Leaving it out is not enough: whoever has the totals
 * subtracts.  So further cells are hidden, the smaller ones first, until each hidden count under
 * five has five possible values or more for whoever knows all that is told, and that nothing hidden
 * is 0 (a cell of 0 is never hidden: it says nothing of anybody): along one line as along any
 * combination of lines.  A total is hidden like any other cell when nothing else is left to hide.
 * Pure.
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
