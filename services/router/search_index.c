/* Follows the log and writes down the words by which contacts are found. */
#include "search_index.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "base.h"
#include "clock.h"
#include "db_result.h"
#include "log.h"
#include "search_store.h"
#include "search_words.h"

/* What has come is written down at most so often: a commit for each report would make all who wait
 * for theirs wait longer, and nobody searches so soon for what was just said. */
enum { IDLE_MS = 1000, RECORDS_MAX = 1000, PAUSE_MS = 250 };

static const struct backoff retry = { .first_ms = 50, .cap_ms = 5000, .spread_percent = 50 };

enum stat { STAT_CONTACTS, STAT_FAILED, STAT_LAG, STATS };
static const struct stat_row rows[STATS] = {
	[STAT_CONTACTS] = { .name = "turunc_search_contacts_total",
	    .help = "Contacts whose words were written down" },
	[STAT_FAILED] = { .name = "turunc_search_failed_total",
	    .help = "Batches to be tried again" },
	[STAT_LAG] = { .name = "turunc_search_lag_records",
	    .help = "Records of the log whose contacts cannot be found yet",
	    .type = STAT_GAUGE },
};

enum place { PLACE_UNKNOWN, PLACE_ASKED, PLACE_KNOWN };

struct search_index {
	struct search_index_world world;
	struct stats *stats;
	enum place place;
	uint64_t done; /* up to this record */
	uint64_t head;
	uint64_t head_asked; /* the same when the position was asked for */
	uint64_t through; /* of the batch under way */
	uint64_t limit; /* records of the next batch */
	bool busy, stopped;
	uint32_t failures; /* in a row */
	uint64_t wait_until_ms;
	size_t contacts; /* of the batch under way */
};

struct search_index *
search_index_create(const struct search_index_world *world)
{
	struct search_index *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->world = *world;
	s->limit = RECORDS_MAX;
	s->stats = stats_create(rows, STATS);
	if (s->stats != NULL)
		return s;
	free(s);
	return NULL;
}

void
search_index_destroy(struct search_index *s)
{
	if (s == NULL)
		return;
	stats_destroy(s->stats);
	free(s);
}

void
search_index_grew(struct search_index *s, uint64_t seq)
{
	if (s != NULL)
		s->head = seq;
}

void
search_index_renew(struct search_index *s)
{
	if (s != NULL && s->place != PLACE_ASKED)
		s->place = PLACE_UNKNOWN;
}

void
search_index_stop(struct search_index *s)
{
	s->stopped = true;
}

bool
search_index_busy(const struct search_index *s)
{
	return s->busy;
}

const struct stats *
search_index_stats(const struct search_index *s)
{
	return s->stats;
}

void
search_index_refresh(void *arg)
{
	struct search_index *s = arg;

	stats_set(s->stats, STAT_LAG, s->head > s->done ? (int64_t)(s->head - s->done) : 0);
}

/* --- batches ---------------------------------------------------------------------------------- */

static void
again_later(struct search_index *s, const struct db_reply *reply)
{
	s->busy = false;
	s->place = PLACE_UNKNOWN;
	/* Smaller, so that one bad contact holds up its own record alone. */
	s->limit = s->limit > 1 ? s->limit / 2 : 1;
	s->wait_until_ms = clock_monotonic_ms()
			   + backoff_delay_ms(
			       &retry, ++s->failures, (uint32_t)clock_monotonic_us());
	stats_incr(s->stats, STAT_FAILED);
	if (reply != NULL)
		log_warn("the search does not get on, will try again after=%llu sqlstate=%s",
		    (unsigned long long)s->done, reply->sqlstate);
}

static void
on_put(void *arg, const struct db_reply *reply)
{
	struct search_index *s = arg;

	if (reply->outcome != DB_COMMITTED) {
		again_later(s, reply);
		return;
	}
	s->busy = false;
	s->failures = 0;
	if (s->through - s->done < s->limit)
		s->wait_until_ms = clock_monotonic_ms() + PAUSE_MS;
	s->done = s->through;
	s->limit = s->limit * 2 < RECORDS_MAX ? s->limit * 2 : RECORDS_MAX;
	stats_add(s->stats, STAT_CONTACTS, s->contacts);
	s->world.wake(s->world.arg);
}

