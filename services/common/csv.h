/*
 * csv - RFC 4180 over memory: a reader that says exactly what is wrong and where, and a writer.
 *
 * Rows end in LF or CRLF; a byte order mark at the start and wholly empty lines are passed over.
 * Text is UTF-8; anything else is an error of its row.  Nothing is trimmed.
 */
#ifndef TURUNC_CSV_H
#define TURUNC_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base.h"

enum { CSV_FIELDS_MAX = 64, CSV_ROW_BYTES_MAX = 32 * 1024, CSV_FIELD_BYTES_MAX = 8 * 1024 };

enum csv_result { CSV_ROW, CSV_END, CSV_ERROR };

struct csv_reader {
	const char *at, *end;
	int next_line; /* where reading goes on */
	/* The current row: */
	int line; /* where it begins; of an error, where that is */
	size_t field_count;
	const char *fields[CSV_FIELDS_MAX]; /* ended by NUL, valid until the next csv_read() */
	const char *error; /* a literal, set with CSV_ERROR */
	char row[CSV_ROW_BYTES_MAX];
};

/* Lends data until the last csv_read(). */
void csv_open(struct csv_reader *r, const void *data, size_t size);

/* After CSV_ERROR reading goes on with the next line (after an unterminated quote: at the end). */
MUST_CHECK enum csv_result csv_read(struct csv_reader *r);

/*
 * Writes rows into memory that the caller lends.  With "spreadsheet", a field that a spreadsheet
 * would take for a formula (it begins with = + - @ or a control character) gets an apostrophe in
 * front, unless it is a plain number; use it whenever people will open the file.
 */
struct csv_writer {
	char *out;
	size_t size;
	size_t used;
	bool spreadsheet;
	char separator; /* ','; spreadsheets in Turkish expect ';', which the caller may set */
	bool in_row;
	bool overflow; /* something did not fit; out is then incomplete and must not be used */
};

void csv_start(struct csv_writer *w, char *out, size_t size, bool spreadsheet);
void csv_field(struct csv_writer *w, const char *text);
void csv_end_row(struct csv_writer *w); /* CRLF */

/* Ends out with a NUL.  False: it did not all fit. */
MUST_CHECK bool csv_finish(struct csv_writer *w);

#endif
