/* Processes that read mails and workbooks: what they say is believed only as far as it can be, and
 * how they end says whose fault it was. */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base.h"
#include "check.h"
#include "mail_reader.h"
#include "reader_process.h"
#include "table_wire.h"
#include "workbook_reader.h"

/* The readers start this program anew: what it is told as bounds says how it behaves then. */
enum behaviour {
	HONEST,
	SILENT,
	NEVER_BEGINS,
	BEGINS_AND_ENDS,
	CRASHES,
	TALKS_RUBBISH,
	LOOPS,
	KILLED
};
enum { MEBIBYTE = 1024 * 1024, BEHAVIOURS_END = 1000 };

static void
behave(enum behaviour how)
{
	(void)signal(SIGABRT, SIG_DFL);
	switch (how) {
	case NEVER_BEGINS:
		(void)!write(STDOUT_FILENO, "x", 1);
		break;
	case BEGINS_AND_ENDS:
		(void)!write(STDOUT_FILENO, "B", 1);
		break;
	case CRASHES:
		(void)!write(STDOUT_FILENO, "B", 1);
		abort();
	case TALKS_RUBBISH:
		(void)!write(STDOUT_FILENO, "BZ\xff\xff\xff\xff", 6);
		(void)pause();
		break;
	case LOOPS:
		(void)!write(STDOUT_FILENO, "B", 1);
		(void)pause();
		break;
	case KILLED:
		(void)!write(STDOUT_FILENO, "B", 1);
		(void)raise(SIGKILL);
		break;
	case HONEST:
	case SILENT:
		break;
	}
	_exit(EXIT_FAILURE);
}

__attribute__((constructor)) static void
read_instead(int argc, char **argv)
{
	unsigned long bound = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc == 3 && strcmp(argv[1], "--read-mail") == 0) {
		if (bound < BEHAVIOURS_END)
			behave((enum behaviour)bound);
		_exit(mail_reader_main(argv[2]));
	}
	if (argc == 6 && strcmp(argv[1], "--read-workbook") == 0) {
		bound = strtoul(argv[4], NULL, 10);
		if (bound < BEHAVIOURS_END)
			behave((enum behaviour)bound);
		_exit(workbook_reader_main(argv + 2));
	}
}

static struct event_base *
make_loop(void)
{
	struct event_base *loop = event_base_new();

	if (loop == NULL)
		abort();
	return loop;
}

/* --- mails ------------------------------------------------------------------------------------ */

struct heard {
	struct event_base *loop;
	int calls;
	enum mail_reading_end end;
	char subject[80];
};

static void
on_mail(void *arg, enum mail_reading_end end, struct mail_letter *letter)
{
	struct heard *h = arg;

	h->calls++;
	h->end = end;
	if (letter != NULL) {
		(void)snprintf(h->subject, sizeof(h->subject), "%s", letter->texts[MAIL_SUBJECT]);
		mail_letter_finish(letter);
	}
	(void)event_base_loopbreak(h->loop);
}

static int
mail_file(void)
{
	static const char mail[] = "From: a@b.tr\r\nSubject: Yol bozuk\r\n\r\nBozuk.\r\n";
	int fd = open(check_path("mail"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, mail, sizeof(mail) - 1) == -1)
		abort();
	return fd;
}

static struct heard
read_mail(uint64_t memory_bytes, uint64_t limit_ms)
{
	const struct mail_reader_settings settings = { 1, limit_ms, memory_bytes };
	struct heard heard = { .loop = make_loop() };
	struct mail_reader *r = mail_reader_create(heard.loop, &settings);

	if (r == NULL || mail_reader_ask(r, mail_file(), 40, on_mail, &heard) == NULL)
		abort();
	(void)event_base_dispatch(heard.loop);
	mail_reader_destroy(r);
	event_base_free(heard.loop);
	return heard;
}

