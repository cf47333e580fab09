/* Transactions in a pipeline: they commit together, fail alone, and wait within bounds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "db_fixture.h"
#include "servers.h"
#include "stats.h"

enum { INSERT, COUNT, DIVIDE, DEFERRED, WARN, SLEEP, ECHO, SINGLES, SESSION };

static const struct db_statement statements[] = {
	[INSERT] = { "insert", "insert into item (id) values ($1)", 1 },
	[COUNT] = { "count", "select count(*) from item", 0 },
	[DIVIDE] = { "divide", "select 1 / $1::bigint", 1 },
	[DEFERRED] = { "deferred", "insert into child (parent) values ($1)", 1 },
	[WARN] = { "warn", "insert into warned (id) values ($1)", 1 },
	[SLEEP] = { "sleep", "select 1 from pg_sleep($1::bigint / 1000.0)", 1 },
	[ECHO] = { "echo",
	    "select $1::boolean[], $2::smallint[], $3::integer[], $4::bigint[],"
	    " $5::double precision[], $6::uuid[], $7::text[], $8::bytea[]",
	    8 },
	[SINGLES] = { "singles",
	    "select $1::boolean, $2::smallint, $3::integer, $4::bigint, $5::double precision,"
	    " $6::uuid, $7::text, $8::bytea, $9::text, $7::varchar(200), 'b'::mood",
	    9 },
	[SESSION] = { "session",
	    "select (current_setting('synchronous_commit') = 'on'"
	    " and current_setting('client_encoding') = 'UTF8'"
	    " and current_setting('application_name') = 'a test')::integer",
	    0 },
};

static const char setup[] = "create table item (id bigint primary key);"
			    " create table child (parent bigint not null references item"
			    "  deferrable initially deferred);"
			    " create table warned (id bigint);"
			    " create type mood as enum ('a', 'b');"
			    " create function complain() returns trigger language plpgsql as"
			    "  $$begin raise warning 'committed locally only'; return null; end$$;"
			    " create constraint trigger complain after insert on warned"
			    "  deferrable initially deferred for each row"
			    "  execute function complain();";

static struct db *
open_db(const struct db_settings *wanted, const struct db_events *events)
{
	struct db_settings settings = *wanted;

	settings.conninfo = fixture_conninfo(server_database(), setup);
	settings.application_name = "a test";
	return fixture_open(&settings, statements, ARRAY_LEN(statements), events);
}

static int64_t
stored(struct db *db)
{
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, COUNT);
	if (!CHECK(db_submit(db, unit, fixture_done, &fate)) || !FIXTURE_WITHIN(5000, fate.over))
		return -1;
	return fate.value;
}

TEST(statements_of_a_unit_commit_together)
{
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	for (int64_t id = 1; id <= 3; id++) {
		db_unit_add(unit, INSERT);
		db_add_int8(unit, id);
	}
	db_unit_add(unit, COUNT);
	CHECK_U64("", db_unit_statements(unit), 4);
	CHECK(db_submit(db, unit, fixture_done, &fate));
	CHECK_FALSE("never from within the call", fate.over);
	FIXTURE_WITHIN(5000, fate.over);
	CHECK_U64("", fate.outcome, DB_COMMITTED);
	CHECK_I64("last result", fate.value, 3);
	CHECK_I64("", stored(db), 3);
	db_close(db);
}

TEST(session_is_as_promised)
{
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, SESSION);
	CHECK(db_submit(db, unit, fixture_done, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	CHECK_I64("", fate.value, 1);
	db_close(db);
}

/* The failing statement takes its own unit with it, before and after it, and no other. */
TEST(failed_unit_leaves_the_others_alone)
{
	struct db *db = open_db(&(struct db_settings){ .in_flight = 4 }, NULL);
	struct fate fates[4] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		struct db_unit *unit = db_unit_create(db);
		db_unit_add(unit, INSERT);
		db_add_int8(unit, (int64_t)i * 10);
		db_unit_add(unit, DIVIDE);
		db_add_int8(unit, i == 1 ? 0 : 1);
		db_unit_add(unit, INSERT);
		db_add_int8(unit, (int64_t)i * 10 + 1);
		CHECK(db_submit(db, unit, fixture_done, &fates[i]));
	}
	FIXTURE_WITHIN(5000, fates[3].over);
	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		CHECK_U64("", fates[i].times, 1);
		CHECK_U64("", fates[i].outcome, i == 1 ? DB_FAILED : DB_COMMITTED);
		CHECK_U64("in order", fates[i].order, fates[0].order + i);
	}
	CHECK_STR("", fates[1].sqlstate, "22012");
	CHECK_U64("", fates[1].failed_at, 1);
	CHECK_STR("", fates[1].message, "division by zero");
	CHECK_I64("", stored(db), 6);
	CHECK_I64("counted", stats_get(db_stats(db), 0, DB_FAILED), 1);
	db_close(db);
}

