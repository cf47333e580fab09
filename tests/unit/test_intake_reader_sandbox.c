/* What a process that reads mails or workbooks may still do, and what not. */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include "base.h"
#include "check.h"
#include "mail_parse.h"
#include "reader_sandbox.h"
#include "table.h"

static bool
refused(long result)
{
	return result == -1 && errno == EPERM;
}

static bool
may_connect(void)
{
	return !refused(socket(AF_INET, SOCK_STREAM, 0))
	       || !refused(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static bool
may_write_files(void)
{
	return !refused(open("written", O_WRONLY | O_CREAT, 0600))
	       || !refused(open(".", O_TMPFILE | O_RDWR, 0600))
	       || !refused(open("/dev/null", O_RDWR)) || !refused(rename("a", "b"))
	       || !refused(unlink("a")) || !refused(mkdir("a", 0700));
}

static bool
may_start_programs(void)
{
	char *argv[] = { (char[]){ "/bin/true" }, NULL };
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return !refused(pid) || !refused(execve(argv[0], argv, argv + 1));
}

static bool
may_meddle(void)
{
	char byte = 0;
	const struct iovec here = { &byte, 1 };

	return !refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL))
	       || !refused(kill(getppid(), 0))
	       || !refused(process_vm_readv(getppid(), &here, 1, &here, 1, 0));
}

static bool
cannot_read_a_mail(void)
{
	static const char mail[] =
	    "From: a@b.tr\r\nSubject: =?euc-jp?B?xvzL3A==?=\r\nContent-Type: text/plain; "
	    "charset=cp857\r\nDate: Sat, 28 Nov 2026 10:00:00 +0300\r\n\r\n\xa6\r\n";
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };

	if (!mail_parse(mail, strlen(mail), &letter))
		return true;
	bool right = strcmp(letter.texts[MAIL_SUBJECT], "日本") == 0
		     && strcmp(letter.texts[MAIL_TEXT], "Ğ\n") == 0;
	mail_letter_finish(&letter);
	return !right;
}

static bool
on_row(void *arg, const struct table_row *row)
{
	*(bool *)arg = strcmp(row->cells[0], "Şişli") == 0;
	return true;
}

static bool
cannot_read_a_workbook(void)
{
	const struct table_limits limits = { 1 << 20, 1 << 20, 1 << 20, .workbooks = true };
	int fd = open("book.xlsx", O_RDONLY);
	struct table *t = table_open(fd, &limits, ',');
	bool right = false;

	while (t != NULL && table_step(t, on_row, &right) == TABLE_MORE)
		continue;
	right = right && table_problem(t) == TABLE_FINE;
	table_destroy(t);
	close(fd);
	return !right;
}

static void
add_part(zip_t *zip, const char *name, const char *text)
{
	zip_source_t *source = zip_source_buffer(zip, text, strlen(text), 0);

	if (source == NULL || zip_file_add(zip, name, source, 0) == -1)
		abort();
}

static void
write_workbook(void)
{
	zip_t *zip = zip_open("book.xlsx", ZIP_CREATE | ZIP_TRUNCATE, NULL);

	if (zip == NULL)
		abort();
	add_part(zip, "xl/workbook.xml",
	    "<workbook xmlns:r=\"urn:r\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/>"
	    "</sheets></workbook>");
	add_part(zip, "xl/_rels/workbook.xml.rels",
	    "<Relationships><Relationship Id=\"r1\" Type=\"x/worksheet\" "
	    "Target=\"worksheets/sheet1.xml\"/></Relationships>");
	add_part(zip, "xl/worksheets/sheet1.xml",
	    "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>Şişli</t></is></c></row>"
	    "</sheetData></worksheet>");
	if (zip_close(zip) != 0)
		abort();
}

/* In a process of its own; the test's has things to do afterwards. */
static int
inside(bool (*is_wrong)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		mail_parse_begin();
		xmlInitParser();
		_exit(!reader_sandbox_enter() ? 2 : is_wrong());
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

TEST(test_reader_sandbox)
{
	static const struct {
		const char *name;
		bool (*is_wrong)(void);
	} cases[] = {
		{ "no network", may_connect },
		{ "no writing", may_write_files },
		{ "no programs", may_start_programs },
		{ "no others", may_meddle },
		{ "reads a mail, charsets and all", cannot_read_a_mail },
		{ "reads a workbook", cannot_read_a_workbook },
	};

	if (!CHECK(reader_sandbox_known()))
		return;
	write_workbook();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_I64(cases[i].name, inside(cases[i].is_wrong), 0);
}