TEST(test_how_the_reading_of_a_mail_ends)
{
	static const struct {
		const char *name;
		uint64_t memory_bytes;
		enum mail_reading_end want;
	} cases[] = {
		{ "one that is read", 256 * MEBIBYTE, MAIL_READING_TOLD },
		{ "a reader that says nothing never began", SILENT, MAIL_READING_NOT_BEGUN },
		{ "one that fails before it began", NEVER_BEGINS, MAIL_READING_NOT_BEGUN },
		{ "one that gives up", BEGINS_AND_ENDS, MAIL_READING_FAILED },
		{ "one that crashes", CRASHES, MAIL_READING_FAILED },
		{ "one that is killed", KILLED, MAIL_READING_FAILED },
		{ "one that loops", LOOPS, MAIL_READING_FAILED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t limit_ms = cases[i].memory_bytes == LOOPS ? 200 : 20000;
		struct heard heard = read_mail(cases[i].memory_bytes, limit_ms);
		/* Who is to run out of time needs some to begin in; how much is the machine's. */
		while (heard.end != cases[i].want && heard.end == MAIL_READING_NOT_BEGUN
		       && limit_ms < 20000) {
			limit_ms *= 5;
			heard = read_mail(cases[i].memory_bytes, limit_ms);
		}
		CHECK_I64(cases[i].name, heard.calls, 1);
		CHECK_I64(cases[i].name, heard.end, cases[i].want);
		if (cases[i].want == MAIL_READING_TOLD)
			CHECK_STR(cases[i].name, heard.subject, "Yol bozuk");
	}
}

/* No file is left for a pipe: the process cannot even be started. */
TEST(test_a_mail_whose_reader_cannot_be_started)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		abort();
	const struct mail_reader_settings settings = { 1, 20000, 256 * MEBIBYTE };
	struct heard heard = { .loop = make_loop() };
	struct mail_reader *r = mail_reader_create(heard.loop, &settings);
	int fd = mail_file();
	const struct rlimit none = { (rlim_t)fd + 1, files.rlim_max };
	if (r == NULL || setrlimit(RLIMIT_NOFILE, &none) != 0
	    || mail_reader_ask(r, fd, 40, on_mail, &heard) == NULL)
		abort();
	CHECK_I64("never from within", heard.calls, 0);
	(void)event_base_dispatch(heard.loop);
	CHECK_I64("heard once", heard.calls, 1);
	CHECK_I64("as not begun", heard.end, MAIL_READING_NOT_BEGUN);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	mail_reader_destroy(r);
	event_base_free(heard.loop);
}

/* --- workbooks -------------------------------------------------------------------------------- */

struct rows {
	struct event_base *loop;
	int ends, rows, wanted; /* wanted: after so many the rest is not */
	enum workbook_end end;
	bool from_1904;
	char last[200];
	struct workbook_reader *reader;
	bool destroys;
};

static bool
on_row(void *arg, const struct table_row *row)
{
	struct rows *r = arg;

	r->rows++;
	r->from_1904 = workbook_reader_from_1904(r->reader);
	(void)snprintf(r->last, sizeof(r->last), "%d:%zu:%s:%s%s", row->line, row->count,
	    row->cells[0], row->cells[row->count - 1], row->is_number[0] ? "#" : "");
	if (r->destroys) {
		workbook_reader_destroy(r->reader);
		(void)event_base_loopbreak(r->loop);
	}
	return r->rows != r->wanted;
}

static void
on_end(void *arg, enum workbook_end end)
{
	struct rows *r = arg;

	r->ends++;
	r->end = end;
	(void)event_base_loopbreak(r->loop);
}

static void
add_part(zip_t *zip, const char *name, const char *text)
{
	zip_source_t *source = zip_source_buffer(zip, text, strlen(text), 0);

	if (source == NULL || zip_file_add(zip, name, source, 0) == -1)
		abort();
}

/* Two rows, numbers and texts. */
static int
workbook_file(const char *cell)
{
	char sheet[600];
	const char *path = check_path("book.xlsx");
	zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

	(void)snprintf(sheet, sizeof(sheet),
	    "<worksheet><sheetData><row r=\"3\"><c r=\"A3\"><v>46355.5</v></c><c r=\"C3\" t=\"s\">"
	    "<v>0</v></c></row><row><c t=\"inlineStr\"><is><t>%s</t></is></c></row></sheetData>"
	    "</worksheet>",
	    cell);
	if (zip == NULL)
		abort();
	add_part(zip, "xl/workbook.xml",
	    "<workbook xmlns:r=\"urn:r\"><workbookPr date1904=\"1\"/><sheets>"
	    "<sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>");
	add_part(zip, "xl/_rels/workbook.xml.rels",
	    "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" "
	    "Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"x/sharedStrings\" "
	    "Target=\"sharedStrings.xml\"/></Relationships>");
	add_part(zip, "xl/sharedStrings.xml", "<sst><si><t>Yol ışığı</t></si></sst>");
	add_part(zip, "xl/worksheets/sheet1.xml", sheet);
	if (zip_close(zip) != 0)
		abort();
	return open(path, O_RDONLY | O_CLOEXEC);
}

