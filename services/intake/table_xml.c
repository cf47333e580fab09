/* Reads the XML of a workbook's parts as it comes; builds no tree and follows no reference. */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

#include "table_internal.h"
#include "utf8.h"

enum {
	COLUMN_LETTERS = 26,
	CODE_DIGITS = 4,
	FIVE = 5, /* pointers an attribute has */
	/* A spreadsheet's longest have some hundred bytes.  The parser takes time by the square of
	 * an open tag's length, and of the number of its attributes; workbooks' have a dozen. */
	TAG_BYTES_MAX = 16 * 1024,
	ATTRIBUTES_MAX = 64,
};

/* What the characters under way are for. */
enum wanted { NOTHING, CELL_VALUE, SHARED_TEXT };
/* Where in the bytes, as it is looked at before the parser sees them. */
enum markup { OUTSIDE, OPENED, TAG, INSTRUCTION, DECLARATION, COMMENT, LITERAL };
enum cell_type { CELL_NUMBER, CELL_SHARED, CELL_TEXT, CELL_ERROR };

struct table_xml {
	struct table *t;
	struct table_book *book;
	enum table_part part;
	bool quiet;
	xmlParserCtxtPtr parser;
	enum wanted wanted;
	enum markup markup;
	size_t tag_bytes; /* since it was opened */
	size_t tag_equals; /* each attribute has one */
	char quote; /* that a value is in, or '\0' */
	char before[2]; /* the two bytes before, as comments end in three */
	int phonetic; /* depth of what is only said how to be read */
	size_t text_at; /* of the shared text under way */
	int line;
	size_t column; /* of the cell under way */
	bool padded; /* the cells before it stand */
	enum cell_type type;
};

static void
stop(struct table_xml *x, enum table_problem problem)
{
	if (problem != TABLE_FINE)
		(void)table_fail(x->t, problem, x->part == TABLE_PART_SHEET ? x->line : 0);
	xmlStopParser(x->parser);
}

/* --- attributes ------------------------------------------------------------------------------- */

/* The value of the attribute with that local name, ended in value; false: none, or too long. */
static bool
attribute(const xmlChar **attributes, int count, const char *name, char *value, size_t size)
{
	for (int i = 0; i < count; i++) {
		const xmlChar **a = attributes + (ptrdiff_t)i * FIVE;
		size_t len = (size_t)(a[4] - a[3]);
		if (strcmp((const char *)a[0], name) != 0 || len >= size)
			continue;
		memcpy(value, a[3], len);
		value[len] = '\0';
		return true;
	}
	return false;
}

static int
number_of(const char *digits)
{
	long value = strtol(digits, NULL, 10);

	return value < 0 || value > INT32_MAX ? 0 : (int)value;
}

/* --- the small parts -------------------------------------------------------------------------- */

static void
on_workbook_element(struct table_xml *x, const char *name, const xmlChar **attributes, int count)
{
	struct table_book *book = x->book;
	char value[64];

	if (strcmp(name, "workbookPr") == 0
	    && attribute(attributes, count, "date1904", value, sizeof(value)))
		book->from_1904 = strcmp(value, "1") == 0 || strcmp(value, "true") == 0;
	if (strcmp(name, "sheet") != 0)
		return;
	/* "id" with a prefix; sheetId is another name. */
	if (!attribute(attributes, count, "id", value, sizeof(value)))
		stop(x, TABLE_NO_WORKBOOK);
	else if (book->sheet_count == TABLE_SHEETS_MAX)
		book->too_many_sheets = true;
	else
		memcpy(book->sheet_relation[book->sheet_count++], value, sizeof(value));
}

/* From where the workbook is; an absolute one begins at the archive. */
static void
path_from_target(char path[TABLE_NAME_BYTES], const char *target)
{
	size_t len = strlen(target), skip = target[0] == '/';
	size_t folder = skip ? 0 : strlen("xl/");

	path[0] = '\0';
	if (folder + len - skip >= TABLE_NAME_BYTES)
		return;
	memcpy(path, "xl/", folder);
	memcpy(path + folder, target + skip, len - skip + 1);
}

