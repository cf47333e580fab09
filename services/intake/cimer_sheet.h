/*
 * cimer_sheet - the applications of one file of CİMER's, read from its rows into items.
 *
 * Rows go in one by one (cimer_sheet_row is a table_row_fn); the first that names the columns an
 * application cannot be without is the header, what stands before it is passed over, and columns
 * that the configuration does not know are not read.  A row that is not right leaves an error and
 * the reading goes on, so that one run shows all of them; the file is then not taken.
 */
#ifndef INTAKE_CIMER_SHEET_H
#define INTAKE_CIMER_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "catalogue.h"
#include "item.h"
#include "table.h"

/* Who brings them, and where from: their identities' first two parts. */
#define CIMER_CLIENT "turunc.cimer"
#define CIMER_SOURCE "cimer"

enum {
	CIMER_REFERENCE_CHARS = 64,
	CIMER_KIND_CHARS = 80,
	CIMER_TEXT_CHARS = 8000,
	CIMER_ERRORS_KEPT = 500,
	CIMER_OLDEST_DAYS = 400,
};

enum cimer_error {
	CIMER_OK,
	CIMER_MISSING,
	CIMER_TOO_LONG,
	CIMER_SHORTENED_NUMBER, /* a spreadsheet turned the reference into 1,23E+11 */
	CIMER_BAD_DATE,
	CIMER_DATE_AHEAD,
	CIMER_DATE_OLD,
	CIMER_BAD_UNIT,
	CIMER_ERRORS
};

/* What is wrong with the file as a whole. */
enum cimer_fault {
	CIMER_SOUND,
	CIMER_NO_HEADER,
	CIMER_COLUMN_TWICE,
	CIMER_NO_ROWS,
	CIMER_TOO_MANY_ROWS,
	CIMER_TOO_MUCH_TEXT,
	CIMER_NO_MEMORY, /* passes */
	CIMER_FAULTS
};

struct cimer_row_error {
	int line;
	enum cimer_field field;
	enum cimer_error error;
};

/* item is not sealed and has no ticket's number yet. */
struct cimer_application {
	struct item item;
	int line;
	const char *kind; /* as the file has it */
	const char *unit;
	char texts[]; /* what item and the two above point to */
};

struct cimer_limits {
	size_t rows;
	size_t text_bytes;
};

struct cimer_sheet;

/* cat is lent and must stay; maker too, for the identities.  NULL: out of memory.  Destroy takes
 * NULL and frees the applications. */
struct cimer_sheet *cimer_sheet_create(const struct catalogue *cat, const struct item_maker *maker,
    const struct cimer_limits *limits, int64_t now_us);
void cimer_sheet_destroy(struct cimer_sheet *s);

/* arg is the sheet.  The table tells which clock its numbers of days are of. */
bool cimer_sheet_row(void *arg, const struct table_row *row);
void cimer_sheet_days_from_1904(struct cimer_sheet *s, bool yes);

bool cimer_sheet_has_header(const struct cimer_sheet *s);
/* Of the whole file, when its end was reached or its rows are not wanted any more. */
enum cimer_fault cimer_sheet_fault(const struct cimer_sheet *s);
/* CIMER_NO_HEADER: a required field that the likeliest header has not; CIMER_COLUMN_TWICE: the
 * field. */
enum cimer_field cimer_sheet_fault_field(const struct cimer_sheet *s);

size_t cimer_sheet_error_count(const struct cimer_sheet *s); /* kept or not */
const struct cimer_row_error *cimer_sheet_errors(const struct cimer_sheet *s, size_t *ret_kept);

/* All of them in the order of the file; lent. */
struct cimer_application **cimer_sheet_applications(struct cimer_sheet *s, size_t *ret_count);

/* Days (and parts of them) of a spreadsheet, or a text, as a moment.  cimer_date.c. */
MUST_CHECK bool cimer_date_parse(const char *text, int64_t *ret_us);
MUST_CHECK bool cimer_date_of_days(const char *digits, bool from_1904, int64_t *ret_us);

#endif