/* A deferred constraint speaks when the Sync commits, after every statement has succeeded. */
TEST(error_at_commit_is_a_failure)
{
	struct db *db = open_db(&(struct db_settings){ .in_flight = 3 }, NULL);
	struct fate fates[3] = { 0 };

	CHECK(fixture_submit_int8(db, INSERT, 1, &fates[0]));
	struct db_unit *unit = db_unit_create(db);
	db_unit_add(unit, INSERT);
	db_add_int8(unit, 2);
	db_unit_add(unit, DEFERRED);
	db_add_int8(unit, 77);
	CHECK(db_submit(db, unit, fixture_done, &fates[1]));
	CHECK(fixture_submit_int8(db, DEFERRED, 1, &fates[2]));
	FIXTURE_WITHIN(5000, fates[2].over);

	CHECK_U64("", fates[0].outcome, DB_COMMITTED);
	CHECK_U64("", fates[1].outcome, DB_FAILED);
	CHECK_STR("", fates[1].sqlstate, "23503");
	CHECK_STR("", fates[1].constraint, "child_parent_fkey");
	CHECK_U64("at commit", fates[1].failed_at, 2);
	CHECK_U64("the next is not touched", fates[2].outcome, DB_COMMITTED);
	CHECK_I64("rolled back", stored(db), 1);
	CHECK_I64("same connection", stats_get(db_stats(db), 6, 0), 1);
	db_close(db);
}

TEST(warning_at_commit_is_unknown)
{
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);
	struct fate warned = { 0 }, next = { 0 };

	CHECK(fixture_submit_int8(db, WARN, 1, &warned));
	CHECK(fixture_submit_int8(db, INSERT, 1, &next));
	FIXTURE_WITHIN(5000, next.over);
	CHECK_U64("", warned.outcome, DB_UNKNOWN);
	CHECK_STR("", warned.message, "a warning at commit");
	CHECK_U64("", next.outcome, DB_COMMITTED);
	db_close(db);
}

/* --- parameters and results --- */

static void
compare_singles(void *arg, const struct db_reply *reply)
{
	const struct pg_result *r = reply->outcome == DB_COMMITTED ? reply->results[0] : NULL;
	size_t len;

	fixture_done(arg, reply);
	if (!CHECK(r != NULL))
		return;
	CHECK(db_get_bool(r, 0, 0));
	CHECK_I64("", db_get_int(r, 0, 1), INT16_MIN);
	CHECK_I64("", db_get_int(r, 0, 2), INT32_MIN);
	CHECK_I64("", db_get_int(r, 0, 3), INT64_MIN);
	CHECK(fabs(db_get_float8(r, 0, 4) - 36.88512) < 1e-12);
	CHECK_U64("", db_get_uuid(r, 0, 5).bytes[15], 0xfe);
	CHECK_STR("", db_get_text(r, 0, 6), "Şirinyalı Mahallesi'nde çöp, ağaç; İĞÜŞÖÇ ığüşöç 🍊");
	CHECK_MEM("", db_get_bytea(r, 0, 7, &len), 3, "a\0b", 3);
	CHECK_U64("", len, 3);
	CHECK(db_is_null(r, 0, 8));
	CHECK_STR("", db_get_text_or_null(r, 0, 8), NULL);
	CHECK_STR("", db_get_text_or_null(r, 0, 9), db_get_text(r, 0, 6));
	CHECK_STR("enum", db_get_text(r, 0, 10), "b");
}

