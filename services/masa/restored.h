/* restored - what a record that was restored is told before anybody uses it: it is another history.
 */
#ifndef MASA_RESTORED_H
#define MASA_RESTORED_H

#include "masa.h"

/* A ticket number as people write it; MASA_USAGE and why was said when it is none. */
MUST_CHECK enum exit_code restored_read_number(const char *text, int64_t *ret_ticket_id);

/*
 * In one transaction: a new log_id, the same up to the last record there is; our own readers go on
 * in it; the numbers that may have been given after the copy are passed over (above: the highest
 * one known, 0 none); messages that may have left since are for a person to decide.
 */
MUST_CHECK enum exit_code restored_begin_history(struct masa *m, int64_t above, json_t **ret_said);

#endif
