/*
 * address - host names turned into numeric addresses before the loop runs.
 *
 * Looking a name up blocks, so it is done once at start; afterwards only numbers are used.
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

/* "host:port" or "[v6]:port", port from 1 to 65535; the host loses its brackets. */
MUST_CHECK bool address_split(const char *text, char host[ADDRESS_HOST_SIZE], int *ret_port);

#endif
