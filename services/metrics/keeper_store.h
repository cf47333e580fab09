/*
 * keeper_store - what the keeper's statements are given, and what their answers say.
 *
 * The statements are store.h's; what they do to the figures is in schema 0041 and 0049.
 */
#ifndef METRICS_KEEPER_STORE_H
#define METRICS_KEEPER_STORE_H

#include "base.h"
#include "month_fold.h"

struct db_unit;
struct pg_result;

/* Records were counted, from_seq (exclusive) on to where the fold stands. */
void keeper_store_batch(struct db_unit *unit, const struct uuid *log_id, uint64_t from_seq,
    const struct month_fold *fold);
/* A day has turned, from that state. */
void keeper_store_turn(
    struct db_unit *unit, const struct month_state *from, const struct month_turned *turned);

/* The rows of STORE_MONTH_TOUCHED, freed by the caller; NULL: no memory. */
struct month_touched *keeper_store_touched(const struct pg_result *rows);
/* Those of STORE_MONTH_FACTS become facts.  False: no memory. */
MUST_CHECK bool keeper_store_facts(const struct pg_result *rows, struct month_facts *facts);

#endif
