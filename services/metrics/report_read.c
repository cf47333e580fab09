/* Reads months' figures as the keeper left them. */
#include "report_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "db.h"
#include "digest.h"
#include "istanbul.h"
#include "month_cells.h"
#include "month_fact.h"
#include "month_turn.h"
#include "store.h"

/* Kinds of rows, which all have the same columns, for one statement sees one moment. */
enum kind { KIND_STATE, KIND_CELL, KIND_REVISION, KIND_CHANGE, KIND_HEAD, KIND_END };
enum column { COLUMN_KIND, COLUMN_PLACE, COLUMN_NAME, COLUMN_A, COLUMN_B, COLUMN_HASH };

/* Columns of the list of months and of the configuration. */
enum list_column {
	LIST_FIRST,
	LIST_AT,
	LIST_MONTH,
	LIST_NUMBER,
	LIST_SEQ,
	LIST_VERSION,
	LIST_END_SEQ,
	LIST_END_AT
};
enum file_column { FILE_VERSION, FILE_NAME, FILE_CONTENT };

/* What was counted, and by what, beside where the log ends. */
struct reach {
	int64_t seq, at_us, fold_version;
	int64_t end_seq, end_us;
};

static bool
is_behind(const struct reach *r, struct report_progress *ret_progress)
{
	*ret_progress = (struct report_progress){ .counted = r->seq, .records = r->end_seq };
	if (r->end_seq == 0)
		return false;
	if (r->fold_version != MONTH_FOLD_VERSION) {
		ret_progress->counted = 0;
		return true;
	}
	return r->end_seq - r->seq > REPORT_BEHIND_RECORDS
	       || (r->end_seq > r->seq
		   && r->end_us - r->at_us > REPORT_BEHIND_HOURS * 60 * US_PER_MIN);
}

/* --- the configuration ------------------------------------------------------------------------ */

void
report_catalogue_finish(struct report_catalogue *cat)
{
	catalogue_destroy(cat->catalogue);
	*cat = (struct report_catalogue){ 0 };
}

bool
report_take_catalogue(const struct pg_result *answer, struct report_catalogue *loaded)
{
	struct catalogue_report *report = calloc(1, sizeof(*report));
	struct bundle bundle;
	const char *why;
	bool good = report != NULL;

	if (db_rows(answer) == 0) {
		free(report);
		return good;
	}
	bundle_init(&bundle);
	for (int row = 0; good && row < db_rows(answer); row++) {
		size_t len;
		const void *content = db_get_bytea(answer, row, FILE_CONTENT, &len);
		good = bundle_add(&bundle, db_get_text(answer, row, FILE_NAME), content, len, &why);
	}
	if (good) {
		report_catalogue_finish(loaded);
		loaded->catalogue = catalogue_parse_past(&bundle, report);
		good = loaded->catalogue != NULL;
		if (good)
			loaded->version = (uint64_t)db_get_int(answer, 0, FILE_VERSION);
	}
	bundle_finish(&bundle);
	free(report);
	return good;
}

/* --- a month ---------------------------------------------------------------------------------- */

void
report_ask(struct db_unit *unit, int32_t month, const struct report_catalogue *loaded)
{
	db_unit_add(unit, STORE_REPORT);
	db_add_int4(unit, month);
	db_add_int4(unit, month_add(month, -1));
	db_add_int4(unit, month_add(month, -12));
	db_unit_add(unit, STORE_REPORT_CONFIG);
	db_add_int8(unit, (int64_t)loaded->version);
}

static void
take_state(struct month_state *state, const char *name, int64_t value)
{
	if (strcmp(name, "seq") == 0)
		state->seq = (uint64_t)value;
	else if (strcmp(name, "at_us") == 0)
		state->at_us = value;
	else if (strcmp(name, "day") == 0)
		state->day = (int32_t)value;
	else if (strcmp(name, "first") == 0)
		state->calendar.first = (int32_t)value;
	else if (strcmp(name, "rolled") == 0)
		state->calendar.rolled = (int32_t)value;
	else if (strcmp(name, "published") == 0)
		state->published = (int32_t)value;
	else if (strcmp(name, "ladder_published") == 0)
		state->ladder_published = (int32_t)value;
	else if (strcmp(name, "config_version") == 0)
		state->config_version = (uint64_t)value;
}

static bool
take_revision(struct month_report *report, const struct month_revision *revision)
{
	struct month_revision *list = realloc(
	    report->revisions, (report->revision_count + 1) * sizeof(*list));

	if (list == NULL)
		return false;
	list[report->revision_count++] = *revision;
	report->revisions = list;
	return true;
}

/* Of the revision of that number, which is there already. */
static bool
take_change(struct month_report *report, uint32_t number, const struct month_change *change)
{
	for (size_t i = 0; i < report->revision_count; i++) {
		struct month_revision *r = &report->revisions[i];
		if (r->number != number)
			continue;
		struct month_change *list = realloc(
		    r->changes, (r->change_count + 1) * sizeof(*list));
		if (list == NULL)
			return false;
		list[r->change_count++] = *change;
		r->changes = list;
	}
	return true;
}

