/*
 * linked - the report that opens when a closed one turns out not to be solved.
 *
 * Its contact, place and subject are those of the report that it follows, its words are new; the
 * closed one stays as it is.
 */
#ifndef INTAKE_LINKED_H
#define INTAKE_LINKED_H

#include <stdbool.h>

#include "base.h"
#include "item.h"

struct pg_result;

struct linked; /* the texts that the item lends */

/* Fills the item but for identity, words, photos, times and number, from the one row of
 * STORE_TRACK_OPENER.  NULL: out of memory.  Destroy (takes NULL) when the item is done. */
struct linked *linked_begin(const struct pg_result *rows, struct item *item);
void linked_destroy(struct linked *l);

#endif
