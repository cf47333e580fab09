/* Decides what a report makes of a message, and writes it down. */
#include "receipts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "channel.h"
#include "clock.h"
#include "notifier_stats.h"
#include "store.h"

enum { ASKS_MAX = 12, DOUBT_ASKS_MAX = 6 };
static const int64_t longest_us = INT64_C(6) * 3600 * 1000000;

void
known_read(const struct pg_result *rows, int row, int shift, struct known *k)
{
	memset(k, 0, sizeof(*k));
	k->id = db_get_uuid(rows, row, shift + KNOWN_ID);
	k->row.ticket_id = db_get_int(rows, row, shift + KNOWN_TICKET);
	k->row.about_seq = outcome_record_about(db_get_int(rows, row, shift + KNOWN_ABOUT_SEQ));
	snprintf(k->row.about_type, sizeof(k->row.about_type), "%s",
	    db_get_text(rows, row, shift + KNOWN_ABOUT_TYPE));
	snprintf(k->row.language, sizeof(k->row.language), "%s",
	    db_get_text(rows, row, shift + KNOWN_LANGUAGE));
	outcome_record_follow(&k->row, rows, row, shift + KNOWN_EVENT);
	k->row.channel = "sms"; /* no other is asked about */
	k->attempt = (uint32_t)db_get_int(rows, row, shift + KNOWN_ATTEMPTS);
	k->state = (enum message_state)db_get_int(rows, row, shift + KNOWN_STATE);
	k->asks = (uint32_t)db_get_int(rows, row, shift + KNOWN_ASKS);
}

enum message_state
receipt_state(enum message_state now, enum gateway_status status)
{
	bool doubt = now == MESSAGE_UNKNOWN;

	if (now != MESSAGE_SENT && !doubt)
		return 0;
	switch (status) {
	case GATEWAY_DELIVERED:
		return MESSAGE_DELIVERED;
	case GATEWAY_UNDELIVERED:
		return MESSAGE_DEAD;
	case GATEWAY_WAITING:
	case GATEWAY_DUPLICATE: /* of our own earlier attempt, which it has */
		return doubt ? MESSAGE_SENT : 0;
	case GATEWAY_NOT_TAKEN:
		return doubt ? MESSAGE_QUEUED : 0;
	case GATEWAY_SAYS_NOTHING:
	case GATEWAY_STATUSES:
	default:
		return 0;
	}
}

int64_t
receipt_ask_us(const struct receipts_world *world, const struct known *known, int64_t now_us)
{
	uint32_t most = known->state == MESSAGE_UNKNOWN ? DOUBT_ASKS_MAX : ASKS_MAX;
	int64_t wait_us = world->again_us;

	if (known->asks + 1 >= most)
		return 0;
	for (uint32_t i = 0; i < known->asks && wait_us < longest_us; i++)
		wait_us *= 2;
	return now_us + (wait_us < longest_us ? wait_us : longest_us);
}

static const char *
record_type(enum message_state state)
{
	switch (state) {
	case MESSAGE_SENT:
		return "notification.sent";
	case MESSAGE_DELIVERED:
		return "notification.delivered";
	case MESSAGE_DEAD:
		return "notification.failed";
	case MESSAGE_QUEUED:
	case MESSAGE_SENDING:
	case MESSAGE_UNKNOWN:
	case MESSAGE_DISCARDED:
	case MESSAGE_STATES:
	default:
		return NULL;
	}
}

/* A message that goes on being sent, or has ended, is asked about no more. */
static int64_t
next_question(const struct receipts_world *world, const struct known *k, enum message_state next,
    int64_t now_us)
{
	struct known after = *k;

	if (next == MESSAGE_SENT)
		after.asks = 0;
	else if (next != 0)
		return 0;
	after.state = next != 0 ? next : k->state;
	return receipt_ask_us(world, &after, now_us);
}

void
receipts_apply(const struct receipts_world *world, struct db_unit *unit,
    const struct receipt *receipts, size_t count)
{
	int64_t now_us = clock_now_us();

	db_unit_add(unit, STORE_RECEIPTS);
	struct db_array *ids = db_add_array(unit, DB_UUID);
	struct db_array *attempts = db_add_array(unit, DB_INT4);
	struct db_array *states = db_add_array(unit, DB_INT2);
	struct db_array *errors = db_add_array(unit, DB_TEXT);
	struct db_array *references = db_add_array(unit, DB_TEXT);
	struct db_array *types = db_add_array(unit, DB_TEXT);
	struct db_array *tickets = db_add_array(unit, DB_INT8);
	struct db_array *events = db_add_array(unit, DB_BYTEA);
	struct db_array *ask_us = db_add_array(unit, DB_INT8);
	db_add_int8(unit, now_us);
	for (size_t i = 0; i < count; i++) {
		const struct known *k = receipts[i].known;
		const struct gateway_report *r = receipts[i].report;
		enum message_state next = receipt_state(k->state, r->status);
		uint8_t packed[OUTCOME_RECORD_MAX];
		struct job words = { 0 };
		assert(next == 0 || message_may_follow(k->state, next));
		job_say(
		    &words, "the gateway says %s %.40s", gateway_status_name(r->status), r->code);
		db_array_uuid(ids, &k->id);
		db_array_int4(attempts, (int32_t)k->attempt);
		db_array_int2(states, (int16_t)next);
		db_array_text(
		    errors, next == MESSAGE_DELIVERED || next == MESSAGE_SENT ? "" : words.detail);
		db_array_text(references, r->reference);
		db_array_text(types, record_type(next));
		db_array_int8(tickets, k->row.ticket_id);
		if (record_type(next) != NULL) {
			size_t size = outcome_record_say(&k->row, &k->id, k->attempt,
			    record_type(next), next == MESSAGE_DEAD ? "undelivered" : "",
			    world->ids, now_us, packed);
			db_array_bytea(events, packed, size);
		} else {
			db_array_null(events);
		}
		int64_t again_us = next_question(world, k, next, now_us);
		if (again_us != 0)
			db_array_int8(ask_us, again_us);
		else
			db_array_null(ask_us);
	}
}

void
receipts_count(const struct receipts_world *world, const struct receipt *receipts, size_t count,
    const struct db_reply *reply)
{
	if (reply->outcome != DB_COMMITTED)
		return;
	for (size_t i = 0; i < count; i++)
		stats_add_at(world->stats, NOTIFIER_STAT_RECEIPTS, receipts[i].report->status, 1);
}
