/*
 * db_unit - what one transaction will send: statements with their binary parameters.
 *
 *	struct db_unit *unit = db_unit_create(db);
 *	db_unit_add(unit, STORE_INSERT);
 *	struct db_array *ids = db_add_array(unit, DB_INT8);
 *	struct db_array *names = db_add_array(unit, DB_TEXT);
 *	for (...) {
 *		db_array_int8(ids, id);
 *		db_array_text(names, name);
 *	}
 *	db_add_int8(unit, now_us);
 *	if (!db_submit(db, unit, on_done, arg))
 *		db_unit_destroy(unit);
 *
 * Everything is copied.  Nothing here returns an error: a unit that could not be built (no memory,
 * too large, text that is not UTF-8 or holds a NUL) remembers why, takes what follows in silence,
 * and fails when it is submitted.  A NULL unit or array is taken in silence too, and a NULL unit is
 * refused when submitted.  The wrong number of parameters for a statement is a mistake in the
 * program and asserted.
 */
#ifndef TURUNC_DB_UNIT_H
#define TURUNC_DB_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failpoint.h"
#include "uuid.h"

struct db;
struct db_array;
struct db_unit;

/* NULL: no memory. */
struct db_unit *db_unit_create(struct db *db);
/* Only for a unit that was not submitted.  Takes NULL. */
void db_unit_destroy(struct db_unit *unit);

/* Begins the next statement (index in the db's table); its parameters follow in order. */
void db_unit_add(struct db_unit *unit, size_t statement);
/* The unit is this durable step, besides those its statements are. */
void db_unit_step(struct db_unit *unit, enum failpoint_step step);
size_t db_unit_statements(const struct db_unit *unit);
/* Bytes of parameters so far. */
size_t db_unit_bytes(const struct db_unit *unit);

/* The statement says which type it wants: $1::smallint int2, $1::integer int4, ... */
void db_add_bool(struct db_unit *unit, bool value);
void db_add_int2(struct db_unit *unit, int16_t value);
void db_add_int4(struct db_unit *unit, int32_t value);
void db_add_int8(struct db_unit *unit, int64_t value);
void db_add_float8(struct db_unit *unit, double value);
void db_add_uuid(struct db_unit *unit, const struct uuid *value); /* NULL: null */
void db_add_text(struct db_unit *unit, const char *value); /* NULL: null */
void db_add_text_len(struct db_unit *unit, const char *value, size_t len);
void db_add_bytea(struct db_unit *unit, const void *value, size_t len); /* NULL: null */
void db_add_null(struct db_unit *unit);

/* --- one-dimensional arrays, for unnest() and = ANY() --- */

enum db_type {
	DB_BOOL,
	DB_INT2,
	DB_INT4,
	DB_INT8,
	DB_FLOAT8,
	DB_UUID,
	DB_TEXT,
	DB_BYTEA,
	DB_TYPES
};

/* The next parameter is an array, filled until the unit is submitted.  Several arrays of a
 * statement may be filled side by side. */
struct db_array *db_add_array(struct db_unit *unit, enum db_type type);
/* Asserted: the element's type is the array's. */
void db_array_bool(struct db_array *array, bool value);
void db_array_int2(struct db_array *array, int16_t value);
void db_array_int4(struct db_array *array, int32_t value);
void db_array_int8(struct db_array *array, int64_t value);
void db_array_float8(struct db_array *array, double value);
void db_array_uuid(struct db_array *array, const struct uuid *value); /* NULL: null */
void db_array_text(struct db_array *array, const char *value); /* NULL: null */
void db_array_text_len(struct db_array *array, const char *value, size_t len);
void db_array_bytea(struct db_array *array, const void *value, size_t len); /* NULL: null */
void db_array_null(struct db_array *array);

#endif
