/* Writes the list of answers as people open it. */
#include "answers_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "csv.h"
#include "utf8.h"
#include "write_all.h"

enum { CELL_BYTES = 64, WORKBOOK_CELL_MAX = 32767, WIDE = 24, WIDEST = 80 };
static const char mark[] = "\xef\xbb\xbf";

static bool
ends_in(const char *path, const char *ending)
{
	size_t len = strlen(path), tail = strlen(ending);

	return len > tail && strcmp(path + len - tail, ending) == 0;
}

bool
answers_file_named(const char *path)
{
	return ends_in(path, ".csv") || ends_in(path, ".xlsx");
}

/* --- CSV -------------------------------------------------------------------------------------- */

static size_t
room_for(const struct answers_table *t)
{
	size_t size = sizeof(mark) + (t->columns + 1) * CELL_BYTES * 2;

	for (size_t i = 0; i < t->rows * t->columns; i++)
		size += strlen(t->cells[i]) * 2 + CELL_BYTES;
	return size;
}

static char *
csv_of(const struct answers_table *t)
{
	size_t size = room_for(t);
	char *out = malloc(size);
	struct csv_writer w;

	if (out == NULL)
		return NULL;
	memcpy(out, mark, sizeof(mark) - 1);
	csv_start(&w, out + sizeof(mark) - 1, size - (sizeof(mark) - 1), true);
	w.separator = ';';
	for (size_t c = 0; c < t->columns; c++)
		csv_field(&w, t->header[c]);
	csv_end_row(&w);
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		csv_field(&w, t->cells[i]);
		if ((i + 1) % t->columns == 0)
			csv_end_row(&w);
	}
	if (!csv_finish(&w)) {
		free(out);
		return NULL;
	}
	return out;
}

static bool
write_csv(int fd, const struct answers_table *t)
{
	char *text = csv_of(t);
	bool written = text != NULL && write_all(fd, text, strlen(text));

	if (text == NULL)
		errno = ENOMEM;
	free(text);
	return written;
}

/* --- XLSX ------------------------------------------------------------------------------------- */

/* A cell of a workbook holds so many characters and no more. */
static void
write_cell(lxw_worksheet *sheet, size_t row, size_t column, const char *text, lxw_format *format)
{
	char *cut = NULL;
	size_t len = strlen(text);

	if (len > WORKBOOK_CELL_MAX) {
		len = utf8_prefix_len(text, len, WORKBOOK_CELL_MAX);
		cut = strndup(text, len);
	}
	(void)worksheet_write_string(
	    sheet, (lxw_row_t)row, (lxw_col_t)column, cut == NULL ? text : cut, format);
	free(cut);
}

static bool
write_workbook(const char *path, const struct answers_table *t)
{
	(void)umask(S_IRWXG | S_IRWXO); /* of its temporary files */
	lxw_workbook *book = workbook_new(path);
	lxw_worksheet *sheet = book == NULL ? NULL : workbook_add_worksheet(book, "Cevaplar");

	if (sheet == NULL)
		return false;
	lxw_format *bold = workbook_add_format(book), *wrap = workbook_add_format(book);
	format_set_bold(bold);
	format_set_text_wrap(wrap);
	format_set_align(wrap, LXW_ALIGN_VERTICAL_TOP);
	worksheet_set_column(sheet, 0, (lxw_col_t)(t->columns - 2), WIDE, NULL);
	worksheet_set_column(
	    sheet, (lxw_col_t)(t->columns - 1), (lxw_col_t)(t->columns - 1), WIDEST, NULL);
	worksheet_freeze_panes(sheet, 1, 0);
	for (size_t c = 0; c < t->columns; c++)
		write_cell(sheet, 0, c, t->header[c], bold);
	for (size_t i = 0; i < t->rows * t->columns; i++)
		write_cell(sheet, i / t->columns + 1, i % t->columns, t->cells[i], wrap);
	return workbook_close(book) == LXW_NO_ERROR;
}

enum exit_code
answers_file_write(const char *path, const struct answers_table *table)
{
	/* Made first, so that it is ours alone and nobody's former file is lost; what the workbook
	 * is put together from lies in temporary files that have no name. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool written;

	if (fd == -1)
		return masa_fail(
		    errno == EEXIST ? MASA_CONFLICT : MASA_FAILED, "%s: %s", path, strerror(errno));
	errno = 0;
	written = ends_in(path, ".csv") ? write_csv(fd, table) : write_workbook(path, table);
	if (close(fd) == -1)
		written = false;
	if (written)
		return MASA_OK;
	int why = errno;
	(void)unlink(path);
	return masa_fail(MASA_FAILED, "%s cannot be written: %s", path,
	    why == 0 ? "no reason was given" : strerror(why));
}
