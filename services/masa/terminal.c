/* The terminal of standard input and output: its modes, its size, its keys. */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "write_all.h"

/* The other screen, no cursor, lines that do not wrap; and back. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[H\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

static struct termios before;
static volatile sig_atomic_t taken, ending;
/* Signals are seen by poll() as a byte in a pipe, so that none is missed between looking and
 * waiting. */
static int signals[2] = { -1, -1 };
static int watched = -1; /* readable when a key or a signal is there */

bool
terminal_is_there(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0'
	       && strcmp(kind, "dumb") != 0;
}

bool
terminal_has_colours(void)
{
	const char *no = getenv("NO_COLOR");

	return no == NULL || no[0] == '\0';
}

bool
terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value == NULL || value[0] == '\0')
			continue;
		const char *charset = strchr(value, '.');
		return charset != NULL
		       && (strncasecmp(charset + 1, "utf-8", 5) == 0
			   || strncasecmp(charset + 1, "utf8", 4) == 0);
	}
	return false;
}

void
terminal_write(const char *text, unsigned long len)
{
	(void)!write_all(STDOUT_FILENO, text, len); /* nobody may be looking any more */
}

static void
on_signal(int number)
{
	int saved_errno = errno;
	char byte = (char)number;

	if (number != SIGWINCH)
		ending = 1;
	(void)!write(signals[1], &byte, 1);
	errno = saved_errno;
}

static void
listen_to(int number)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	(void)sigaction(number, &action, NULL);
}

static bool
watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(watched, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool
terminal_take(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) != 0 || pipe2(signals, O_CLOEXEC | O_NONBLOCK) != 0
	    || (watched = epoll_create1(EPOLL_CLOEXEC)) < 0 || !watch(STDIN_FILENO)
	    || !watch(signals[0]))
		return false;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		listen_to(numbers[i]);
	/* Stopped in the middle of a picture it would leave the terminal as it is. */
	(void)signal(SIGTSTP, SIG_IGN);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
		return false;
	taken = 1;
	terminal_write(enter, sizeof(enter) - 1);
	(void)atexit(terminal_give_back);
	return true;
}

void
terminal_give_back(void)
{
	if (!taken)
		return;
	taken = 0;
	terminal_write(leave, sizeof(leave) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

void
terminal_size(unsigned *ret_width, unsigned *ret_height)
{
	struct winsize size;

	*ret_width = 80;
	*ret_height = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_col > 0)
		*ret_width = size.ws_col;
	if (size.ws_row > 0)
		*ret_height = size.ws_row;
}

int
terminal_fd(void)
{
	return watched;
}

enum terminal_event
terminal_wait(int limit_ms, char *ret_key)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signals[0], .events = POLLIN } };
	char bytes[64];

	if (ending)
		return TERMINAL_GONE;
	if (poll(fds, 2, limit_ms) < 0 && errno != EINTR)
		return TERMINAL_GONE;
	if (ending)
		return TERMINAL_GONE;
	if (fds[1].revents != 0) {
		while (read(signals[0], bytes, sizeof(bytes)) > 0)
			;
		return TERMINAL_RESIZED;
	}
	if ((fds[0].revents & POLLIN) != 0) {
		ssize_t len = read(STDIN_FILENO, bytes, 1);
		if (len == 1) {
			*ret_key = bytes[0];
			return TERMINAL_KEY;
		}
		return TERMINAL_GONE; /* readable and empty: it hung up */
	}
	return (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0 ? TERMINAL_GONE
								      : TERMINAL_TIME;
}
