/* The XML of a workbook's parts, without its archive: four parts, each with its length in front,
 * fed in pieces as small as the first byte says. */
#include "fuzz.h"
#include "table_internal.h"
#include "utf8.h"

static bool
on_row(void *arg, const struct table_row *row)
{
	size_t *rows = arg;

	HOLDS(row->count > 0 && row->count <= TABLE_COLUMNS_MAX);
	for (size_t i = 0; i < row->count; i++)
		HOLDS(utf8_valid(row->cells[i], strlen(row->cells[i])));
	return ++*rows < 1000;
}

static void
feed(struct table *t, struct table_book *book, enum table_part part, struct input *in, size_t piece)
{
	size_t len = (size_t)(take_byte(in) << 8 | take_byte(in));
	const char *at;

	if (len > in->left || part == TABLE_PART_SHEET)
		len = in->left;
	at = (const char *)in->at;
	in->at += len;
	in->left -= len;
	struct table_xml *x = table_xml_open(t, book, part, false);
	HOLDS(x != NULL);
	bool on = true;
	for (size_t done = 0; on && done < len; done += piece) {
		size_t now = len - done < piece ? len - done : piece;
		char *copy = copy_text(at + done, now);
		on = table_xml_feed(x, copy, now, false);
		free(copy);
	}
	if (on)
		(void)!table_xml_feed(x, "", 0, true);
	table_xml_destroy(x);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct table_limits limits = { 1 << 20, 1 << 20, 1 << 16, .workbooks = false };
	struct input in = { data, size };
	struct table *t = table_open(-1, &limits, ';');
	struct table_book book = { 0 };
	size_t rows = 0, piece = take_byte(&in) + (size_t)1;

	HOLDS(t != NULL);
	t->on_row = on_row;
	t->arg = &rows;
	for (unsigned part = 0; part <= TABLE_PART_SHEET; part++) {
		if (table_problem(t) == TABLE_FINE)
			feed(t, &book, (enum table_part)part, &in, piece);
	}
	HOLDS(book.sheet_count <= TABLE_SHEETS_MAX && book.strings_used <= limits.string_bytes);
	HOLDS(rows <= 1000);
	free(book.strings);
	free(book.string_at);
	table_destroy(t);
	return 0;
}
