/*
 * records - what an administrator's act leaves in the log.
 *
 * Filled, then appended as the last statement of the transaction that is open.  Memory is the one
 * thing that can fail while filling, and it is remembered until then.
 */
#ifndef MASA_RECORDS_H
#define MASA_RECORDS_H

#include "masa.h"
#include "turunc/v1/event.pb-c.h"
#include "uuid.h"

struct records {
	struct masa *m;
	struct uuid_source ids;
	int64_t now_us;
	size_t count;
	bool failed;
	json_t *types, *tickets, *departments, *events; /* the elements of PostgreSQL's arrays */
};

void records_init(struct records *r, struct masa *m);
void records_finish(struct records *r);

/* The event's body is set by the caller; the rest is filled in here.  ticket_id 0, department NULL:
 * none. */
void records_add(struct records *r, const char *type, int64_t ticket_id, const char *department,
    Turunc__V1__Event *event);

/* Nothing to append is no failure. */
MUST_CHECK enum exit_code records_append(struct records *r);

#endif
