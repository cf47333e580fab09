/*
 * doorbell - "the log has grown": intake rings, router looks.
 *
 * Small and lossy on purpose.  A ring that finds no room or no router is dropped: the router looks
 * at the log every 250 ms anyway, so a lost ring costs that much.  It is a PUSH/PULL pair of its
 * own rather than a session at the stream door, because it must not wait for a Hello, take part
 * in anybody's limits, or queue behind Deliver frames; only keys with the verb `internal` get in.
 */
#ifndef TURUNC_DOORBELL_H
#define TURUNC_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "bus.h"
#include "keys.h"

struct doorbell; /* the router's side */
struct doorbell_button; /* the ringing side */

/* log_id is lent for the call; several rings waiting are told as the last one only. */
typedef void doorbell_ring_fn(void *arg, const char *log_id, uint64_t head_seq);

/* NULL with errno.  Nobody gets in before doorbell_listen(). */
struct doorbell *doorbell_open(
    struct bus *bus, const char *endpoint, doorbell_ring_fn *on_ring, void *arg);
/* The rights are known: rings are heard from now on.  False: not yet, call again; true stays. */
MUST_CHECK bool doorbell_listen(struct doorbell *bell);
void doorbell_close(struct doorbell *bell);
const char *doorbell_endpoint(const struct doorbell *bell);
/* Rings that were not readable or had no authenticated key. */
uint64_t doorbell_refused(const struct doorbell *bell);

/* Connects in the background.  server_key is the router's public key; the bus's own keys are shown
 * to it.  NULL with errno. */
struct doorbell_button *doorbell_button_open(
    struct bus *bus, const char *endpoint, const char *server_key);
void doorbell_button_close(struct doorbell_button *button);
/* False: dropped, which is no error. */
bool doorbell_button_press(struct doorbell_button *button, const char *log_id, uint64_t head_seq);

#endif