static struct rows
read_workbook(const char *cell, uint64_t unpacked_bytes, int wanted, bool destroys)
{
	const struct table_limits limits = { MEBIBYTE, unpacked_bytes, MEBIBYTE,
		.workbooks = true };
	const struct workbook_calls calls = { on_row, on_end };
	struct rows rows = { .loop = make_loop(), .wanted = wanted, .destroys = destroys };
	int fd = workbook_file(cell);

	CHECK_TRUE("it is known by its first bytes", workbook_reader_is_for(fd));
	rows.reader = workbook_reader_start(rows.loop, fd, &limits, &calls, &rows);
	if (rows.reader == NULL)
		abort();
	(void)event_base_dispatch(rows.loop);
	if (!destroys) {
		CHECK_I64("no problem but where one is told", workbook_reader_problem(rows.reader),
		    rows.end == WORKBOOK_READ && strcmp(cell, "<x") == 0 ? TABLE_XML : TABLE_FINE);
		workbook_reader_destroy(rows.reader);
	}
	event_base_free(rows.loop);
	close(fd);
	return rows;
}

TEST(test_a_workbook_is_read_elsewhere)
{
	struct rows all = read_workbook("son", MEBIBYTE, 0, false);
	CHECK_I64("ends once", all.ends, 1);
	CHECK_I64("whole", all.end, WORKBOOK_READ);
	CHECK_I64("both rows", all.rows, 2);
	CHECK_TRUE("its days", all.from_1904);
	CHECK_STR("the second", all.last, "4:1:son:son");

	struct rows first = read_workbook("son", MEBIBYTE, 1, false);
	CHECK_I64("ends once", first.ends, 1);
	CHECK_I64("the rest was not wanted", first.rows, 1);
	CHECK_STR("numbers and texts", first.last, "3:3:46355.5:Yol ışığı#");

	struct rows wrong = read_workbook("<x", MEBIBYTE, 0, false);
	CHECK_I64("a problem is an end", wrong.end, WORKBOOK_READ);

	struct rows gone = read_workbook("son", MEBIBYTE, 0, true);
	CHECK_I64("nothing is heard of one that was dropped", gone.ends, 0);
	CHECK_I64("from within its call", gone.rows, 1);
}

