/* Reads the municipality's CSV files cell by cell, and words what is wrong with them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_parse.h"
#include "istanbul.h"

/* --- problems ------------------------------------------------------------------------ */

PRINTF(5, 0)
static void
add_problem(
    struct parse *p, const char *file, int line, bool warning, const char *format, va_list args)
{
	struct catalogue_report *report = p->report;

	if (warning)
		report->warnings++;
	else
		report->errors++;
	if (report->kept == CATALOGUE_PROBLEMS_MAX)
		return;
	struct catalogue_problem *problem = &report->problems[report->kept++];
	problem->line = line;
	problem->warning = warning;
	snprintf(problem->file, sizeof(problem->file), "%s", file);
	vsnprintf(problem->reason, sizeof(problem->reason), format, args);
}

void
parse_error(struct parse *p, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_problem(p, file, line, false, format, args);
	va_end(args);
}

void
parse_warning(struct parse *p, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_problem(p, file, line, true, format, args);
	va_end(args);
}

void
sheet_error(struct sheet *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_problem(s->p, s->file, s->csv.line, false, format, args);
	va_end(args);
	s->bad = true;
}

/* --- rows ---------------------------------------------------------------------------- */

static bool
column_optional(const char *column)
{
	return column[strlen(column) - 1] == '?';
}

static bool
column_is(const char *column, const char *name)
{
	size_t len = strlen(column) - column_optional(column);

	return strlen(name) == len && strncmp(column, name, len) == 0;
}

static size_t
column_named(const struct sheet *s, const char *name)
{
	size_t i = 0;

	while (i < s->column_count && !column_is(s->columns[i], name))
		i++;
	return i;
}

/* True when every required column is there and no other one, each once. */
static bool
take_header(struct sheet *s)
{
	s->bad = false;
	for (size_t i = 0; i < s->csv.field_count; i++) {
		size_t column = column_named(s, s->csv.fields[i]);
		if (column == s->column_count)
			sheet_error(s, "unknown column \"%.40s\"", s->csv.fields[i]);
		else if (s->field_of[column] != -1)
			sheet_error(s, "column \"%.40s\" twice", s->csv.fields[i]);
		else
			s->field_of[column] = (int)i;
	}
	for (size_t c = 0; c < s->column_count; c++) {
		if (s->field_of[c] == -1 && !column_optional(s->columns[c]))
			sheet_error(s, "column \"%s\" is missing", s->columns[c]);
	}
	s->header_count = s->csv.field_count;
	return !s->bad;
}

bool
sheet_open(struct sheet *s, struct parse *p, const char *file, const char *const *columns,
    size_t column_count, bool optional)
{
	const struct bundle_file *data = bundle_find(p->bundle, file);

	s->p = p;
	s->file = file;
	s->columns = columns;
	s->column_count = column_count;
	s->bad = false;
	for (size_t i = 0; i < SHEET_COLUMNS_MAX; i++)
		s->field_of[i] = -1;
	if (data == NULL) {
		if (!optional)
			parse_error(p, file, 0, "the file is missing");
		return false;
	}
	csv_open(&s->csv, data->data, data->size);
	switch (csv_read(&s->csv)) {
	case CSV_ROW:
		return take_header(s);
	case CSV_END:
		parse_error(p, file, 0, "the file is empty: it needs a header");
		return false;
	case CSV_ERROR:
	default:
		parse_error(p, file, s->csv.line, "%s", s->csv.error);
		return false;
	}
}

bool
sheet_next(struct sheet *s)
{
	for (;;) {
		s->bad = false;
		switch (csv_read(&s->csv)) {
		case CSV_END:
			return false;
		case CSV_ERROR:
			sheet_error(s, "%s", s->csv.error);
			break;
		case CSV_ROW:
		default:
			if (s->csv.field_count == s->header_count)
				return true;
			sheet_error(s, "%zu fields, but the header has %zu", s->csv.field_count,
			    s->header_count);
		}
	}
}

int
sheet_line(const struct sheet *s)
{
	return s->csv.line;
}

/* --- cells --------------------------------------------------------------------------- */

static int
name_len(const struct sheet *s, size_t column)
{
	return (int)(strlen(s->columns[column]) - column_optional(s->columns[column]));
}

/* For "%.*s": the column's name without its '?'. */
#define NAME(s, column) name_len(s, column), (s)->columns[column]

const char *
cell(struct sheet *s, size_t column)
{
	int field = s->field_of[column];

	return field == -1 ? "" : s->csv.fields[field];
}

