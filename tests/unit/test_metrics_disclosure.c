/* What small counts are hidden for, and that nothing hidden can be reckoned from what is told. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "disclosure.h"

enum { ROWS_MAX = 9, COLUMNS_MAX = 9, CELLS_MAX = (ROWS_MAX + 1) * (COLUMNS_MAX + 1) };
enum { EQUATIONS_MAX = ROWS_MAX + COLUMNS_MAX + 2 };

/* A generator of its own, so that a failure comes again. */
static uint32_t
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

/* --- an attacker who solves equations --------------------------------------------------------- */

struct attack {
	double at[EQUATIONS_MAX][CELLS_MAX]; /* one unknown a column */
	size_t equations, unknowns;
};

/* Each line says: the sum of its cells less its total is 0; what is told moves to the other side,
 * of which only the unknowns matter here. */
static void
begin_attack(struct attack *a, const struct disclosure *d, size_t rows, size_t columns)
{
	memset(a, 0, sizeof(*a));
	a->equations = rows + columns + 2;
	for (size_t row = 0; row <= rows; row++)
		for (size_t column = 0; column <= columns; column++) {
			if (!disclosure_hides(d, row, column))
				continue;
			a->at[row][a->unknowns] = column == columns ? -1 : 1;
			a->at[rows + 1 + column][a->unknowns] = row == rows ? -1 : 1;
			a->unknowns++;
		}
}

/* To the reduced row echelon form. */
static void
solve(struct attack *a)
{
	size_t pivot = 0;

	for (size_t c = 0; c < a->unknowns && pivot < a->equations; c++) {
		size_t best = pivot;
		for (size_t r = pivot; r < a->equations; r++)
			if (fabs(a->at[r][c]) > fabs(a->at[best][c]))
				best = r;
		if (fabs(a->at[best][c]) < 1e-9)
			continue;
		for (size_t k = 0; k < a->unknowns; k++) {
			double kept = a->at[pivot][k];
			a->at[pivot][k] = a->at[best][k];
			a->at[best][k] = kept;
		}
		double by = a->at[pivot][c];
		for (size_t k = 0; k < a->unknowns; k++)
			a->at[pivot][k] /= by;
		for (size_t r = 0; r < a->equations; r++) {
			double times = a->at[r][c];
			if (r == pivot || fabs(times) < 1e-9)
				continue;
			for (size_t k = 0; k < a->unknowns; k++)
				a->at[r][k] -= times * a->at[pivot][k];
		}
		pivot++;
	}
}

/* Does a row of the solved equations name this unknown alone? */
static bool
is_found(const struct attack *a, size_t unknown)
{
	for (size_t r = 0; r < a->equations; r++) {
		size_t others = 0;
		for (size_t k = 0; k < a->unknowns; k++)
			others += k != unknown && fabs(a->at[r][k]) > 1e-6;
		if (fabs(a->at[r][unknown]) > 1e-6 && others == 0)
			return true;
	}
	return false;
}

/* How many hidden counts under five the attacker finds. */
static size_t
found(const struct disclosure *d, size_t rows, size_t columns)
{
	static struct attack a;
	size_t unknown = 0, count = 0;

	begin_attack(&a, d, rows, columns);
	solve(&a);
	for (size_t row = 0; row <= rows; row++)
		for (size_t column = 0; column <= columns; column++) {
			if (!disclosure_hides(d, row, column))
				continue;
			count += disclosure_count(d, row, column) < DISCLOSURE_LEAST
				 && is_found(&a, unknown);
			unknown++;
		}
	return count;
}

/* --- an attacker who knows besides that nothing hidden is 0 ------------------------------------
 */

/* Other tables with the same totals differ in hidden cells that make up for one another.  This one
 * looks for such tables in steps of 1, by changing its own. */
struct guess {
	const struct disclosure *d;
	size_t rows, columns; /* with the totals; lines are the rows, and then the columns */
	int64_t at[CELLS_MAX];
	size_t kept, goal; /* a cell that must not be changed, and a line that is even already */
	bool seen[EQUATIONS_MAX];
};

static void
begin_guess(struct guess *g, const struct disclosure *d, size_t rows, size_t columns)
{
	*g = (struct guess){ .d = d, .rows = rows + 1, .columns = columns + 1 };
	for (size_t i = 0; i < g->rows * g->columns; i++)
		g->at[i] = disclosure_count(d, i / g->columns, i % g->columns);
}

/* One more in the cell is one more in the line's sum, or one less when the cell is its total. */
static int
sign_of(const struct guess *g, size_t line, size_t cell)
{
	size_t row = cell / g->columns, column = cell % g->columns;

	return line < g->rows ? (column + 1 == g->columns ? -1 : 1) : (row + 1 == g->rows ? -1 : 1);
}

