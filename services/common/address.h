/*
 * address - host names turned into numeric addresses.
 *
 * Looking a name up blocks.  At start that does not matter; once the loop runs a thread does it,
 * the one thing here that cannot be done otherwise (the system's resolver knows hosts files and
 * containers' names, and has no other interface).
 */
#ifndef TURUNC_ADDRESS_H
#define TURUNC_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum { ADDRESSES_MAX = 16, ADDRESS_SIZE = 64, ADDRESS_HOST_SIZE = 256 };

struct addresses {
	size_t count;
	char numeric[ADDRESSES_MAX][ADDRESS_SIZE];
};

/* Blocks.  At most ADDRESSES_MAX are kept.  False: the name has none; complaint says why. */
MUST_CHECK bool address_resolve(
    const char *host, struct addresses *ret_addresses, char *complaint, size_t complaint_size);

/* --- while the loop runs --- */

struct event_base;
struct address_lookup;
/* Called once, from the loop; found is NULL when the name has no address just now. */
typedef void address_found_fn(void *arg, const struct addresses *found);

/* NULL: no memory or no thread.  The lookup is gone when on_found is called. */
MUST_CHECK struct address_lookup *address_lookup_start(
    struct event_base *loop, const char *host, address_found_fn *on_found, void *arg);
/* on_found will not be called.  Never waits; takes NULL. */
void address_lookup_cancel(struct address_lookup *lookup);

/* --- what people write --- */

/* "host:port" or "[v6]:port", port from 1 to 65535; the host loses its brackets. */
MUST_CHECK bool address_split(const char *text, char host[ADDRESS_HOST_SIZE], int *ret_port);

#endif
