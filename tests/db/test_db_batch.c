/* One bad row never stops a batch, and a bad moment is waited out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "db_batch.h"
#include "db_fixture.h"
#include "servers.h"
#include "stats.h"

enum { INSERT, DEADLOCK, RAISE, COUNT, CLEAR };

static const struct db_statement statements[] = {
	[INSERT] = { "insert",
	    "insert into item (id, name, price)"
	    " select * from unnest($1::bigint[], $2::text[], $3::bigint[])"
	    " on conflict (id) do nothing",
	    3 },
	[DEADLOCK] = { "deadlock", "select fail_times($1::bigint, $2::text)", 2 },
	[RAISE] = { "raise", "select lost()", 0 },
	[COUNT] = { "count", "select count(*) from item", 0 },
	[CLEAR] = { "clear", "delete from item", 0 },
};

/* fail_times raises the state for the first n calls; a sequence is not rolled back. */
static const char setup[] =
    "create table item (id bigint primary key, name text not null,"
    "  price bigint check (price >= 0));"
    " create sequence calls;"
    " create function fail_times(n bigint, state text) returns void language plpgsql as"
    "  $$begin if nextval('calls') <= n then"
    "    raise exception 'not now' using errcode = state; end if; end$$;"
    " create function lost() returns void language plpgsql as"
    "  $$begin raise exception 'lost' using errcode = 'TU001'; end$$;";

enum { ITEMS = 100 };

struct items {
	const char *name[ITEMS];
	int64_t price[ITEMS];
	int64_t fail_times; /* of the first statement */
	const char *fail_state;
	bool lost;
	unsigned builds;

	/* what happened */
	enum db_outcome outcome[ITEMS];
	char sqlstate[ITEMS][6];
	unsigned settled[ITEMS];
	size_t next; /* items settle in order */
	bool in_order, finished;
};

static void
build(void *arg, struct db_unit *unit, size_t from, size_t to)
{
	struct items *items = arg;

	items->builds++;
	if (items->fail_times > 0) {
		db_unit_add(unit, DEADLOCK);
		db_add_int8(unit, items->fail_times);
		db_add_text(unit, items->fail_state);
	}
	db_unit_add(unit, INSERT);
	struct db_array *ids = db_add_array(unit, DB_INT8);
	struct db_array *names = db_add_array(unit, DB_TEXT);
	struct db_array *prices = db_add_array(unit, DB_INT8);
	for (size_t i = from; i < to; i++) {
		db_array_int8(ids, (int64_t)i);
		db_array_text(names, items->name[i]);
		db_array_int8(prices, items->price[i]);
	}
	if (items->lost)
		db_unit_add(unit, RAISE);
}

static void
settled(void *arg, size_t from, size_t to, const struct db_reply *reply)
{
	struct items *items = arg;

	items->in_order = items->in_order && from == items->next && from < to;
	items->next = to;
	for (size_t i = from; i < to; i++) {
		items->settled[i]++;
		items->outcome[i] = reply->outcome;
		snprintf(items->sqlstate[i], sizeof(items->sqlstate[i]), "%s", reply->sqlstate);
	}
}

static void
finished(void *arg)
{
	struct items *items = arg;

	items->finished = true;
}

static const struct db_batch_rules patient = { .build = build,
	.settled = settled,
	.finished = finished,
	.repeatable = true,
	.patience_ms = 10000 };
static const struct db_batch_rules impatient = {
	.build = build, .settled = settled, .finished = finished
};

static struct items
good_items(void)
{
	struct items items = { .in_order = true };

	for (size_t i = 0; i < ITEMS; i++) {
		items.name[i] = "Çöp toplanmadı";
		items.price[i] = (int64_t)i;
	}
	return items;
}

static struct db *
open_db(const struct db_settings *wanted)
{
	struct db_settings settings = *wanted;

	settings.conninfo = fixture_conninfo(server_database(), setup);
	return fixture_open(&settings, statements, ARRAY_LEN(statements), NULL);
}

