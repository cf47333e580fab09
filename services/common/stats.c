/* Holds the values of one stats table and writes them as Prometheus text. */
#include "stats.h"

#include <assert.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cells of row r, for each of its label values: a counter or gauge has one; a histogram one per
 * bound, one for all beyond the last, and the sum. */
struct stats {
	const struct stat_row *table;
	size_t count;
	size_t *first_cell; /* count + 1 of them */
	int64_t *cells;
};

const int64_t stats_bounds_us[] = { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 0 };

const int64_t stats_stage_bounds_us[] = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 300000000, 1800000000,
	7200000000, 43200000000, 86400000000, 0 };

static size_t
values_of(const struct stat_row *row)
{
	size_t n = 0;

	if (row->label == NULL)
		return 1;
	while (row->label_values[n] != NULL)
		n++;
	return n;
}

static size_t
bounds_of(const struct stat_row *row)
{
	size_t n = 0;

	while (row->bounds[n] != 0)
		n++;
	return n;
}

static size_t
cells_per_value(const struct stat_row *row)
{
	return row->type == STAT_HISTOGRAM ? bounds_of(row) + 2 : 1;
}

static bool
name_valid(const char *name)
{
	if (name == NULL || name[0] == '\0' || (name[0] >= '0' && name[0] <= '9'))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static bool
ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A wrong table is a mistake in the program, and the first test of it says so. */
static void
check_row(const struct stat_row *row)
{
	assert(name_valid(row->name) && row->help != NULL);
	assert(strncmp(row->name, "turunc_", 7) == 0);
	assert((row->type == STAT_COUNTER) == ends_in(row->name, "_total"));
	assert((row->fixed == NULL) == (row->fixed_value == NULL));
	assert(row->fixed == NULL || name_valid(row->fixed));
	assert((row->label == NULL) == (row->label_values == NULL));
	assert(row->label == NULL || (name_valid(row->label) && row->label_values[0] != NULL));
	assert((row->type == STAT_HISTOGRAM) == (row->bounds != NULL));
	for (size_t i = 0; row->bounds != NULL && i + 1 < bounds_of(row); i++)
		assert(row->bounds[i] < row->bounds[i + 1]);
	for (int64_t rest = row->divisor; rest > 1; rest /= 10)
		assert(rest % 10 == 0);
	assert(row->divisor >= 0);
}

struct stats *
stats_create(const struct stat_row *table, size_t count)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->table = table;
	s->count = count;
	s->first_cell = calloc(count + 1, sizeof(*s->first_cell));
	if (s->first_cell == NULL) {
		stats_destroy(s);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		check_row(&table[i]);
		s->first_cell[i + 1] = s->first_cell[i]
				       + values_of(&table[i]) * cells_per_value(&table[i]);
	}
	s->cells = calloc(s->first_cell[count] + 1, sizeof(*s->cells));
	if (s->cells == NULL) {
		stats_destroy(s);
		return NULL;
	}
	return s;
}

void
stats_destroy(struct stats *s)
{
	if (s == NULL)
		return;
	free(s->cells);
	free(s->first_cell);
	free(s);
}

static int64_t *
cells_at(const struct stats *s, size_t row, size_t value, enum stat_type type)
{
	assert(row < s->count && s->table[row].type == type);
	size_t cell = s->first_cell[row]
		      + value * (type == STAT_HISTOGRAM ? cells_per_value(&s->table[row]) : 1);
	assert(cell < s->first_cell[row + 1]);
	return &s->cells[cell];
}

/* A counter that reached the end starts again at zero, which Prometheus takes for a restart. */
static void
count_up(int64_t *cell, uint64_t n)
{
	*cell = (int64_t)(((uint64_t)*cell + n) & INT64_MAX);
}

void
stats_incr(struct stats *s, size_t row)
{
	stats_add_at(s, row, 0, 1);
}

void
stats_add(struct stats *s, size_t row, uint64_t n)
{
	stats_add_at(s, row, 0, n);
}

void
stats_add_at(struct stats *s, size_t row, size_t value, uint64_t n)
{
	count_up(cells_at(s, row, value, STAT_COUNTER), n);
}

void
stats_set(struct stats *s, size_t row, int64_t gauge)
{
	stats_set_at(s, row, 0, gauge);
}

void
stats_set_at(struct stats *s, size_t row, size_t value, int64_t gauge)
{
	*cells_at(s, row, value, STAT_GAUGE) = gauge;
}

void
stats_observe(struct stats *s, size_t row, int64_t measured)
{
	stats_observe_at(s, row, 0, measured);
}

/* A clock that was set back can measure less than nothing: that counts as nothing. */
void
stats_observe_at(struct stats *s, size_t row, size_t value, int64_t measured)
{
	int64_t *cells = cells_at(s, row, value, STAT_HISTOGRAM);
	const int64_t *bounds = s->table[row].bounds;
	size_t bucket = 0;

	if (measured < 0)
		measured = 0;
	while (bounds[bucket] != 0 && measured > bounds[bucket])
		bucket++;
	count_up(&cells[bucket], 1);
	count_up(&cells[bounds_of(&s->table[row]) + 1], (uint64_t)measured);
}

