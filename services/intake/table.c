/* Reads a table a piece at a time, whichever of the two kinds it is. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table_internal.h"
#include "utf8.h"

struct table *
table_open(int fd, const struct table_limits *limits, char separator)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fd = fd;
	t->limits = *limits;
	t->separator = separator;
	return t;
}

void
table_destroy(struct table *t)
{
	if (t == NULL)
		return;
	table_csv_destroy(t->csv);
	table_xlsx_destroy(t->xlsx);
	free(t);
}

bool
table_fail(struct table *t, enum table_problem problem, int line)
{
	if (t->problem == TABLE_FINE) {
		t->problem = problem;
		t->line = line;
	}
	return false;
}

enum table_problem
table_problem(const struct table *t)
{
	return t->problem;
}

int
table_problem_line(const struct table *t)
{
	return t->line;
}

bool
table_from_1904(const struct table *t)
{
	return t->from_1904;
}

/* --- the row under way ------------------------------------------------------------------------ */

bool
table_put(struct table *t, const char *bytes, size_t len)
{
	struct table_build *b = &t->build;

	if (len >= sizeof(b->bytes) - b->used)
		return table_fail(t, TABLE_ROW_BYTES, b->row.line);
	memcpy(b->bytes + b->used, bytes, len);
	b->used += len;
	return true;
}

bool
table_end_cell(struct table *t, bool is_number)
{
	struct table_build *b = &t->build;

	if (b->row.count == TABLE_COLUMNS_MAX)
		return table_fail(t, TABLE_COLUMNS, b->row.line);
	if (b->used + 1 >= sizeof(b->bytes))
		return table_fail(t, TABLE_ROW_BYTES, b->row.line);
	if (!utf8_valid(b->bytes + b->cell, b->used - b->cell))
		return table_fail(t, TABLE_ENCODING, b->row.line);
	b->bytes[b->used++] = '\0';
	b->row.cells[b->row.count] = b->bytes + b->cell;
	b->row.is_number[b->row.count] = is_number;
	b->row.count++;
	b->cell = b->used;
	return true;
}

void
table_end_row(struct table *t, int line)
{
	struct table_build *b = &t->build;
	bool empty = true;

	b->row.line = line;
	for (size_t i = 0; i < b->row.count; i++)
		empty = empty && b->row.cells[i][0] == '\0';
	if (!empty && !t->stopped && t->problem == TABLE_FINE)
		t->stopped = !t->on_row(t->arg, &b->row);
	b->used = b->cell = 0;
	b->row.count = 0;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void
begin(struct table *t)
{
	static const unsigned char old_magic[] = { 0xd0, 0xcf, 0x11, 0xe0 };
	unsigned char head[8] = { 0 };
	struct stat file;

	t->begun = true;
	if (fstat(t->fd, &file) == -1 || lseek(t->fd, 0, SEEK_SET) == -1) {
		(void)table_fail(t, TABLE_UNREADABLE, 0);
		return;
	}
	t->size = (uint64_t)file.st_size;
	if (t->size == 0 || t->size > t->limits.file_bytes) {
		(void)table_fail(t, t->size == 0 ? TABLE_EMPTY : TABLE_FILE_BYTES, 0);
		return;
	}
	ssize_t got = pread(t->fd, head, sizeof(head), 0);
	if (got < 0)
		(void)table_fail(t, TABLE_UNREADABLE, 0);
	else if (memcmp(head, old_magic, sizeof(old_magic)) == 0)
		(void)table_fail(t, TABLE_OLD_OR_LOCKED, 0);
	else if (memcmp(head, "PK\x03\x04", 4) == 0 && !t->limits.workbooks)
		(void)table_fail(t, TABLE_UNREADABLE, 0);
	else if (memcmp(head, "PK\x03\x04", 4) == 0)
		t->xlsx = table_xlsx_open(t);
	else if (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0)
		(void)table_fail(t, TABLE_UTF16, 0);
	else
		t->csv = table_csv_open(t);
	if (t->problem == TABLE_FINE && t->xlsx == NULL && t->csv == NULL)
		(void)table_fail(t, TABLE_UNREADABLE, 0);
}

enum table_state
table_step(struct table *t, table_row_fn *on_row, void *arg)
{
	t->on_row = on_row;
	t->arg = arg;
	if (!t->begun)
		begin(t);
	if (t->problem == TABLE_FINE && !t->ended && !t->stopped) {
		if (t->xlsx != NULL)
			table_xlsx_step(t);
		else
			table_csv_step(t);
	}
	if (t->stopped)
		return TABLE_STOPPED;
	if (t->problem != TABLE_FINE)
		return TABLE_FAILED;
	return t->ended ? TABLE_END : TABLE_MORE;
}
