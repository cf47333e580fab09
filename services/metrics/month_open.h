/*
 * month_open - how many tickets are open, and since when.
 *
 * What is open at this moment is counted by department and day of arrival, as cells of month 0
 * ("<department>.<day>"; the day counted from 1970 with six digits).  When a month is over, and
 * when one asks in the midst of one, the ages follow from these by subtraction.  Pure.
 */
#ifndef METRICS_MONTH_OPEN_H
#define METRICS_MONTH_OPEN_H

#include "month_fact.h"

/* The name of such a cell. */
void month_open_name(const char *department, int64_t arrived_us, char ret_name[FIGURE_NAME_SIZE]);

/* What n tickets of one cell of month 0 count for as open and by age at the moment end_us, that a
 * month's end or the last record is: cells of month.  What arrived later is not open then. */
void month_open_cells(
    const char *name, int64_t n, int32_t month, int64_t end_us, month_cell_fn *fn, void *arg);

/* "open" and "open.age.<bucket>", also of the department, for n tickets that came on that day. */
void month_open_add(const char *department, int32_t arrived_day, int64_t n, int32_t month,
    int64_t end_us, month_cell_fn *fn, void *arg);

#endif
