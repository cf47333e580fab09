/* Builds the statements of one transaction and their binary parameters. */
#include "db_unit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"
#include "utf8.h"

/* Small parameters live side by side in chunks that never move. */
struct db_chunk {
	struct db_chunk *next;
	size_t used, size;
	char data[];
};

/* The wire form: int32 dimensions (1, or 0 when empty), int32 has-null, oid, int32 length, int32
 * lower bound, then every element behind its int32 length (-1: null). */
struct db_array {
	struct db_array *next;
	struct db_unit *unit;
	enum db_type type;
	size_t param; /* its number in the statement, from 1 */
	size_t call;
	int32_t count;
	bool has_null;
	char *data;
	size_t used, size;
};

enum { CHUNK_BYTES = 4000, ARRAY_HEAD = 20, ARRAY_HEAD_EMPTY = 12, PARAMS_MAX = 64 };

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

struct db_unit *
db_unit_make(const struct db_statement *statements, size_t statement_count, size_t bytes_max)
{
	struct db_unit *unit = calloc(1, sizeof(*unit));

	if (unit == NULL)
		return NULL;
	unit->statements = statements;
	unit->statement_count = statement_count;
	unit->bytes_max = bytes_max;
	return unit;
}

void
db_unit_destroy(struct db_unit *unit)
{
	if (unit == NULL)
		return;
	while (unit->chunks != NULL) {
		struct db_chunk *next = unit->chunks->next;
		free(unit->chunks);
		unit->chunks = next;
	}
	while (unit->arrays != NULL) {
		struct db_array *next = unit->arrays->next;
		free(unit->arrays->data);
		free(unit->arrays);
		unit->arrays = next;
	}
	for (size_t i = 0; unit->results != NULL && i < unit->call_count; i++)
		PQclear(unit->results[i]);
	PQclear(unit->error);
	free(unit->results);
	free(unit->calls);
	free(unit->params);
	free(unit);
}

size_t
db_unit_statements(const struct db_unit *unit)
{
	return unit == NULL ? 0 : unit->call_count;
}

size_t
db_unit_bytes(const struct db_unit *unit)
{
	return unit == NULL ? 0 : unit->bytes;
}

/* --- what can be wrong with it; the first fault counts --- */

static void
fault(struct db_unit *unit, const char *sqlstate, const char *what, size_t call, size_t param)
{
	if (unit->fault_sqlstate != NULL)
		return;
	unit->fault_sqlstate = sqlstate;
	snprintf(unit->fault, sizeof(unit->fault), "statement %s, parameter %zu: %s",
	    call < unit->call_count ? unit->statements[unit->calls[call].statement].name : "?",
	    param, what);
}

static void
fault_here(struct db_unit *unit, const char *sqlstate, const char *what)
{
	size_t call = unit->call_count > 0 ? unit->call_count - 1 : 0;

	fault(unit, sqlstate, what, call, unit->call_count > 0 ? unit->calls[call].param_count : 0);
}

static bool
take_bytes(struct db_unit *unit, size_t len)
{
	if (len > unit->bytes_max - unit->bytes) {
		fault_here(unit, "54000", "too much for one transaction");
		return false;
	}
	unit->bytes += len;
	return true;
}

/* Makes room for one more of size bytes each; false: no memory. */
static bool
grow(void **items, size_t count, size_t *room, size_t size, size_t first)
{
	if (count < *room)
		return true;
	size_t wanted = *room == 0 ? first : *room * 2;
	void *bigger = reallocarray(*items, wanted, size);
	if (bigger == NULL)
		return false;
	*items = bigger;
	*room = wanted;
	return true;
}

/* --- statements --- */

static void
check_param_count(const struct db_unit *unit)
{
	if (unit->call_count == 0 || unit->fault_sqlstate != NULL)
		return;
	const struct db_call *call = &unit->calls[unit->call_count - 1];
	assert(call->param_count == unit->statements[call->statement].param_count);
}

void
db_unit_add(struct db_unit *unit, size_t statement)
{
	if (unit == NULL)
		return;
	assert(statement < unit->statement_count);
	check_param_count(unit);
	if (unit->fault_sqlstate != NULL)
		return;

	void *calls = unit->calls;
	if (!grow(&calls, unit->call_count, &unit->call_room, sizeof(*unit->calls), 4)) {
		fault_here(unit, "53200", "out of memory");
		return;
	}
	unit->calls = calls;
	unit->calls[unit->call_count++] = (struct db_call){
		.statement = statement,
		.first_param = unit->param_count,
	};
}

/* The next parameter of the last statement, NULL when the unit has a fault. */
static struct db_param *
next_param(struct db_unit *unit)
{
	if (unit == NULL || unit->fault_sqlstate != NULL)
		return NULL;
	assert(unit->call_count > 0);
	struct db_call *call = &unit->calls[unit->call_count - 1];
	assert(call->param_count < PARAMS_MAX);
	call->param_count++;

	void *params = unit->params;
	if (!grow(&params, unit->param_count, &unit->param_room, sizeof(*unit->params), 16)) {
		fault_here(unit, "53200", "out of memory");
		return NULL;
	}
	unit->params = params;
	struct db_param *param = &unit->params[unit->param_count++];
	*param = (struct db_param){ 0 };
	return param;
}

/* --- single values --- */

