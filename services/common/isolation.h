/*
 * isolation - finds by halves the record that spoils its batch, for a reader that must go in order.
 *
 * db_batch.h does it for items that know nothing of each other.  Behind a record of the log nothing
 * may be written before the cursor has passed it, and what follows is decided on what it left; so
 * here each half is read and decided anew, and only the size of the next batch is said.  Pure.
 */
#ifndef TURUNC_ISOLATION_H
#define TURUNC_ISOLATION_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: nothing is suspected. */
struct isolation {
	size_t suspects; /* the first so many records from the cursor on hold one at fault */
	bool found; /* it is the next one: it failed alone */
};

/* Records in the next batch of at most most. */
size_t isolation_size(const struct isolation *i, size_t most);
/* A batch of so many (not 0) was refused for one of them. */
void isolation_failed(struct isolation *i, size_t records);
/* The cursor has passed so many. */
void isolation_passed(struct isolation *i, size_t records);

#endif
