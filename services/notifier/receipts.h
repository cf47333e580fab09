/*
 * receipts - what has become of messages that were handed over, into the record: once each.
 *
 * Gateways call back and are asked; both end here.  One statement moves the messages, and appends
 * the records of those it has moved: a receipt that comes twice, late, or for a message that has
 * moved on changes nothing.
 */
#ifndef NOTIFIER_RECEIPTS_H
#define NOTIFIER_RECEIPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "db.h"
#include "gateway.h"
#include "message_state.h"
#include "outcome_record.h"
#include "stats.h"
#include "uuid.h"

/* A message as the record has it. */
struct known {
	struct uuid id;
	struct outcome_record row;
	uint32_t attempt, asks;
	enum message_state state;
};
/* From a row of STORE_ASK, or with shift 1 of STORE_KNOWN. */
void known_read(const struct pg_result *rows, int row, int shift, struct known *ret_known);

/* Lent. */
struct receipts_world {
	struct db *db;
	struct stats *stats;
	struct uuid_source *ids;
	int64_t again_us; /* between the first two questions; doubled from then on */
};

/* Where a message goes on this report; 0: nowhere. */
enum message_state receipt_state(enum message_state now, enum gateway_status status);
/* When it is asked about again after so many questions; 0: never. */
int64_t receipt_ask_us(
    const struct receipts_world *world, const struct known *known, int64_t now_us);

/* The transaction that applies one report to each of these messages.  asked: the next question is
 * planned by it; else what is planned stays. */
struct receipt {
	const struct known *known;
	const struct gateway_report *report;
};
void receipts_apply(const struct receipts_world *world, struct db_unit *unit,
    const struct receipt *receipts, size_t count);
/* Counts what was applied, when the transaction was committed. */
void receipts_count(const struct receipts_world *world, const struct receipt *receipts,
    size_t count, const struct db_reply *reply);

#endif
