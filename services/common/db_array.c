/* Builds array parameters, element by element, in PostgreSQL's binary form. */
#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"
#include "utf8.h"

/* Dimensions (1, or 0 when empty), has-null, oid, length, lower bound: an int32 each; an empty one
 * stops behind the oid. */
enum { ARRAY_HEAD = 20, ARRAY_HEAD_EMPTY = 12 };

static const uint32_t oids[] = {
	[DB_BOOL] = 16,
	[DB_INT2] = 21,
	[DB_INT4] = 23,
	[DB_INT8] = 20,
	[DB_FLOAT8] = 701,
	[DB_UUID] = 2950,
	[DB_TEXT] = 25,
	[DB_BYTEA] = 17,
};
_Static_assert(ARRAY_LEN(oids) == DB_TYPES, "describe every type");

struct db_array *
db_add_array(struct db_unit *unit, enum db_type type)
{
	assert(type < DB_TYPES);
	struct db_param *param = db_unit_next_param(unit);
	if (param == NULL)
		return NULL;
	struct db_array *array = calloc(1, sizeof(*array));
	if (array == NULL) {
		db_unit_fault(unit, "53200", "out of memory");
		return NULL;
	}
	array->unit = unit;
	array->type = type;
	array->call = unit->call_count - 1;
	array->param = unit->calls[array->call].param_count;
	array->used = ARRAY_HEAD;
	array->next = unit->arrays;
	unit->arrays = array;
	param->array = array;
	return array;
}

/* Room for an element of len bytes behind its length; NULL: the unit has a fault. */
static char *
next_element(struct db_array *array, size_t len)
{
	size_t needed = sizeof(uint32_t) + len;

	if (array == NULL || array->unit->fault_sqlstate != NULL
	    || !db_unit_take_bytes(array->unit, needed))
		return NULL;
	if (array->size < array->used + needed) {
		size_t size = array->size == 0 ? 512 : array->size * 2;
		if (size < array->used + needed)
			size = array->used + needed;
		char *bigger = realloc(array->data, size);
		if (bigger == NULL) {
			db_unit_fault_at(
			    array->unit, "53200", "out of memory", array->call, array->param);
			return NULL;
		}
		array->data = bigger;
		array->size = size;
	}
	char *at = array->data + array->used;
	array->used += needed;
	array->count++;
	return at;
}

static void
put_int4(char *at, uint32_t value)
{
	uint32_t wire = htonl(value);

	memcpy(at, &wire, sizeof(wire));
}

static void
array_bytes(struct db_array *array, enum db_type type, const void *value, size_t len)
{
	assert(array == NULL || array->type == type);
	char *at = next_element(array, len);
	if (at == NULL)
		return;
	put_int4(at, (uint32_t)len);
	if (len > 0)
		memcpy(at + sizeof(uint32_t), value, len);
}

void
db_array_null(struct db_array *array)
{
	char *at = next_element(array, 0);

	if (at == NULL)
		return;
	put_int4(at, UINT32_MAX);
	array->has_null = true;
}

void
db_array_bool(struct db_array *array, bool value)
{
	array_bytes(array, DB_BOOL, &(uint8_t){ value }, 1);
}

void
db_array_int2(struct db_array *array, int16_t value)
{
	array_bytes(array, DB_INT2, &(uint16_t){ htobe16((uint16_t)value) }, 2);
}

void
db_array_int4(struct db_array *array, int32_t value)
{
	array_bytes(array, DB_INT4, &(uint32_t){ htobe32((uint32_t)value) }, 4);
}

void
db_array_int8(struct db_array *array, int64_t value)
{
	array_bytes(array, DB_INT8, &(uint64_t){ htobe64((uint64_t)value) }, 8);
}

void
db_array_float8(struct db_array *array, double value)
{
	array_bytes(array, DB_FLOAT8, &(uint64_t){ db_float8_wire(value) }, 8);
}

void
db_array_uuid(struct db_array *array, const struct uuid *value)
{
	if (value == NULL)
		db_array_null(array);
	else
		array_bytes(array, DB_UUID, value->bytes, UUID_BYTES);
}

void
db_array_text_len(struct db_array *array, const char *value, size_t len)
{
	array_bytes(array, DB_TEXT, value, len);
	if (array != NULL && !utf8_valid(value, len))
		db_unit_fault_at(array->unit, "22021", "text is not UTF-8 or holds a NUL",
		    array->call, array->param);
}

void
db_array_text(struct db_array *array, const char *value)
{
	if (value == NULL)
		db_array_null(array);
	else
		db_array_text_len(array, value, strlen(value));
}

void
db_array_bytea(struct db_array *array, const void *value, size_t len)
{
	if (value == NULL)
		db_array_null(array);
	else
		array_bytes(array, DB_BYTEA, value, len);
}

bool
db_array_close(struct db_array *array)
{
	if (array->data == NULL) {
		array->data = malloc(ARRAY_HEAD);
		if (array->data == NULL)
			return false;
	}
	put_int4(array->data, array->count > 0);
	put_int4(array->data + 4, array->has_null);
	put_int4(array->data + 8, oids[array->type]);
	put_int4(array->data + 12, (uint32_t)array->count);
	put_int4(array->data + 16, 1);
	if (array->count == 0)
		array->used = ARRAY_HEAD_EMPTY;
	return true;
}

void
db_array_destroy(struct db_array *array)
{
	free(array->data);
	free(array);
}
