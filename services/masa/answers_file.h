/*
 * answers_file - a list for people: CSV (UTF-8 with its mark, ';', as Turkish spreadsheets open it)
 * or an XLSX workbook, by the ending of its name.
 *
 * It holds personal data, so the file is its owner's alone and must not be there yet.
 */
#ifndef MASA_ANSWERS_FILE_H
#define MASA_ANSWERS_FILE_H

#include "masa.h"

struct answers_table {
	const char *const *header;
	size_t columns;
	size_t rows;
	const char *const *cells; /* rows * columns, none NULL */
};

/* False: it is none of the two. */
bool answers_file_named(const char *path);
/* What could not be written whole is removed, and it was told why. */
MUST_CHECK enum exit_code answers_file_write(const char *path, const struct answers_table *table);

#endif