int64_t
stats_get(const struct stats *s, size_t row, size_t value)
{
	assert(row < s->count);
	const struct stat_row *r = &s->table[row];
	const int64_t *cells = cells_at(s, row, value, r->type);
	int64_t sum = 0;

	if (r->type != STAT_HISTOGRAM)
		return cells[0];
	for (size_t i = 0; i <= bounds_of(r); i++)
		sum += cells[i];
	return sum;
}

/* Exactly value / divisor, without floating point: 1500 by 1000000 is 0.0015. */
static void
format_divided(char *to, size_t size, int64_t value, int64_t divisor)
{
	int digits = 0;

	for (int64_t rest = divisor; rest > 1; rest /= 10)
		digits++;
	if (digits == 0) {
		snprintf(to, size, "%" PRId64, value);
		return;
	}
	uint64_t amount = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	uint64_t by = (uint64_t)divisor;
	int len = snprintf(to, size, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", amount / by,
	    digits, amount % by);
	while (to[len - 1] == '0')
		to[--len] = '\0';
	if (to[len - 1] == '.')
		to[--len] = '\0';
}

/* Help escapes backslash and line feed, a label's value the quotation mark too. */
static bool
write_escaped(struct evbuffer *out, const char *text, bool in_quotes)
{
	for (;;) {
		size_t plain = strcspn(text, in_quotes ? "\\\n\"" : "\\\n");
		if (evbuffer_add(out, text, plain) == -1)
			return false;
		text += plain;
		if (*text == '\0')
			return true;
		const char escaped[2] = { '\\', *text == '\n' ? 'n' : *text };
		if (evbuffer_add(out, escaped, 2) == -1)
			return false;
		text++;
	}
}

static bool
write_label(struct evbuffer *out, const char *name, const char *value, bool *ret_any)
{
	if (name == NULL)
		return true;
	if (evbuffer_add_printf(out, "%s%s=\"", *ret_any ? "," : "{", name) == -1
	    || !write_escaped(out, value, true) || evbuffer_add(out, "\"", 1) == -1)
		return false;
	*ret_any = true;
	return true;
}

/* One line: name + suffix, labels (le too when given), value. */
static bool
write_sample(struct evbuffer *out, const struct stat_row *row, size_t value, const char *suffix,
    const char *le, const char *number)
{
	const char *label_value = row->label == NULL ? NULL : row->label_values[value];
	bool any = false;

	return evbuffer_add_printf(out, "%s%s", row->name, suffix) != -1
	       && write_label(out, row->fixed, row->fixed_value, &any)
	       && write_label(out, row->label, label_value, &any)
	       && write_label(out, le == NULL ? NULL : "le", le, &any)
	       && evbuffer_add_printf(out, "%s %s\n", any ? "}" : "", number) != -1;
}

static bool
write_histogram(
    struct evbuffer *out, const struct stat_row *row, size_t value, const int64_t *cells)
{
	size_t bounds = bounds_of(row);
	char le[48], number[48];
	int64_t below = 0;

	for (size_t i = 0; i <= bounds; i++) {
		below += cells[i];
		if (i < bounds)
			format_divided(le, sizeof(le), row->bounds[i], row->divisor);
		format_divided(number, sizeof(number), below, 1);
		if (!write_sample(out, row, value, "_bucket", i < bounds ? le : "+Inf", number))
			return false;
	}
	if (!write_sample(out, row, value, "_count", NULL, number))
		return false;
	format_divided(number, sizeof(number), cells[bounds + 1], row->divisor);
	return write_sample(out, row, value, "_sum", NULL, number);
}

static bool
write_row(const struct stats *s, size_t i, struct evbuffer *out)
{
	static const char *const type_names[] = { "counter", "gauge", "histogram" };
	const struct stat_row *row = &s->table[i];
	bool same_as_before = i > 0 && strcmp(s->table[i - 1].name, row->name) == 0;
	char number[48];

	if (!same_as_before
	    && (evbuffer_add_printf(out, "# HELP %s ", row->name) == -1
		|| !write_escaped(out, row->help, false)
		|| evbuffer_add_printf(out, "\n# TYPE %s %s\n", row->name, type_names[row->type])
		       == -1))
		return false;
	for (size_t value = 0; value < values_of(row); value++) {
		const int64_t *cells = cells_at(s, i, value, row->type);
		format_divided(number, sizeof(number), cells[0], row->divisor);
		bool written = row->type == STAT_HISTOGRAM
				   ? write_histogram(out, row, value, cells)
				   : write_sample(out, row, value, "", NULL, number);
		if (!written)
			return false;
	}
	return true;
}

bool
stats_write(const struct stats *s, struct evbuffer *out)
{
	for (size_t i = 0; i < s->count; i++)
		if (!write_row(s, i, out))
			return false;
	return true;
}