TEST(single_values_come_back)
{
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);
	struct uuid uuid = { .bytes = { 1, [15] = 0xfe } };
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, SINGLES);
	db_add_bool(unit, true);
	db_add_int2(unit, INT16_MIN);
	db_add_int4(unit, INT32_MIN);
	db_add_int8(unit, INT64_MIN);
	db_add_float8(unit, 36.88512);
	db_add_uuid(unit, &uuid);
	db_add_text(unit, "Şirinyalı Mahallesi'nde çöp, ağaç; İĞÜŞÖÇ ığüşöç 🍊");
	db_add_bytea(unit, "a\0b", 3);
	db_add_null(unit);
	CHECK(db_submit(db, unit, compare_singles, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	db_close(db);
}

enum { ELEMENTS = 300 };

static void
fill_arrays(struct db_unit *unit, size_t count)
{
	struct db_array *arrays[DB_TYPES];
	char text[40];

	db_unit_add(unit, ECHO);
	for (size_t type = 0; type < DB_TYPES; type++)
		arrays[type] = db_add_array(unit, (enum db_type)type);
	for (size_t i = 0; i < count; i++) {
		const struct uuid uuid = { .bytes = { (uint8_t)i } };
		if (i % 7 == 3) {
			for (size_t type = 0; type < DB_TYPES; type++)
				db_array_null(arrays[type]);
			continue;
		}
		snprintf(text, sizeof(text), "%zu. ağaç", i);
		db_array_bool(arrays[DB_BOOL], i % 2 == 0);
		db_array_int2(arrays[DB_INT2], (int16_t) - (int)i);
		db_array_int4(arrays[DB_INT4], (int32_t)i * 1000000);
		db_array_int8(arrays[DB_INT8], (int64_t)i * -1000000000000);
		db_array_float8(arrays[DB_FLOAT8], (double)i / 4);
		db_array_uuid(arrays[DB_UUID], &uuid);
		db_array_text(arrays[DB_TEXT], i % 7 == 5 ? "" : text);
		db_array_bytea(arrays[DB_BYTEA], "\xff\0\xfe", 3);
	}
}

struct arrays_wanted {
	struct fate fate;
	size_t count;
};

static void
compare_element(const struct db_elements e[DB_TYPES], size_t i)
{
	char text[40];

	if (i % 7 == 3) {
		for (size_t type = 0; type < DB_TYPES; type++)
			CHECK_TRUE("null", e[type].data == NULL);
		return;
	}
	snprintf(text, sizeof(text), "%zu. ağaç", i);
	if (i % 7 == 5)
		text[0] = '\0';
	CHECK_U64("", e[DB_BOOL].data[0] != 0, i % 2 == 0);
	CHECK_I64("", db_element_int(&e[DB_INT2]), -(int64_t)i);
	CHECK_I64("", db_element_int(&e[DB_INT4]), (int64_t)i * 1000000);
	CHECK_I64("", db_element_int(&e[DB_INT8]), (int64_t)i * -1000000000000);
	CHECK_U64("", (uint8_t)e[DB_UUID].data[0], (uint8_t)i);
	CHECK_MEM("", e[DB_TEXT].data, e[DB_TEXT].len, text, strlen(text));
	CHECK_MEM("", e[DB_BYTEA].data, e[DB_BYTEA].len, "\xff\0\xfe", 3);
}

static void
compare_arrays(void *arg, const struct db_reply *reply)
{
	struct arrays_wanted *wanted = arg;
	struct db_elements e[DB_TYPES];
	size_t i = 0;

	fixture_done(&wanted->fate, reply);
	if (!CHECK(reply->outcome == DB_COMMITTED)) {
		printf("%s %s\n", reply->sqlstate, reply->message);
		return;
	}
	for (int type = 0; type < DB_TYPES; type++)
		e[type] = db_get_array(reply->results[0], 0, type);
	while (db_next_element(&e[0])) {
		for (size_t type = 1; type < DB_TYPES; type++)
			CHECK(db_next_element(&e[type]));
		compare_element(e, i++);
	}
	CHECK_U64("elements", i, wanted->count);
}

TEST(arrays_come_back)
{
	static const struct {
		const char *name;
		size_t count;
	} cases[] = { { "empty", 0 }, { "one", 1 }, { "with nulls, grown", ELEMENTS } };
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arrays_wanted wanted = { .count = cases[i].count };
		struct db_unit *unit = db_unit_create(db);
		fill_arrays(unit, cases[i].count);
		CHECK_TRUE(cases[i].name, db_submit(db, unit, compare_arrays, &wanted));
		FIXTURE_WITHIN(5000, wanted.fate.over);
	}
	db_close(db);
}

