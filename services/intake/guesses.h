/*
 * guesses - wrong API keys by the address they came from, so that nobody can try many.
 *
 * An address that has given too many wrong keys is told nothing more about any key, right or wrong,
 * until its allowance has filled again.  Clients that were known from an address before go on as if
 * nothing had happened: whoever shares their address cannot lock them out, and learns nothing from
 * it, as those keys are not theirs to find.  Which those are is remembered in a table of fixed size
 * that the newest write over.  Times are monotonic milliseconds.
 */
#ifndef INTAKE_GUESSES_H
#define INTAKE_GUESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct guesses;

/* NULL: out of memory.  Destroy accepts NULL. */
struct guesses *guesses_create(uint32_t burst, uint32_t per_minute);
void guesses_destroy(struct guesses *g);

/* A key came from address; client is whose it is, NULL: nobody's.  False: what is the matter with
 * the key is not to be told before *ret_wait_ms have passed. */
MUST_CHECK bool guesses_judge(struct guesses *g, const char *address, const char *client,
    uint64_t now_ms, uint64_t *ret_wait_ms);

#endif
