/* Reads the binary columns of a result. */
#include "db_result.h"

#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

enum oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_JSON = 114,
	OID_FLOAT8 = 701,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_UUID = 2950,
	OID_FIRST_OF_OURS = 16384, /* enums: their names travel as text */
};

int
db_rows(const PGresult *result)
{
	return PQntuples(result);
}

int64_t
db_affected(const PGresult *result)
{
	/* PQcmdTuples only reads; its parameter lacks a const. */
	union {
		const PGresult *read_only;
		PGresult *plain;
	} r = { .read_only = result };

	return strtoll(PQcmdTuples(r.plain), NULL, 10);
}

bool
db_is_null(const PGresult *result, int row, int column)
{
	assert(row >= 0 && row < PQntuples(result) && column >= 0 && column < PQnfields(result));
	return PQgetisnull(result, row, column) == 1;
}

/* The bytes of a value that is there, of a type that has len bytes (0: any). */
static const char *
value_at(const PGresult *result, int row, int column, size_t len)
{
	assert(!db_is_null(result, row, column));
	assert(PQfformat(result, column) == 1);
	assert(len == 0 || (size_t)PQgetlength(result, row, column) == len);
	return PQgetvalue(result, row, column);
}

static int64_t
int_from(const char *data, size_t len)
{
	uint64_t wire8;
	uint32_t wire4;
	uint16_t wire2;

	switch (len) {
	case sizeof(wire8):
		memcpy(&wire8, data, sizeof(wire8));
		return (int64_t)be64toh(wire8);
	case sizeof(wire4):
		memcpy(&wire4, data, sizeof(wire4));
		return (int32_t)be32toh(wire4);
	default:
		assert(len == sizeof(wire2));
		memcpy(&wire2, data, sizeof(wire2));
		return (int16_t)be16toh(wire2);
	}
}

bool
db_get_bool(const PGresult *result, int row, int column)
{
	assert(PQftype(result, column) == OID_BOOL);
	return *value_at(result, row, column, 1) != 0;
}

int64_t
db_get_int(const PGresult *result, int row, int column)
{
	Oid type = PQftype(result, column);

	assert(type == OID_INT8 || type == OID_INT4 || type == OID_INT2);
	return int_from(value_at(result, row, column, 0), (size_t)PQgetlength(result, row, column));
}

double
db_get_float8(const PGresult *result, int row, int column)
{
	double value;

	assert(PQftype(result, column) == OID_FLOAT8);
	uint64_t bits = (uint64_t)int_from(value_at(result, row, column, 8), 8);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

const char *
db_get_text(const PGresult *result, int row, int column)
{
	Oid type = PQftype(result, column);

	assert(type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME
	       || type == OID_JSON || type == OID_CHAR || type >= OID_FIRST_OF_OURS);
	return value_at(result, row, column, 0);
}

const char *
db_get_text_or_null(const PGresult *result, int row, int column)
{
	return db_is_null(result, row, column) ? NULL : db_get_text(result, row, column);
}

const void *
db_get_bytea(const PGresult *result, int row, int column, size_t *ret_len)
{
	assert(PQftype(result, column) == OID_BYTEA);
	const void *data = value_at(result, row, column, 0);
	*ret_len = (size_t)PQgetlength(result, row, column);
	return data;
}

struct uuid
db_get_uuid(const PGresult *result, int row, int column)
{
	struct uuid u;

	assert(PQftype(result, column) == OID_UUID);
	memcpy(u.bytes, value_at(result, row, column, UUID_BYTES), UUID_BYTES);
	return u;
}

/* --- arrays --- */

enum { HEAD_BYTES = 12, DIMENSION_BYTES = 8 };

static int32_t
int4_at(const char *data)
{
	return (int32_t)int_from(data, 4);
}

struct db_elements
db_get_array(const PGresult *result, int row, int column)
{
	const char *data = value_at(result, row, column, 0);
	size_t len = (size_t)PQgetlength(result, row, column);

	assert(len >= HEAD_BYTES);
	int32_t dimensions = int4_at(data);
	if (dimensions == 0)
		return (struct db_elements){ 0 };
	assert(dimensions == 1 && len >= HEAD_BYTES + DIMENSION_BYTES);
	return (struct db_elements){
		.left = int4_at(data + HEAD_BYTES),
		.at = data + HEAD_BYTES + DIMENSION_BYTES,
	};
}

bool
db_next_element(struct db_elements *elements)
{
	if (elements->left == 0)
		return false;
	int32_t len = int4_at(elements->at);
	elements->left--;
	elements->at += 4;
	elements->data = len < 0 ? NULL : elements->at;
	elements->len = len < 0 ? 0 : (size_t)len;
	elements->at += elements->len;
	return true;
}

int64_t
db_element_int(const struct db_elements *elements)
{
	assert(elements->data != NULL);
	return int_from(elements->data, elements->len);
}