/* --- what cannot be sent --- */

static void
add_poison(struct db_unit *unit, const char *text, size_t len, bool in_array)
{
	db_unit_add(unit, ECHO);
	for (size_t type = 0; type < DB_TYPES; type++) {
		struct db_array *array = db_add_array(unit, (enum db_type)type);
		if (type == DB_TEXT && in_array)
			db_array_text_len(array, text, len);
	}
	db_unit_add(unit, SINGLES);
	for (int i = 1; i <= 9; i++) {
		if (i == 7 && !in_array)
			db_add_text_len(unit, text, len);
		else
			db_add_null(unit);
	}
}

TEST(poison_is_refused_before_it_is_sent)
{
	static const struct {
		const char *name, *text;
		size_t len;
		bool in_array;
		const char *message;
	} cases[] = {
		{ "NUL", "a\0b", 3, false,
		    "statement singles, parameter 7: text is not UTF-8 or holds a NUL" },
		{ "broken UTF-8 in an array", "\xc3(", 2, true,
		    "statement echo, parameter 7: text is not UTF-8 or holds a NUL" },
		{ "surrogate", "\xed\xa0\x80", 3, false,
		    "statement singles, parameter 7: text is not UTF-8 or holds a NUL" },
		{ "overlong", "\xc0\x80", 2, true,
		    "statement echo, parameter 7: text is not UTF-8 or holds a NUL" },
	};
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fate fate = { 0 };
		struct db_unit *unit = db_unit_create(db);
		db_unit_add(unit, INSERT);
		db_add_int8(unit, 1);
		add_poison(unit, cases[i].text, cases[i].len, cases[i].in_array);
		CHECK_TRUE(cases[i].name, db_submit(db, unit, fixture_done, &fate));
		CHECK_FALSE("not from within the call", fate.over);
		FIXTURE_WITHIN(5000, fate.over);
		CHECK_U64(cases[i].name, fate.outcome, DB_FAILED);
		CHECK_STR(cases[i].name, fate.sqlstate, "22021");
		CHECK_STR(cases[i].name, fate.message, cases[i].message);
		CHECK_U64(cases[i].name, db_fault_of(fate.sqlstate), DB_FAULT_DATA);
	}
	CHECK_I64("nothing was sent", stored(db), 0);
	db_close(db);
}