static void
take_head(struct month_report *report, const struct pg_result *answer, int row)
{
	struct digest hash;
	size_t len;
	const void *bytes = db_get_bytea(answer, row, COLUMN_HASH, &len);

	(void)snprintf(
	    report->log_id, sizeof(report->log_id), "%s", db_get_text(answer, row, COLUMN_NAME));
	report->head_seq = (uint64_t)db_get_int(answer, row, COLUMN_A);
	if (len == sizeof(hash.bytes)) {
		memcpy(hash.bytes, bytes, sizeof(hash.bytes));
		digest_format(&hash, report->head_hash);
	}
}

/* What stands beside the figures.  False: no memory. */
static bool
take_rest(struct month_report *report, const struct pg_result *answer)
{
	bool good = true;

	for (int row = 0; good && row < db_rows(answer); row++) {
		int64_t a = db_get_int(answer, row, COLUMN_A);
		int64_t b = db_get_int(answer, row, COLUMN_B);
		uint32_t number = (uint32_t)db_get_int(answer, row, COLUMN_PLACE);
		switch ((enum kind)db_get_int(answer, row, COLUMN_KIND)) {
		case KIND_REVISION:
			good = take_revision(
			    report, &(struct month_revision){
					.number = number, .seq = (uint64_t)a, .at_us = b });
			break;
		case KIND_CHANGE: {
			struct month_change change = { .was = a, .is = b };
			(void)snprintf(change.name, sizeof(change.name), "%s",
			    db_get_text(answer, row, COLUMN_NAME));
			good = take_change(report, number, &change);
			break;
		}
		case KIND_HEAD:
			take_head(report, answer, row);
			break;
		case KIND_STATE:
		case KIND_CELL:
		case KIND_END:
			break;
		}
	}
	return good;
}

enum report_read
report_take(const struct pg_result *answer, int32_t month, const struct report_catalogue *cat,
    struct report_progress *ret_progress, struct month_report *ret_report)
{
	struct month_cells cells = { 0 };
	struct month_state state = { 0 };
	struct month_report report = { 0 };
	struct reach reach = { 0 };
	enum report_read result = REPORT_READ;

	for (int row = 0; row < db_rows(answer); row++) {
		const char *name = db_get_text(answer, row, COLUMN_NAME);
		int64_t a = db_get_int(answer, row, COLUMN_A);
		enum kind kind = (enum kind)db_get_int(answer, row, COLUMN_KIND);
		if (kind == KIND_STATE && strcmp(name, "fold_version") == 0)
			reach.fold_version = a;
		else if (kind == KIND_STATE)
			take_state(&state, name, a);
		else if (kind == KIND_CELL)
			month_cells_add(
			    &cells, (int32_t)db_get_int(answer, row, COLUMN_PLACE), name, a);
		else if (kind == KIND_END) {
			reach.end_seq = a;
			reach.end_us = db_get_int(answer, row, COLUMN_B);
		}
	}
	reach.seq = (int64_t)state.seq;
	reach.at_us = state.at_us;
	if (is_behind(&reach, ret_progress))
		result = REPORT_BEHIND;
	else if (state.calendar.first == 0 || month < state.calendar.first
		 || month > month_of(state.at_us))
		result = REPORT_NO_MONTH;
	else if (state.config_version != 0
		 && (state.config_version != cat->version || cat->catalogue == NULL))
		result = REPORT_NO_CATALOGUE;
	else if (cells.failed
		 || !month_report_make(&report, month, &state, &cells,
		     state.config_version == 0 ? NULL : cat->catalogue)
		 || !take_rest(&report, answer))
		result = REPORT_NO_MEMORY;
	month_cells_finish(&cells);
	report.log_begins = state.calendar.first;
	if (result == REPORT_READ)
		*ret_report = report;
	else
		month_report_finish(&report);
	return result;
}

/* --- the list --------------------------------------------------------------------------------- */

void
report_ask_months(struct db_unit *unit)
{
	db_unit_add(unit, STORE_REPORT_MONTHS);
}

enum report_read
report_take_months(const struct pg_result *answer, struct report_month months[], size_t size,
    struct report_progress *ret_progress, size_t *ret_count)
{
	*ret_progress = (struct report_progress){ 0 };
	*ret_count = 0;
	if (db_rows(answer) == 0)
		return REPORT_READ;
	int32_t first = (int32_t)db_get_int(answer, 0, LIST_FIRST);
	int64_t at_us = db_get_int(answer, 0, LIST_AT);
	const struct reach reach = {
		.seq = db_get_int(answer, 0, LIST_SEQ),
		.at_us = at_us,
		.fold_version = db_get_int(answer, 0, LIST_VERSION),
		.end_seq = db_is_null(answer, 0, LIST_END_SEQ)
			       ? 0
			       : db_get_int(answer, 0, LIST_END_SEQ),
		.end_us = db_is_null(answer, 0, LIST_END_AT) ? 0
							     : db_get_int(answer, 0, LIST_END_AT),
	};
	if (is_behind(&reach, ret_progress))
		return REPORT_BEHIND;
	for (int32_t m = month_of(at_us); first != 0 && m >= first && *ret_count < size;
	     m = month_add(m, -1)) {
		struct report_month *month = &months[(*ret_count)++];
		*month = (struct report_month){ .month = m,
			.over = at_us >= month_start_us(month_add(m, 1)) };
		for (int row = 0; row < db_rows(answer); row++)
			if (!db_is_null(answer, row, LIST_MONTH)
			    && db_get_int(answer, row, LIST_MONTH) == m)
				month->revision = (uint32_t)db_get_int(answer, row, LIST_NUMBER);
	}
	return REPORT_READ;
}
