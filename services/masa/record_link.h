/*
 * record_link - asks the record one thing at a time and never waits longer than it was told.
 *
 * For commands that must stay of use while the record is slow, stopped or away; the others have
 * masa_query().  An answer that did not come in time costs the connection; the next question makes
 * a new one.
 */
#ifndef MASA_RECORD_LINK_H
#define MASA_RECORD_LINK_H

#include <libpq-fe.h>
#include <stdint.h>

#include "base.h"

struct record_link;

/* Connects with the first question.  conninfo is lent.  NULL: no memory.  Destroy takes NULL. */
struct record_link *record_link_create(const char *conninfo);
void record_link_destroy(struct record_link *l);

enum record_answer {
	RECORD_ANSWERED, /* *ret_result is the caller's */
	RECORD_AWAY, /* record_link_why() says why */
	RECORD_INTERRUPTED /* watch_fd became readable first; the question was given up */
};
/* watch_fd -1: nothing interrupts it. */
MUST_CHECK enum record_answer record_link_ask(
    struct record_link *l, const char *sql, uint64_t limit_ms, int watch_fd, PGresult **ret_result);
/* Of the last RECORD_AWAY, one line; valid until the next question. */
const char *record_link_why(const struct record_link *l);

#endif
