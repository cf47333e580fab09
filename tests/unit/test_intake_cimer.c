/* Rows of a file of applications: dates, what is refused and why, and text cut anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "cimer_sheet.h"
#include "istanbul.h"
#include "muratpasa.h"
#include "table_internal.h"

static int64_t
moment(int year, int month, int day, int minute)
{
	return istanbul_moment_us(civil_day(year, month, day), minute);
}

TEST(test_dates_as_texts)
{
	static const struct {
		const char *text;
		int year, month, day, minute; /* year 0: it is no date */
	} cases[] = {
		{ "29.11.2026", 2026, 11, 29, 0 },
		{ "1.2.2026", 2026, 2, 1, 0 },
		{ "29/11/2026 14:05", 2026, 11, 29, 14 * 60 + 5 },
		{ "29-11-2026 14:05:00", 2026, 11, 29, 14 * 60 + 5 },
		{ "2026-11-29", 2026, 11, 29, 0 },
		{ "2026-11-29 09:30", 2026, 11, 29, 9 * 60 + 30 },
		{ "2026-11-29T09:30:00.123", 2026, 11, 29, 9 * 60 + 30 },
		{ "2026-11-29T06:30:00Z", 2026, 11, 29, 9 * 60 + 30 },
		{ "29.02.2028", 2028, 2, 29, 0 },
		{ "29.02.2026", 0, 0, 0, 0 },
		{ "11.29.2026", 0, 0, 0, 0 },
		{ "29.11.26", 0, 0, 0, 0 },
		{ "29.11/2026", 0, 0, 0, 0 },
		{ "29.11.2026 24:00", 0, 0, 0, 0 },
		{ "29.11.2026 9", 0, 0, 0, 0 },
		{ "29.11.2026x", 0, 0, 0, 0 },
		{ "2026/11/29", 0, 0, 0, 0 },
		{ "46355", 0, 0, 0, 0 },
		{ "", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = 0;
		bool is_date = cimer_date_parse(cases[i].text, &got);
		CHECK_TRUE(cases[i].text, is_date == (cases[i].year != 0));
		if (is_date)
			CHECK_I64(cases[i].text, got,
			    moment(cases[i].year, cases[i].month, cases[i].day, cases[i].minute));
	}
}