static void
add_texts(struct db_array *texts, const struct pg_result *found)
{
	char words[SEARCH_TEXT_BYTES];

	for (int i = 0; i < db_rows(found); i++) {
		const struct search_contact contact = {
			.ticket_id = db_get_int(found, i, SOUGHT_TICKET),
			.department = db_get_text(found, i, SOUGHT_DEPARTMENT),
			.name = db_get_text_or_null(found, i, SOUGHT_NAME),
			.phone = db_get_text_or_null(found, i, SOUGHT_PHONE),
			.email = db_get_text_or_null(found, i, SOUGHT_EMAIL),
			.address = db_get_text_or_null(found, i, SOUGHT_ADDRESS),
			.description = db_get_text_or_null(found, i, SOUGHT_DESCRIPTION),
		};
		search_words(&contact, words);
		db_array_text(texts, words);
	}
}

static void
on_found(void *arg, const struct db_reply *reply)
{
	struct search_index *s = arg;

	if (reply->outcome != DB_COMMITTED) {
		again_later(s, reply);
		return;
	}
	const struct pg_result *found = reply->results[0];
	struct db_unit *unit = db_unit_create(s->world.db);
	s->contacts = (size_t)db_rows(found);
	db_unit_add(unit, SEARCH_PUT);
	db_add_int8(unit, (int64_t)s->done);
	db_add_int8(unit, (int64_t)s->through);
	struct db_array *contacts = db_add_array(unit, DB_UUID);
	for (int i = 0; i < db_rows(found); i++) {
		struct uuid id = db_get_uuid(found, i, SOUGHT_CONTACT);
		db_array_uuid(contacts, &id);
	}
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	for (int i = 0; i < db_rows(found); i++)
		db_array_int8(tickets, db_get_int(found, i, SOUGHT_TICKET));
	add_texts(db_add_array(unit, DB_TEXT), found);
	if (db_submit(s->world.db, unit, on_put, s))
		return;
	db_unit_destroy(unit);
	again_later(s, NULL);
}

static void
begin_batch(struct search_index *s)
{
	struct db_unit *unit = db_unit_create(s->world.db);

	s->through = s->head - s->done > s->limit ? s->done + s->limit : s->head;
	db_unit_add(unit, SEARCH_CONTACTS);
	db_add_int8(unit, (int64_t)s->done);
	db_add_int8(unit, (int64_t)s->through);
	s->busy = db_submit(s->world.db, unit, on_found, s);
	if (!s->busy) {
		db_unit_destroy(unit);
		again_later(s, NULL);
	}
}

static void
on_position(void *arg, const struct db_reply *reply)
{
	struct search_index *s = arg;

	if (reply->outcome != DB_COMMITTED || db_rows(reply->results[0]) == 0) {
		again_later(s, reply);
		return;
	}
	s->busy = false;
	s->done = (uint64_t)db_get_int(reply->results[0], 0, 0);
	uint64_t last = (uint64_t)db_get_int(reply->results[0], 0, 1);
	if (s->head == s->head_asked && s->head > last)
		s->head = last; /* of a record that is shorter than the one before */
	s->place = PLACE_KNOWN;
	s->world.wake(s->world.arg);
}

static void
ask_position(struct search_index *s)
{
	struct db_unit *unit = db_unit_create(s->world.db);

	db_unit_add(unit, SEARCH_POSITION);
	s->head_asked = s->head;
	s->busy = db_submit(s->world.db, unit, on_position, s);
	if (s->busy) {
		s->place = PLACE_ASKED;
	} else {
		db_unit_destroy(unit);
		again_later(s, NULL);
	}
}

int64_t
search_index_tick(struct search_index *s, uint64_t now_ms)
{
	if (s->busy || s->stopped || db_state_now(s->world.db) != DB_READY)
		return IDLE_MS;
	if (now_ms < s->wait_until_ms)
		return (int64_t)(s->wait_until_ms - now_ms);
	if (s->place != PLACE_KNOWN)
		ask_position(s);
	else if (s->head > s->done)
		begin_batch(s);
	return IDLE_MS;
}
