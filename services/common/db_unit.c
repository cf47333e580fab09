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

enum { CHUNK_BYTES = 4000, PARAMS_MAX = 64 };

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
		db_array_destroy(unit->arrays);
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

void
db_unit_step(struct db_unit *unit, enum failpoint_step step)
{
	if (unit != NULL)
		unit->step = step;
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

/* --- what can be wrong with it --- */

void
db_unit_fault_at(
    struct db_unit *unit, const char *sqlstate, const char *what, size_t call, size_t param)
{
	if (unit->fault_sqlstate != NULL)
		return;
	unit->fault_sqlstate = sqlstate;
	snprintf(unit->fault, sizeof(unit->fault), "statement %s, parameter %zu: %s",
	    call < unit->call_count ? unit->statements[unit->calls[call].statement].name : "?",
	    param, what);
}

void
db_unit_fault(struct db_unit *unit, const char *sqlstate, const char *what)
{
	size_t call = unit->call_count > 0 ? unit->call_count - 1 : 0;

	db_unit_fault_at(
	    unit, sqlstate, what, call, unit->call_count > 0 ? unit->calls[call].param_count : 0);
}

bool
db_unit_take_bytes(struct db_unit *unit, size_t len)
{
	if (len > unit->bytes_max - unit->bytes) {
		db_unit_fault(unit, "54000", "too much for one transaction");
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
		db_unit_fault(unit, "53200", "out of memory");
		return;
	}
	unit->calls = calls;
	unit->calls[unit->call_count++] = (struct db_call){
		.statement = statement,
		.first_param = unit->param_count,
	};
}

struct db_param *
db_unit_next_param(struct db_unit *unit)
{
	if (unit == NULL || unit->fault_sqlstate != NULL)
		return NULL;
	assert(unit->call_count > 0);
	struct db_call *call = &unit->calls[unit->call_count - 1];
	assert(call->param_count < PARAMS_MAX);
	call->param_count++;

	void *params = unit->params;
	if (!grow(&params, unit->param_count, &unit->param_room, sizeof(*unit->params), 16)) {
		db_unit_fault(unit, "53200", "out of memory");
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
			db_unit_fault(unit, "53200", "out of memory");
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
	struct db_param *param = db_unit_next_param(unit);

	if (param == NULL || !db_unit_take_bytes(unit, len))
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
	(void)db_unit_next_param(unit);
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

uint64_t
db_float8_wire(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return htobe64(bits);
}

void
db_add_float8(struct db_unit *unit, double value)
{
	add_bytes(unit, &(uint64_t){ db_float8_wire(value) }, 8);
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
		db_unit_fault(unit, "22021", "text is not UTF-8 or holds a NUL");
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

/* --- ready to go --- */

bool
db_unit_seal(struct db_unit *unit)
{
	check_param_count(unit);
	for (struct db_array *a = unit->arrays; a != NULL; a = a->next)
		if (unit->fault_sqlstate == NULL && !db_array_close(a))
			db_unit_fault_at(unit, "53200", "out of memory", a->call, a->param);
	if (unit->fault_sqlstate == NULL) {
		unit->results = calloc(unit->call_count + 1, sizeof(*unit->results));
		if (unit->results == NULL)
			db_unit_fault(unit, "53200", "out of memory");
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