TEST(too_large_a_unit_fails)
{
	static const char block[1000];
	struct db *db = open_db(&(struct db_settings){ .unit_bytes = 10000 }, NULL);
	struct fate fate = { 0 };
	struct db_unit *unit = db_unit_create(db);

	db_unit_add(unit, ECHO);
	for (size_t type = 0; type < DB_TYPES; type++) {
		struct db_array *array = db_add_array(unit, (enum db_type)type);
		for (size_t i = 0; type == DB_BYTEA && i < 1000; i++)
			db_array_bytea(array, block, sizeof(block));
	}
	CHECK(db_unit_bytes(unit) <= 10000);
	CHECK(db_submit(db, unit, fixture_done, &fate));
	FIXTURE_WITHIN(5000, fate.over);
	CHECK_STR("", fate.sqlstate, "54000");
	db_close(db);
}

TEST(a_large_unit_passes)
{
	static char text[1000001];
	struct db *db = open_db(&(struct db_settings){ 0 }, NULL);
	struct fate fates[2] = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	for (size_t n = 0; n < ARRAY_LEN(fates); n++) {
		struct db_unit *unit = db_unit_create(db);
		for (int i = 0; i < 7; i++)
			add_poison(unit, text, strlen(text), false);
		CHECK(db_submit(db, unit, fixture_done, &fates[n]));
	}
	FIXTURE_WITHIN(20000, fates[1].over);
	CHECK_U64("", fates[0].outcome, DB_COMMITTED);
	CHECK_U64("", fates[1].outcome, DB_COMMITTED);
	db_close(db);
}

/* --- bounds --- */

TEST(waiting_is_bounded_and_passes)
{
	struct db *db = open_db(
	    &(struct db_settings){ .in_flight = 1, .waiting_max = 3, .waiting_ms = 400 }, NULL);
	struct fate slow = { 0 }, waiting[3] = { 0 }, refused = { 0 };

	CHECK(db_has_room(db));
	CHECK(fixture_submit_int8(db, SLEEP, 1500, &slow));
	CHECK_FALSE("", db_has_room(db));
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
		CHECK(fixture_submit_int8(db, INSERT, (int64_t)i, &waiting[i]));
	CHECK_FALSE("the fourth", fixture_submit_int8(db, INSERT, 4, &refused));
	CHECK_FALSE("no memory", db_submit(db, NULL, fixture_done, &refused));
	CHECK_I64("", stats_get(db_stats(db), 2, 0), 1);
	CHECK_I64("", stats_get(db_stats(db), 3, 0), 3);

	FIXTURE_WITHIN(1200, waiting[2].over);
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
		CHECK_U64("", waiting[i].outcome, DB_NOT_SENT);
	CHECK_FALSE("", slow.over);
	FIXTURE_WITHIN(5000, slow.over);
	CHECK_I64("", stored(db), 0);
	CHECK_U64("", refused.times, 0);
	db_close(db);
}

TEST(units_go_to_the_least_loaded_connection)
{
	struct db *db = open_db(&(struct db_settings){ .connections = 2, .in_flight = 2 }, NULL);
	struct fate slow = { 0 }, quick[3] = { 0 };

	FIXTURE_WITHIN(5000, stats_get(db_stats(db), 5, 0) == 2);
	CHECK(fixture_submit_int8(db, SLEEP, 60000, &slow));
	for (size_t i = 0; i < ARRAY_LEN(quick); i++) {
		CHECK(fixture_submit_int8(db, INSERT, (int64_t)i, &quick[i]));
		FIXTURE_WITHIN(5000, quick[i].over);
	}
	CHECK_FALSE("still asleep", slow.over);
	db_close(db);
	CHECK_U64("told when closed", slow.outcome, DB_UNKNOWN);
	CHECK_U64("", slow.times, 1);
}

TEST(draining_ends_what_is_there_and_takes_no_more)
{
	struct db *db = open_db(&(struct db_settings){ .in_flight = 1 }, NULL);
	struct fate fates[2] = { 0 }, late = { 0 };

	CHECK(fixture_submit_int8(db, SLEEP, 50, &fates[0]));
	CHECK(fixture_submit_int8(db, INSERT, 1, &fates[1]));
	db_drain(db);
	CHECK(db_busy(db));
	CHECK_FALSE("", fixture_submit_int8(db, INSERT, 2, &late));
	FIXTURE_WITHIN(5000, !db_busy(db));
	CHECK_U64("", fates[0].outcome, DB_COMMITTED);
	CHECK_U64("", fates[1].outcome, DB_COMMITTED);
	db_close(db);
}

