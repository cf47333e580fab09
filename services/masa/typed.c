/* Reads a secret without leaving it on the screen. */
#include "typed.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A line without its end.  False: none, or longer than fits. */
static bool
read_line(FILE *from, char *line, size_t size)
{
	if (fgets(line, (int)size, from) == NULL)
		return false;
	size_t len = strcspn(line, "\r\n");
	bool whole = line[len] != '\0' || feof(from);
	line[len] = '\0';
	return whole && len > 0;
}

static bool
ask(FILE *terminal, const char *prompt, char *line, size_t size)
{
	struct termios before, silent;

	if (tcgetattr(fileno(terminal), &before) == -1)
		return false;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	/* Silent first: what is typed at the prompt's first sight must neither be seen nor lost. */
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
	fputs(prompt, terminal);
	fflush(terminal);
	bool read = read_line(terminal, line, size);
	(void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	fputs("\n", terminal);
	return read;
}

static enum exit_code
ask_twice(char *ret_secret, size_t size)
{
	char again[1024];
	enum exit_code code = MASA_OK;
	FILE *terminal = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+e") : NULL;

	if (terminal == NULL)
		return masa_fail(MASA_USAGE, "there is no terminal to ask at: --generate makes a "
					     "password, --stdin reads it");
	setbuf(terminal, NULL);
	if (!ask(terminal, "Password: ", ret_secret, size)
	    || !ask(terminal, "Once more: ", again, sizeof(again)))
		code = masa_fail(MASA_USAGE, "no password was typed, or one that is too long");
	else if (strcmp(ret_secret, again) != 0)
		code = masa_fail(MASA_USAGE, "the two passwords differ");
	sodium_memzero(again, sizeof(again));
	(void)fclose(terminal);
	return code;
}

enum exit_code
typed_secret(bool from_stdin, char *ret_secret, size_t size)
{
	if (!from_stdin)
		return ask_twice(ret_secret, size);
	if (!read_line(stdin, ret_secret, size))
		return masa_fail(MASA_USAGE, "no password on standard input, or one too long");
	return MASA_OK;
}
