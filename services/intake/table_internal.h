/* table_internal - what the readers of the two kinds of table share.  For table*.c alone. */
#ifndef INTAKE_TABLE_INTERNAL_H
#define INTAKE_TABLE_INTERNAL_H

#include <sys/types.h>

#include "table.h"

/* Bytes of a file or of unpacked XML that one step looks at. */
enum { TABLE_STEP_BYTES = 32 * 1024 };

/* The row under way. */
struct table_build {
	char bytes[TABLE_ROW_BYTES_MAX];
	size_t used;
	size_t cell; /* where the cell under way begins */
	struct table_row row;
};

struct table_csv;
struct table_xlsx;

struct table {
	int fd;
	uint64_t size;
	struct table_limits limits;
	char separator;
	bool begun;
	bool ended;
	enum table_problem problem;
	int line;
	bool from_1904;
	struct table_csv *csv; /* one of the two */
	struct table_xlsx *xlsx;
	table_row_fn *on_row; /* of the step under way */
	void *arg;
	bool stopped;
	struct table_build build;
};

/* Remembers the first problem; false. */
bool table_fail(struct table *t, enum table_problem problem, int line);

/* False: it does not fit, and the table has failed. */
MUST_CHECK bool table_put(struct table *t, const char *bytes, size_t len);
MUST_CHECK bool table_end_cell(struct table *t, bool is_number);
/* Tells of the row unless all its cells are empty, and begins the next. */
void table_end_row(struct table *t, int line);

struct table_csv *table_csv_open(struct table *t);
void table_csv_destroy(struct table_csv *csv);
void table_csv_step(struct table *t);

/* The file is a zip archive; the table fails when it is no workbook. */
struct table_xlsx *table_xlsx_open(struct table *t);
void table_xlsx_destroy(struct table_xlsx *xlsx);
void table_xlsx_step(struct table *t);

/* --- XML parts of a workbook (table_xml.c) --- */

struct table_xml;
enum table_part { TABLE_PART_WORKBOOK, TABLE_PART_RELATIONS, TABLE_PART_STRINGS, TABLE_PART_SHEET };
enum { TABLE_NAME_BYTES = 256, TABLE_SHEETS_MAX = 64 };

/* What the small parts say. */
struct table_book {
	size_t sheet_count;
	char sheet_relation[TABLE_SHEETS_MAX][64]; /* r:id of each, in the order of the book */
	char sheet_path[TABLE_SHEETS_MAX][TABLE_NAME_BYTES];
	bool too_many_sheets;
	bool from_1904;
	char strings_path[TABLE_NAME_BYTES]; /* "": it has none */
	/* Shared texts, each ended by NUL, and where each begins. */
	char *strings;
	size_t strings_used, strings_size;
	uint32_t *string_at;
	size_t string_count, string_room;
};

/* Rows of a sheet go to the table; quiet: any row is a problem (TABLE_MORE_SHEETS).  NULL: out of
 * memory.  Destroy takes NULL. */
struct table_xml *table_xml_open(
    struct table *t, struct table_book *book, enum table_part part, bool quiet);
void table_xml_destroy(struct table_xml *x);
/* False: the table has failed or was stopped. */
MUST_CHECK bool table_xml_feed(struct table_xml *x, const char *bytes, size_t len, bool last);

#endif
