/*
 * rejects - events a door refused for good, kept with the reason for whoever must look at them.
 *
 * The file "rejected" in the store's folder; when it has reached its bound it becomes
 * "rejected.old", in place of an older one.
 */
#ifndef TURUNC_CLIENT_REJECTS_H
#define TURUNC_CLIENT_REJECTS_H

#include <stdbool.h>
#include <stdint.h>

/* Durable when true. */
bool tc_rejects_append(
    int dir_fd, uint64_t bytes_max, const char *reason, const uint8_t *event, uint32_t len);

#endif
