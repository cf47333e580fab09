/*
 * drain - brings what was spooled into the record, oldest first, without refusing anything.
 *
 * One chunk is on its way at a time, through accept, which looks up each item before it writes it.
 * What the record answers becomes:
 *	written, or found there		finished
 *	a repeat of an older ticket	the number given out becomes another name of that ticket
 *	the identity has other content	written without its identity: it was promised
 *	refused				a raw ticket for triage, with the item as it was beside it
 *	refused even so			set aside in the spool, and said so
 */
#ifndef INTAKE_DRAIN_H
#define INTAKE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"

struct drain;
struct intake;

/* Uses in->spool, in->accept and in->writer.  NULL: out of memory.  Destroy takes NULL; accept and
 * the writer are gone by then. */
struct drain *drain_create(struct intake *in);
void drain_destroy(struct drain *d);

/* Begins the next chunk when the record is there and none is on its way; ms until it wants to be
 * called again, -1 when nothing is left. */
int64_t drain_tick(struct drain *d, uint64_t now_ms);

#endif
