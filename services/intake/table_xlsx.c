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
	ENTRY_BYTES = 46, /* of a part's record in the directory, without its three texts */
	ENTRY_TEXT_BYTES = 512, /* of those, on average; a workbook's have some 40 */
	DIRECTORY_BYTES_MAX = PARTS_MAX * (ENTRY_BYTES + ENTRY_TEXT_BYTES),
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

/* As an archive's end tells of its directory. */
struct directory {
	uint64_t parts;
	uint64_t bytes;
	uint64_t offset;
	uint64_t end; /* where the record that says so stands */
};

/* Exactly so many records, and nothing else. */
static bool
has_parts(const unsigned char *at, size_t len, uint64_t parts)
{
	size_t used = 0;

	for (uint64_t i = 0; i < parts; i++) {
		if (len - used < ENTRY_BYTES || memcmp(at + used, "PK\x01\x02", 4) != 0)
			return false;
		const unsigned char *texts = at + used + 28;
		size_t entry = ENTRY_BYTES + (size_t)little_endian(texts, 2)
			       + (size_t)little_endian(texts + 2, 2)
			       + (size_t)little_endian(texts + 4, 2);
		if (entry > len - used)
			return false;
		used += entry;
	}
	return used == len;
}

static bool
check_directory(struct table *t, const struct directory *d)
{
	if (d->parts > PARTS_MAX || d->bytes > DIRECTORY_BYTES_MAX)
		return table_fail(t, TABLE_ZIP_PARTS, 0);
	if (d->offset > d->end || d->end - d->offset != d->bytes)
		return table_fail(t, TABLE_ZIP, 0);
	unsigned char *bytes = malloc((size_t)d->bytes + 1);
	if (bytes == NULL)
		return table_fail(t, TABLE_UNREADABLE, 0);
	bool whole = pread(t->fd, bytes, (size_t)d->bytes, (off_t)d->offset) == (ssize_t)d->bytes
		     && has_parts(bytes, (size_t)d->bytes, d->parts);
	free(bytes);
	return whole || table_fail(t, TABLE_ZIP, 0);
}

/* The longer record that the end's neighbour points to. */
static bool
read_zip64(const struct table *t, const unsigned char *locator, struct directory *d)
{
	unsigned char end[ZIP64_END_BYTES];
	uint64_t at = little_endian(locator + 8, 8);

	if (at >= t->size || pread(t->fd, end, sizeof(end), (off_t)at) != sizeof(end)
	    || memcmp(end, "PK\x06\x06", 4) != 0
	    || little_endian(end + 24, 8) != little_endian(end + 32, 8))
		return false;
	*d = (struct directory){ little_endian(end + 32, 8), little_endian(end + 40, 8),
		little_endian(end + 48, 8), at };
	return true;
}

/* tail: the file's last len bytes.  False: no end, or several things that could be taken for it. */
static bool
find_directory(
    const struct table *t, const unsigned char *tail, size_t len, struct directory *ret_directory)
{
	const unsigned char *end = NULL;

	for (size_t i = 0; i + END_BYTES <= len; i++) {
		if (memcmp(tail + i, "PK\x05\x06", 4) != 0)
			continue;
		if (end != NULL)
			return false;
		end = tail + i;
	}
	if (end == NULL)
		return false;
	const unsigned char *locator = end - ZIP64_LOCATOR_BYTES;
	if (end - tail >= ZIP64_LOCATOR_BYTES && memcmp(locator, "PK\x06\x07", 4) == 0)
		return read_zip64(t, locator, ret_directory);
	*ret_directory = (struct directory){ little_endian(end + 10, 2), little_endian(end + 12, 4),
		little_endian(end + 16, 4), t->size - len + (uint64_t)(end - tail) };
	return little_endian(end + 8, 2) == ret_directory->parts;
}

/*
 * libzip takes memory for as many parts as the archive says it has, goes on reading while there
 * are bytes left in its directory, and takes time by the square of the number of parts whose names
 * fall together in its table: before it may look, the directory has been gone through.
 */
static bool
has_few_parts(struct table *t)
{
	size_t len = END_BYTES + COMMENT_BYTES_MAX + ZIP64_LOCATOR_BYTES;
	unsigned char *tail = malloc(len);
	struct directory directory;

	if (tail == NULL)
		return table_fail(t, TABLE_UNREADABLE, 0);
	if (len > t->size)
		len = (size_t)t->size;
	if (pread(t->fd, tail, len, (off_t)(t->size - len)) != (ssize_t)len) {
		free(tail);
		return table_fail(t, TABLE_UNREADABLE, 0);
	}
	bool found = find_directory(t, tail, len, &directory);
	free(tail);
	return found ? check_directory(t, &directory) : table_fail(t, TABLE_ZIP, 0);
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
