/* Unpacks a workbook's parts in the order they are needed, a piece a step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "table_internal.h"

enum {
	PARTS_MAX = 1000,
	END_BYTES = 22, /* of the record that ends an archive, without its comment */
	COMMENT_BYTES_MAX = 65535,
	ZIP64_LOCATOR_BYTES = 20,
	ZIP64_END_BYTES = 56,
};

struct table_xlsx {
	zip_t *zip;
	zip_file_t *file; /* the part that is open */
	struct table_xml *xml;
	uint64_t unpacked;
	enum table_part part;
	size_t sheet;
	struct table_book book;
};

/* --- before the library looks ----------------------------------------------------------------- */

static uint64_t
little_endian(const unsigned char *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i-- > 0;)
		value = value << 8 | at[i];
	return value;
}

/* The longer record that the end's neighbour points to; its count is at two places. */
static bool
few_in_zip64(struct table *t, const unsigned char *locator)
{
	unsigned char end[ZIP64_END_BYTES];
	uint64_t offset = little_endian(locator + 8, 8);

	return offset < t->size && pread(t->fd, end, sizeof(end), (off_t)offset) == sizeof(end)
	       && little_endian(end + 24, 8) <= PARTS_MAX
	       && little_endian(end + 32, 8) <= PARTS_MAX;
}

/*
 * libzip takes memory for as many parts as the archive says it has, before anything can be asked.
 * Every record that could be taken for its end must speak of few.
 */
static bool
has_few_parts(struct table *t)
{
	size_t len = END_BYTES + COMMENT_BYTES_MAX + ZIP64_LOCATOR_BYTES;
	unsigned char *tail = malloc(len);
	bool few = true;

	if (tail == NULL)
		return table_fail(t, TABLE_UNREADABLE, 0);
	if (len > t->size)
		len = (size_t)t->size;
	if (pread(t->fd, tail, len, (off_t)(t->size - len)) != (ssize_t)len) {
		free(tail);
		return table_fail(t, TABLE_UNREADABLE, 0);
	}
	for (size_t i = 0; i + ZIP64_LOCATOR_BYTES <= len && few; i++) {
		if (memcmp(tail + i, "PK\x06\x07", 4) == 0)
			few = few_in_zip64(t, tail + i);
		else if (i + END_BYTES <= len && memcmp(tail + i, "PK\x05\x06", 4) == 0)
			few = little_endian(tail + i + 8, 2) <= PARTS_MAX
			      && little_endian(tail + i + 10, 2) <= PARTS_MAX;
	}
	free(tail);
	return few || table_fail(t, TABLE_ZIP_PARTS, 0);
}

struct table_xlsx *
table_xlsx_open(struct table *t)
{
	struct table_xlsx *x;
	int error = 0, fd;

	if (!has_few_parts(t))
		return NULL;
	x = calloc(1, sizeof(*x));
	fd = x == NULL ? -1 : dup(t->fd);
	if (fd == -1) {
		free(x);
		return NULL;
	}
	x->zip = zip_fdopen(fd, 0, &error);
	if (x->zip == NULL) {
		close(fd);
		free(x);
		(void)table_fail(t, error == ZIP_ER_MEMORY ? TABLE_UNREADABLE : TABLE_ZIP, 0);
		return NULL;
	}
	return x;
}

void
table_xlsx_destroy(struct table_xlsx *x)
{
	if (x == NULL)
		return;
	table_xml_destroy(x->xml);
	if (x->file != NULL)
		zip_fclose(x->file);
	zip_discard(x->zip);
	free(x->book.strings);
	free(x->book.string_at);
	free(x);
}

/* --- parts ------------------------------------------------------------------------------------ */

static const char *
path_of(const struct table_xlsx *x)
{
	switch (x->part) {
	case TABLE_PART_WORKBOOK:
		return "xl/workbook.xml";
	case TABLE_PART_RELATIONS:
		return "xl/_rels/workbook.xml.rels";
	case TABLE_PART_STRINGS:
		return x->book.strings_path;
	case TABLE_PART_SHEET:
	default:
		return x->book.sheet_path[x->sheet];
	}
}

static bool
open_part(struct table *t, struct table_xlsx *x)
{
	const char *path = path_of(x);
	zip_int64_t at = path[0] == '\0' ? -1 : zip_name_locate(x->zip, path, 0);
	zip_stat_t about;

	if (at < 0)
		return table_fail(t, TABLE_NO_WORKBOOK, 0);
	if (zip_stat_index(x->zip, (zip_uint64_t)at, 0, &about) == -1)
		return table_fail(t, TABLE_ZIP, 0);
	if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0
	    && about.encryption_method != ZIP_EM_NONE)
		return table_fail(t, TABLE_ZIP_METHOD, 0);
	if ((about.valid & ZIP_STAT_COMP_METHOD) != 0 && about.comp_method != ZIP_CM_STORE
	    && about.comp_method != ZIP_CM_DEFLATE)
		return table_fail(t, TABLE_ZIP_METHOD, 0);
	x->file = zip_fopen_index(x->zip, (zip_uint64_t)at, 0);
	if (x->file == NULL)
		return table_fail(t, TABLE_ZIP, 0);
	x->xml = table_xml_open(t, &x->book, x->part, x->part == TABLE_PART_SHEET && x->sheet > 0);
	return x->xml != NULL || table_fail(t, TABLE_UNREADABLE, 0);
}

static void
close_part(struct table_xlsx *x)
{
	table_xml_destroy(x->xml);
	x->xml = NULL;
	zip_fclose(x->file);
	x->file = NULL;
}

static void
next_part(struct table *t, struct table_xlsx *x)
{
	switch (x->part) {
	case TABLE_PART_WORKBOOK:
		t->from_1904 = x->book.from_1904;
		x->part = TABLE_PART_RELATIONS;
		break;
	case TABLE_PART_RELATIONS:
		if (x->book.sheet_count == 0)
			(void)table_fail(t, TABLE_NO_WORKBOOK, 0);
		else if (x->book.too_many_sheets)
			(void)table_fail(t, TABLE_MORE_SHEETS, 0);
		x->part = x->book.strings_path[0] != '\0' ? TABLE_PART_STRINGS : TABLE_PART_SHEET;
		break;
	case TABLE_PART_STRINGS:
		x->part = TABLE_PART_SHEET;
		break;
	case TABLE_PART_SHEET:
	default:
		x->sheet++;
		t->ended = x->sheet == x->book.sheet_count;
	}
}

void
table_xlsx_step(struct table *t)
{
	struct table_xlsx *x = t->xlsx;
	char piece[TABLE_STEP_BYTES];

	if (x->file == NULL && !open_part(t, x))
		return;
	zip_int64_t got = zip_fread(x->file, piece, sizeof(piece));
	if (got < 0) {
		(void)table_fail(t, TABLE_ZIP, 0);
		return;
	}
	x->unpacked += (uint64_t)got;
	if (x->unpacked > t->limits.unpacked_bytes) {
		(void)table_fail(t, TABLE_UNPACKED, 0);
		return;
	}
	if (!table_xml_feed(x->xml, piece, (size_t)got, got == 0) || got > 0)
		return;
	close_part(x);
	next_part(t, x);
}
