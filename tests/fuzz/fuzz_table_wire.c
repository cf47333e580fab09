/* What a process that was led astray may tell of a workbook's rows, in pieces of the first byte's
 * size. */
#include "fuzz.h"
#include "table_wire.h"
#include "utf8.h"

static bool
on_row(void *arg, const struct table_row *row)
{
	size_t *rows = arg, bytes = 0;

	HOLDS(row->line >= 0 && row->count > 0 && row->count <= TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < row->count; i++) {
		size_t len = strlen(row->cells[i]);
		HOLDS(utf8_valid(row->cells[i], len));
		bytes += len + 1;
	}
	HOLDS(bytes <= TABLE_ROW_BYTES_MAX);
	return ++*rows < 50;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct table_wire *w = table_wire_create();
	enum table_wire_state state = TABLE_WIRE_MORE;
	size_t rows = 0, piece = take_byte(&in) + (size_t)1;

	HOLDS(w != NULL);
	while (state == TABLE_WIRE_MORE && in.left > 0) {
		size_t len = in.left < piece ? in.left : piece;
		char *copy = copy_text(in.at, len);
		state = table_wire_take(w, (const uint8_t *)copy, len, on_row, &rows);
		free(copy);
		in.at += len;
		in.left -= len;
	}
	HOLDS(rows <= 50 && table_wire_line(w) >= 0 && table_wire_problem(w) < TABLE_PROBLEMS);
	table_wire_destroy(w);
	return 0;
}
