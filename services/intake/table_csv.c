/* Reads comma-separated values in pieces: finds the encoding first, then the rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table_internal.h"
#include "utf8.h"
#include "windows_text.h"

enum place { AT_START, IN_PLAIN, IN_QUOTES, BEHIND_QUOTE };

struct table_csv {
	bool judged; /* the encoding is known */
	bool utf8; /* nothing against it yet; when judged: it is that */
	bool turkish_utf8; /* letters of ours as UTF-8 has them */
	bool undefined; /* bytes that windows-1254 has not */
	size_t carried; /* bytes of a character cut by the piece's end, in front of the next */
	uint64_t at;
	enum place place;
	bool after_return; /* the last byte was a CR that ended a row */
	bool in_row; /* something of a row was seen */
	int line; /* being read */
	int row_line; /* where the row began */
	char piece[TABLE_STEP_BYTES + UTF8_BYTES_MAX];
};

struct table_csv *
table_csv_open(struct table *t)
{
	struct table_csv *csv = calloc(1, sizeof(*csv));

	(void)t;
	if (csv == NULL)
		return NULL;
	csv->utf8 = true;
	csv->line = csv->row_line = 1;
	return csv;
}

void
table_csv_destroy(struct table_csv *csv)
{
	free(csv);
}

/* The next piece, behind what was carried; *ret_len counts both.  False: it cannot be read. */
static bool
read_piece(struct table *t, struct table_csv *csv, size_t *ret_len, bool *ret_last)
{
	ssize_t got;

	do {
		got = pread(t->fd, csv->piece + csv->carried, TABLE_STEP_BYTES, (off_t)csv->at);
	} while (got == -1 && errno == EINTR);
	if (got == -1)
		return table_fail(t, TABLE_UNREADABLE, 0);
	csv->at += (uint64_t)got;
	*ret_len = csv->carried + (size_t)got;
	/* The size that it had at the beginning: what is written meanwhile is not read. */
	*ret_last = got == 0 || csv->at >= t->size;
	csv->carried = 0;
	return true;
}

/* --- the encoding ----------------------------------------------------------------------------- */

/* ç ğ ı ö ş ü and their capitals, the two bytes each that UTF-8 has for them. */
static bool
is_turkish_pair(const char *text)
{
	static const char pairs[][3] = { "\xc3\xa7", "\xc3\x87", "\xc4\x9f", "\xc4\x9e", "\xc4\xb1",
		"\xc4\xb0", "\xc3\xb6", "\xc3\x96", "\xc5\x9f", "\xc5\x9e", "\xc3\xbc",
		"\xc3\x9c" };

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (memcmp(text, pairs[i], 2) == 0)
			return true;
	}
	return false;
}

static void
look_at(struct table_csv *csv, size_t len, bool last)
{
	size_t at = 0;

	while (at < len) {
		size_t left = len - at;
		if (!last && left < UTF8_BYTES_MAX) {
			memmove(csv->piece, csv->piece + at, left);
			csv->carried = left;
			return;
		}
		size_t n = utf8_char_len(csv->piece + at, left);
		if (n == 2 && is_turkish_pair(csv->piece + at))
			csv->turkish_utf8 = true;
		if (n == 0) {
			csv->utf8 = false;
			csv->undefined = csv->undefined
					 || windows_text_code((unsigned char)csv->piece[at], true)
						== 0;
			n = 1;
		} else if (csv->piece[at] == '\0') {
			csv->undefined = true;
			csv->utf8 = false;
		}
		at += n;
	}
}

/* Text that is not UTF-8 and yet holds our letters as UTF-8 has them was cut or glued together:
 * read as windows-1254 it would come out as rubbish that nobody notices. */
static void
judge(struct table *t, struct table_csv *csv)
{
	bool marked = pread(t->fd, csv->piece, 3, 0) == 3
		      && memcmp(csv->piece, "\xef\xbb\xbf", 3) == 0;

	csv->judged = true;
	csv->carried = 0;
	csv->at = marked ? 3 : 0;
	if (!csv->utf8 && (marked || csv->turkish_utf8 || csv->undefined))
		(void)table_fail(t, TABLE_ENCODING, 0);
}

/* --- rows ------------------------------------------------------------------------------------- */

static bool
put_byte(struct table *t, struct table_csv *csv, char byte)
{
	char encoded[UTF8_BYTES_MAX];

	if (csv->utf8 || (unsigned char)byte < 0x80)
		return table_put(t, &byte, 1);
	return table_put(
	    t, encoded, utf8_put(windows_text_code((unsigned char)byte, true), encoded));
}

static bool
end_cell(struct table *t, struct table_csv *csv)
{
	csv->place = AT_START;
	return table_end_cell(t, false);
}

static bool
end_row(struct table *t, struct table_csv *csv)
{
	if (!end_cell(t, csv))
		return false;
	table_end_row(t, csv->row_line);
	csv->in_row = false;
	return true;
}

/* Outside quotes: what ends a cell or a row, or the cell's next byte. */
static bool
take_bare(struct table *t, struct table_csv *csv, char byte)
{
	if (byte == t->separator)
		return end_cell(t, csv);
	if (byte == '\r' || byte == '\n') {
		csv->after_return = byte == '\r';
		csv->line++;
		return end_row(t, csv);
	}
	if (csv->place == BEHIND_QUOTE || (byte == '"' && csv->place == IN_PLAIN))
		return table_fail(t, TABLE_QUOTE_INSIDE, csv->line);
	if (byte == '"') {
		csv->place = IN_QUOTES;
		return true;
	}
	csv->place = IN_PLAIN;
	return put_byte(t, csv, byte);
}

static bool
take_byte(struct table *t, struct table_csv *csv, char byte)
{
	bool second_of_two = csv->after_return && byte == '\n';

	csv->after_return = false;
	if (second_of_two)
		return true;
	if (!csv->in_row) {
		csv->in_row = true;
		csv->row_line = csv->line;
		t->build.row.line = csv->line;
	}
	if (csv->place == BEHIND_QUOTE && byte == '"') {
		csv->place = IN_QUOTES;
		return put_byte(t, csv, byte);
	}
	if (csv->place != IN_QUOTES)
		return take_bare(t, csv, byte);
	if (byte == '"') {
		csv->place = BEHIND_QUOTE;
		return true;
	}
	csv->line += byte == '\n';
	return put_byte(t, csv, byte);
}

static void
take_piece(struct table *t, struct table_csv *csv, size_t len, bool last)
{
	for (size_t i = 0; i < len && !t->stopped; i++) {
		if (!take_byte(t, csv, csv->piece[i]))
			return;
	}
	if (!last || t->stopped)
		return;
	if (csv->place == IN_QUOTES)
		(void)table_fail(t, TABLE_QUOTE_OPEN, csv->row_line);
	else if (csv->in_row)
		(void)end_row(t, csv);
	t->ended = t->problem == TABLE_FINE;
}

void
table_csv_step(struct table *t)
{
	struct table_csv *csv = t->csv;
	size_t len = 0;
	bool last = false;

	if (!read_piece(t, csv, &len, &last))
		return;
	if (csv->judged) {
		take_piece(t, csv, len, last);
		return;
	}
	look_at(csv, len, last);
	if (last)
		judge(t, csv);
}
