/* CSV: read to its end whatever it is, and rows written come back as they were. */
#include "csv.h"
#include "fuzz.h"

static void
check_round(const struct csv_reader *row)
{
	static char out[4 * CSV_ROW_BYTES_MAX];
	static struct csv_reader again;
	struct csv_writer w;

	if (row->field_count > 0 && strncmp(row->fields[0], "\xef\xbb\xbf", 3) == 0)
		return; /* at the beginning of a file it is its mark */
	csv_start(&w, out, sizeof(out), false);
	for (size_t i = 0; i < row->field_count; i++)
		csv_field(&w, row->fields[i]);
	csv_end_row(&w);
	if (!csv_finish(&w))
		return;
	csv_open(&again, out, strlen(out));
	enum csv_result result = csv_read(&again);
	if (result != CSV_ROW)
		return; /* quotes doubled may be over a row's size, and one empty field is no row */
	HOLDS(again.field_count == row->field_count);
	for (size_t i = 0; i < row->field_count; i++)
		HOLDS(strcmp(again.fields[i], row->fields[i]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csv_reader reader;
	char *text = malloc(size);
	enum csv_result result;
	int line = 0, calls = 0;

	memcpy(text, data, size);
	csv_open(&reader, text, size);
	while ((result = csv_read(&reader)) != CSV_END) {
		HOLDS(++calls <= (int)size + 1);
		HOLDS(reader.line >= line);
		line = reader.line;
		if (result == CSV_ERROR) {
			HOLDS(reader.error != NULL);
			continue;
		}
		HOLDS(reader.field_count <= CSV_FIELDS_MAX);
		for (size_t i = 0; i < reader.field_count; i++)
			HOLDS(strlen(reader.fields[i]) <= CSV_FIELD_BYTES_MAX);
		check_round(&reader);
	}
	free(text);
	return 0;
}
