/*
 * misfits - the dead letters of metrics: records that no figure can be made of.
 *
 * What metrics does lies in Redis, so a letter cannot share a transaction with it: the letter comes
 * first, then the projection moves past the record.  A crash between the two meets the record
 * again and finds its letter.  A requeued letter is looked at anew; when it can be counted now, the
 * figures are rebuilt from the record, which has it counted once, and then the letter is ended.
 */
#ifndef METRICS_MISFITS_H
#define METRICS_MISFITS_H

#include <stdbool.h>
#include <stdint.h>
#include <turunc/v1/bus.pb-c.h>

#include "base.h"
#include "letters.h"

struct db;
struct misfits;

struct misfits_world {
	struct db *db;
	struct letters *letters; /* of the consumer "metrics" */
	/* The letter asked for is in the record, or will not be for now: look again. */
	void (*on_written)(void *arg);
	/* A requeued record can be counted: rebuild, and say so with misfits_rebuilt(). */
	void (*on_countable)(void *arg);
	void *arg;
};

/* Everything is lent.  NULL: no memory.  Destroy takes NULL; close the db first. */
struct misfits *misfits_create(const struct misfits_world *world);
void misfits_destroy(struct misfits *m);

/* True: no figure can be made of it, for *ret_reason. */
bool misfits_of(
    struct misfits *m, const Turunc__V1__Record *record, enum letter_reason *ret_reason);
/* Where the projection stood at the start. */
void misfits_found_place(struct misfits *m, uint64_t seq);
/* It has its letter: leave it out. */
bool misfits_known(const struct misfits *m, uint64_t seq);
/* Something before it was counted: the row is over. */
void misfits_counted(struct misfits *m);
/* Writes the letter of the record that comes next.  Nothing of earlier records may be under way. */
void misfits_write(struct misfits *m, uint64_t seq, enum letter_reason reason);
/* The stream may be followed: nothing is being written, and too many were not. */
bool misfits_may_go_on(const struct misfits *m, uint64_t now_ms);
/* The figures are those of the record up to seq. */
void misfits_rebuilt(struct misfits *m, uint64_t seq);

int64_t misfits_tick(struct misfits *m, uint64_t now_ms);
bool misfits_busy(const struct misfits *m);

#endif
