/* Records of the log, as months are counted from them, and facts as they are kept: whatever comes,
 * what was counted along is what one counts anew.
 *
 * An input is a row of records, each behind its length (one byte) and how much later than the one
 * before it was committed (one byte); a length of 0 is followed by the bytes of a fact. */
#include "fuzz.h"
#include "month_fold.h"

enum { STEP_US = INT32_MAX };

static void
count_fact(const uint8_t *data, size_t size)
{
	const struct month_calendar calendar = { .first = 202601, .rolled = 202712 };
	struct month_cells cells = { 0 };
	struct month_fact fact;

	if (!month_fact_unpack(&fact, data, size))
		return;
	month_fact_cells(&fact, &calendar, 1, month_cells_add, &cells);
	month_fact_cells(&fact, &calendar, -1, month_cells_add, &cells);
	for (size_t i = 0; i < cells.count; i++)
		HOLDS(cells.at[i].n == 0);
	month_fact_finish(&fact);
	month_cells_finish(&cells);
}

static void
check_counted_anew(const struct month_fold *f)
{
	struct month_cells anew = { 0 };
	int64_t n;

	for (size_t i = 0; i < f->facts.table_size; i++) {
		const struct month_kept *kept = f->facts.table[i];
		struct month_fact fact;
		if (kept == NULL)
			continue;
		HOLDS(month_fact_unpack(&fact, kept->bytes, kept->len));
		month_fact_cells(&fact, &f->state.calendar, 1, month_cells_add, &anew);
		month_fact_finish(&fact);
	}
	for (size_t i = 0; i < f->cells.count; i++) {
		const struct month_cell *c = &f->cells.at[i];
		if (strncmp(c->name, "contacts.", 9) == 0)
			continue;
		HOLDS((month_cells_get(&anew, c->month, c->name, &n) ? n : 0) == c->n);
	}
	month_cells_finish(&anew);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t now_us = INT64_C(1772312400000000);
	struct month_fold fold;

	month_fold_init(&fold, MONTH_FOLD_WHOLE);
	while (size >= 2) {
		size_t len = data[0];
		now_us += (int64_t)data[1] * STEP_US;
		data += 2;
		size -= 2;
		if (len == 0) {
			count_fact(data, size);
			break;
		}
		len = len > size ? size : len;
		HOLDS(month_fold_add(&fold, fold.state.seq + 1, now_us, data, len));
		data += len;
		size -= len;
	}
	check_counted_anew(&fold);
	month_fold_finish(&fold);
	return 0;
}