const char *
cell_text(struct sheet *s, size_t column, size_t max_bytes)
{
	const char *text = cell(s, column);
	size_t len = strlen(text);

	if (len > max_bytes) {
		sheet_error(s, "%.*s is longer than %zu bytes", NAME(s, column), max_bytes);
		return "";
	}
	if (len > 0 && (text[0] == ' ' || text[len - 1] == ' ')) {
		sheet_error(s, "%.*s has spaces around it", NAME(s, column));
		return "";
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' && text[i] != '\n') {
			sheet_error(s, "%.*s has a control character", NAME(s, column));
			return "";
		}
	}
	return parse_keep(s->p, text, len);
}

const char *
cell_required(struct sheet *s, size_t column, size_t max_bytes)
{
	if (cell(s, column)[0] == '\0')
		sheet_error(s, "%.*s is empty", NAME(s, column));
	return cell_text(s, column, max_bytes);
}

bool
code_valid(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > CODE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| c == '-' || c == '_'))
			return false;
	}
	return true;
}

const char *
cell_code(struct sheet *s, size_t column)
{
	const char *text = cell(s, column);

	if (!code_valid(text)) {
		sheet_error(s,
		    "%.*s \"%.40s\" is not a code: 1 to %d ASCII letters, digits, - or _",
		    NAME(s, column), text, CODE_MAX);
		return "";
	}
	return parse_keep(s->p, text, strlen(text));
}

struct catalogue_text
cell_both(struct sheet *s, size_t column_tr, size_t max_bytes, bool required)
{
	struct catalogue_text both;

	both.in[CATALOGUE_TR] = required ? cell_required(s, column_tr, max_bytes)
					 : cell_text(s, column_tr, max_bytes);
	both.in[CATALOGUE_EN] = cell_text(s, column_tr + 1, max_bytes);
	if (both.in[CATALOGUE_EN][0] == '\0')
		both.in[CATALOGUE_EN] = both.in[CATALOGUE_TR];
	return both;
}

bool
cell_yes(struct sheet *s, size_t column)
{
	const char *text = cell(s, column);
	bool yes = strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "no") != 0)
		sheet_error(s, "%.*s \"%.40s\" is neither yes nor no", NAME(s, column), text);
	return yes;
}

/* Locale plays no part: no program of ours ever sets one. */
bool
number_text_parse(const char *text, double *ret_number)
{
	size_t len = strlen(text);

	if (len == 0 || len > 20 || strspn(text, "-0123456789.") != len)
		return false;
	char *end;
	double number = strtod(text, &end);
	if (*end != '\0' || end == text)
		return false;
	*ret_number = number;
	return true;
}

double
cell_number(struct sheet *s, size_t column, double min, double max)
{
	double number;

	if (!number_text_parse(cell(s, column), &number) || number < min || number > max) {
		sheet_error(s, "%.*s \"%.40s\" is not a number from %g to %g", NAME(s, column),
		    cell(s, column), min, max);
		return 0;
	}
	return number;
}

int
cell_int(struct sheet *s, size_t column, int min, int max)
{
	double number;

	if (!number_text_parse(cell(s, column), &number) || number < min || number > max
	    || strchr(cell(s, column), '.') != NULL) {
		sheet_error(s, "%.*s \"%.40s\" is not a whole number from %d to %d",
		    NAME(s, column), cell(s, column), min, max);
		return 0;
	}
	return (int)number;
}

const char *
cell_email(struct sheet *s, size_t column)
{
	const char *text = cell(s, column), *at = strchr(text, '@');

	if (text[0] != '\0'
	    && (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL
		|| strpbrk(text, " \t\r\n<>,;\"") != NULL)) {
		sheet_error(s, "%.*s \"%.60s\" is not an e-mail address", NAME(s, column), text);
		return "";
	}
	return cell_text(s, column, 254);
}

static bool
two_digits(const char *text, int *ret_value)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret_value = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

bool
minute_parse(const char *text, int *ret_minute)
{
	int hour, minute;

	if (strlen(text) != 5 || text[2] != ':' || !two_digits(text, &hour)
	    || !two_digits(text + 3, &minute) || minute > 59 || hour * 60 + minute > MINUTES_A_DAY)
		return false;
	*ret_minute = hour * 60 + minute;
	return true;
}

bool
date_parse(const char *text, int32_t *ret_day)
{
	int century, year, month, day;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !two_digits(text, &century)
	    || !two_digits(text + 2, &year) || !two_digits(text + 5, &month)
	    || !two_digits(text + 8, &day) || !civil_valid(century * 100 + year, month, day))
		return false;
	*ret_day = civil_day(century * 100 + year, month, day);
	return true;
}

bool
next_part(const char **at, char separator, char *part, size_t part_size)
{
	const char *from = *at;

	if (from == NULL)
		return false;
	const char *to = strchr(from, separator);
	*at = to == NULL ? NULL : to + 1;
	if (to == NULL)
		to = from + strlen(from);
	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	size_t len = (size_t)(to - from);
	if (len >= part_size)
		len = part_size - 1;
	memcpy(part, from, len);
	part[len] = '\0';
	return true;
}
