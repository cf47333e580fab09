/* Hides small counts, and as few others as it takes that they cannot be reckoned. */
#include "disclosure.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1 };

/* What a walk through the hidden cells learns of each line; rows first, then columns. */
struct line {
	int32_t entered; /* in the order of the walk, from 1; 0: not yet */
	int32_t left; /* the last one entered below it */
	int32_t low; /* the earliest reached from below without the cell it was entered by */
	int32_t tree; /* which of the graph's parts */
	int32_t parent;
	int32_t next; /* where to go on looking */
};

struct disclosure {
	size_t rows, columns; /* with the totals */
	int64_t *counts;
	bool *hidden;
	struct line *lines;
	int32_t *path;
	int64_t
	    *moved; /* what a cell is thought to be more (or less) while others make up for it */
	size_t *moves; /* the cells of which that is not 0, perhaps */
	size_t move_count;
	bool all;
};

/* One line of cells: a row or a column. */
struct run {
	size_t first, step, length;
};

/* --- making ----------------------------------------------------------------------------------- */

struct disclosure *
disclosure_create(size_t rows, size_t columns)
{
	struct disclosure *d;

	if (rows >= DISCLOSURE_CELLS_MAX || columns >= DISCLOSURE_CELLS_MAX
	    || (rows + 1) * (columns + 1) > DISCLOSURE_CELLS_MAX)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->rows = rows + 1;
	d->columns = columns + 1;
	d->counts = calloc(d->rows * d->columns, sizeof(*d->counts));
	d->hidden = calloc(d->rows * d->columns, sizeof(*d->hidden));
	d->lines = calloc(d->rows + d->columns, sizeof(*d->lines));
	d->path = calloc(d->rows + d->columns, sizeof(*d->path));
	d->moved = calloc(d->rows * d->columns, sizeof(*d->moved));
	d->moves = calloc(DISCLOSURE_LEAST * (d->rows + d->columns), sizeof(*d->moves));
	if (d->counts == NULL || d->hidden == NULL || d->lines == NULL || d->path == NULL
	    || d->moved == NULL || d->moves == NULL) {
		disclosure_destroy(d);
		return NULL;
	}
	return d;
}

void
disclosure_destroy(struct disclosure *d)
{
	if (d == NULL)
		return;
	free(d->counts);
	free(d->hidden);
	free(d->lines);
	free(d->path);
	free(d->moved);
	free(d->moves);
	free(d);
}

void
disclosure_add(struct disclosure *d, size_t row, size_t column, int64_t count)
{
	size_t last_row = (d->rows - 1) * d->columns, last = d->columns - 1;

	assert(row < d->rows - 1 && column < d->columns - 1 && count >= 0);
	d->counts[row * d->columns + column] += count;
	d->counts[row * d->columns + last] += count;
	d->counts[last_row + column] += count;
	d->counts[last_row + last] += count;
}

int64_t
disclosure_count(const struct disclosure *d, size_t row, size_t column)
{
	return d->counts[row * d->columns + column];
}

bool
disclosure_hides(const struct disclosure *d, size_t row, size_t column)
{
	return d->all || d->hidden[row * d->columns + column];
}

bool
disclosure_hides_all(const struct disclosure *d)
{
	return d->all;
}

/* --- lines ------------------------------------------------------------------------------------ */

static struct run
run_of(const struct disclosure *d, size_t line)
{
	if (line < d->rows)
		return (struct run){ line * d->columns, 1, d->columns };
	return (struct run){ line - d->rows, d->columns, d->rows };
}

static bool
is_told(const struct disclosure *d, size_t cell)
{
	return !d->hidden[cell] && d->counts[cell] > 0;
}

/* What hiding a cell costs: itself, and the cell that must then be hidden on the line that crosses
 * there, unless something is hidden on that already.  COSTLY: nothing but its total is left there.
 */
#define COSTLY (INT64_MAX / 2)

static int64_t
cost_of(const struct disclosure *d, size_t cell, size_t crossing_line)
{
	struct run run = run_of(d, crossing_line);
	int64_t least = COSTLY;

	for (size_t i = 0; i + 1 < run.length; i++) {
		size_t other = run.first + i * run.step;
		if (other == cell || d->counts[other] == 0)
			continue;
		if (d->hidden[other])
			return d->counts[cell];
		if (d->counts[other] < least)
			least = d->counts[other];
	}
	return d->counts[cell] + least;
}

/* Hides the cell of the line that costs least, its total last of all.  False: there is none, or but
 * the whole table's total. */