static void
on_relation(struct table_xml *x, const xmlChar **attributes, int count)
{
	struct table_book *book = x->book;
	char id[64], target[TABLE_NAME_BYTES], type[TABLE_NAME_BYTES];
	static const char strings[] = "/sharedStrings";

	if (!attribute(attributes, count, "Id", id, sizeof(id))
	    || !attribute(attributes, count, "Target", target, sizeof(target))
	    || !attribute(attributes, count, "Type", type, sizeof(type)))
		return;
	size_t len = strlen(type);
	if (len >= sizeof(strings) - 1 && strcmp(type + len - (sizeof(strings) - 1), strings) == 0)
		path_from_target(book->strings_path, target);
	for (size_t i = 0; i < book->sheet_count; i++) {
		if (strcmp(book->sheet_relation[i], id) == 0)
			path_from_target(book->sheet_path[i], target);
	}
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Undoes "_x000D_" and the like, by which spreadsheets write what XML cannot hold. */
static size_t
undo_codes(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len;) {
		char digits[CODE_DIGITS + 1] = "", *end = NULL;
		long code = 0;
		if (i + CODE_DIGITS + 3 <= len && text[i] == '_' && text[i + 1] == 'x'
		    && text[i + CODE_DIGITS + 2] == '_') {
			memcpy(digits, text + i + 2, CODE_DIGITS);
			code = strtol(digits, &end, 16);
		}
		if (end == digits + CODE_DIGITS && code > 0 && code < 0x80) {
			text[to++] = (char)code;
			i += CODE_DIGITS + 3;
		} else {
			text[to++] = text[i++];
		}
	}
	return to;
}

static bool
grow_strings(struct table_xml *x, size_t len)
{
	struct table_book *book = x->book;
	size_t wanted = book->strings_used + len + 1;

	if (wanted + book->string_room * sizeof(uint32_t) > x->t->limits.string_bytes) {
		stop(x, TABLE_STRINGS);
		return false;
	}
	if (wanted <= book->strings_size)
		return true;
	size_t size = book->strings_size == 0 ? TABLE_STEP_BYTES : book->strings_size * 2;
	if (size < wanted)
		size = wanted;
	char *grown = realloc(book->strings, size);
	if (grown == NULL) {
		stop(x, TABLE_UNREADABLE);
		return false;
	}
	book->strings = grown;
	book->strings_size = size;
	return true;
}

static void
end_shared(struct table_xml *x)
{
	struct table_book *book = x->book;

	if (!grow_strings(x, 0))
		return;
	if (book->string_count == book->string_room) {
		size_t room = book->string_room == 0 ? 1024 : book->string_room * 2;
		uint32_t *grown = realloc(book->string_at, room * sizeof(*grown));
		if (grown == NULL) {
			stop(x, TABLE_UNREADABLE);
			return;
		}
		book->string_at = grown;
		book->string_room = room;
	}
	size_t len = undo_codes(book->strings + x->text_at, book->strings_used - x->text_at);
	book->strings_used = x->text_at + len;
	book->strings[book->strings_used++] = '\0';
	book->string_at[book->string_count++] = (uint32_t)x->text_at;
}

/* --- cells ------------------------------------------------------------------------------------ */

/* "BC12": column 54; what is no such name leaves the column as it is. */
static void
take_place(struct table_xml *x, const char *place)
{
	size_t column = 0;

	while (*place >= 'A' && *place <= 'Z' && column < TABLE_COLUMNS_MAX * COLUMN_LETTERS)
		column = column * COLUMN_LETTERS + (size_t)(*place++ - 'A') + 1;
	if (column > 0)
		x->column = column - 1;
}

static void
begin_cell(struct table_xml *x, const xmlChar **attributes, int count)
{
	char value[32] = "";

	if (attribute(attributes, count, "r", value, sizeof(value)))
		take_place(x, value);
	x->padded = false;
	x->type = CELL_NUMBER;
	if (!attribute(attributes, count, "t", value, sizeof(value)))
		return;
	if (strcmp(value, "s") == 0)
		x->type = CELL_SHARED;
	else if (strcmp(value, "e") == 0)
		x->type = CELL_ERROR;
	else if (strcmp(value, "n") != 0)
		x->type = CELL_TEXT;
}

