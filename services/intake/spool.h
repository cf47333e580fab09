/*
 * spool - what was promised while the record was away, on disk until the record has it.
 *
 * Items stand in the order they came.  spool_add() writes, spool_sync() makes durable what was
 * added since the last one; only then may the items be answered.  Later the oldest are taken out,
 * written to the record, and finished one by one.  What is not finished is found again after a
 * restart.
 *
 * An identity (client, source, id) that is in the spool gets the first one's answer again.
 *
 * The bytes lie in a journal (clients/c/src/journal.h): checksummed, bounded, one process at a
 * time.  Everything here blocks for as long as the disk does.
 */
#ifndef INTAKE_SPOOL_H
#define INTAKE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "item.h"

struct frame;
struct spool;
struct spool_entry;

/* NULL: why (of why_size) says it: another process has it, no folder, no memory. */
MUST_CHECK struct spool *spool_open(
    const char *dir, uint64_t bytes_max, char *why, size_t why_size);
/* Takes NULL.  Nothing may be out. */
void spool_close(struct spool *s);

enum spool_answer {
	SPOOL_TAKEN, /* durable after spool_sync() */
	SPOOL_FULL,
	SPOOL_FAILED, /* the disk; spool_why() */
};
MUST_CHECK enum spool_answer spool_add(struct spool *s, const struct item *item);
/* False: the disk could not make them durable.  What was added since the last sync is forgotten
 * here (the disk may still know it), and nothing is taken until spool_recover(). */
MUST_CHECK bool spool_sync(struct spool *s);

/* Is this identity here?  Then what its first answer was, and whether the content is the same. */
MUST_CHECK bool spool_knows(
    const struct spool *s, const struct item *item, int64_t *ret_ticket_id, bool *ret_same_content);

/* The oldest entry that is neither out nor set aside, which is out from now on; NULL: none.  Lent
 * until it is finished. */
struct spool_entry *spool_take(struct spool *s);
/* Its message (turunc.v1.SpooledItem), to be destroyed by the caller.  NULL: the disk gives
 * something else, and *ret_damaged is true, or memory ran out. */
MUST_CHECK struct frame *spool_read(
    struct spool *s, const struct spool_entry *entry, bool *ret_damaged);
/* It is in the record (or cannot be read any more). */
void spool_finish(struct spool *s, struct spool_entry *entry);
/* It is not: to be taken again, in its place. */
void spool_put_back(struct spool *s, struct spool_entry *entry);
/* The record will not have it in any shape: kept, not taken again before the next start. */
void spool_set_aside(struct spool *s, struct spool_entry *entry);

/* Opens the journal anew if the disk had failed and nothing waits or is out; call now and then. */
void spool_recover(struct spool *s);

/* Could something be added? */
bool spool_takes(const struct spool *s);
size_t spool_count(const struct spool *s); /* all that are not finished */
size_t spool_waiting(const struct spool *s); /* neither out nor set aside */
size_t spool_set_aside_count(const struct spool *s);
uint64_t spool_bytes(const struct spool *s);
uint64_t spool_damaged(const struct spool *s); /* entries and stretches that were unreadable */
const char *spool_why(const struct spool *s); /* the last refusal of the disk, "" */

#endif
