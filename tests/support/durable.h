/*
 * durable - which statements of a program write, and whether failpoint.h lists them.
 *
 * Whether one writes is found out from its text and from the database: it says so itself (INSERT,
 * UPDATE, DELETE, MERGE, TRUNCATE), or it calls a function that is not STABLE or IMMUTABLE.
 */
#ifndef TESTS_DURABLE_H
#define TESTS_DURABLE_H

#include <stddef.h>

#include "db.h"

struct durable_table {
	const struct db_statement *statements;
	size_t count;
};

/* Checks that the writing statements of all these tables (the last has none) are those that the
 * list has for this program, no more and no fewer; and that a seeded violation of each kind would
 * be found. */
void durable_check(const char *program, const struct durable_table *tables);

#endif