static bool
hide_one(struct disclosure *d, size_t line)
{
	struct run run = run_of(d, line);
	size_t best = SIZE_MAX, corner = d->rows * d->columns - 1;
	int64_t best_cost = INT64_MAX;

	for (size_t i = 0; i + 1 < run.length; i++) {
		size_t cell = run.first + i * run.step;
		if (!is_told(d, cell) || d->counts[cell] >= best_cost)
			continue;
		int64_t cost = cost_of(d, cell, line < d->rows ? d->rows + i : i);
		if (cost < best_cost) {
			best = cell;
			best_cost = cost;
		}
	}
	if (best == SIZE_MAX)
		best = run.first + (run.length - 1) * run.step;
	if (!is_told(d, best) || best == corner)
		return false;
	d->hidden[best] = true;
	return true;
}

/* The least that a hidden cell can be: a total is no less than what it is the total of. */
static int64_t
least_of(const struct disclosure *d, size_t cell)
{
	size_t row = cell / d->columns, column = cell % d->columns;
	int64_t least = 0;
	struct run run;

	if (row + 1 < d->rows && column + 1 < d->columns)
		return 1;
	run = run_of(d, row + 1 < d->rows ? row : d->rows + column);
	for (size_t i = 0; i + 1 < run.length; i++) {
		size_t part = run.first + i * run.step;
		least += d->hidden[part] ? 1 : d->counts[part];
	}
	return least;
}

/* Do the hidden cells of the line leave one another enough room?  With its total hidden too, they
 * leave all the room there is. */
static bool
has_room(const struct disclosure *d, size_t line)
{
	struct run run = run_of(d, line);
	int64_t room = 0;
	size_t count = 0;

	if (d->hidden[run.first + (run.length - 1) * run.step])
		return true;
	for (size_t i = 0; i + 1 < run.length; i++) {
		size_t cell = run.first + i * run.step;
		if (!d->hidden[cell])
			continue;
		count++;
		room += d->counts[cell] - least_of(d, cell);
	}
	return count == 0 || (count > 1 && room + 1 >= DISCLOSURE_LEAST);
}

/* *ret_changed: something more was hidden.  False: it cannot be done but by hiding everything. */
static bool
give_room(struct disclosure *d, bool *ret_changed)
{
	for (size_t line = 0; line < d->rows + d->columns; line++)
		while (!has_room(d, line)) {
			if (!hide_one(d, line))
				return false;
			*ret_changed = true;
		}
	return true;
}

/* --- circles ---------------------------------------------------------------------------------- */

/* The cell where the two lines cross; one is a row and the other a column. */
static size_t
crossing(const struct disclosure *d, int32_t a, int32_t b)
{
	size_t row = (size_t)(a < b ? a : b), column = (size_t)(a < b ? b : a) - d->rows;

	return row * d->columns + column;
}

/* The next line that crosses this one in a hidden cell, or NOBODY. */
static int32_t
next_of(const struct disclosure *d, int32_t line, int32_t *position)
{
	bool is_row = (size_t)line < d->rows;
	int32_t first = is_row ? (int32_t)d->rows : 0;
	int32_t count = (int32_t)(is_row ? d->columns : d->rows);

	while (*position < count) {
		int32_t other = first + (*position)++;
		if (d->hidden[crossing(d, line, other)])
			return other;
	}
	return NOBODY;
}

/* One step of the walk from the line at the end of the path; returns its new end. */
static size_t
walk_on(struct disclosure *d, size_t end, int32_t *count)
{
	int32_t at = d->path[end];
	struct line *line = &d->lines[at];
	int32_t other = next_of(d, at, &line->next);

	if (other == NOBODY) {
		line->left = *count;
		if (line->parent != NOBODY && d->lines[line->parent].low > line->low)
			d->lines[line->parent].low = line->low;
		return end - 1;
	}
	if (other == line->parent)
		return end;
	struct line *next = &d->lines[other];
	if (next->entered != 0) {
		if (line->low > next->entered)
			line->low = next->entered;
		return end;
	}
	*count += 1;
	*next = (struct line){ .entered = *count, .low = *count, .tree = line->tree, .parent = at };
	d->path[end + 1] = other;
	return end + 1;
}

/* Walks all hidden cells, depth first.  Two lines cross but once, so a parent is no second way. */
static void
walk(struct disclosure *d)
{
	int32_t count = 0;

	memset(d->lines, 0, (d->rows + d->columns) * sizeof(*d->lines));
	for (size_t root = 0; root < d->rows + d->columns; root++) {
		if (d->lines[root].entered != 0)
			continue;
		count++;
		d->lines[root] = (struct line){
			.entered = count, .low = count, .tree = (int32_t)root, .parent = NOBODY
		};
		d->path[0] = (int32_t)root;
		for (size_t end = 0; end != SIZE_MAX;)
			end = walk_on(d, end, &count);
	}
}

