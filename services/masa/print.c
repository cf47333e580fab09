/* Answers for people and for programs from the same JSON value. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "istanbul.h"
#include "masa.h"
#include "number.h"
#include "utf8.h"

/* PostgreSQL's type numbers (pg_type.dat), of the types our queries return. */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_FLOAT8 = 701 };

static json_t *cell(const PGresult *result, int row, int column);
static void print_table(json_t *rows);
static void print_lines(json_t *object, int depth);
static void cell_text(const char *name, json_t *value, char *text, size_t size);
static int display_width(const char *text);

json_t *
masa_rows(const PGresult *result)
{
	json_t *rows = json_array();

	for (int r = 0; r < PQntuples(result); r++) {
		json_t *row = json_object();
		for (int c = 0; c < PQnfields(result); c++) {
			const char *name = PQfname(result, c);
			char number[NUMBER_SIZE];
			if (strcmp(name, "ticket_id") != 0)
				json_object_set_new(row, name, cell(result, r, c));
			else if (!PQgetisnull(result, r, c)
				 && number_format(
				     strtoll(PQgetvalue(result, r, c), NULL, 10), number))
				json_object_set_new(row, "ticket", json_string(number));
			else
				json_object_set_new(row, "ticket", json_null());
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *
cell(const PGresult *result, int row, int column)
{
	const char *text = PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column))
		return json_null();
	switch (PQftype(result, column)) {
	case OID_BOOL:
		return json_boolean(text[0] == 't');
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
		return json_integer(strtoll(text, NULL, 10));
	case OID_FLOAT8:
		return json_real(strtod(text, NULL));
	default:
		return json_string(text);
	}
}

void
masa_print(struct masa *m, json_t *value)
{
	if (m->json) {
		json_dumpf(value, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_is_array(value)) {
		print_table(value);
	} else {
		print_lines(value, 0);
	}
	json_decref(value);
}

static void
print_table(json_t *rows)
{
	int widths[32] = { 0 };
	size_t index, column;
	const char *name;
	json_t *row, *value;
	char text[512];

	json_array_foreach(rows, index, row)
	{
		column = 0;
		json_object_foreach(row, name, value)
		{
			if (column == ARRAY_LEN(widths))
				break;
			cell_text(name, value, text, sizeof(text));
			int width = display_width(text);
			if (width < (int)strlen(name))
				width = (int)strlen(name);
			if (width > widths[column])
				widths[column] = width;
			column++;
		}
	}
	for (size_t line = 0; json_array_size(rows) > 0 && line <= json_array_size(rows); line++) {
		column = 0;
		row = json_array_get(rows, line == 0 ? 0 : line - 1);
		json_object_foreach(row, name, value)
		{
			if (column == ARRAY_LEN(widths))
				break;
			if (line == 0)
				snprintf(text, sizeof(text), "%s", name);
			else
				cell_text(name, value, text, sizeof(text));
			bool last = column + 1 == json_object_size(row);
			printf(
			    "%s%*s", text, last ? 0 : widths[column] - display_width(text) + 2, "");
			column++;
		}
		putchar('\n');
	}
}

static void
print_lines(json_t *object, int depth)
{
	const char *name;
	json_t *value;
	char text[4096];

	json_object_foreach(object, name, value)
	{
		if (json_is_object(value)) {
			printf("%*s%s:\n", depth * 2, "", name);
			print_lines(value, depth + 1);
		} else if (json_is_array(value)) {
			printf("%*s%s:%s\n", depth * 2, "", name,
			    json_array_size(value) == 0 ? " none" : "");
			print_table(value);
		} else {
			cell_text(name, value, text, sizeof(text));
			printf("%*s%s: %s\n", depth * 2, "", name, text);
		}
	}
}

/* Does a terminal obey it rather than show it?  U+0080 to U+009F are controls too, and U+202A to
 * U+202E and U+2066 to U+2069 turn the rest of a line round. */
static bool
is_obeyed(int32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e)
	       || (code >= 0x2066 && code <= 0x2069);
}

/* Text of the record may hold anything: what a terminal would obey becomes a blank.  What does not
 * fit is left out, by whole characters. */
static void
copy_shown(const char *from, char *text, size_t size)
{
	const char *end = from + strlen(from), *next = from;
	size_t used = 0;

	for (; from < end; from = next) {
		int32_t code = utf8_next(&next, end);
		size_t len = (size_t)(next - from);
		if (used + len >= size)
			break;
		if (is_obeyed(code)) {
			text[used++] = ' ';
			continue;
		}
		memcpy(text + used, from, len);
		used += len;
	}
	text[used] = '\0';
}

static void
cell_text(const char *name, json_t *value, char *text, size_t size)
{
	size_t len = strlen(name);

	if (json_is_integer(value) && len > 3 && strcmp(name + len - 3, "_us") == 0) {
		int64_t at_us = json_integer_value(value);
		if (at_us == 0) {
			snprintf(text, size, "-");
			return;
		}
		struct istanbul_time t = istanbul_split(at_us);
		snprintf(text, size, "%04d-%02d-%02d %02d:%02d:%02d", t.year, t.month, t.day,
		    t.hour, t.minute, t.second);
	} else if (json_is_integer(value)) {
		snprintf(text, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_string(value)) {
		copy_shown(json_string_value(value), text, size);
	} else if (json_is_boolean(value)) {
		snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
	} else if (json_is_real(value)) {
		snprintf(text, size, "%.6g", json_real_value(value));
	} else {
		snprintf(text, size, "-");
	}
}

/* Characters, not bytes: enough for Latin text. */
static int
display_width(const char *text)
{
	return (int)utf8_count(text);
}
