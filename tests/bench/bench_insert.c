/* The floor to compare with: the same rows by batched inserts, nothing else, on one connection. */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base.h"
#include "clock.h"
#include "db.h"
#include "uuid.h"

enum { ITEMS = 256 };

static const struct db_statement statements[] = {
	{ "identity",
	    "INSERT INTO naive.inbound_item (client, source, id, digest, item_id, ticket_id, "
	    "received_us)"
	    " SELECT 'bench', 'bench', u.id, u.digest, u.item, u.ticket, 1764000000000000"
	    " FROM unnest($1::text[], $2::bytea[], $3::uuid[], $4::bigint[]) AS u(id, digest, "
	    "item, ticket)"
	    " ORDER BY u.id ON CONFLICT DO NOTHING",
	    4 },
	{ "citizen",
	    "INSERT INTO naive.citizen (citizen_id, contact_key, created_us)"
	    " SELECT u.id, u.key, 1764000000000000 FROM unnest($1::uuid[], $2::text[]) AS u(id, "
	    "key)"
	    " ORDER BY u.key ON CONFLICT (contact_key) DO NOTHING",
	    2 },
	{ "contact",
	    "INSERT INTO naive.contact (contact_id, ticket_id, citizen_id, kind, channel, "
	    "arrived_us,"
	    " recorded_us, language, name, phone, description, address, salt)"
	    " SELECT u.item, u.ticket, p.citizen_id, 'report', 1, 1764000000000000, "
	    "1764000000000000, 'tr',"
	    " 'Deneme Kisi', u.phone, 'Sokakta birikmis copler var, alinmasini rica ederim.',"
	    " 'Tekelioglu Caddesi No 12', u.salt"
	    " FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bytea[])"
	    " AS u(item, ticket, key, phone, salt) LEFT JOIN naive.citizen p ON p.contact_key = "
	    "u.key",
	    5 },
	{ "ticket",
	    "INSERT INTO naive.ticket (ticket_id, contact_id, channel, subject_code, neighbourhood,"
	    " legal_basis, public, arrived_us, recorded_us, client)"
	    " SELECT u.ticket, u.item, 1, 'cadde-supurme', 'fener', 0, true, 1764000000000000,"
	    " 1764000000000000, 'bench' FROM unnest($1::bigint[], $2::uuid[]) AS u(ticket, item)",
	    2 },
	{ "record",
	    "INSERT INTO naive.event_log (seq, committed_at_us, type, ticket_id, actor, event)"
	    " SELECT nextval('naive.seq'), 1764000000000000, 'ticket.opened', u.ticket, "
	    "'client:bench', u.event"
	    " FROM unnest($1::bigint[], $2::bytea[]) AS u(ticket, event)",
	    2 },
};

struct run {
	struct event_base *loop;
	struct db *db;
	struct uuid_source ids;
	int64_t next_ticket;
	uint64_t wanted, sent, done;
	int64_t first_us;
	bool failed;
};

static void send_batch(struct run *run);

static void
on_done(void *arg, const struct db_reply *reply)
{
	struct run *run = arg;

	if (reply->outcome != DB_COMMITTED) {
		fprintf(stderr, "bench_insert: %s\n", reply->message);
		run->failed = true;
	}
	run->done += ITEMS;
	if (run->done >= run->wanted || run->failed)
		event_base_loopbreak(run->loop);
	else
		send_batch(run);
}