static int64_t
run(struct db *db, size_t statement)
{
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, statement);
	CHECK(db_submit(db, unit, fixture_done, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	return fate.value;
}

static int64_t
stored(struct db *db)
{
	return run(db, COUNT);
}

static void
clear(struct db *db)
{
	(void)run(db, CLEAR);
}

static void
check_settled_once(const struct items *items)
{
	for (size_t i = 0; i < ITEMS; i++)
		CHECK_U64("settled once", items->settled[i], 1);
	CHECK(items->in_order);
}

TEST(a_good_batch_is_one_unit)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items items = good_items();

	CHECK(db_batch_start(db, &impatient, &items, ITEMS));
	FIXTURE_WITHIN(5000, items.finished);
	check_settled_once(&items);
	CHECK_U64("", items.builds, 1);
	CHECK_I64("", stored(db), ITEMS);
	db_close(db);
}

/* Each kind of badness, alone, together, at the ends and everywhere. */
TEST(exactly_the_bad_rows_are_found)
{
	static const struct {
		const char *name;
		struct {
			size_t at;
			char kind; /* p: poison text, c: check, n: null */
		} bad[4];
		size_t bad_count;
	} cases[] = {
		{ "first", { { 0, 'c' } }, 1 },
		{ "last", { { ITEMS - 1, 'p' } }, 1 },
		{ "two neighbours", { { 49, 'n' }, { 50, 'c' } }, 2 },
		{ "one of each and one more", { { 3, 'p' }, { 31, 'c' }, { 64, 'n' }, { 99, 'p' } },
		    4 },
	};
	struct db *db = open_db(&(struct db_settings){ 0 });

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		struct items items = good_items();
		const char *want[ITEMS] = { 0 };
		for (size_t b = 0; b < cases[c].bad_count; b++) {
			size_t at = cases[c].bad[b].at;
			char kind = cases[c].bad[b].kind;
			if (kind == 'p')
				items.name[at] = "\xc5";
			else if (kind == 'n')
				items.name[at] = NULL;
			else
				items.price[at] = -1;
			want[at] = kind == 'p' ? "22021" : kind == 'n' ? "23502" : "23514";
		}
		CHECK_TRUE(cases[c].name, db_batch_start(db, &impatient, &items, ITEMS));
		FIXTURE_WITHIN(10000, items.finished);
		check_settled_once(&items);
		for (size_t i = 0; i < ITEMS; i++) {
			CHECK_STR(cases[c].name, items.sqlstate[i], want[i] ? want[i] : "");
			CHECK_U64(
			    cases[c].name, items.outcome[i], want[i] ? DB_FAILED : DB_COMMITTED);
		}
		CHECK_TRUE("not one by one", items.builds < 60);
		CHECK_I64("the others are there", stored(db), ITEMS - (int64_t)cases[c].bad_count);
		clear(db);
	}
	db_close(db);
}

TEST(every_row_bad_ends_too)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items items = good_items();

	for (size_t i = 0; i < ITEMS; i++)
		items.price[i] = -1;
	CHECK(db_batch_start(db, &impatient, &items, ITEMS));
	FIXTURE_WITHIN(10000, items.finished);
	check_settled_once(&items);
	for (size_t i = 0; i < ITEMS; i++)
		CHECK_STR("", items.sqlstate[i], "23514");
	CHECK_U64("halves", items.builds, 2 * ITEMS - 1);
	CHECK_I64("", stored(db), 0);
	db_close(db);
}

TEST(a_bad_moment_is_waited_out)
{
	static const char *const passing[] = { "40P01", "40001", "55P03", "53100", "57014" };

	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		struct db *db = open_db(&(struct db_settings){ 0 });
		struct items items = good_items();
		items.fail_times = 3;
		items.fail_state = passing[i];
		CHECK(db_batch_start(db, &patient, &items, ITEMS));
		FIXTURE_WITHIN(10000, items.finished);
		check_settled_once(&items);
		CHECK_U64(passing[i], items.outcome[0], DB_COMMITTED);
		CHECK_U64("the same range each time", items.builds, 4);
		CHECK_I64(passing[i], stored(db), ITEMS);
		db_close(db);
	}
}