static bool
is_below(const struct disclosure *d, size_t line, const struct line *top)
{
	return d->lines[line].entered >= top->entered && d->lines[line].entered <= top->left;
}

/* Hides the smallest cell that closes a circle through the one by which `top` was entered. */
static bool
close_circle(struct disclosure *d, const struct line *top)
{
	size_t best = SIZE_MAX, corner = d->rows * d->columns - 1;

	for (size_t row = 0; row < d->rows; row++) {
		if (d->lines[row].tree != top->tree)
			continue;
		for (size_t column = 0; column < d->columns; column++) {
			size_t cell = row * d->columns + column, line = d->rows + column;
			if (!is_told(d, cell) || cell == corner || d->lines[line].tree != top->tree
			    || is_below(d, row, top) == is_below(d, line, top))
				continue;
			if (best == SIZE_MAX || d->counts[cell] < d->counts[best])
				best = cell;
		}
	}
	if (best != SIZE_MAX)
		d->hidden[best] = true;
	return best != SIZE_MAX;
}

/* A small count that lies on no circle follows from the others. */
static bool
follows(const struct disclosure *d, size_t line)
{
	const struct line *l = &d->lines[line];

	return l->parent != NOBODY && l->low == l->entered
	       && d->counts[crossing(d, (int32_t)line, l->parent)] < DISCLOSURE_LEAST;
}