static char *
chunk_alloc(struct db_unit *unit, size_t len)
{
	struct db_chunk *chunk = unit->chunks;

	if (chunk == NULL || chunk->size - chunk->used < len) {
		size_t size = len > CHUNK_BYTES / 4 ? len : CHUNK_BYTES;
		chunk = malloc(sizeof(*chunk) + size);
		if (chunk == NULL) {
			fault_here(unit, "53200", "out of memory");
			return NULL;
		}
		chunk->used = 0;
		chunk->size = size;
		/* A chunk made for one large value is full: it goes behind the open one. */
		if (size == len && unit->chunks != NULL) {
			chunk->next = unit->chunks->next;
			unit->chunks->next = chunk;
		} else {
			chunk->next = unit->chunks;
			unit->chunks = chunk;
		}
	}
	char *at = chunk->data + chunk->used;
	chunk->used += len;
	return at;
}

static void
add_bytes(struct db_unit *unit, const void *value, size_t len)
{
	struct db_param *param = next_param(unit);

	if (param == NULL || !take_bytes(unit, len))
		return;
	char *copy = chunk_alloc(unit, len);
	if (copy == NULL)
		return;
	if (len > 0)
		memcpy(copy, value, len);
	param->data = copy;
	param->len = len;
}

void
db_add_null(struct db_unit *unit)
{
	(void)next_param(unit);
}

void
db_add_bool(struct db_unit *unit, bool value)
{
	add_bytes(unit, &(uint8_t){ value }, 1);
}

void
db_add_int2(struct db_unit *unit, int16_t value)
{
	add_bytes(unit, &(uint16_t){ htobe16((uint16_t)value) }, 2);
}

void
db_add_int4(struct db_unit *unit, int32_t value)
{
	add_bytes(unit, &(uint32_t){ htobe32((uint32_t)value) }, 4);
}

void
db_add_int8(struct db_unit *unit, int64_t value)
{
	add_bytes(unit, &(uint64_t){ htobe64((uint64_t)value) }, 8);
}

static uint64_t
float8_wire(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return htobe64(bits);
}

void
db_add_float8(struct db_unit *unit, double value)
{
	add_bytes(unit, &(uint64_t){ float8_wire(value) }, 8);
}

void
db_add_uuid(struct db_unit *unit, const struct uuid *value)
{
	if (value == NULL)
		db_add_null(unit);
	else
		add_bytes(unit, value->bytes, UUID_BYTES);
}

void
db_add_text_len(struct db_unit *unit, const char *value, size_t len)
{
	add_bytes(unit, value, len);
	if (unit != NULL && !utf8_valid(value, len))
		fault_here(unit, "22021", "text is not UTF-8 or holds a NUL");
}

void
db_add_text(struct db_unit *unit, const char *value)
{
	if (value == NULL)
		db_add_null(unit);
	else
		db_add_text_len(unit, value, strlen(value));
}

void
db_add_bytea(struct db_unit *unit, const void *value, size_t len)
{
	if (value == NULL)
		db_add_null(unit);
	else
		add_bytes(unit, value, len);
}

/* --- arrays --- */

struct db_array *
db_add_array(struct db_unit *unit, enum db_type type)
{
	assert(type < DB_TYPES);
	struct db_param *param = next_param(unit);
	if (param == NULL)
		return NULL;
	struct db_array *array = calloc(1, sizeof(*array));
	if (array == NULL) {
		fault_here(unit, "53200", "out of memory");
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
	    || !take_bytes(array->unit, needed))
		return NULL;
	if (array->size < array->used + needed) {
		size_t size = array->size == 0 ? 512 : array->size * 2;
		if (size < array->used + needed)
			size = array->used + needed;
		char *bigger = realloc(array->data, size);
		if (bigger == NULL) {
			fault(array->unit, "53200", "out of memory", array->call, array->param);
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
	array_bytes(array, DB_FLOAT8, &(uint64_t){ float8_wire(value) }, 8);
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
		fault(array->unit, "22021", "text is not UTF-8 or holds a NUL", array->call,
		    array->param);
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

/* --- ready to go --- */

static bool
close_array(struct db_array *array)
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

bool
db_unit_seal(struct db_unit *unit)
{
	check_param_count(unit);
	for (struct db_array *a = unit->arrays; a != NULL; a = a->next)
		if (unit->fault_sqlstate == NULL && !close_array(a))
			fault(unit, "53200", "out of memory", a->call, a->param);
	if (unit->fault_sqlstate == NULL) {
		unit->results = calloc(unit->call_count + 1, sizeof(*unit->results));
		if (unit->results == NULL)
			fault_here(unit, "53200", "out of memory");
	}
	return unit->fault_sqlstate == NULL;
}

static bool
send_call(const struct db_unit *unit, const struct db_call *call, PGconn *pg)
{
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];

	assert(call->param_count <= PARAMS_MAX);
	for (size_t i = 0; i < call->param_count; i++) {
		const struct db_param *param = &unit->params[call->first_param + i];
		size_t len = param->array != NULL ? param->array->used : param->len;
		assert(len <= INT_MAX);
		values[i] = param->array != NULL ? param->array->data : param->data;
		lengths[i] = (int)len;
		formats[i] = 1;
	}
	return PQsendQueryPrepared(pg, unit->statements[call->statement].name,
		   (int)call->param_count, values, lengths, formats, 1)
	       == 1;
}

bool
db_unit_send(struct db_unit *unit, PGconn *pg)
{
	for (size_t i = 0; i < unit->call_count; i++)
		if (!send_call(unit, &unit->calls[i], pg))
			return false;
	return PQpipelineSync(pg) == 1;
}
