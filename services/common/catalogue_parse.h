/*
 * catalogue_parse - what the parts of the catalogue's parser share.  For catalogue_*.c alone.
 *
 * Each part reads one kind of file from a sheet (a CSV file with a header), checks each cell, drops
 * the rows that have a problem, and puts a sorted array into the catalogue.  A part goes on after a
 * problem, so that one run shows them all; running out of memory is remembered and ends it.
 */
#ifndef TURUNC_CATALOGUE_PARSE_H
#define TURUNC_CATALOGUE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle.h"
#include "catalogue.h"
#include "csv.h"

struct memory_chunk;

/* One neighbourhood's folded name or alias. */
struct place_name {
	const char *folded;
	size_t at; /* in neighbourhoods[] */
};

struct catalogue_private {
	struct memory_chunk *chunks;
	const struct place_name *names; /* sorted by folded */
	size_t name_count;
};

struct parse {
	struct catalogue *cat;
	const struct bundle *bundle;
	struct catalogue_report *report;
	bool out_of_memory;
	int office_calendar_line, triage_department_line; /* in municipality.csv */
};

/* --- problems (catalogue_sheet.c) ---------------------------------------------------- */

/* line 0: the file as a whole. */
PRINTF(4, 5)
void parse_error(struct parse *p, const char *file, int line, const char *format, ...);
PRINTF(4, 5)
void parse_warning(struct parse *p, const char *file, int line, const char *format, ...);

/* --- memory that the catalogue keeps (catalogue_memory.c) ---------------------------- */

/* Zeroed, aligned for anything, freed with the catalogue.  NULL: out of memory, and it is noted. */
void *parse_take(struct parse *p, size_t size);
/* A copy, or "" when out of memory. */
const char *parse_keep(struct parse *p, const char *text, size_t len);
void memory_release(struct catalogue_private *hidden);

/* A growing array while a file is read. */
struct list {
	char *items;
	size_t count, capacity, item_size;
};

enum { LIST_MAX = 5000 };

void list_init(struct list *l, size_t item_size);
/* The new item, zeroed, or NULL (out of memory, or LIST_MAX reached: an error is reported). */
void *list_add(struct parse *p, struct list *l, const char *file, int line);
void *list_at(const struct list *l, size_t i);
/* Sorts, moves the array into the catalogue's memory and empties the list. */
const void *list_settle(
    struct parse *p, struct list *l, size_t *ret_count, int (*compare)(const void *, const void *));

/* For items whose first member is a `const char *` code or name. */
int compare_codes(const void *a, const void *b);
const void *find_code(const void *items, size_t count, size_t item_size, const char *code);
bool list_has_code(const struct list *l, const char *code);

/* --- sheets (catalogue_sheet.c) ------------------------------------------------------ */

enum { SHEET_COLUMNS_MAX = 16, CODE_MAX = 40 };

struct sheet {
	struct parse *p;
	const char *file;
	const char *const *columns;
	size_t column_count;
	int field_of[SHEET_COLUMNS_MAX]; /* -1: an optional column that the file does not have */
	size_t header_count;
	bool bad; /* a cell of this row had a problem: do not use the row */
	struct csv_reader csv;
};

/*
 * columns: the names a header may have, in any order; one that ends in '?' may be left out.  False:
 * the file is absent (an error unless optional) or its header is wrong; there is nothing to read.
 */
MUST_CHECK bool sheet_open(struct sheet *s, struct parse *p, const char *file,
    const char *const *columns, size_t column_count, bool optional);
/* The next row with the right number of fields, problems with others being reported. */
MUST_CHECK bool sheet_next(struct sheet *s);
int sheet_line(const struct sheet *s);

/* A problem of the current row, which becomes bad. */
PRINTF(2, 3)
void sheet_error(struct sheet *s, const char *format, ...);

/* Each takes the index of a column; outputs of a bad cell are "", 0 or false. */
const char *cell(struct sheet *s, size_t column); /* as in the file, valid for this row */
const char *cell_text(struct sheet *s, size_t column, size_t max_bytes); /* kept; may be "" */
const char *cell_required(struct sheet *s, size_t column, size_t max_bytes);
const char *cell_code(struct sheet *s, size_t column);
struct catalogue_text cell_both(struct sheet *s, size_t column_tr, size_t max_bytes, bool required);
bool cell_yes(struct sheet *s, size_t column);
int cell_int(struct sheet *s, size_t column, int min, int max);
double cell_number(struct sheet *s, size_t column, double min, double max);
const char *cell_email(struct sheet *s, size_t column);

bool code_valid(const char *text);
MUST_CHECK bool number_text_parse(const char *text, double *ret_number);
/* "08:00" to "24:00" as minutes. */
MUST_CHECK bool minute_parse(const char *text, int *ret_minute);
MUST_CHECK bool date_parse(const char *text, int32_t *ret_day);

/*
 * Takes the next part of a list "a;b;c" off *at into part (of part_size), trimmed.  False at the
 * end.  A part that does not fit is cut, and will then not be found to be valid.
 */
bool next_part(const char **at, char separator, char *part, size_t part_size);

/* --- the parts, in the order in which they run --------------------------------------- */

void parse_municipality(struct parse *p);
void parse_calendars(struct parse *p); /* and holidays */
void parse_departments(struct parse *p);
void parse_institutions(struct parse *p);
void parse_reasons(struct parse *p);
void parse_subjects(struct parse *p); /* and questions */
void parse_neighbourhoods(struct parse *p);
void parse_rules(struct parse *p);
void parse_competence(struct parse *p);
void parse_cimer(struct parse *p);
void parse_templates(struct parse *p);
void parse_information(struct parse *p);

/* Folded, and without a word "mahallesi" at its end.  False: it does not fit, or nothing is left.
 */
MUST_CHECK bool place_fold(const char *text, char *out, size_t size);

/* '*' or codes of the catalogue's, separated by ';' (catalogue_rules.c). */
struct catalogue_pattern parse_subject_pattern(struct sheet *s, size_t column);
struct catalogue_pattern parse_neighbourhood_pattern(struct sheet *s, size_t column);

bool pattern_has(const struct catalogue_pattern *pattern, const char *code);

#endif