static bool
close_circles(struct disclosure *d, bool *ret_changed)
{
	walk(d);
	for (size_t line = 0; line < d->rows + d->columns; line++) {
		if (!follows(d, line))
			continue;
		if (!close_circle(d, &d->lines[line]) && !hide_one(d, line)
		    && !hide_one(d, (size_t)d->lines[line].parent))
			return false;
		*ret_changed = true;
		/* One cell may have closed several. */
		walk(d);
	}
	return true;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Whoever knows the totals, and that no hidden cell is 0, can think of other tables with the same
 * ones.  To do so they move amounts round circles of hidden cells: with a sign turned here and
 * there, every line's sum is what flows in and out of it, a cell being the way from its row to its
 * column, and a total the way back.  More may flow anywhere; less only until a cell is 1.  So the
 * values a cell can have are counted by the greatest flow round it. */
enum { VALUES_MORE = DISCLOSURE_LEAST - 1 };

/* From this line to the other one, through the cell where they cross. */
static int64_t
can_flow(const struct disclosure *d, int32_t from, int32_t to)
{
	size_t cell = crossing(d, from, to);
	size_t row = cell / d->columns, column = cell % d->columns;
	bool is_total = row + 1 == d->rows || column + 1 == d->columns;
	bool is_from_row = (size_t)from < d->rows;

	/* The parts of a total bound it already. */
	if (is_from_row != is_total)
		return VALUES_MORE;
	return d->counts[cell] + d->moved[cell] - (is_total ? 0 : 1);
}

static bool
leads(const struct disclosure *d, int32_t from, int32_t to, size_t around)
{
	size_t cell = crossing(d, from, to);

	return d->hidden[cell] && cell != around && can_flow(d, from, to) > 0;
}

/* Looks for a way for some of the flow, shortest first and not through the cell itself; lines that
 * are reached have .entered. */
static bool
find_way(struct disclosure *d, int32_t from, int32_t to, size_t around)
{
	size_t head = 0, tail = 0;

	for (size_t line = 0; line < d->rows + d->columns; line++)
		d->lines[line].entered = 0;
	d->lines[from] = (struct line){ .entered = 1, .parent = NOBODY };
	d->path[tail++] = from;
	while (head < tail) {
		int32_t at = d->path[head++], other, position = 0;
		while ((other = next_of(d, at, &position)) != NOBODY) {
			if (d->lines[other].entered != 0 || !leads(d, at, other, around))
				continue;
			d->lines[other] = (struct line){ .entered = 1, .parent = at };
			d->path[tail++] = other;
			if (((size_t)other < d->rows) == ((size_t)to < d->rows)
			    || !leads(d, other, to, around))
				continue;
			d->lines[to] = (struct line){ .entered = 1, .parent = other };
			return true;
		}
	}
	return false;
}

/* Sends what goes along the way that was found, `most` at most; returns how much that was. */
static int64_t
send_along(struct disclosure *d, int32_t to, int64_t most)
{
	int64_t amount = most;

	for (int32_t at = to; d->lines[at].parent != NOBODY; at = d->lines[at].parent) {
		int64_t can = can_flow(d, d->lines[at].parent, at);
		if (can < amount)
			amount = can;
	}
	for (int32_t at = to; d->lines[at].parent != NOBODY; at = d->lines[at].parent) {
		int32_t from = d->lines[at].parent;
		size_t cell = crossing(d, from, at);
		size_t row = cell / d->columns, column = cell % d->columns;
		bool is_total = row + 1 == d->rows || column + 1 == d->columns;
		d->moved[cell] += ((size_t)from < d->rows) != is_total ? amount : -amount;
		d->moves[d->move_count++] = cell;
	}
	return amount;
}

/* How much more (at most so much) can flow from line to line while the cell between them is left
 * alone?  If less, the lines that are reached all the same have .entered. */
static int64_t
flow_between(struct disclosure *d, int32_t from, int32_t to, int64_t most)
{
	size_t around = crossing(d, from, to);
	int64_t flow = 0;

	while (flow < most && find_way(d, from, to, around))
		flow += send_along(d, to, most - flow);
	while (d->move_count > 0)
		d->moved[d->moves[--d->move_count]] = 0;
	return flow;
}

/* Hides the smallest cell through which more could flow out of the lines that were reached, a
 * total last of all. */
static bool
hide_a_way(struct disclosure *d)
{
	size_t best = SIZE_MAX, best_total = SIZE_MAX;

	for (size_t cell = 0; cell + 1 < d->rows * d->columns; cell++) {
		size_t row = cell / d->columns, column = cell % d->columns;
		bool is_total = row + 1 == d->rows || column + 1 == d->columns;
		size_t *which = is_total ? &best_total : &best;
		if (!is_told(d, cell)
		    || (d->lines[row].entered != 0) == (d->lines[d->rows + column].entered != 0))
			continue;
		if (*which == SIZE_MAX || d->counts[cell] < d->counts[*which])
			*which = cell;
	}
	if (best == SIZE_MAX)
		best = best_total;
	if (best != SIZE_MAX)
		d->hidden[best] = true;
	return best != SIZE_MAX;
}

/* The quick look, which nearly always is enough: circles of four, no two of which share a cell that
 * becomes less. */
static bool
has_values_near(const struct disclosure *d, size_t cell)
{
	size_t row = cell / d->columns, column = cell % d->columns, next = 0;
	int64_t values = 0;

	if (row + 1 == d->rows || column + 1 == d->columns)
		return false;
	for (size_t i = 0; i + 1 < d->columns && values < VALUES_MORE; i++) {
		size_t beside = row * d->columns + i;
		if (i == column || !d->hidden[beside] || d->counts[beside] == 1)
			continue;
		size_t other = next;
		while (other + 1 < d->rows
		       && (other == row || !d->hidden[other * d->columns + column]
			   || d->counts[other * d->columns + column] == 1
			   || !d->hidden[other * d->columns + i]))
			other++;
		if (other + 1 == d->rows)
			continue;
		int64_t below = d->counts[other * d->columns + column];
		values += (d->counts[beside] < below ? d->counts[beside] : below) - 1;
		next = other + 1;
	}
	return values >= VALUES_MORE;
}

/* Until the cell can have five values.  What is hidden later takes none of them away again.  False:
 * it cannot be done. */
static bool
give_values(struct disclosure *d, size_t cell)
{
	size_t row = cell / d->columns, column = cell % d->columns;
	bool is_total = row + 1 == d->rows || column + 1 == d->columns;
	int32_t out = (int32_t)row, in = (int32_t)(d->rows + column);

	if (is_total) {
		out = in;
		in = (int32_t)row;
	}
	for (;;) {
		int64_t less = d->counts[cell] - (is_total ? 0 : 1);
		int64_t values = flow_between(d, in, out, VALUES_MORE);
		if (values == VALUES_MORE)
			return true;
		if (less > 0)
			values += flow_between(d, out, in, less < VALUES_MORE ? less : VALUES_MORE);
		if (values >= VALUES_MORE)
			return true;
		/* Where no more comes through: the looking is done again, for its traces. */
		if (flow_between(d, in, out, VALUES_MORE) == VALUES_MORE || !hide_a_way(d))
			return false;
	}
}

void
disclosure_protect(struct disclosure *d)
{
	size_t cells = d->rows * d->columns;
	bool changed = true;

	for (size_t cell = 0; cell < cells; cell++)
		d->hidden[cell] = d->counts[cell] > 0 && d->counts[cell] < DISCLOSURE_LEAST;
	d->all = d->hidden[cells - 1];
	/* Cheap, and it chooses well; but each line and each circle by itself is not everything. */
	while (changed && !d->all) {
		changed = false;
		d->all = !give_room(d, &changed) || !close_circles(d, &changed);
	}
	for (size_t cell = 0; cell < cells && !d->all; cell++)
		if (d->hidden[cell] && d->counts[cell] < DISCLOSURE_LEAST
		    && !has_values_near(d, cell))
			d->all = !give_values(d, cell);
}
