/* Tells and takes rows: messages of a letter for their kind, four bytes of length, and content. */
#include "table_wire.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum {
	HEAD_BYTES = 5,
	ROW_HEAD_BYTES = 6, /* four of the line, two of the count */
	CELL_HEAD_BYTES = 5, /* is it a number, and four of length; the text ends in NUL */
	END_BYTES = 5, /* the problem, and four of the line */
	CONTENT_MAX = ROW_HEAD_BYTES + TABLE_COLUMNS_MAX * CELL_HEAD_BYTES + TABLE_ROW_BYTES_MAX,
};

struct table_wire {
	bool from_1904;
	bool has_rows;
	enum table_problem problem;
	int line;
	struct table_row row;
	size_t used;
	uint8_t message[HEAD_BYTES + CONTENT_MAX]; /* as far as it has come */
};

/* --- telling -----------------------------------------------------------------------------------
 */

static void
put_number(uint8_t to[4], size_t number)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(number >> (24 - 8 * i));
}

static bool
put_head(FILE *out, char kind, size_t len)
{
	uint8_t head[HEAD_BYTES] = { (uint8_t)kind };

	put_number(head + 1, len);
	return fwrite(head, 1, sizeof(head), out) == sizeof(head);
}

bool
table_wire_tell_days(FILE *out, bool from_1904)
{
	return put_head(out, 'D', 1) && putc(from_1904, out) != EOF;
}

bool
table_wire_tell_row(FILE *out, const struct table_row *row)
{
	uint8_t head[ROW_HEAD_BYTES], cell[CELL_HEAD_BYTES];
	size_t len = ROW_HEAD_BYTES;

	for (size_t i = 0; i < row->count; i++)
		len += CELL_HEAD_BYTES + strlen(row->cells[i]) + 1;
	put_number(head, (size_t)row->line);
	head[4] = (uint8_t)(row->count >> 8);
	head[5] = (uint8_t)row->count;
	if (!put_head(out, 'R', len) || fwrite(head, 1, sizeof(head), out) != sizeof(head))
		return false;
	for (size_t i = 0; i < row->count; i++) {
		size_t text = strlen(row->cells[i]);
		cell[0] = row->is_number[i];
		put_number(cell + 1, text);
		if (fwrite(cell, 1, sizeof(cell), out) != sizeof(cell)
		    || fwrite(row->cells[i], 1, text + 1, out) != text + 1)
			return false;
	}
	return true;
}

bool
table_wire_tell_end(FILE *out, enum table_problem problem, int line)
{
	uint8_t content[END_BYTES] = { (uint8_t)problem };

	put_number(content + 1, (size_t)line);
	return put_head(out, 'E', sizeof(content))
	       && fwrite(content, 1, sizeof(content), out) == sizeof(content) && fflush(out) == 0;
}

/* --- taking ------------------------------------------------------------------------------------
 */

struct table_wire *
table_wire_create(void)
{
	return calloc(1, sizeof(struct table_wire));
}

void
table_wire_destroy(struct table_wire *w)
{
	free(w);
}

bool
table_wire_from_1904(const struct table_wire *w)
{
	return w->from_1904;
}

enum table_problem
table_wire_problem(const struct table_wire *w)
{
	return w->problem;
}

int
table_wire_line(const struct table_wire *w)
{
	return w->line;
}

static size_t
number_at(const uint8_t *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* Lent by the message.  False: it is no row. */
static bool
take_row(struct table_row *row, const uint8_t *at, size_t len)
{
	size_t bytes = 0;

	if (len < ROW_HEAD_BYTES || number_at(at) > INT_MAX)
		return false;
	row->line = (int)number_at(at);
	row->count = (size_t)at[4] << 8 | at[5];
	if (row->count == 0 || row->count > TABLE_COLUMNS_MAX)
		return false;
	at += ROW_HEAD_BYTES;
	len -= ROW_HEAD_BYTES;
	for (size_t i = 0; i < row->count; i++) {
		size_t text = len < CELL_HEAD_BYTES ? len : number_at(at + 1);
		if (len < CELL_HEAD_BYTES + 1 || text > len - CELL_HEAD_BYTES - 1 || at[0] > 1)
			return false;
		const char *cell = (const char *)at + CELL_HEAD_BYTES;
		bytes += text + 1;
		if (cell[text] != '\0' || memchr(cell, '\0', text) != NULL
		    || !utf8_valid(cell, text) || bytes > TABLE_ROW_BYTES_MAX)
			return false;
		row->cells[i] = cell;
		row->is_number[i] = at[0] == 1;
		at += CELL_HEAD_BYTES + text + 1;
		len -= CELL_HEAD_BYTES + text + 1;
	}
	return len == 0;
}

static enum table_wire_state
take_end(struct table_wire *w, const uint8_t *at, size_t len)
{
	if (len != END_BYTES || at[0] >= TABLE_PROBLEMS || number_at(at + 1) > INT_MAX)
		return TABLE_WIRE_WRONG;
	w->problem = (enum table_problem)at[0];
	w->line = (int)number_at(at + 1);
	return TABLE_WIRE_ENDED;
}

static enum table_wire_state
take_message(struct table_wire *w, size_t len, table_row_fn *on_row, void *arg)
{
	const uint8_t *content = w->message + HEAD_BYTES;

	switch (w->message[0]) {
	case 'D':
		if (len != 1 || content[0] > 1 || w->has_rows)
			return TABLE_WIRE_WRONG;
		w->from_1904 = content[0] == 1;
		return TABLE_WIRE_MORE;
	case 'R':
		w->has_rows = true;
		if (!take_row(&w->row, content, len))
			return TABLE_WIRE_WRONG;
		return on_row(arg, &w->row) ? TABLE_WIRE_MORE : TABLE_WIRE_STOPPED;
	case 'E':
		return take_end(w, content, len);
	default:
		return TABLE_WIRE_WRONG;
	}
}

/* Bytes up to so many of the message; true: it has them. */
static bool
fill(struct table_wire *w, size_t wanted, const uint8_t **data, size_t *len)
{
	size_t more = wanted - w->used < *len ? wanted - w->used : *len;

	if (more > 0)
		memcpy(w->message + w->used, *data, more);
	w->used += more;
	*data += more;
	*len -= more;
	return w->used == wanted;
}

enum table_wire_state
table_wire_take(
    struct table_wire *w, const uint8_t *data, size_t len, table_row_fn *on_row, void *arg)
{
	enum table_wire_state state = TABLE_WIRE_MORE;

	while (state == TABLE_WIRE_MORE && len > 0) {
		if (w->used < HEAD_BYTES && !fill(w, HEAD_BYTES, &data, &len))
			break;
		size_t content = number_at(w->message + 1);
		if (content > CONTENT_MAX)
			return TABLE_WIRE_WRONG;
		if (!fill(w, HEAD_BYTES + content, &data, &len))
			break;
		w->used = 0;
		state = take_message(w, content, on_row, arg);
	}
	/* Nothing stands behind the end. */
	return state == TABLE_WIRE_ENDED && len > 0 ? TABLE_WIRE_WRONG : state;
}