TEST(test_dates_as_days)
{
	static const struct {
		const char *digits;
		bool from_1904;
		int year, month, day, minute;
	} cases[] = {
		{ "61", false, 1900, 3, 1, 0 }, /* before the epoch */
		{ "25569", false, 1970, 1, 1, 0 },
		{ "46355", false, 2026, 11, 29, 0 },
		{ "46355.5", false, 2026, 11, 29, 720 },
		{ "46354.999999999", false, 2026, 11, 29, 0 },
		{ "4.6355E4", false, 2026, 11, 29, 0 },
		{ "44893", true, 2026, 11, 29, 0 },
		{ "60", false, 0, 0, 0, 0 },
		{ "73051", false, 0, 0, 0, 0 },
		{ "nan", false, 0, 0, 0, 0 },
		{ "1e999", false, 0, 0, 0, 0 },
		{ "46355x", false, 0, 0, 0, 0 },
		{ "", false, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = 0;
		bool is_date = cimer_date_of_days(cases[i].digits, cases[i].from_1904, &got);
		CHECK_TRUE(cases[i].digits, is_date == (cases[i].year >= 1970));
		if (is_date)
			CHECK_I64(cases[i].digits, got,
			    moment(cases[i].year, cases[i].month, cases[i].day, cases[i].minute));
	}
}

/* --- tables ----------------------------------------------------------------------------------- */

struct seen {
	size_t rows;
	size_t cells;
	char last[64];
};

static bool
on_row(void *arg, const struct table_row *row)
{
	struct seen *seen = arg;

	seen->rows++;
	seen->cells += row->count;
	snprintf(seen->last, sizeof(seen->last), "%s", row->cells[row->count - 1]);
	return true;
}

static enum table_problem
read_within(const struct table_limits *limits, const char *text, size_t len, char separator,
    struct seen *seen, int *ret_line)
{
	int fd = memfd_create("table", 0);
	struct table *t = table_open(fd, limits, separator);

	memset(seen, 0, sizeof(*seen));
	if (!CHECK(fd != -1 && t != NULL && write(fd, text, len) == (ssize_t)len))
		return TABLE_UNREADABLE;
	while (table_step(t, on_row, seen) == TABLE_MORE)
		;
	enum table_problem problem = table_problem(t);
	*ret_line = table_problem_line(t);
	table_destroy(t);
	close(fd);
	return problem;
}

static enum table_problem
read_all(const char *text, size_t len, char separator, struct seen *seen, int *ret_line)
{
	const struct table_limits limits = { 1 << 20, 1 << 20, 1 << 16, .workbooks = true };

	return read_within(&limits, text, len, separator, seen, ret_line);
}

TEST(test_csv)
{
	static const struct {
		const char *text;
		size_t rows, cells;
		const char *last;
		enum table_problem problem;
		int line;
	} cases[] = {
		{ "a;b\nc;d", 2, 4, "d", TABLE_FINE, 0 },
		{ "a;b\r\nc;d\r\n", 2, 4, "d", TABLE_FINE, 0 },
		{ "a;b\rc;d\r", 2, 4, "d", TABLE_FINE, 0 },
		{ "\n\n;;\na\n\n", 1, 1, "a", TABLE_FINE, 0 },
		{ "a;\"b\"\"c\nd;\"", 1, 2, "b\"c\nd;", TABLE_FINE, 0 },
		{ "\"\"", 0, 0, "", TABLE_FINE, 0 },
		{ "\xef\xbb\xbf\xc3\xa7", 1, 1, "\xc3\xa7", TABLE_FINE, 0 },
		{ "\xfe\xf0\xfd\xdd\xde\xd0\x80", 1, 1, "şğıİŞĞ€", TABLE_FINE, 0 },
		{ "a\nb;\"c\nd\n", 1, 1, "a", TABLE_QUOTE_OPEN, 2 },
		{ "a\nb\"c\n", 1, 1, "a", TABLE_QUOTE_INSIDE, 2 },
		{ "\"a\"b\n", 0, 0, "", TABLE_QUOTE_INSIDE, 1 },
		{ "\xc5\x9f\xfe", 0, 0, "", TABLE_ENCODING, 0 },
		{ "\xef\xbb\xbf\xfe", 0, 0, "", TABLE_ENCODING, 0 },
		{ "\x81", 0, 0, "", TABLE_ENCODING, 0 },
		{ "\xff\xfe"
		  "a",
		    0, 0, "", TABLE_UTF16, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen seen;
		int line = 0;
		enum table_problem problem = read_all(
		    cases[i].text, strlen(cases[i].text), ';', &seen, &line);
		CHECK_I64(cases[i].text, problem, cases[i].problem);
		CHECK_I64(cases[i].text, line, cases[i].line);
		CHECK_U64(cases[i].text, seen.rows, cases[i].rows);
		CHECK_U64(cases[i].text, seen.cells, cases[i].cells);
		CHECK_STR(cases[i].text, seen.last, cases[i].last);
	}
}

/* A letter of two bytes lies over the end of a piece, whichever byte that end is. */
TEST(test_csv_cut_anywhere)
{
	static char text[TABLE_STEP_BYTES + 64];

	for (size_t shift = 0; shift < 8; shift++) {
		struct seen seen;
		int line = 0;
		size_t len = TABLE_STEP_BYTES - shift;
		memset(text, '\n', sizeof(text));
		memcpy(text + len, "\"ğ\"\"\r\nş\";ı", strlen("\"ğ\"\"\r\nş\";ı"));
		len += strlen("\"ğ\"\"\r\nş\";ı");
		CHECK_I64("whole", read_all(text, len, ';', &seen, &line), TABLE_FINE);
		CHECK_U64("one row", seen.rows, 1);
		CHECK_U64("of two", seen.cells, 2);
		CHECK_STR("the last", seen.last, "ı");
	}
}

/* --- workbooks ---------------------------------------------------------------------------------
 */

enum { WORKBOOK_BYTES = 8 * 1024 * 1024, OFTEN = 100000 };

struct bytes {
	char *at;
	size_t len;
};

static void
put_number(struct bytes *b, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b->at[b->len++] = (char)(i < sizeof(value) ? value >> (8 * i) : 0);
}

static void
put_text(struct bytes *b, const char *text)
{
	memcpy(b->at + b->len, text, strlen(text));
	b->len += strlen(text);
}

/* A part's record; its name is one of many that the library's table puts at one place. */
static void
put_entry(struct bytes *b, uint32_t number)
{
	put_text(b, "PK\x01\x02");
	put_number(b, 20 | 20 << 16, 8);
	put_number(b, 0x21 << 16, 8); /* neither method nor time; a date */
	put_number(b, 0, 8);
	put_number(b, 40, 6);
	put_number(b, 0, 12);
	for (size_t i = 0; i < 20; i++)
		put_text(b, number >> i & 1 ? "FY" : "Ez");
}

struct archive {
	const char *name;
	uint32_t entries, says; /* there are, and the end says */
	int64_t bytes_more; /* than the directory has, says the end */
	uint64_t ends;
	bool zip64;
	enum table_problem problem;
};

static void
put_archive(struct bytes *b, const struct archive *a)
{
	put_text(b, "PK\x03\x04");
	put_number(b, 0, 26);
	uint64_t offset = b->len;
	for (uint32_t i = 0; i < a->entries; i++)
		put_entry(b, i);
	uint64_t bytes = b->len - offset + (uint64_t)a->bytes_more, end = b->len;
	if (a->zip64) {
		put_text(b, "PK\x06\x06");
		put_number(b, 44, 8);
		put_number(b, 45 | 45 << 16, 4);
		put_number(b, 0, 8);
		put_number(b, a->says, 8);
		put_number(b, a->says, 8);
		put_number(b, bytes, 8);
		put_number(b, offset, 8);
		put_text(b, "PK\x06\x07");
		put_number(b, 0, 4);
		put_number(b, end, 8);
		put_number(b, 1, 4);
	}
	for (uint64_t i = 0; i < a->ends; i++) {
		put_text(b, "PK\x05\x06");
		put_number(b, 0, 4);
		put_number(b, a->zip64 ? 0xffffffff : a->says | a->says << 16, 4);
		put_number(b, a->zip64 ? UINT32_MAX : bytes, 4);
		put_number(b, a->zip64 ? UINT32_MAX : offset, 4);
		put_number(b, 0, 2);
	}
}

/* Each of these cost seconds, or memory, before anything could be asked of the library. */
TEST(test_an_archive_is_gone_through_before_the_library_sees_it)
{
	static const struct archive cases[] = {
		{ "no workbook in it", 3, 3, 0, 1, false, TABLE_NO_WORKBOOK },
		{ "the same in the long form", 3, 3, 0, 1, true, TABLE_NO_WORKBOOK },
		{ "as many as are allowed", 1000, 1000, 0, 1, false, TABLE_NO_WORKBOOK },
		{ "one more", 1001, 1001, 0, 1, false, TABLE_ZIP_PARTS },
		{ "one more in the long form", 1001, 1001, 0, 1, true, TABLE_ZIP_PARTS },
		{ "many, and the end says one", 12000, 1, 0, 1, false, TABLE_ZIP_PARTS },
		{ "many, and the long end says one", 12000, 1, 0, 1, true, TABLE_ZIP_PARTS },
		{ "some, and the end says one", 6000, 1, 0, 1, false, TABLE_ZIP },
		{ "some, and the long end says one", 6000, 1, 0, 1, true, TABLE_ZIP },
		{ "fewer than the end says", 3, 4, 0, 1, false, TABLE_ZIP },
		{ "a longer directory than there is", 3, 3, 46, 1, false, TABLE_ZIP },
		{ "a shorter one", 3, 2, -86, 1, false, TABLE_ZIP },
		{ "two ends", 3, 3, 0, 2, false, TABLE_ZIP },
		{ "no end", 3, 3, 0, 0, false, TABLE_ZIP },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = { malloc(WORKBOOK_BYTES), 0 };
		struct seen seen;
		int line = 0;
		if (!CHECK(b.at != NULL))
			return;
		put_archive(&b, &cases[i]);
		clock_t began = clock();
		CHECK_I64(
		    cases[i].name, read_all(b.at, b.len, ';', &seen, &line), cases[i].problem);
		CHECK_TRUE("at once", clock() - began < CLOCKS_PER_SEC);
		free(b.at);
	}
}

TEST(test_a_workbook_is_unpacked_by_its_reader_alone)
{
	const struct table_limits limits = { 1 << 20, 1 << 20, 1 << 16, .workbooks = false };
	static const char not_even_an_archive[] = "PK\x03\x04;b\nc;d\n";
	struct seen seen;
	int line;

	CHECK_I64("what a file became since it was looked at",
	    read_within(
		&limits, not_even_an_archive, sizeof(not_even_an_archive) - 1, ';', &seen, &line),
	    TABLE_UNREADABLE);
	CHECK_I64("who may look at it says more",
	    read_all(not_even_an_archive, sizeof(not_even_an_archive) - 1, ';', &seen, &line),
	    TABLE_ZIP);
}

/* As the sheet of a workbook, fed in pieces of the size that is read at once. */
static enum table_problem
read_sheet(const struct bytes *b, size_t piece)
{
	const struct table_limits limits = { 1 << 24, 1 << 24, 1 << 16, .workbooks = false };
	int fd = memfd_create("table", 0);
	struct table *t = table_open(fd, &limits, ';');
	struct table_book book = { 0 };
	struct table_xml *x = t == NULL ? NULL : table_xml_open(t, &book, TABLE_PART_SHEET, false);
	enum table_problem problem = TABLE_UNREADABLE;

	if (CHECK(x != NULL)) {
		bool more = true;
		for (size_t at = 0; more && at < b->len; at += piece)
			more = table_xml_feed(
			    x, b->at + at, b->len - at < piece ? b->len - at : piece, false);
		more = more && table_xml_feed(x, "", 0, true);
		problem = table_problem(t);
		CHECK_TRUE("it stops for a reason", more == (problem == TABLE_FINE));
	}
	table_xml_destroy(x);
	table_destroy(t);
	close(fd);
	return problem;
}

static void
put_numbered(struct bytes *b, const char *part, unsigned number)
{
	for (; *part != '\0'; part++) {
		if (*part == '#')
			b->len += (size_t)sprintf(b->at + b->len, "%u", number);
		else
			b->at[b->len++] = *part;
	}
}

/* before, then part so often (numbered where it has #), then after. */
TEST(test_a_tag_is_short_and_has_few_attributes)
{
	static const struct {
		const char *name, *before, *part, *after;
		unsigned times;
		enum table_problem problem;
	} cases[] = {
		{ "as programs write", "<a b=\"1\" c='>'>", "<d e=\"it's\"/>", "</a>", 500,
		    TABLE_FINE },
		{ "64 attributes", "<a", " b#='x'", "/>", 64, TABLE_FINE },
		{ "65", "<a", " b#='x'", "/>", 65, TABLE_XML },
		{ "many with an end in each", "<a", " b#='>'", "/>", OFTEN, TABLE_XML },
		{ "many with the other quote", "<a", " b#=\"'>\"", "/>", OFTEN, TABLE_XML },
		{ "a long value", "<a b='", ">>>>>>>>", "'/>", 4096, TABLE_XML },
		{ "equals in values", "<a b='", "=#", "'/>", 1000, TABLE_FINE },
		{ "comments hold anything", "<a><!-- it's > = \" ", "=", " --></a>", 1000,
		    TABLE_FINE },
		{ "and are short", "<a><!-- ", "> - >", " --></a>", 8192, TABLE_XML },
		{ "a literal too", "<a><![CDATA[ it's ", "> ] >", "]]></a>", 8192, TABLE_XML },
		{ "an instruction too", "<a><?x ", "> '", "?></a>", 8192, TABLE_XML },
		{ "text may be long", "<a>", "it's = \" > ", "</a>", OFTEN, TABLE_FINE },
		{ "other encodings are none", "<?xml version='1.0' encoding='UTF-7'?><a",
		    " b#+AD0AIgA+ACI-", "/>", OFTEN, TABLE_XML },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = { malloc(WORKBOOK_BYTES), 0 };
		if (!CHECK(b.at != NULL))
			return;
		put_text(&b, cases[i].before);
		for (unsigned n = 0; n < cases[i].times; n++)
			put_numbered(&b, cases[i].part, n);
		put_text(&b, cases[i].after);
		clock_t began = clock();
		CHECK_I64(cases[i].name, read_sheet(&b, TABLE_STEP_BYTES), cases[i].problem);
		CHECK_TRUE("at once", clock() - began < CLOCKS_PER_SEC);
		if (cases[i].times <= 1000)
			CHECK_I64(cases[i].name, read_sheet(&b, 1), cases[i].problem);
		free(b.at);
	}
}

/* --- applications ----------------------------------------------------------------------------- */

struct one_row {
	const char *reference, *date, *text, *unit, *phone;
};

static struct cimer_sheet *
sheet_of(const struct catalogue *cat, const struct one_row *row, bool number, size_t rows)
{
	static const uint8_t secret[32];
	static struct item_maker maker = { .secret = secret, .secret_len = sizeof(secret) };
	const struct cimer_limits limits = { rows, 1 << 20 };
	const struct table_row header = { 1, 5,
		{ "BAŞVURU NO", "başvuru tarihi ", "Başvuru Metni", "birim kodu", "Telefon" },
		{ 0 } };
	const struct table_row line = { 2, 5,
		{ row->reference, row->date, row->text, row->unit, row->phone },
		{ number, false, false, number, false } };
	struct cimer_sheet *s = cimer_sheet_create(cat, &maker, &limits, moment(2026, 11, 29, 600));

	if (!CHECK(s != NULL && cimer_sheet_row(s, &header)))
		return s;
	(void)cimer_sheet_row(s, &line);
	return s;
}

TEST(test_rows)
{
	static const struct {
		const char *name;
		struct one_row row;
		bool number;
		enum cimer_error error;
		enum cimer_field field;
		const char *want; /* the reference that was read, or the text */
	} cases[] = {
		{ "plain", { "26-1", "28.11.2026", "x", "", "" }, false, CIMER_OK, 0, "26-1" },
		{ "a number", { "2.6000001E8", "28.11.2026", "x", "", "" }, true, CIMER_OK, 0,
		    "260000010" },
		{ "too long for a spreadsheet", { "1234567890123456", "28.11.2026", "x", "", "" },
		    true, CIMER_SHORTENED_NUMBER, CIMER_REFERENCE, "" },
		{ "the same as text", { "1234567890123456", "28.11.2026", "x", "", "" }, false,
		    CIMER_OK, 0, "1234567890123456" },
		{ "a part of a number", { "1.5", "28.11.2026", "x", "", "" }, true,
		    CIMER_SHORTENED_NUMBER, CIMER_REFERENCE, "" },
		{ "shown shortened", { "1,23457E+11", "28.11.2026", "x", "", "" }, false,
		    CIMER_SHORTENED_NUMBER, CIMER_REFERENCE, "" },
		{ "an E of its own", { "12E+", "28.11.2026", "x", "", "" }, false, CIMER_OK, 0,
		    "12E+" },
		{ "unit of seven digits", { "r", "28.11.2026", "x", "1234567", "" }, false,
		    CIMER_BAD_UNIT, CIMER_UNIT, "" },
		{ "spaces alone", { " \n ", "28.11.2026", "x", "", "" }, false, CIMER_MISSING,
		    CIMER_REFERENCE, "" },
		{ "today", { "r", "29.11.2026 23:59", "x", "", "" }, false, CIMER_OK, 0, "r" },
		{ "after tomorrow", { "r", "01.12.2026", "x", "", "" }, false, CIMER_DATE_AHEAD,
		    CIMER_DATE, "" },
		{ "too old", { "r", "01.09.2025", "x", "", "" }, false, CIMER_DATE_OLD, CIMER_DATE,
		    "" },
	};
	struct catalogue *cat = muratpasa_load();

	for (size_t i = 0; cat != NULL && i < ARRAY_LEN(cases); i++) {
		size_t count, kept;
		struct cimer_sheet *s = sheet_of(cat, &cases[i].row, cases[i].number, 10);
		const struct cimer_row_error *errors = cimer_sheet_errors(s, &kept);
		struct cimer_application **all = cimer_sheet_applications(s, &count);
		CHECK_U64(cases[i].name, count, cases[i].error == CIMER_OK);
		if (cases[i].error == CIMER_OK && count == 1)
			CHECK_STR(cases[i].name, all[0]->item.id, cases[i].want);
		if (cases[i].error != CIMER_OK && kept > 0) {
			CHECK_I64(cases[i].name, errors[0].error, cases[i].error);
			CHECK_I64(cases[i].name, errors[0].field, cases[i].field);
		}
		CHECK_U64(cases[i].name, kept, cases[i].error != CIMER_OK);
		cimer_sheet_destroy(s);
	}
	catalogue_destroy(cat);
}

TEST(test_zeros_of_a_unit_come_back)
{
	const struct one_row row = { "7", "28.11.2026", "x\r\ny\x01z", "1234567", "dahili 3" };
	struct catalogue *cat = muratpasa_load();
	size_t count;

	if (cat == NULL)
		return;
	struct cimer_sheet *s = sheet_of(cat, &row, true, 10);
	struct cimer_application **all = cimer_sheet_applications(s, &count);
	if (CHECK(count == 1)) {
		CHECK_STR("unit", all[0]->unit, "01234567");
		CHECK_STR("what cannot be dialled stays to be read", all[0]->item.description,
		    "x\ny z\n\nTelefon: dahili 3");
		CHECK_STR("and is no phone", all[0]->item.phone, NULL);
	}
	cimer_sheet_destroy(s);
	catalogue_destroy(cat);
}

TEST(test_no_more_rows_than_are_allowed)
{
	const struct one_row row = { "r", "28.11.2026", "x", "", "" };
	const struct table_row more = { 3, 1, { "" }, { false } };
	struct catalogue *cat = muratpasa_load();

	if (cat == NULL)
		return;
	struct cimer_sheet *s = sheet_of(cat, &row, false, 1);
	CHECK_I64("one is allowed", cimer_sheet_fault(s), CIMER_SOUND);
	CHECK_FALSE("a wrong one counts too", cimer_sheet_row(s, &more));
	CHECK_I64("and is too many", cimer_sheet_fault(s), CIMER_TOO_MANY_ROWS);
	cimer_sheet_destroy(s);
	catalogue_destroy(cat);
}
