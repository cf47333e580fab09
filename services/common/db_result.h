/*
 * db_result - reads the binary results of a unit.
 *
 * The type of a column is part of our own SQL, so a wrong one is asserted, and so is a null where
 * a value is asked for: look with db_is_null() first where a column may be null.  Text, bytes and
 * arrays are lent as long as the result.
 */
#ifndef TURUNC_DB_RESULT_H
#define TURUNC_DB_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

struct pg_result;

int db_rows(const struct pg_result *result);
/* Rows that INSERT, UPDATE or DELETE touched. */
int64_t db_affected(const struct pg_result *result);

bool db_is_null(const struct pg_result *result, int row, int column);
bool db_get_bool(const struct pg_result *result, int row, int column);
/* smallint, integer and bigint alike. */
int64_t db_get_int(const struct pg_result *result, int row, int column);
double db_get_float8(const struct pg_result *result, int row, int column);
/* Also varchar, name, json and enums; always terminated. */
const char *db_get_text(const struct pg_result *result, int row, int column);
/* NULL for null. */
const char *db_get_text_or_null(const struct pg_result *result, int row, int column);
const void *db_get_bytea(const struct pg_result *result, int row, int column, size_t *ret_len);
struct uuid db_get_uuid(const struct pg_result *result, int row, int column);

/* --- one-dimensional arrays --- */

/* Walks the elements of an array column:
 *	struct db_elements e = db_get_array(result, row, column);
 *	while (db_next_element(&e)) ... e.data, e.len (data NULL: null; text is not terminated) */
struct db_elements {
	int32_t left; /* before the first call: how many there are */
	const char *at;
	const char *data;
	size_t len;
};
struct db_elements db_get_array(const struct pg_result *result, int row, int column);
bool db_next_element(struct db_elements *elements);
int64_t db_element_int(const struct db_elements *elements);

#endif
