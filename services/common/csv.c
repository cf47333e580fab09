/* Reads and writes comma-separated values without guessing. */
#include "csv.h"

#include <string.h>

#include "utf8.h"

void
csv_open(struct csv_reader *r, const void *data, size_t size)
{
	static const char mark[] = { '\xef', '\xbb', '\xbf' };

	r->at = data;
	r->end = r->at + size;
	r->next_line = 1;
	r->line = 0;
	r->field_count = 0;
	r->error = NULL;
	if (size >= sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0)
		r->at += sizeof(mark);
}

/* Where the row under way is being built. */
struct build {
	size_t used;
	size_t field; /* where its current field begins in the row buffer */
};

static enum csv_result
fail(struct csv_reader *r, int line, const char *error)
{
	r->line = line;
	r->error = error;
	r->field_count = 0;
	return CSV_ERROR;
}

/* Past the next line end, so that one bad row costs only itself. */
static void
skip_line(struct csv_reader *r)
{
	while (r->at < r->end && *r->at != '\n')
		r->at++;
	if (r->at < r->end)
		r->at++;
	r->next_line++;
}

static const char *
put(struct csv_reader *r, struct build *b, char c)
{
	if (b->used - b->field >= CSV_FIELD_BYTES_MAX)
		return "a field is too long";
	if (b->used + 1 >= CSV_ROW_BYTES_MAX)
		return "the row is too long";
	r->row[b->used++] = c;
	return NULL;
}

static const char *
end_field(struct csv_reader *r, struct build *b)
{
	if (r->field_count == CSV_FIELDS_MAX)
		return "too many fields in the row";
	if (b->used + 1 >= CSV_ROW_BYTES_MAX)
		return "the row is too long";
	if (!utf8_valid(r->row + b->field, b->used - b->field))
		return "the text is not UTF-8";
	r->fields[r->field_count++] = r->row + b->field;
	r->row[b->used++] = '\0';
	b->field = b->used;
	return NULL;
}

/* r->at is behind the opening quote; leaves it behind the closing one. */
static const char *
quoted(struct csv_reader *r, struct build *b, int *ret_error_line)
{
	int opened = r->next_line;

	while (r->at < r->end) {
		char c = *r->at++;
		if (c == '"') {
			if (r->at == r->end || *r->at != '"')
				return NULL;
			r->at++;
		}
		if (c == '\n')
			r->next_line++;
		const char *error = put(r, b, c);
		if (error != NULL) {
			*ret_error_line = opened;
			return error;
		}
	}
	*ret_error_line = opened;
	return "a quote is opened and never closed";
}

static bool
at_row_end(const struct csv_reader *r)
{
	return r->at == r->end || *r->at == '\n'
	       || (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n');
}

static const char *
plain(struct csv_reader *r, struct build *b)
{
	while (!at_row_end(r) && *r->at != ',') {
		if (*r->at == '"')
			return "a quote inside a field that does not begin with one";
		if (*r->at == '\r')
			return "a carriage return without a line feed";
		const char *error = put(r, b, *r->at);
		if (error != NULL)
			return error;
		r->at++;
	}
	return NULL;
}

static const char *
field(struct csv_reader *r, struct build *b, int *ret_error_line)
{
	const char *error;

	if (r->at < r->end && *r->at == '"') {
		r->at++;
		error = quoted(r, b, ret_error_line);
		if (error == NULL && !at_row_end(r) && *r->at != ',') {
			*ret_error_line = r->next_line;
			error = "text after a closing quote";
		}
	} else {
		error = plain(r, b);
	}
	return error != NULL ? error : end_field(r, b);
}

static void
take_row_end(struct csv_reader *r)
{
	if (r->at < r->end && *r->at == '\r')
		r->at++;
	if (r->at < r->end)
		r->at++;
	r->next_line++;
}

enum csv_result
csv_read(struct csv_reader *r)
{
	struct build b = { 0, 0 };

	r->field_count = 0;
	while (r->at < r->end && at_row_end(r))
		take_row_end(r);
	r->line = r->next_line;
	if (r->at == r->end)
		return CSV_END;
	for (;;) {
		int error_line = r->line;
		const char *error = field(r, &b, &error_line);
		if (error != NULL) {
			skip_line(r);
			return fail(r, error_line, error);
		}
		if (at_row_end(r))
			break;
		r->at++; /* the comma */
	}
	take_row_end(r);
	return CSV_ROW;
}

/* --- writing ------------------------------------------------------------------------- */

void
csv_start(struct csv_writer *w, char *out, size_t size, bool spreadsheet)
{
	*w = (struct csv_writer){
		.out = out, .size = size, .spreadsheet = spreadsheet, .separator = ','
	};
}

static void
write_byte(struct csv_writer *w, char c)
{
	if (w->used + 1 >= w->size)
		w->overflow = true;
	else
		w->out[w->used++] = c;
}

/* -12, 3.5, +90532...: what a spreadsheet shows as the number it is. */
static bool
is_plain_number(const char *text)
{
	size_t digits = 0, points = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9')
			digits++;
		else if (*text == '.')
			points++;
		else
			return false;
	}
	return digits > 0 && points <= 1;
}

static bool
looks_like_formula(const char *text)
{
	static const int32_t full_width[] = { 0xff1d, 0xff0b, 0xff0d, 0xff20 }; /* = + - @ */
	const char *at = text;

	if (*text == '\0' || is_plain_number(text))
		return false;
	if (strchr("=+-@", *text) != NULL || (unsigned char)*text < ' ')
		return true;
	int32_t first = utf8_next(&at, text + strlen(text));
	for (size_t i = 0; i < ARRAY_LEN(full_width); i++) {
		if (first == full_width[i])
			return true;
	}
	return false;
}

void
csv_field(struct csv_writer *w, const char *text)
{
	bool guard = w->spreadsheet && looks_like_formula(text);
	bool quote = strpbrk(text, ",\"\r\n") != NULL || strchr(text, w->separator) != NULL
		     || text[0] == ' '
		     || (text[0] != '\0' && text[strlen(text) - 1] == ' ')
		     /* A row of one empty field must not look like an empty line. */
		     || (!w->in_row && text[0] == '\0');

	if (w->in_row)
		write_byte(w, w->separator);
	w->in_row = true;
	if (quote)
		write_byte(w, '"');
	if (guard)
		write_byte(w, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			write_byte(w, '"');
		write_byte(w, *text);
	}
	if (quote)
		write_byte(w, '"');
}

void
csv_end_row(struct csv_writer *w)
{
	write_byte(w, '\r');
	write_byte(w, '\n');
	w->in_row = false;
}

bool
csv_finish(struct csv_writer *w)
{
	if (w->size > 0)
		w->out[w->used] = '\0';
	return !w->overflow && w->size > 0;
}
