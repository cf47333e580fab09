/* outcome_record - the records notification.sent and notification.failed, as arrays for log_append.
 */
#ifndef NOTIFIER_OUTCOME_RECORD_H
#define NOTIFIER_OUTCOME_RECORD_H

#include <stdint.h>

#include "channel.h"
#include "db.h"
#include "uuid.h"

/* What the record says of the message beside the outcome. */
struct outcome_record {
	int64_t ticket_id;
	uint64_t about_seq;
	char about_type[32];
	char language[8];
	const char *channel; /* a literal */
};

struct outcome_columns {
	struct db_array *types, *tickets, *departments, *previous, *actors, *events;
};

/* The arrays of STORE_APPEND after its first parameter. */
void outcome_columns_begin(struct outcome_columns *columns, struct db_unit *unit);
void outcome_columns_add(struct outcome_columns *columns, const struct outcome_record *row,
    const struct job *job, struct uuid_source *ids, int64_t now_us);

#endif