static bool
may_change(const struct guess *g, size_t cell, int by)
{
	size_t row = cell / g->columns, column = cell % g->columns;

	return cell != g->kept && disclosure_hides(g->d, row, column) && g->at[cell] + by >= 1;
}

/* The line's sum lacks so much, 1 or -1: a cell makes up for it, and then the line across. */
static bool
mend(struct guess *g, size_t line, int lacks)
{
	bool is_row = line < g->rows;

	if (line == g->goal)
		return true;
	if (g->seen[line])
		return false;
	g->seen[line] = true;
	for (size_t i = 0; i < (is_row ? g->columns : g->rows); i++) {
		size_t across = is_row ? g->rows + i : i;
		size_t cell = is_row ? line * g->columns + i : i * g->columns + line - g->rows;
		int by = lacks * sign_of(g, line, cell);
		if (!may_change(g, cell, by))
			continue;
		g->at[cell] += by;
		if (mend(g, across, -by * sign_of(g, across, cell)))
			return true;
		g->at[cell] -= by;
	}
	return false;
}

/* How many values can the cell have, as far as `most` counts? */
static size_t
values_of(struct guess *g, const struct disclosure *d, size_t cell, size_t most)
{
	size_t rows = g->rows - 1, columns = g->columns - 1, values = 1;

	for (int by = -1; by <= 1; by += 2) {
		begin_guess(g, d, rows, columns);
		g->kept = cell;
		size_t row = cell / g->columns;
		g->goal = g->rows + cell % g->columns;
		while (values < most && g->at[cell] + by >= 1) {
			memset(g->seen, 0, sizeof(g->seen));
			if (!mend(g, row, -by * sign_of(g, row, cell)))
				break;
			g->at[cell] += by;
			values++;
		}
	}
	return values;
}

/* How many hidden counts under five have fewer values than that. */
static size_t
narrowed(const struct disclosure *d, size_t rows, size_t columns)
{
	static struct guess g;
	size_t count = 0;

	begin_guess(&g, d, rows, columns);
	for (size_t cell = 0; cell < g.rows * g.columns; cell++) {
		int64_t value = disclosure_count(d, cell / g.columns, cell % g.columns);
		if (value > 0 && value < DISCLOSURE_LEAST)
			count += values_of(&g, d, cell, DISCLOSURE_LEAST) < DISCLOSURE_LEAST;
	}
	return count;
}

/* --- tests ------------------------------------------------------------------------------------ */

static struct disclosure *
table(size_t rows, size_t columns, const int64_t *counts)
{
	struct disclosure *d = disclosure_create(rows, columns);

	for (size_t i = 0; d != NULL && i < rows * columns; i++)
		disclosure_add(d, i / columns, i % columns, counts[i]);
	return d;
}

TEST(test_small_counts_are_hidden_and_zeros_told)
{
	static const int64_t counts[] = { 10, 20, 30, 0, 15, 25, 4, 40, 50 };
	struct disclosure *d = table(3, 3, counts);

	if (!CHECK(d != NULL))
		return;
	/* Without further hiding, the 4 would be told by its row and by its column. */
	disclosure_protect(d);
	CHECK(disclosure_hides(d, 2, 0));
	CHECK_FALSE("a zero", disclosure_hides(d, 1, 0));
	CHECK_FALSE("the whole", disclosure_hides_all(d));
	CHECK_FALSE("the total of all", disclosure_hides(d, 3, 3));
	CHECK_U64("found by subtraction", found(d, 3, 3), 0);
	disclosure_destroy(d);
}

TEST(test_nothing_small_hides_nothing)
{
	static const int64_t counts[] = { 10, 20, 5, 0 };
	struct disclosure *d = table(2, 2, counts);

	if (!CHECK(d != NULL))
		return;
	disclosure_protect(d);
	for (size_t row = 0; row <= 2; row++)
		for (size_t column = 0; column <= 2; column++)
			CHECK_FALSE("a cell", disclosure_hides(d, row, column));
	disclosure_destroy(d);
}

TEST(test_a_whole_under_five_is_not_told)
{
	static const int64_t counts[] = { 1, 2, 0, 1 };
	struct disclosure *d = table(2, 2, counts);

	if (!CHECK(d != NULL))
		return;
	disclosure_protect(d);
	CHECK(disclosure_hides_all(d));
	CHECK(disclosure_hides(d, 2, 2));
	CHECK(disclosure_hides(d, 1, 0));
	disclosure_destroy(d);
}

TEST(test_empty_tables)
{
	struct disclosure *d = disclosure_create(0, 0);

	if (!CHECK(d != NULL))
		return;
	disclosure_protect(d);
	CHECK_I64("the whole", disclosure_count(d, 0, 0), 0);
	CHECK_FALSE("told", disclosure_hides(d, 0, 0));
	disclosure_destroy(d);
	CHECK(disclosure_create(DISCLOSURE_CELLS_MAX, 1) == NULL);
	CHECK(disclosure_create(2000, 2000) == NULL);
}