TEST(impatience_reports_a_bad_moment)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items items = good_items();

	items.fail_times = 1;
	items.fail_state = "40001";
	CHECK(db_batch_start(db, &impatient, &items, ITEMS));
	FIXTURE_WITHIN(5000, items.finished);
	CHECK_U64("", items.builds, 1);
	CHECK_STR("", items.sqlstate[ITEMS - 1], "40001");
	db_close(db);
}

/* A compare-and-set that was lost is nobody's data: no halves, no repetition. */
TEST(other_faults_are_reported_whole)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items items = good_items();

	items.lost = true;
	CHECK(db_batch_start(db, &patient, &items, ITEMS));
	FIXTURE_WITHIN(5000, items.finished);
	check_settled_once(&items);
	CHECK_U64("", items.builds, 1);
	CHECK_STR("", items.sqlstate[7], "TU001");
	CHECK_I64("", stored(db), 0);
	db_close(db);
}

TEST(closing_settles_what_is_left)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items resting = good_items(), fresh = good_items();

	resting.fail_times = 1000000;
	resting.fail_state = "40001";
	CHECK(db_batch_start(db, &patient, &resting, ITEMS));
	FIXTURE_WITHIN(5000, resting.builds >= 2);
	CHECK(db_batch_start(db, &patient, &fresh, ITEMS));
	CHECK(db_busy(db));
	db_close(db);
	CHECK(resting.finished);
	CHECK(fresh.finished);
	check_settled_once(&resting);
	check_settled_once(&fresh);
	CHECK_TRUE("never called a success",
	    resting.outcome[0] != DB_COMMITTED && fresh.outcome[0] != DB_COMMITTED);
}

TEST(a_draining_db_takes_no_new_batch_but_ends_the_old)
{
	struct db *db = open_db(&(struct db_settings){ 0 });
	struct items items = good_items(), late = good_items();

	items.fail_times = 2;
	items.fail_state = "40001";
	CHECK(db_batch_start(db, &patient, &items, ITEMS));
	db_drain(db);
	CHECK_FALSE("", db_batch_start(db, &patient, &late, ITEMS));
	FIXTURE_WITHIN(10000, !db_busy(db));
	CHECK(items.finished);
	CHECK_U64("", items.outcome[0], DB_COMMITTED);
	CHECK_U64("", late.builds, 0);
	db_close(db);
}

static const struct {
	const char *sqlstate;
	enum db_fault fault;
} faults[] = {
	{ "22P02", DB_FAULT_DATA },
	{ "23505", DB_FAULT_DATA },
	{ "21000", DB_FAULT_DATA },
	{ "54000", DB_FAULT_DATA },
	{ "40001", DB_FAULT_PASSING },
	{ "40P01", DB_FAULT_PASSING },
	{ "55P03", DB_FAULT_PASSING },
	{ "57P01", DB_FAULT_PASSING },
	{ "08006", DB_FAULT_PASSING },
	{ "53300", DB_FAULT_PASSING },
	{ "25006", DB_FAULT_PASSING },
	{ "26000", DB_FAULT_PASSING },
	{ "25P02", DB_FAULT_OTHER },
	{ "42501", DB_FAULT_OTHER },
	{ "42P01", DB_FAULT_OTHER },
	{ "P0001", DB_FAULT_OTHER },
	{ "TU001", DB_FAULT_OTHER },
	{ "", DB_FAULT_OTHER },
};

TEST(states_say_who_is_to_blame)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		CHECK_U64(faults[i].sqlstate, db_fault_of(faults[i].sqlstate), faults[i].fault);
}