/* Empty cells up to the one that says something. */
static bool
pad(struct table_xml *x)
{
	struct table *t = x->t;

	t->build.row.line = x->line;
	if (x->column >= TABLE_COLUMNS_MAX)
		return table_fail(t, TABLE_COLUMNS, x->line);
	if (x->column < t->build.row.count)
		return table_fail(t, TABLE_XML, x->line);
	while (t->build.row.count < x->column) {
		if (!table_end_cell(t, false))
			return false;
	}
	x->padded = true;
	return true;
}

static bool
put_shared(struct table_xml *x)
{
	struct table_build *b = &x->t->build;
	char *end = NULL;

	b->bytes[b->used] = '\0';
	unsigned long long at = strtoull(b->bytes + b->cell, &end, 10);
	if (end == b->bytes + b->cell || at >= x->book->string_count)
		return table_fail(x->t, TABLE_XML, x->line);
	const char *text = x->book->strings + x->book->string_at[at];
	b->used = b->cell;
	return table_put(x->t, text, strlen(text));
}

static void
end_cell(struct table_xml *x)
{
	struct table_build *b = &x->t->build;
	bool ok = true;

	if (x->padded) {
		if (x->type == CELL_ERROR)
			ok = table_fail(x->t, TABLE_CELL_ERROR, x->line);
		if (x->type == CELL_SHARED)
			ok = put_shared(x);
		else if (x->type == CELL_TEXT)
			b->used = b->cell + undo_codes(b->bytes + b->cell, b->used - b->cell);
		if (!ok || !table_end_cell(x->t, x->type == CELL_NUMBER))
			stop(x, TABLE_FINE);
	}
	x->column++;
}

static void
end_row(struct table_xml *x)
{
	if (x->quiet && x->t->build.row.count > 0)
		stop(x, TABLE_MORE_SHEETS);
	table_end_row(x->t, x->line);
	if (x->t->stopped)
		stop(x, TABLE_FINE);
}

/* --- what the parser calls -------------------------------------------------------------------- */

static void
on_sheet_element(struct table_xml *x, const char *name, const xmlChar **attributes, int count)
{
	char value[32];

	if (strcmp(name, "row") == 0) {
		x->line++;
		if (attribute(attributes, count, "r", value, sizeof(value)))
			x->line = number_of(value);
		x->column = 0;
	} else if (strcmp(name, "c") == 0) {
		begin_cell(x, attributes, count);
	} else if (strcmp(name, "v") == 0 || strcmp(name, "t") == 0) {
		x->wanted = CELL_VALUE;
	}
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
    int namespace_count, const xmlChar **namespaces, int count, int defaulted,
    const xmlChar **attributes)
{
	struct table_xml *x = arg;
	const char *local = (const char *)name;

	(void)prefix;
	(void)uri;
	(void)namespace_count;
	(void)namespaces;
	(void)defaulted;
	x->phonetic += strcmp(local, "rPh") == 0;
	if (x->part == TABLE_PART_WORKBOOK)
		on_workbook_element(x, local, attributes, count);
	else if (x->part == TABLE_PART_RELATIONS && strcmp(local, "Relationship") == 0)
		on_relation(x, attributes, count);
	else if (x->part == TABLE_PART_STRINGS && strcmp(local, "si") == 0)
		x->text_at = x->book->strings_used;
	else if (x->part == TABLE_PART_STRINGS && strcmp(local, "t") == 0)
		x->wanted = SHARED_TEXT;
	else if (x->part == TABLE_PART_SHEET)
		on_sheet_element(x, local, attributes, count);
}

static void
on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct table_xml *x = arg;
	const char *local = (const char *)name;

	(void)prefix;
	(void)uri;
	x->phonetic -= strcmp(local, "rPh") == 0;
	if (strcmp(local, "v") == 0 || strcmp(local, "t") == 0)
		x->wanted = NOTHING;
	else if (x->part == TABLE_PART_STRINGS && strcmp(local, "si") == 0)
		end_shared(x);
	else if (x->part == TABLE_PART_SHEET && strcmp(local, "c") == 0)
		end_cell(x);
	else if (x->part == TABLE_PART_SHEET && strcmp(local, "row") == 0)
		end_row(x);
}

