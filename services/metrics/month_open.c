/* Tickets that are open, by department and age. */
#include "month_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "istanbul.h"
#include "month_words.h"

void
month_open_name(const char *department, int64_t arrived_us, char ret_name[FIGURE_NAME_SIZE])
{
	(void)snprintf(
	    ret_name, FIGURE_NAME_SIZE, "%s.%06d", department, (int)istanbul_day(arrived_us));
}

/* A moment belongs to the day that it ends: midnight is the end of the day before. */
static const struct month_age *
age_of(int32_t arrived_day, int64_t end_us)
{
	int32_t days = istanbul_day(end_us - 1) - arrived_day;

	for (int i = MONTH_AGES - 1; i > 0; i--)
		if (days >= month_ages[i].from_days)
			return &month_ages[i];
	return &month_ages[0];
}

void
month_open_add(const char *department, int32_t arrived_day, int64_t n, int32_t month,
    int64_t end_us, month_cell_fn *fn, void *arg)
{
	char name[FIGURE_NAME_SIZE];

	if (n == 0 || arrived_day > istanbul_day(end_us - 1))
		return;
	const char *bucket = age_of(arrived_day, end_us)->bucket;
	fn(arg, month, "open", n);
	(void)snprintf(name, sizeof(name), "open.age.%s", bucket);
	fn(arg, month, name, n);
	(void)snprintf(name, sizeof(name), "d.%s.open", department);
	fn(arg, month, name, n);
	(void)snprintf(name, sizeof(name), "d.%s.open.age.%s", department, bucket);
	fn(arg, month, name, n);
}

void
month_open_cells(
    const char *name, int64_t n, int32_t month, int64_t end_us, month_cell_fn *fn, void *arg)
{
	char department[MONTH_CODE_SIZE];
	const char *dot = strrchr(name, '.');

	if (dot == NULL || (size_t)(dot - name) >= sizeof(department))
		return;
	(void)snprintf(department, sizeof(department), "%.*s", (int)(dot - name), name);
	month_open_add(department, (int32_t)strtol(dot + 1, NULL, 10), n, month, end_us, fn, arg);
}
