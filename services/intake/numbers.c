/* Hands out ticket numbers from blocks leased ahead. */
#include "numbers.h"

#include <assert.h>
#include <stdlib.h>

#include "istanbul.h"
#include "number.h"

enum { FAST_MS = 10000, SLOW_MS = 1000000, YEAR_NONE = 0, ASIDE_BLOCK = 256 };

struct block {
	int64_t next; /* serial */
	int64_t end;
};

struct shelf {
	int year; /* YEAR_NONE: free */
	struct block in_use;
	struct block spare;
	int32_t block_size; /* of the next lease */
	bool leasing;
	bool failed; /* wait for the next tick */
	uint64_t opened_ms; /* when the block in use was begun */
	uint64_t asked_ms; /* when a number was last taken */
};

struct numbers {
	numbers_lease_fn *lease;
	numbers_aside_fn *aside; /* NULL: none */
	void *arg;
	uint64_t now_ms;
	struct shelf shelves[NUMBERS_YEARS];
};

struct numbers *
numbers_create(numbers_lease_fn *lease, numbers_aside_fn *aside, void *arg)
{
	struct numbers *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->lease = lease;
	n->aside = aside;
	n->arg = arg;
	return n;
}

void
numbers_destroy(struct numbers *n)
{
	free(n);
}

static struct shelf *
find(struct numbers *n, int year)
{
	for (size_t i = 0; i < NUMBERS_YEARS; i++)
		if (n->shelves[i].year == year)
			return &n->shelves[i];
	return NULL;
}

/* The year's shelf; a new one takes a free place, or that of the year unused for longest. */
static struct shelf *
shelf_for(struct numbers *n, int year)
{
	struct shelf *shelf = find(n, year);
	if (shelf == NULL)
		shelf = find(n, YEAR_NONE);
	for (size_t i = 0; shelf == NULL && i < NUMBERS_YEARS; i++)
		if (!n->shelves[i].leasing)
			shelf = &n->shelves[i];
	if (shelf == NULL)
		return NULL; /* every shelf waits for its lease */
	for (size_t i = 0; shelf->year != year && shelf->year != YEAR_NONE && i < NUMBERS_YEARS;
	     i++)
		if (!n->shelves[i].leasing && n->shelves[i].asked_ms < shelf->asked_ms)
			shelf = &n->shelves[i];
	if (shelf->year != year)
		*shelf = (struct shelf){ .year = year, .block_size = NUMBERS_BLOCK_MIN };
	return shelf;
}

static int64_t
left(const struct block *b)
{
	return b->end - b->next;
}

static void
refill(struct numbers *n, struct shelf *shelf)
{
	if (shelf->leasing || shelf->failed || left(&shelf->spare) > 0)
		return;
	shelf->leasing = n->lease(n->arg, shelf->year, shelf->block_size);
	shelf->failed = !shelf->leasing;
}

/* The block in use is empty: how long it lasted tells how large the next lease should be. */
static void
open_spare(struct numbers *n, struct shelf *shelf)
{
	if (left(&shelf->spare) == 0)
		return;
	uint64_t lasted_ms = n->now_ms - shelf->opened_ms;
	if (shelf->in_use.end != 0 && lasted_ms < FAST_MS && shelf->block_size < NUMBERS_BLOCK_MAX)
		shelf->block_size *= 2;
	else if (lasted_ms > SLOW_MS)
		shelf->block_size = NUMBERS_BLOCK_MIN;
	shelf->in_use = shelf->spare;
	shelf->spare = (struct block){ 0 };
	shelf->opened_ms = n->now_ms;
}

static void
take_from_aside(struct numbers *n, struct shelf *shelf)
{
	int64_t first;
	int32_t count;

	if (n->aside != NULL && n->aside(n->arg, shelf->year, ASIDE_BLOCK, &first, &count))
		shelf->in_use = (struct block){ first, first + count };
}

bool
numbers_take(struct numbers *n, int year, int64_t *ret_ticket_id)
{
	if (year < NUMBER_YEAR_MIN || year > NUMBER_YEAR_MAX)
		return false;
	struct shelf *shelf = shelf_for(n, year);
	if (shelf == NULL)
		return false;
	shelf->asked_ms = n->now_ms;
	if (left(&shelf->in_use) == 0)
		open_spare(n, shelf);
	refill(n, shelf);
	if (left(&shelf->in_use) == 0)
		take_from_aside(n, shelf);
	if (left(&shelf->in_use) == 0)
		return false;
	int64_t ticket_id = number_make(year, shelf->in_use.next);
	if (ticket_id == 0)
		return false; /* the year has run out of serials */
	shelf->in_use.next++;
	*ret_ticket_id = ticket_id;
	return true;
}

void
numbers_leased(struct numbers *n, int year, int64_t first_serial, int32_t how_many)
{
	struct shelf *shelf = find(n, year);
	struct block block = { .next = first_serial, .end = first_serial + how_many };

	assert(shelf != NULL && shelf->leasing && how_many > 0);
	shelf->leasing = false;
	shelf->spare = block;
	if (left(&shelf->in_use) == 0)
		open_spare(n, shelf);
	refill(n, shelf);
}

void
numbers_lease_failed(struct numbers *n, int year)
{
	struct shelf *shelf = find(n, year);

	assert(shelf != NULL && shelf->leasing);
	shelf->leasing = false;
	shelf->failed = true;
}

void
numbers_tick(struct numbers *n, int64_t now_us, uint64_t now_ms)
{
	int year = number_year(now_us), tomorrow = number_year(now_us + US_PER_DAY);

	n->now_ms = now_ms;
	for (size_t i = 0; i < NUMBERS_YEARS; i++) {
		struct shelf *shelf = &n->shelves[i];
		shelf->failed = false;
		if (shelf->year != YEAR_NONE)
			refill(n, shelf);
	}
	for (int y = year; y >= NUMBER_YEAR_MIN && y <= tomorrow; y++) {
		struct shelf *shelf = shelf_for(n, y);
		if (shelf == NULL)
			continue;
		shelf->asked_ms = now_ms;
		refill(n, shelf);
	}
}

int64_t
numbers_left(const struct numbers *n, int year)
{
	for (size_t i = 0; i < NUMBERS_YEARS; i++)
		if (n->shelves[i].year == year)
			return left(&n->shelves[i].in_use) + left(&n->shelves[i].spare);
	return 0;
}