static void
on_text(void *arg, const xmlChar *text, int len)
{
	struct table_xml *x = arg;
	struct table_book *book = x->book;

	if (x->phonetic > 0 || len <= 0)
		return;
	if (x->wanted == SHARED_TEXT && grow_strings(x, (size_t)len)) {
		memcpy(book->strings + book->strings_used, text, (size_t)len);
		book->strings_used += (size_t)len;
	}
	if (x->wanted != CELL_VALUE)
		return;
	if ((!x->padded && !pad(x)) || !table_put(x->t, (const char *)text, (size_t)len))
		stop(x, TABLE_FINE);
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name;
	(void)external;
	(void)system;
	stop(arg, TABLE_ENTITIES);
}

/* What is wrong the parser's state says; nothing is to be printed. */
static void
on_error(void *arg, xmlErrorPtr error)
{
	(void)arg;
	(void)error;
}

struct table_xml *
table_xml_open(struct table *t, struct table_book *book, enum table_part part, bool quiet)
{
	static xmlSAXHandler handler = {
		.internalSubset = on_doctype,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.serror = on_error,
	};
	struct table_xml *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->t = t;
	x->book = book;
	x->part = part;
	x->quiet = quiet;
	x->parser = xmlCreatePushParserCtxt(&handler, x, NULL, 0, NULL);
	if (x->parser == NULL) {
		free(x);
		return NULL;
	}
	/* No spreadsheet writes anything but UTF-8, whatever the part says of itself. */
	(void)xmlCtxtUseOptions(x->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	(void)xmlSwitchEncoding(x->parser, XML_CHAR_ENCODING_UTF8);
	return x;
}

void
table_xml_destroy(struct table_xml *x)
{
	if (x == NULL)
		return;
	if (x->parser->myDoc != NULL)
		xmlFreeDoc(x->parser->myDoc);
	xmlFreeParserCtxt(x->parser);
	free(x);
}

/* What follows a '<' says what it opens. */
static enum markup
opened_by(char byte)
{
	switch (byte) {
	case '!':
		return DECLARATION;
	case '?':
		return INSTRUCTION;
	default:
		return TAG;
	}
}

/* Does this '>' end what is open? */
static bool
is_end(const struct table_xml *x)
{
	switch (x->markup) {
	case COMMENT:
		return x->before[0] == '-' && x->before[1] == '-';
	case LITERAL:
		return x->before[0] == ']' && x->before[1] == ']';
	case INSTRUCTION:
		return x->before[1] == '?';
	default:
		return true;
	}
}

static void
look_at(struct table_xml *x, char byte)
{
	if (x->markup == OPENED)
		x->markup = opened_by(byte);
	else if (x->markup == DECLARATION && x->tag_bytes == 2 && byte == '-')
		x->markup = COMMENT;
	else if (x->markup == DECLARATION && x->tag_bytes == 2 && byte == '[')
		x->markup = LITERAL;
	if (x->markup == TAG && x->quote != '\0') {
		if (byte == x->quote)
			x->quote = '\0';
	} else if (x->markup == TAG && (byte == '"' || byte == '\'')) {
		x->quote = byte;
	} else if (byte == '>' && is_end(x)) {
		x->markup = OUTSIDE;
	} else if (x->markup == TAG) {
		x->tag_equals += byte == '=';
	}
}

/* Whatever has a '<' and an end is short, and has few attributes.  Bytes are letters here: the
 * parser takes UTF-8 alone. */
static bool
tags_are_short(struct table_xml *x, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (x->markup == OUTSIDE) {
			if (bytes[i] != '<')
				continue;
			x->markup = OPENED;
			x->tag_bytes = 1;
			x->tag_equals = 0;
		} else {
			look_at(x, bytes[i]);
			x->tag_bytes++;
			if (x->tag_bytes > TAG_BYTES_MAX || x->tag_equals > ATTRIBUTES_MAX)
				return table_fail(x->t, TABLE_XML, 0);
		}
		x->before[0] = x->before[1];
		x->before[1] = bytes[i];
	}
	return true;
}

bool
table_xml_feed(struct table_xml *x, const char *bytes, size_t len, bool last)
{
	struct table *t = x->t;

	if (!tags_are_short(x, bytes, len))
		return false;
	(void)xmlParseChunk(x->parser, bytes, (int)len, last);
	if (t->stopped || t->problem != TABLE_FINE)
		return false;
	if (x->parser->wellFormed == 0)
		return table_fail(t, TABLE_XML, x->part == TABLE_PART_SHEET ? x->line : 0);
	return true;
}
