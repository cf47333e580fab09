/*
 * registry_cache - catalogue and rights as last read, in a file (turunc.v1.RegistryCache).
 */
#ifndef TURUNC_REGISTRY_CACHE_H
#define TURUNC_REGISTRY_CACHE_H

#include <stdbool.h>

#include "acl.h"
#include "base.h"
#include "bundle.h"
#include "registry.h"

/* False: the disk or memory does not allow it; the file is as it was. */
MUST_CHECK bool registry_cache_write(const char *path, const struct registry_head *head,
    const struct acl *acl, const struct bundle *files);

/* Fills all three; files was initialised.  False: absent, damaged or of another make; acl and head
 * are as they were. */
MUST_CHECK bool registry_cache_read(
    const char *path, struct registry_head *head, struct acl *acl, struct bundle *files);

#endif
