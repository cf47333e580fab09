#include "csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "check.h"

/* Rows as "line:field|field;", errors as "line!reason;". */
static void
read_all(const char *data, size_t size, char *out, size_t out_size)
{
	static struct csv_reader r;
	size_t used = 0;
	enum csv_result result;

	out[0] = '\0';
	csv_open(&r, data, size);
	while ((result = csv_read(&r)) != CSV_END && used < out_size) {
		if (result == CSV_ERROR) {
			used += (size_t)snprintf(
			    out + used, out_size - used, "%d!%s;", r.line, r.error);
			continue;
		}
		used += (size_t)snprintf(out + used, out_size - used, "%d:", r.line);
		for (size_t i = 0; i < r.field_count && used < out_size; i++)
			used += (size_t)snprintf(out + used, out_size - used, "%s%s", r.fields[i],
			    i + 1 < r.field_count ? "|" : ";");
	}
	CHECK_TRUE("the end is reached, and stays", csv_read(&r) == CSV_END);
}

#define QUOTE_IN_FIELD "a quote inside a field that does not begin with one"
#define NEVER_CLOSED "a quote is opened and never closed"

static const struct {
	const char *name;
	const char *text;
	const char *want;
} rows[] = {
	{ "nothing", "", "" },
	{ "one row", "a,b,c\n", "1:a|b|c;" },
	{ "no final line end", "a,b\nc,d", "1:a|b;2:c|d;" },
	{ "CRLF", "a,b\r\nc,d\r\n", "1:a|b;2:c|d;" },
	{ "a byte order mark", "\xef\xbb\xbfkod,ad\n", "1:kod|ad;" },
	{ "a mark alone", "\xef\xbb\xbf", "" },
	{ "empty fields", ",,\n,", "1:||;2:|;" },
	{ "empty lines are no rows, and count", "\n\na\r\n\r\nb\n\n", "3:a;5:b;" },
	{ "quotes", "\"a,b\",\"c\"\"d\"\n", "1:a,b|c\"d;" },
	{ "an empty quoted field", "\"\",x\n\"\"\n", "1:|x;2:;" },
	{ "a line end in quotes, and lines after it", "\"a\nb\",c\nd\n", "1:a\nb|c;3:d;" },
	{ "CRLF in quotes stays", "\"a\r\nb\"\n", "1:a\r\nb;" },
	{ "spaces stay", " a , b \n", "1: a | b ;" },
	{ "Turkish", "Çağlayan,ığüşöç\n", "1:Çağlayan|ığüşöç;" },
	{ "quote inside", "a\"b,c\nd\n", "1!" QUOTE_IN_FIELD ";2:d;" },
	{ "text after a quote", "\"a\"b,c\nd\n", "1!text after a closing quote;2:d;" },
	{ "the same after a line end", "x\n\"a\nb\"c\nd\n",
	    "1:x;3!text after a closing quote;4:d;" },
	{ "unterminated, opened in line 2", "a\nb,\"c\nd\ne\n", "1:a;2!" NEVER_CLOSED ";" },
	{ "a lone quote", "\"", "1!" NEVER_CLOSED ";" },
	{ "a lone carriage return", "a\rb\nc\n", "1!a carriage return without a line feed;2:c;" },
	{ "windows-1254", "a,\xfe\nb\n", "1!the text is not UTF-8;2:b;" },
};

TEST(test_csv_read)
{
	char out[1024];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		read_all(rows[i].text, strlen(rows[i].text), out, sizeof(out));
		CHECK_STR(rows[i].name, out, rows[i].want);
	}
	read_all("a,b\0c\nd\n", 8, out, sizeof(out));
	CHECK_STR("NUL", out, "1!the text is not UTF-8;2:d;");
}

TEST(test_csv_limits)
{
	static char text[4 * CSV_ROW_BYTES_MAX];
	char out[256];

	memset(text, 'a', CSV_FIELD_BYTES_MAX + 1);
	strcpy(text + CSV_FIELD_BYTES_MAX + 1, "\nb\n");
	read_all(text, strlen(text), out, sizeof(out));
	CHECK_STR("a field one byte too long", out, "1!a field is too long;2:b;");

	static struct csv_reader r;
	csv_open(&r, text + 1, strlen(text + 1));
	CHECK(csv_read(&r) == CSV_ROW);
	CHECK_U64("the longest field", strlen(r.fields[0]), CSV_FIELD_BYTES_MAX);

	/* Long fields, none too long, that together are. */
	size_t used = 0;
	for (int i = 0; i < 5; i++) {
		memset(text + used, 'a', CSV_FIELD_BYTES_MAX - 1);
		used += CSV_FIELD_BYTES_MAX - 1;
		text[used++] = ',';
	}
	strcpy(text + used, "\nb\n");
	read_all(text, strlen(text), out, sizeof(out));
	CHECK_STR("a row too long", out, "1!the row is too long;2:b;");

	memset(text, ',', CSV_FIELDS_MAX);
	strcpy(text + CSV_FIELDS_MAX, "\nb\n");
	read_all(text, strlen(text), out, sizeof(out));
	CHECK_STR("65 fields", out, "1!too many fields in the row;2:b;");
	csv_open(&r, text + 1, strlen(text + 1));
	CHECK(csv_read(&r) == CSV_ROW);
	CHECK_U64("64 fields", r.field_count, CSV_FIELDS_MAX);
}

