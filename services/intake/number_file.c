/* Keeps a few years' ranges in one file that is replaced at every change. */
#include "number_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint.h"
#include "state_file.h"
#include "turunc/v1/state.pb-c.h"

enum { YEARS_MAX = 8, PATH_BYTES = 1200 };

struct year {
	int year; /* 0: free */
	int64_t next, end;
	int64_t high_water;
};

struct number_file {
	char path[PATH_BYTES];
	struct year years[YEARS_MAX];
};

static const struct year *
find(const struct number_file *f, int year)
{
	for (size_t i = 0; i < YEARS_MAX; i++)
		if (f->years[i].year == year)
			return &f->years[i];
	return NULL;
}

/* The year's place; a new one takes that of the oldest year. */
static struct year *
place(struct year years[YEARS_MAX], int year)
{
	struct year *oldest = &years[0];

	for (size_t i = 0; i < YEARS_MAX; i++) {
		if (years[i].year == year)
			return &years[i];
		if (years[i].year < oldest->year)
			oldest = &years[i];
	}
	*oldest = (struct year){ .year = year, .high_water = 1 };
	return oldest;
}

static bool
load(struct number_file *f, const uint8_t *data, size_t len)
{
	Turunc__V1__NumberFile *m = turunc__v1__number_file__unpack(NULL, len, data);
	bool whole = m != NULL && m->n_years <= YEARS_MAX;

	for (size_t i = 0; whole && i < m->n_years; i++) {
		const Turunc__V1__NumberYear *y = m->years[i];
		f->years[i] = (struct year){ y->year, y->next, y->end, y->high_water };
		whole = y->next >= 0 && y->next <= y->end && y->end <= y->high_water
			&& y->high_water >= 1 && (y->next > 0 || y->end == 0); /* no serial is 0 */
	}
	if (m != NULL)
		turunc__v1__number_file__free_unpacked(m, NULL);
	return whole;
}

struct number_file *
number_file_open(const char *path, char *why, size_t why_size)
{
	struct number_file *f = calloc(1, sizeof(*f));
	uint8_t *data = NULL;
	size_t len = 0;

	if (f == NULL || strlen(path) >= sizeof(f->path)) {
		(void)snprintf(why, why_size, f == NULL ? "out of memory" : "the path is too long");
		free(f);
		return NULL;
	}
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	enum state_file_result result = state_file_read(path, &data, &len);
	if (result == STATE_FILE_OK && !load(f, data, len))
		result = STATE_FILE_DAMAGED;
	free(data);
	if (result == STATE_FILE_OK || result == STATE_FILE_ABSENT)
		return f;
	(void)snprintf(why, why_size, "%s", state_file_why(result));
	free(f);
	return NULL;
}

void
number_file_close(struct number_file *f)
{
	free(f);
}

/* The years as they shall be; on success they are. */
static bool
replace(struct number_file *f, const struct year years[YEARS_MAX])
{
	Turunc__V1__NumberFile m = TURUNC__V1__NUMBER_FILE__INIT;
	Turunc__V1__NumberYear rows[YEARS_MAX], *pointers[YEARS_MAX];
	uint8_t bytes[YEARS_MAX * 64];

	m.years = pointers;
	for (size_t i = 0; i < YEARS_MAX; i++) {
		if (years[i].year == 0)
			continue;
		turunc__v1__number_year__init(&rows[i]);
		rows[i].year = years[i].year;
		rows[i].next = years[i].next;
		rows[i].end = years[i].end;
		rows[i].high_water = years[i].high_water;
		pointers[m.n_years++] = &rows[i];
	}
	size_t len = turunc__v1__number_file__pack(&m, bytes);
	if (failpoint(FAILPOINT_INTAKE_NUMBERS, FAILPOINT_BEFORE)
	    || state_file_write(f->path, bytes, len) != STATE_FILE_OK
	    || failpoint(FAILPOINT_INTAKE_NUMBERS, FAILPOINT_AFTER))
		return false;
	memcpy(f->years, years, sizeof(f->years));
	return true;
}

int64_t
number_file_high_water(const struct number_file *f, int year)
{
	const struct year *y = find(f, year);
	return y == NULL ? 1 : y->high_water;
}

static void
raise_to(struct year *y, int64_t end)
{
	if (y->high_water < end)
		y->high_water = end;
}

bool
number_file_note_lease(struct number_file *f, int year, int64_t first, int32_t count)
{
	struct year years[YEARS_MAX];

	memcpy(years, f->years, sizeof(years));
	raise_to(place(years, year), first + count);
	return replace(f, years);
}

bool
number_file_set_aside(struct number_file *f, int year, int64_t first, int32_t count)
{
	struct year years[YEARS_MAX];

	memcpy(years, f->years, sizeof(years));
	struct year *y = place(years, year);
	y->next = first;
	y->end = first + count;
	raise_to(y, y->end);
	return replace(f, years);
}

int64_t
number_file_left(const struct number_file *f, int year)
{
	const struct year *y = find(f, year);
	return y == NULL ? 0 : y->end - y->next;
}

bool
number_file_take(
    struct number_file *f, int year, int32_t how_many, int64_t *ret_first, int32_t *ret_count)
{
	struct year years[YEARS_MAX];
	int64_t left = number_file_left(f, year);
	int32_t count = left < how_many ? (int32_t)left : how_many;

	if (count <= 0)
		return false;
	memcpy(years, f->years, sizeof(years));
	struct year *y = place(years, year);
	int64_t first = y->next;
	y->next += count;
	if (!replace(f, years))
		return false;
	*ret_first = first;
	*ret_count = count;
	return true;
}
