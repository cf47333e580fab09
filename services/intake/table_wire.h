/*
 * table_wire - rows of a table as the process that reads a workbook tells them to intake.
 *
 * Whoever tells may have been led astray by what it read: lengths, counts and texts are believed
 * only when they have been looked at, and memory is that of one row, whatever is said.
 */
#ifndef INTAKE_TABLE_WIRE_H
#define INTAKE_TABLE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base.h"
#include "table.h"

/* --- telling.  False: out could not be written. --- */

/* Before the first row. */
MUST_CHECK bool table_wire_tell_days(FILE *out, bool from_1904);
MUST_CHECK bool table_wire_tell_row(FILE *out, const struct table_row *row);
MUST_CHECK bool table_wire_tell_end(FILE *out, enum table_problem problem, int line);

/* --- taking --- */

enum table_wire_state {
	TABLE_WIRE_MORE,
	TABLE_WIRE_ENDED,
	TABLE_WIRE_STOPPED, /* the rest is not wanted */
	TABLE_WIRE_WRONG, /* what was said cannot be */
};

struct table_wire;

/* NULL: out of memory.  Destroy takes NULL. */
struct table_wire *table_wire_create(void);
void table_wire_destroy(struct table_wire *w);

/* Rows go to on_row as they are whole.  Not called again once it has said anything but MORE. */
enum table_wire_state table_wire_take(
    struct table_wire *w, const uint8_t *data, size_t len, table_row_fn *on_row, void *arg);

/* As far as it was told. */
bool table_wire_from_1904(const struct table_wire *w);
enum table_problem table_wire_problem(const struct table_wire *w);
int table_wire_line(const struct table_wire *w);

#endif
