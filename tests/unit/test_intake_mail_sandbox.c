/* What the process that reads mails may still do, and what not. */
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
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

#include "base.h"
#include "check.h"
#include "mail_parse.h"
#include "mail_sandbox.h"

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

/* In a process of its own; the test's has things to do afterwards. */
static int
inside(bool (*is_wrong)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		mail_parse_begin();
		_exit(!mail_sandbox_enter() ? 2 : is_wrong());
	}
	(void)waitpid(pid, &status, 0);
	return status;
}

TEST(test_mail_sandbox)
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
	};

	if (!CHECK(mail_sandbox_known()))
		return;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_I64(cases[i].name, inside(cases[i].is_wrong), 0);
}