static void
send_batch(struct run *run)
{
	struct uuid items[ITEMS];
	char ids[ITEMS][UUID_TEXT_SIZE], keys[ITEMS][32];
	uint8_t event[190] = { 1 }, digest[32] = { 2 }, salt[16] = { 3 };
	struct db_unit *unit = db_unit_create(run->db);

	for (int i = 0; i < ITEMS; i++) {
		uuid_next(&run->ids, clock_now_us(), &items[i]);
		uuid_format(&items[i], ids[i]);
		snprintf(keys[i], sizeof(keys[i]), "tel:+90532%07d", rand() % 10000000);
	}
	db_unit_add(unit, 0);
	struct db_array *a[5];
	a[0] = db_add_array(unit, DB_TEXT);
	a[1] = db_add_array(unit, DB_BYTEA);
	a[2] = db_add_array(unit, DB_UUID);
	a[3] = db_add_array(unit, DB_INT8);
	for (int i = 0; i < ITEMS; i++) {
		db_array_text(a[0], ids[i]);
		db_array_bytea(a[1], digest, sizeof(digest));
		db_array_uuid(a[2], &items[i]);
		db_array_int8(a[3], run->next_ticket + i);
	}
	db_unit_add(unit, 1);
	a[0] = db_add_array(unit, DB_UUID);
	a[1] = db_add_array(unit, DB_TEXT);
	for (int i = 0; i < ITEMS; i++) {
		db_array_uuid(a[0], &items[i]);
		db_array_text(a[1], keys[i]);
	}
	db_unit_add(unit, 2);
	a[0] = db_add_array(unit, DB_UUID);
	a[1] = db_add_array(unit, DB_INT8);
	a[2] = db_add_array(unit, DB_TEXT);
	a[3] = db_add_array(unit, DB_TEXT);
	a[4] = db_add_array(unit, DB_BYTEA);
	for (int i = 0; i < ITEMS; i++) {
		db_array_uuid(a[0], &items[i]);
		db_array_int8(a[1], run->next_ticket + i);
		db_array_text(a[2], keys[i]);
		db_array_text(a[3], keys[i] + 4);
		db_array_bytea(a[4], salt, sizeof(salt));
	}
	db_unit_add(unit, 3);
	a[0] = db_add_array(unit, DB_INT8);
	a[1] = db_add_array(unit, DB_UUID);
	for (int i = 0; i < ITEMS; i++) {
		db_array_int8(a[0], run->next_ticket + i);
		db_array_uuid(a[1], &items[i]);
	}
	db_unit_add(unit, 4);
	a[0] = db_add_array(unit, DB_INT8);
	a[1] = db_add_array(unit, DB_BYTEA);
	for (int i = 0; i < ITEMS; i++) {
		db_array_int8(a[0], run->next_ticket + i);
		db_array_bytea(a[1], event, sizeof(event));
	}
	run->next_ticket += ITEMS;
	run->sent += ITEMS;
	if (!db_submit(run->db, unit, on_done, run)) {
		db_unit_destroy(unit);
		run->failed = true;
		event_base_loopbreak(run->loop);
	}
}

static void
on_state(void *arg, enum db_state state, const char *why)
{
	struct run *run = arg;

	(void)why;
	if (state == DB_READY && run->sent == 0) {
		run->first_us = clock_monotonic_us();
		send_batch(run);
	}
}

/* Usage: bench_insert CONNINFO ITEMS FIRST_TICKET */
int
main(int argc, char **argv)
{
	struct run run = { 0 };
	char complaint[256];

	if (argc != 4)
		return 2;
	run.wanted = strtoull(argv[2], NULL, 10);
	run.next_ticket = strtoll(argv[3], NULL, 10);
	run.loop = event_base_new();
	struct db_settings settings = {
		.conninfo = argv[1], .connections = 1, .in_flight = 1, .application_name = "bench"
	};
	struct db_events events = { .on_state = on_state, .arg = &run };
	run.db = db_open(run.loop, &settings, statements, ARRAY_LEN(statements), &events, complaint,
	    sizeof(complaint));
	if (run.db == NULL) {
		fprintf(stderr, "bench_insert: %s\n", complaint);
		return 1;
	}
	event_base_dispatch(run.loop);
	printf("RESULT events=%" PRIu64 " seconds=%.3f\n", run.done,
	    (double)(clock_monotonic_us() - run.first_us) / 1e6);
	db_close(run.db);
	event_base_free(run.loop);
	return run.failed ? 1 : 0;
}