TEST(closing_tells_everybody)
{
	struct db *db = open_db(&(struct db_settings){ .in_flight = 1 }, NULL);
	struct fate sent = { 0 }, waiting = { 0 }, faulty = { 0 };

	CHECK(fixture_submit_int8(db, SLEEP, 10000, &sent));
	CHECK(fixture_submit_int8(db, INSERT, 1, &waiting));
	struct db_unit *unit = db_unit_create(db);
	add_poison(unit, "\xff", 1, true);
	CHECK(db_submit(db, unit, fixture_done, &faulty));
	db_close(db);
	CHECK_U64("", sent.outcome, DB_UNKNOWN);
	CHECK_U64("", waiting.outcome, DB_NOT_SENT);
	CHECK_U64("", faulty.outcome, DB_FAILED);
	CHECK_U64("", sent.times + waiting.times + faulty.times, 3);
}

/* --- natural batching --- */

struct sequence {
	struct db *db;
	struct fate first, second;
	bool second_sent_before_first_was_told;
};

static void
send_second(void *arg)
{
	struct sequence *s = arg;

	if (s->db == NULL || s->second.times > 0 || s->second_sent_before_first_was_told)
		return;
	s->second_sent_before_first_was_told = !s->first.over
					       && fixture_submit_int8(s->db, INSERT, 2, &s->second);
}

/* The line is never idle while the answers of the last batch are written. */
TEST(room_is_told_before_the_end_of_what_made_it)
{
	struct sequence s = { 0 };
	struct db *db = open_db(&(struct db_settings){ .in_flight = 1 },
	    &(struct db_events){ .on_room = send_second, .arg = &s });

	CHECK(fixture_submit_int8(db, INSERT, 1, &s.first));
	s.db = db;
	FIXTURE_WITHIN(5000, s.second.over);
	CHECK(s.second_sent_before_first_was_told);
	CHECK_U64("", s.second.outcome, DB_COMMITTED);
	db_close(db);
}

struct collector {
	struct db *db;
	size_t pending, stored, units, largest;
};

static void
count_stored(void *arg, const struct db_reply *reply)
{
	struct collector *c = arg;

	if (CHECK(reply->outcome == DB_COMMITTED))
		c->stored += reply->result_count;
}

static void
send_collected(void *arg)
{
	static int64_t id;
	struct collector *c = arg;

	while (c->db != NULL && c->pending > 0 && db_has_room(c->db)) {
		struct db_unit *unit = db_unit_create(c->db);
		size_t count = c->pending < 500 ? c->pending : 500;
		for (size_t i = 0; i < count; i++) {
			db_unit_add(unit, INSERT);
			db_add_int8(unit, id++);
		}
		CHECK(db_submit(c->db, unit, count_stored, c));
		c->pending -= count;
		c->units++;
		c->largest = count > c->largest ? count : c->largest;
	}
}

/* Items that come one by one leave alone while the line is free and together while it is not. */
TEST(batches_form_by_themselves)
{
	struct collector c = { 0 };
	struct db *db = open_db(&(struct db_settings){ 0 },
	    &(struct db_events){ .on_room = send_collected, .arg = &c });
	enum { ITEMS = 3000 };

	c.db = db;
	for (size_t i = 0; i < ITEMS; i++) {
		c.pending++;
		if (db_has_room(db))
			send_collected(&c);
		if (i % 10 == 0)
			fixture_turn();
	}
	FIXTURE_WITHIN(20000, c.stored == ITEMS);
	CHECK_I64("", stored(db), ITEMS);
	CHECK_TRUE("batched", c.units < ITEMS / 4);
	CHECK_TRUE("more than a few in one", c.largest > 10);
	db_close(db);
}
