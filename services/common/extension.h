/* extension - why the time for an information request is extended (Law 4982, art. 11): what the
 * desk offers, and what whoever asked is told. */
#ifndef TURUNC_EXTENSION_H
#define TURUNC_EXTENSION_H

#include <stddef.h>

#include "catalogue.h"

/* NULL: there are no more. */
const struct catalogue_reason *extension_reason_at(size_t index);

/* NULL: no reason of ours has this code. */
const struct catalogue_reason *extension_reason(const char *code);

#endif
