/*
 * table - the rows of a file that a spreadsheet wrote: comma-separated values or an XLSX workbook.
 *
 * Which of them it is the first bytes say, not the name.  Each step reads a piece and tells of the
 * rows in it, so that a loop can do other things between; memory is bounded by the limits whatever
 * the file unpacks to, and nothing of it is written anywhere.
 *
 * CSV is UTF-8 (with or without its mark) or windows-1254, separated by what the caller says; the
 * first step finds out which encoding, and text that is neither is refused, not guessed.  Of a
 * workbook the first sheet is read, and the others must be empty.
 *
 * Cells are UTF-8 without NUL; numbers of a workbook come as it wrote them ("45991.5").
 */
#ifndef INTAKE_TABLE_H
#define INTAKE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

enum { TABLE_COLUMNS_MAX = 256, TABLE_ROW_BYTES_MAX = 128 * 1024 };

struct table;

struct table_limits {
	uint64_t file_bytes;
	uint64_t unpacked_bytes; /* of all parts of a workbook that are read */
	size_t string_bytes; /* of a workbook's shared texts, which are held in memory */
	bool workbooks; /* else one is TABLE_UNREADABLE, and nothing of it is unpacked */
};

enum table_problem {
	TABLE_FINE,
	TABLE_UNREADABLE, /* the disk's fault, or no memory: later it may be otherwise */
	TABLE_FILE_BYTES,
	TABLE_EMPTY,
	TABLE_OLD_OR_LOCKED, /* .xls, or a workbook with a password */
	TABLE_UTF16,
	TABLE_ENCODING, /* neither UTF-8 nor windows-1254 */
	TABLE_QUOTE_OPEN,
	TABLE_QUOTE_INSIDE,
	TABLE_ROW_BYTES,
	TABLE_COLUMNS,
	TABLE_ZIP, /* damaged or cut off */
	TABLE_ZIP_PARTS, /* more parts than a workbook has */
	TABLE_ZIP_METHOD, /* packed in a way that no spreadsheet uses, or encrypted */
	TABLE_NO_WORKBOOK, /* an archive, and no workbook */
	TABLE_UNPACKED,
	TABLE_STRINGS,
	TABLE_XML,
	TABLE_ENTITIES, /* a DOCTYPE, which no spreadsheet writes */
	TABLE_CELL_ERROR, /* a formula's #REF! or the like */
	TABLE_MORE_SHEETS,
	TABLE_PROBLEMS
};

struct table_row {
	int line; /* as a spreadsheet counts them, of CSV the line it begins in */
	size_t count;
	const char *cells[TABLE_COLUMNS_MAX]; /* never NULL */
	bool is_number[TABLE_COLUMNS_MAX]; /* of a workbook */
};

enum table_state { TABLE_MORE, TABLE_END, TABLE_STOPPED, TABLE_FAILED };

/* The row is lent for the call.  False: the rest is not wanted. */
typedef bool table_row_fn(void *arg, const struct table_row *row);

/* Reads fd from its beginning and leaves it open; its place is moved.  NULL: out of memory.
 * Destroy takes NULL. */
struct table *table_open(int fd, const struct table_limits *limits, char separator);
void table_destroy(struct table *t);

enum table_state table_step(struct table *t, table_row_fn *on_row, void *arg);

/* When TABLE_FAILED, and in which line (0: not of one). */
enum table_problem table_problem(const struct table *t);
int table_problem_line(const struct table *t);
/* Days count from 1904, as an old setting of workbooks has it. */
bool table_from_1904(const struct table *t);

#endif