/* Two of 1 in a row of two make their sum the answer: there must be room for five values. */
TEST(test_hidden_cells_leave_one_another_room)
{
	static const int64_t counts[] = { 1, 1, 50, 60, 70, 80, 9, 12, 30 };
	struct disclosure *d = table(3, 3, counts);
	int64_t room = 0;
	size_t hidden = 0;

	if (!CHECK(d != NULL))
		return;
	disclosure_protect(d);
	for (size_t column = 0; column < 3; column++)
		if (disclosure_hides(d, 0, column)) {
			room += disclosure_count(d, 0, column) - 1;
			hidden++;
		}
	CHECK_TRUE("room in the row", disclosure_hides(d, 0, 3) || (hidden > 2 && room >= 4));
	CHECK_U64("found", found(d, 3, 3), 0);
	disclosure_destroy(d);
}

/* What follows by subtraction gives no room to what does not: each line here looks roomy, and yet
 * both of 1 are found by who knows that none is 0. */
TEST(test_no_small_count_follows_from_none_being_zero)
{
	static const int64_t bridges[] = { 1, 1, 5, 0, 0, 4, 4, 0, 0, 0, 4, 4, 0, 0, 0, 0, 0, 6, 4,
		4, 0, 0, 0, 4, 4 };
	/* Each line has room, but no circle through the first one has. */
	static const int64_t circle[] = { 1, 90, 80, 70, 1, 60, 50, 95, 1 };
	struct disclosure *d = table(5, 5, bridges);
	struct disclosure *e = table(3, 3, circle);

	if (!CHECK(d != NULL) || !CHECK(e != NULL))
		return;
	disclosure_protect(d);
	CHECK_U64("narrowed", narrowed(d, 5, 5), 0);
	CHECK_FALSE("everything", disclosure_hides_all(d));
	disclosure_protect(e);
	CHECK_U64("narrowed", narrowed(e, 3, 3), 0);
	CHECK_FALSE("everything", disclosure_hides_all(e));
	disclosure_destroy(d);
	disclosure_destroy(e);
}

/* Two hidden cells on every line are not enough: only who solves all equations at once knows. */
TEST(test_no_random_table_is_solved)
{
	uint64_t state = 20260301;
	size_t small = 0, told = 0, bad = 0;

	for (int round = 0; round < 3000; round++) {
		size_t rows = 1 + next_random(&state) % ROWS_MAX;
		size_t columns = 1 + next_random(&state) % COLUMNS_MAX;
		uint32_t most = 2 + next_random(&state) % 40;
		struct disclosure *d = disclosure_create(rows, columns);
		if (!CHECK(d != NULL))
			return;
		for (size_t i = 0; i < rows * columns; i++)
			if (next_random(&state) % 3 != 0)
				disclosure_add(
				    d, i / columns, i % columns, next_random(&state) % most);
		disclosure_protect(d);
		for (size_t row = 0; row <= rows; row++)
			for (size_t column = 0; column <= columns; column++) {
				int64_t value = disclosure_count(d, row, column);
				bool hides = disclosure_hides(d, row, column);
				small += value > 0 && value < DISCLOSURE_LEAST;
				told += value >= DISCLOSURE_LEAST && !hides;
				bad += value > 0 && value < DISCLOSURE_LEAST && !hides;
			}
		if (!disclosure_hides_all(d)) {
			bad += found(d, rows, columns);
			bad += narrowed(d, rows, columns);
		}
		disclosure_destroy(d);
	}
	CHECK_U64("told, found or narrowed", bad, 0);
	CHECK_TRUE("there was much to hide", small > 10000);
	CHECK_TRUE("and much is told all the same", told > 10000);
}

/* As a big municipality has it: many small cells, and still quick. */
TEST(test_a_large_sparse_table)
{
	enum { ROWS = 150, COLUMNS = 400 };
	uint64_t state = 7;
	struct disclosure *d = disclosure_create(ROWS, COLUMNS);
	size_t told = 0;

	if (!CHECK(d != NULL))
		return;
	for (int i = 0; i < 200000; i++) {
		/* Skewed both ways. */
		size_t row = next_random(&state) % ROWS * (next_random(&state) % ROWS) / ROWS;
		size_t column = next_random(&state) % COLUMNS * (next_random(&state) % COLUMNS)
				/ COLUMNS;
		disclosure_add(d, row, column, 1);
	}
	disclosure_protect(d);
	for (size_t row = 0; row < ROWS; row++)
		for (size_t column = 0; column < COLUMNS; column++)
			told += !disclosure_hides(d, row, column)
				&& disclosure_count(d, row, column) > 0;
	CHECK_FALSE("everything", disclosure_hides_all(d));
	CHECK_TRUE("most of what can be told is", told > 4000);
	disclosure_destroy(d);
}
