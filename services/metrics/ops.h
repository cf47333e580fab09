/*
 * ops - what the projection is told: one short text a change (live.lua says which there are).
 *
 * A record of the log becomes one op, or none when no figure depends on it.
 */
#ifndef METRICS_OPS_H
#define METRICS_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <turunc/v1/bus.pb-c.h>

#include "base.h"

/* A list of texts in one buffer.  Zeroed is empty and ready. */
struct ops {
	char *text;
	size_t len, size;
	size_t *at; /* where each begins */
	size_t count, room;
	bool failed; /* out of memory once: what it holds is not everything */
};

void ops_finish(struct ops *ops);
void ops_clear(struct ops *ops);
const char *ops_at(const struct ops *ops, size_t i);

PRINTF(2, 3) void ops_add(struct ops *ops, const char *format, ...);

/* False: its body does not fit its type, or names no ticket; it counts for nothing. */
MUST_CHECK bool ops_add_record(struct ops *ops, const Turunc__V1__Record *record);

/* A call's step, on the Istanbul day and at the moment it happened (committed_us when it does not
 * say), in the minute of its commit.  False: a
 * type that no figure needs, or a call without an id. */
MUST_CHECK bool ops_add_call(
    struct ops *ops, const char *type, const Turunc__V1__CallStep *call, int64_t committed_us);

/* What a record of that type means for its department's last hour: "in", "out" or "-". */
const char *ops_flow(const char *type);

/* Where a ticket comes from and what it is about, as it stands in an op: "neighbourhood/subject",
 * or
 * "-" when one of them is not known or would not fit there. */
enum { OPS_PLACE_SIZE = 92 };
void ops_place(const char *neighbourhood, const char *subject, char out[OPS_PLACE_SIZE]);

/* A department as it stands in an op: "-" for none, or for a code that would not fit there. */
const char *ops_department(const char *code);

#endif
