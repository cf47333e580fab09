/*
 * repeats - does somebody send the same report again without saying so?
 *
 * An HTTP request without an Idempotency-Key that is sent again is a new ticket.  This remembers
 * the digests of the last few minutes in a table of fixed size, to count how often that may have
 * happened; it decides nothing.  Times are monotonic milliseconds.
 */
#ifndef INTAKE_REPEATS_H
#define INTAKE_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "digest.h"

enum { REPEATS_SLOTS = 8192, REPEATS_WINDOW_MS = 10 * 60 * 1000 };

struct repeats;

/* NULL: out of memory.  Destroy takes NULL. */
struct repeats *repeats_create(void);
void repeats_destroy(struct repeats *r);

/* True: the same content was seen within the window.  It is remembered either way. */
bool repeats_see(struct repeats *r, const struct digest *content, uint64_t now_ms);

#endif
