/* outcome_record - the records notification.sent and notification.failed, packed for the log. */
#ifndef NOTIFIER_OUTCOME_RECORD_H
#define NOTIFIER_OUTCOME_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "trace.h"
#include "uuid.h"

/* What the record says of the message beside the outcome. */
struct outcome_record {
	int64_t ticket_id;
	uint64_t about_seq; /* outcome_record_about() of the row's */
	char about_type[32];
	char language[8];
	const char *channel; /* a literal */
	const char *reason; /* a literal; NULL: that of the outcome */
	char trace[TRACE_SIZE]; /* of the record it tells of; "": its own begins */
};

struct pg_result;

enum { OUTCOME_RECORD_MAX = 512 };

/* 0: about no record (below 0 in the row). */
uint64_t outcome_record_about(int64_t about_seq);

/* Takes the trace over from the record that a column holds, NULL where there is none. */
void outcome_record_follow(
    struct outcome_record *row, const struct pg_result *rows, int at, int column);

const char *outcome_record_type(enum outcome outcome);
/* The packed event's size; every field is bounded, so it always fits. */
size_t outcome_record_pack(const struct outcome_record *row, const struct job *job,
    struct uuid_source *ids, int64_t now_us, uint8_t ret_packed[OUTCOME_RECORD_MAX]);
/* The same in other words: what is a type of record, why of at most 15 characters. */
size_t outcome_record_say(const struct outcome_record *row, const struct uuid *id_of,
    uint32_t attempt, const char *what, const char *why, struct uuid_source *ids, int64_t now_us,
    uint8_t ret_packed[OUTCOME_RECORD_MAX]);

#endif