/* Whatever the bytes: it ends, and nothing is read beyond them (the sanitizer looks). */
TEST(test_csv_garbage)
{
	static const char alphabet[] = { 'a', ',', '"', '\n', '\r', '\xc5', '\x9f', '\0' };
	uint64_t state = 88172645463325252u;
	static struct csv_reader r;

	for (int n = 0; n < 20000; n++) {
		size_t size = state % 40;
		char *data = malloc(size + 1);
		if (!CHECK(data != NULL))
			return;
		for (size_t i = 0; i < size; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			data[i] = alphabet[state % ARRAY_LEN(alphabet)];
		}
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		char *exact = realloc(data, size > 0 ? size : 1);
		data = exact != NULL ? exact : data;
		csv_open(&r, data, size);
		size_t results = 0;
		while (csv_read(&r) != CSV_END && results <= size)
			results++;
		CHECK(results <= size);
		free(data);
	}
}

static const struct {
	const char *name;
	const char *field;
	const char *plain;
	const char *spreadsheet;
} fields[] = {
	{ "a word", "a", "a", "a" },
	{ "a comma", "a,b", "\"a,b\"", "\"a,b\"" },
	{ "a quote", "a\"b", "\"a\"\"b\"", "\"a\"\"b\"" },
	{ "a line end", "a\nb", "\"a\nb\"", "\"a\nb\"" },
	{ "outer spaces", " a ", "\" a \"", "\" a \"" },
	{ "alone and empty", "", "\"\"", "\"\"" },
	{ "a formula", "=1+1", "=1+1", "'=1+1" },
	{ "a formula with a comma", "=A(1,2)", "\"=A(1,2)\"", "\"'=A(1,2)\"" },
	{ "plus", "+cmd", "+cmd", "'+cmd" },
	{ "minus", "-cmd", "-cmd", "'-cmd" },
	{ "at", "@SUM(A1)", "@SUM(A1)", "'@SUM(A1)" },
	{ "a tab", "\tx", "\tx", "'\tx" },
	{ "full width", "\uff1dx", "\uff1dx", "'\uff1dx" },
	{ "a number", "-12.5", "-12.5", "-12.5" },
	{ "a phone number", "+905321234567", "+905321234567", "+905321234567" },
	{ "no number", "-1.2.3", "-1.2.3", "'-1.2.3" },
	{ "a sign alone", "-", "-", "'-" },
};

TEST(test_csv_write)
{
	char out[128], want[128];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		for (int spreadsheet = 0; spreadsheet <= 1; spreadsheet++) {
			struct csv_writer w;
			csv_start(&w, out, sizeof(out), spreadsheet == 1);
			csv_field(&w, fields[i].field);
			csv_field(&w, "");
			csv_end_row(&w);
			CHECK(csv_finish(&w));
			snprintf(want, sizeof(want), "%s,\r\n",
			    spreadsheet == 1 ? fields[i].spreadsheet : fields[i].plain);
			CHECK_STR(fields[i].name, out, want);
		}
	}
}

TEST(test_csv_write_is_read_back)
{
	char out[1024];
	struct csv_writer w;
	static struct csv_reader r;

	csv_start(&w, out, sizeof(out), false);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		csv_field(&w, fields[i].field);
	csv_end_row(&w);
	CHECK(csv_finish(&w));
	csv_open(&r, out, w.used);
	CHECK(csv_read(&r) == CSV_ROW);
	CHECK_U64("as many", r.field_count, ARRAY_LEN(fields));
	for (size_t i = 0; i < r.field_count; i++)
		CHECK_STR(fields[i].name, r.fields[i], fields[i].field);
}

TEST(test_csv_write_overflow)
{
	char out[8];

	for (size_t size = 0; size <= sizeof(out); size++) {
		struct csv_writer w;
		memset(out, 'x', sizeof(out));
		csv_start(&w, out, size, false);
		csv_field(&w, "abc");
		csv_field(&w, "d");
		csv_end_row(&w);
		CHECK_TRUE(
		    "seven bytes and a NUL fit in eight alone", csv_finish(&w) == (size == 8));
		CHECK(size == sizeof(out) || out[size] == 'x');
	}
}