TEST(test_how_the_reading_of_a_workbook_ends)
{
	static const struct {
		const char *name;
		uint64_t behaviour;
		enum workbook_end want;
	} cases[] = {
		{ "a reader that says nothing never began", SILENT, WORKBOOK_NOT_BEGUN },
		{ "one that fails before it began", NEVER_BEGINS, WORKBOOK_NOT_BEGUN },
		{ "one that gives up", BEGINS_AND_ENDS, WORKBOOK_CUT_OFF },
		{ "one that is killed", KILLED, WORKBOOK_CUT_OFF },
		{ "one that crashes", CRASHES, WORKBOOK_CRASHED },
		{ "one that talks rubbish", TALKS_RUBBISH, WORKBOOK_CRASHED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rows rows = read_workbook("x", cases[i].behaviour, 0, false);
		CHECK_I64(cases[i].name, rows.ends, 1);
		CHECK_I64(cases[i].name, rows.rows, 0);
		CHECK_I64(cases[i].name, rows.end, cases[i].want);
	}
}

TEST(test_what_is_no_workbook)
{
	int fd = open(check_path("text"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	CHECK_FALSE("nothing", workbook_reader_is_for(fd));
	CHECK_TRUE("written", write(fd, "PK\x03;a;b", 7) == 7);
	CHECK_FALSE("a text", workbook_reader_is_for(fd));
	close(fd);
	CHECK_FALSE("none", workbook_reader_is_for(-1));
}

/* --- what is told of rows --------------------------------------------------------------------- */

struct taken {
	int rows;
	char text[100];
};

static bool
take(void *arg, const struct table_row *row)
{
	struct taken *t = arg;

	t->rows++;
	(void)snprintf(t->text, sizeof(t->text), "%d %zu %s%s", row->line, row->count,
	    row->cells[row->count - 1], row->is_number[0] ? "#" : "");
	return t->rows < 3;
}

/* Fed whole, and byte by byte, which must come to the same. */
static enum table_wire_state
take_bytes(const void *bytes, size_t len, struct taken *taken, enum table_problem *ret_problem)
{
	enum table_wire_state states[2] = { TABLE_WIRE_MORE, TABLE_WIRE_MORE };
	struct taken each[2] = { { 0 }, { 0 } };

	for (size_t way = 0; way < 2; way++) {
		struct table_wire *w = table_wire_create();
		size_t step = way == 0 ? len : 1;
		for (size_t at = 0; at < len && states[way] == TABLE_WIRE_MORE; at += step)
			states[way] = table_wire_take(
			    w, (const uint8_t *)bytes + at, step, take, &each[way]);
		*ret_problem = table_wire_problem(w);
		table_wire_destroy(w);
	}
	CHECK_I64("cut anywhere", each[1].rows, each[0].rows);
	*taken = each[0];
	return states[0];
}

TEST(test_rows_are_told_and_taken)
{
	const struct table_row row = { 7, 3, { "46355", "", "Şişli; \"ı\"" }, { true } };
	char *bytes = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&bytes, &len);
	struct taken taken;
	enum table_problem problem;

	CHECK(table_wire_tell_days(out, true));
	CHECK(table_wire_tell_row(out, &row));
	CHECK(table_wire_tell_row(out, &row));
	CHECK(table_wire_tell_end(out, TABLE_UNPACKED, 9));
	(void)fclose(out);
	CHECK_I64("ended", take_bytes(bytes, len, &taken, &problem), TABLE_WIRE_ENDED);
	CHECK_I64("both", taken.rows, 2);
	CHECK_STR("as told", taken.text, "7 3 Şişli; \"ı\"#");
	CHECK_I64("and why it ended", problem, TABLE_UNPACKED);
	free(bytes);
}

#define ROW(len, rest) "R\0\0\0" len rest

TEST(test_what_rows_cannot_be)
{
#define CASE(name, bytes, want)                      \
	{                                            \
		name, bytes, sizeof(bytes) - 1, want \
	}
	static const struct {
		const char *name, *bytes;
		size_t len;
		enum table_wire_state want;
	} cases[] = {
		CASE("a row", ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1a\0"), TABLE_WIRE_MORE),
		CASE("half of one", ROW("\x0d", "\0\0\0\1\0\1"), TABLE_WIRE_MORE),
		CASE("three are wanted",
		    ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1a\0") ROW("\x0d",
			"\0\0\0\1\0\1\0\0\0\0\1a\0") ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1a\0"),
		    TABLE_WIRE_STOPPED),
		CASE("an unknown kind", "X\0\0\0\0", TABLE_WIRE_WRONG),
		CASE("longer than any row", "R\xff\xff\xff\xff", TABLE_WIRE_WRONG),
		CASE("a row without cells", ROW("\x06", "\0\0\0\1\0\0"), TABLE_WIRE_WRONG),
		CASE("cells that are not there", ROW("\x06", "\0\0\0\1\0\1"), TABLE_WIRE_WRONG),
		CASE("a cell longer than the row",
		    ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\x09"
				"a\0"),
		    TABLE_WIRE_WRONG),
		CASE("a cell of almost all lengths",
		    ROW("\x0d", "\0\0\0\1\0\1\0\xff\xff\xff\xff"
				"a\0"),
		    TABLE_WIRE_WRONG),
		CASE("bytes behind the cells", ROW("\x0e", "\0\0\0\1\0\1\0\0\0\0\1a\0b"),
		    TABLE_WIRE_WRONG),
		CASE("no end of a text", ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1ab"), TABLE_WIRE_WRONG),
		CASE("an end within", ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1\0\0"), TABLE_WIRE_WRONG),
		CASE("no UTF-8", ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1\xfe\0"), TABLE_WIRE_WRONG),
		CASE("more columns than there are", ROW("\x0d", "\0\0\0\1\xff\1\0\0\0\0\1a\0"),
		    TABLE_WIRE_WRONG),
		CASE("a line that is none", ROW("\x0d", "\xff\0\0\1\0\1\0\0\0\0\1a\0"),
		    TABLE_WIRE_WRONG),
		CASE("neither number nor text", ROW("\x0d", "\0\0\0\1\0\1\2\0\0\0\1a\0"),
		    TABLE_WIRE_WRONG),
		CASE("days", "D\0\0\0\1\1", TABLE_WIRE_MORE),
		CASE("days of another kind", "D\0\0\0\1\2", TABLE_WIRE_WRONG),
		CASE("days behind a row", ROW("\x0d", "\0\0\0\1\0\1\0\0\0\0\1a\0") "D\0\0\0\1\1",
		    TABLE_WIRE_WRONG),
		CASE("an end", "E\0\0\0\5\0\0\0\0\0", TABLE_WIRE_ENDED),
		CASE("a problem nobody knows", "E\0\0\0\5\x63\0\0\0\0", TABLE_WIRE_WRONG),
		CASE("a short end", "E\0\0\0\1\0", TABLE_WIRE_WRONG),
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct taken taken;
		enum table_problem problem;
		CHECK_I64(cases[i].name, take_bytes(cases[i].bytes, cases[i].len, &taken, &problem),
		    cases[i].want);
	}
}
