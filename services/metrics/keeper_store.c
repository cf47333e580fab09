/* The months' figures between the keeper and the record. */
#include "keeper_store.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "store.h"

static void
add_state(struct db_unit *unit, const struct month_state *s)
{
	struct db_array *array = db_add_array(unit, DB_INT8);

	db_array_int8(array, s->at_us);
	db_array_int8(array, s->day);
	db_array_int8(array, s->calendar.first);
	db_array_int8(array, s->calendar.rolled);
	db_array_int8(array, s->published);
	db_array_int8(array, s->ladder_published);
	db_array_int8(array, (int64_t)s->config_version);
	db_array_int8(array, s->doubted_us);
	db_array_int8(array, s->leapt_from_us);
	db_array_int8(array, s->leapt_day);
}

static void
add_cells(struct db_unit *unit, const struct month_cells *cells)
{
	struct db_array *months = db_add_array(unit, DB_INT4);
	struct db_array *names = db_add_array(unit, DB_TEXT);
	struct db_array *numbers = db_add_array(unit, DB_INT8);

	for (size_t i = 0; i < cells->count; i++) {
		if (cells->at[i].n == 0)
			continue;
		db_array_int4(months, cells->at[i].month);
		db_array_text(names, cells->at[i].name);
		db_array_int8(numbers, cells->at[i].n);
	}
}

void
keeper_store_batch(struct db_unit *unit, const struct uuid *log_id, uint64_t from_seq,
    const struct month_fold *fold)
{
	const struct month_facts *facts = &fold->facts;
	const struct month_cells *cells = &fold->cells;

	db_unit_add(unit, STORE_MONTH_TAKE);
	db_add_uuid(unit, log_id);
	db_add_int8(unit, (int64_t)from_seq);
	db_add_int8(unit, (int64_t)fold->state.seq);
	db_add_int8(unit, clock_now_us());
	add_state(unit, &fold->state);
	struct db_array *keys = db_add_array(unit, DB_BYTEA);
	struct db_array *packed = db_add_array(unit, DB_BYTEA);
	for (size_t i = 0; i < facts->table_size; i++) {
		const struct month_kept *kept = facts->table[i];
		if (kept == NULL || !kept->changed)
			continue;
		db_array_bytea(keys, kept->key, strlen(kept->key));
		db_array_bytea(packed, kept->bytes, kept->len);
	}
	add_cells(unit, cells);
	struct db_array *watched = db_add_array(unit, DB_BOOL);
	for (size_t i = 0; i < cells->count; i++)
		if (cells->at[i].n != 0)
			db_array_bool(watched,
			    month_is_watched(&fold->state, cells->at[i].month, cells->at[i].name));
}

void
keeper_store_turn(
    struct db_unit *unit, const struct month_state *from, const struct month_turned *t)
{
	db_unit_add(unit, STORE_MONTH_TURN);
	db_add_int8(unit, (int64_t)from->seq);
	db_add_int4(unit, from->day);
	add_state(unit, &t->state);
	add_cells(unit, &t->cells);
	struct db_array *revised = db_add_array(unit, DB_INT4);
	struct db_array *seqs = db_add_array(unit, DB_INT8);
	struct db_array *ats = db_add_array(unit, DB_INT8);
	struct db_array *changed = db_add_array(unit, DB_INT4);
	struct db_array *names = db_add_array(unit, DB_TEXT);
	struct db_array *was = db_add_array(unit, DB_INT8);
	struct db_array *now = db_add_array(unit, DB_INT8);
	for (size_t i = 0; i < t->revision_count; i++) {
		const struct month_revision *r = &t->revisions[i].revision;
		db_array_int4(revised, t->revisions[i].month);
		db_array_int8(seqs, (int64_t)r->seq);
		db_array_int8(ats, r->at_us);
		for (size_t c = 0; c < r->change_count; c++) {
			db_array_int4(changed, (int32_t)i + 1);
			db_array_text(names, r->changes[c].name);
			db_array_int8(was, r->changes[c].was);
			db_array_int8(now, r->changes[c].is);
		}
	}
}

struct month_touched *
keeper_store_touched(const struct pg_result *r)
{
	struct month_touched *touched = calloc((size_t)db_rows(r) + 1, sizeof(*touched));

	for (int row = 0; touched != NULL && row < db_rows(r); row++) {
		struct month_touched *t = &touched[row];
		t->month = (int32_t)db_get_int(r, row, 0);
		strncpy(t->name, db_get_text(r, row, 1), sizeof(t->name) - 1);
		t->was = db_get_int(r, row, 2);
		t->is = db_get_int(r, row, 3);
	}
	return touched;
}

bool
keeper_store_facts(const struct pg_result *r, struct month_facts *facts)
{
	char key[MONTH_KEY_SIZE];

	for (int row = 0; row < db_rows(r); row++) {
		size_t key_len, len;
		const void *name = db_get_bytea(r, row, 0, &key_len);
		const void *bytes = db_get_bytea(r, row, 1, &len);
		uint8_t *copy = malloc(len + 1);
		if (copy == NULL || key_len >= sizeof(key)) {
			free(copy);
			return false;
		}
		memcpy(key, name, key_len);
		key[key_len] = '\0';
		memcpy(copy, bytes, len);
		if (!month_facts_put(facts, key, copy, len, false)) {
			free(copy);
			return false;
		}
	}
	return true;
}
