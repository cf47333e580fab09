/* Records change facts, and facts are counted before and after. */
#include "month_fold.h"

#include <stdlib.h>
#include <string.h>

void
month_fold_init(struct month_fold *fold, enum month_fold_kind kind)
{
	*fold = (struct month_fold){ .kind = kind };
}

void
month_fold_finish(struct month_fold *fold)
{
	month_facts_finish(&fold->facts);
	month_cells_finish(&fold->cells);
	month_cells_finish(&fold->touched);
	for (size_t i = 0; i < fold->revision_count; i++)
		free(fold->revisions[i].revision.changes);
	free(fold->revisions);
	*fold = (struct month_fold){ 0 };
}

void
month_fold_begin(struct month_fold *fold, const struct month_state *state)
{
	month_facts_clear(&fold->facts);
	month_cells_clear(&fold->cells);
	fold->state = *state;
}

/* --- days ------------------------------------------------------------------------------------- */

/* The turn's revisions become the fold's, with their numbers. */
static bool
keep_revisions(struct month_fold *fold, struct month_turned *turned)
{
	size_t count = fold->revision_count + turned->revision_count;
	struct month_drawn_up *all = realloc(fold->revisions, (count + 1) * sizeof(*all));

	if (all == NULL)
		return false;
	fold->revisions = all;
	for (size_t i = 0; i < turned->revision_count; i++) {
		uint32_t number = 1;
		for (size_t k = 0; k < fold->revision_count; k++)
			number += all[k].month == turned->revisions[i].month;
		all[fold->revision_count] = turned->revisions[i];
		all[fold->revision_count++].revision.number = number;
	}
	turned->revision_count = 0;
	return true;
}

static void
take_back(struct month_fold *fold)
{
	size_t kept = 0;

	for (size_t i = 0; i < fold->cells.count; i++)
		if (month_turn_takes_back(
			&fold->state, fold->cells.at[i].month, fold->cells.at[i].name))
			fold->cells.at[i].n = 0;
	for (size_t i = 0; i < fold->revision_count; i++)
		if (fold->revisions[i].month > fold->state.published)
			free(fold->revisions[i].revision.changes);
		else
			fold->revisions[kept++] = fold->revisions[i];
	fold->revision_count = kept;
}

static bool
turn_whole(struct month_fold *fold, int64_t committed_us)
{
	struct month_turned turned;
	size_t count = fold->touched.count;
	struct month_touched *touched = calloc(count + 1, sizeof(*touched));

	if (touched == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct month_cell *c = &fold->touched.at[i];
		touched[i] = (struct month_touched){ .month = c->month, .was = c->n };
		(void)strcpy(touched[i].name, c->name);
		if (!month_cells_get(&fold->cells, c->month, c->name, &touched[i].is))
			touched[i].is = 0;
	}
	bool good = month_turn(&fold->state, committed_us, &fold->cells, touched, count, &turned);
	free(touched);
	if (!good)
		return false;
	for (size_t i = 0; i < turned.cells.count; i++)
		month_cells_add(&fold->cells, turned.cells.at[i].month, turned.cells.at[i].name,
		    turned.cells.at[i].n);
	fold->state = turned.state;
	if (turned.back)
		take_back(fold);
	month_cells_clear(&fold->touched);
	good = keep_revisions(fold, &turned);
	month_turned_finish(&turned);
	return good;
}

/* --- records ---------------------------------------------------------------------------------- */

/* A month_cell_fn: adds, and remembers what a published figure was before. */
static void
add_cell(void *arg, int32_t month, const char *name, int64_t n)
{
	struct month_fold *fold = arg;
	int64_t was = 0;

	if (fold->kind == MONTH_FOLD_WHOLE && month_is_watched(&fold->state, month, name)) {
		if (!month_cells_get(&fold->cells, month, name, &was))
			was = 0;
		month_cells_note(&fold->touched, month, name, was);
	}
	month_cells_add(&fold->cells, month, name, n);
}

static bool
add_to_fact(struct month_fold *fold, const char *key, uint64_t seq, int64_t committed_us,
    const Turunc__V1__Event *event)
{
	struct month_fact fact = { 0 };
	const struct month_kept *kept = month_facts_get(&fold->facts, key);
	size_t len = 0;

	if (kept != NULL && !month_fact_unpack(&fact, kept->bytes, kept->len))
		fold->damaged++;
	if (month_fact_is_full(&fact)) {
		fold->damaged++;
		month_fact_finish(&fact);
		return true;
	}
	month_fact_cells(&fact, &fold->state.calendar, -1, add_cell, fold);
	bool good = month_fact_take(&fact, seq, committed_us, event);
	if (good)
		month_fact_cells(&fact, &fold->state.calendar, 1, add_cell, fold);
	uint8_t *bytes = good ? month_fact_pack(&fact, &len) : NULL;
	month_fact_finish(&fact);
	if (bytes == NULL)
		return false;
	if (month_facts_put(&fold->facts, key, bytes, len, true))
		return true;
	free(bytes);
	return false;
}

static bool
add_event(
    struct month_fold *fold, uint64_t seq, int64_t committed_us, const Turunc__V1__Event *event)
{
	char key[MONTH_KEY_SIZE];

	if (event->body_case == TURUNC__V1__EVENT__BODY_ADMINISTRATION
	    && strcmp(event->type, "config.applied") == 0)
		fold->state.config_version = event->administration->config_version;
	month_contact_cells(event, committed_us, add_cell, fold);
	return !month_fact_key(event, key) || add_to_fact(fold, key, seq, committed_us, event);
}

bool
month_fold_add(
    struct month_fold *fold, uint64_t seq, int64_t committed_us, const void *bytes, size_t len)
{
	committed_us = month_moment_us(committed_us);
	if (fold->kind == MONTH_FOLD_WHOLE && month_clock_turns(&fold->state, committed_us)
	    && !turn_whole(fold, committed_us))
		return false;
	month_clock_pass(&fold->state, seq, committed_us);
	Turunc__V1__Event *event = turunc__v1__event__unpack(NULL, len, bytes);
	if (event == NULL) {
		fold->damaged++;
		return true;
	}
	bool good = add_event(fold, seq, committed_us, event);
	turunc__v1__event__free_unpacked(event, NULL);
	return good && !fold->cells.failed && !fold->touched.failed;
}

/* --- reports ---------------------------------------------------------------------------------- */

static bool
copy_revision(struct month_report *report, const struct month_revision *from)
{
	struct month_revision *all = realloc(
	    report->revisions, (report->revision_count + 1) * sizeof(*all));

	if (all == NULL)
		return false;
	report->revisions = all;
	struct month_revision *to = &all[report->revision_count++];
	*to = *from;
	to->changes = calloc(from->change_count + 1, sizeof(*to->changes));
	if (to->changes == NULL)
		return false;
	if (from->change_count > 0)
		memcpy(to->changes, from->changes, from->change_count * sizeof(*to->changes));
	return true;
}

bool
month_fold_report(const struct month_fold *fold, int32_t month, const struct catalogue *catalogue,
    struct month_report *ret_report)
{
	bool good = month_report_make(ret_report, month, &fold->state, &fold->cells, catalogue);

	for (size_t i = 0; good && i < fold->revision_count; i++)
		if (fold->revisions[i].month == month)
			good = copy_revision(ret_report, &fold->revisions[i].revision);
	if (!good)
		month_report_finish(ret_report);
	return good;
}
