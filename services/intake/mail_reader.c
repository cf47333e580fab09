/* Starts, bounds and hears the processes that read mails. */
#include "mail_reader.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mail_parse.h"
#include "mail_sandbox.h"

enum { PIECE_BYTES = 64 * 1024, CPU_S = 10, MS_PER_S = 1000 };
/* Several times the largest mail that is taken. */
#define MEMORY_BYTES (UINT64_C(768) << 20)

struct reading {
	TAILQ_ENTRY(reading) link;
	struct mail_reader *reader;
	mail_read_fn *done;
	void *arg;
	int mail_fd; /* -1: given to the process */
	int out_fd;
	pid_t pid; /* 0: it waits its turn */
	struct event *readable;
	struct event *deadline;
	uint8_t *said;
	size_t len, room;
};

struct mail_reader {
	struct event_base *loop;
	size_t at_once, running;
	struct timeval limit;
	TAILQ_HEAD(, reading) readings;
	bool closing;
};

static void start_next(struct mail_reader *r);

struct mail_reader *
mail_reader_create(struct event_base *loop, size_t at_once, uint64_t limit_ms)
{
	struct mail_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->at_once = at_once;
	r->limit.tv_sec = (time_t)(limit_ms / MS_PER_S);
	r->limit.tv_usec = (suseconds_t)(limit_ms % MS_PER_S * MS_PER_S);
	TAILQ_INIT(&r->readings);
	return r;
}

/* The one place where a reading ends: its process is gone afterwards. */
static void
finish(struct reading *d, struct mail_letter *letter)
{
	struct mail_reader *r = d->reader;

	if (d->pid > 0) {
		(void)kill(d->pid, SIGKILL); /* it has said all it had to say, or too much */
		while (waitpid(d->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
		r->running--;
	}
	TAILQ_REMOVE(&r->readings, d, link);
	if (d->readable != NULL)
		event_free(d->readable);
	if (d->deadline != NULL)
		event_free(d->deadline);
	if (d->mail_fd != -1)
		close(d->mail_fd);
	if (d->out_fd != -1)
		close(d->out_fd);
	free(d->said);
	d->done(d->arg, letter);
	free(d);
	if (!r->closing)
		start_next(r);
}

void
mail_reader_destroy(struct mail_reader *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	while (!TAILQ_EMPTY(&r->readings))
		finish(TAILQ_FIRST(&r->readings), NULL);
	free(r);
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, NULL);
}

/* False: it says too much, or memory ran out. */
static bool
make_room(struct reading *d)
{
	if (d->room - d->len >= PIECE_BYTES)
		return true;
	if (d->room >= MAIL_LETTER_BYTES)
		return false;
	size_t room = d->room == 0 ? 2 * PIECE_BYTES : 2 * d->room;
	uint8_t *grown = realloc(d->said, room);
	if (grown == NULL)
		return false;
	d->said = grown;
	d->room = room;
	return true;
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct reading *d = arg;
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };

	(void)what;
	if (!make_room(d)) {
		finish(d, NULL);
		return;
	}
	ssize_t n = read(fd, d->said + d->len, d->room - d->len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		d->len += (size_t)n;
		return;
	}
	bool whole = n == 0 && mail_letter_take(&letter, d->said, d->len);
	finish(d, whole ? &letter : NULL);
}

/* --- starting ----------------------------------------------------------------------------------
 */

/* The process has the mail, the pipe and nothing else of ours: no file, no environment. */
static bool
spawn(struct reading *d, int out)
{
	static char program[] = "/proc/self/exe", argument[] = "--read-mail";
	char *argv[] = { program, argument, NULL }, *environment[] = { NULL };
	posix_spawn_file_actions_t actions;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	bool spawned = posix_spawn_file_actions_adddup2(&actions, d->mail_fd, STDIN_FILENO) == 0
		       && posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0
		       && posix_spawn_file_actions_addopen(
			      &actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
			      == 0
		       && posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1) == 0
		       && posix_spawn(&d->pid, program, &actions, NULL, argv, environment) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (!spawned)
		d->pid = 0;
	return spawned;
}

static bool
start(struct reading *d)
{
	struct mail_reader *r = d->reader;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	bool started = evutil_make_socket_nonblocking(pipes[0]) == 0 && spawn(d, pipes[1]);
	close(pipes[1]);
	d->out_fd = pipes[0];
	close(d->mail_fd);
	d->mail_fd = -1;
	if (!started)
		return false;
	r->running++;
	d->readable = event_new(r->loop, d->out_fd, EV_READ | EV_PERSIST, on_said, d);
	d->deadline = evtimer_new(r->loop, on_deadline, d);
	return d->readable != NULL && d->deadline != NULL && event_add(d->readable, NULL) == 0
	       && evtimer_add(d->deadline, &r->limit) == 0;
}

/* What cannot be started is answered at a later turn, by a deadline that is now. */
static void
start_next(struct mail_reader *r)
{
	struct reading *d, *next;

	for (d = TAILQ_FIRST(&r->readings); d != NULL && r->running < r->at_once; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->pid != 0 || d->deadline != NULL || start(d))
			continue;
		if (d->deadline == NULL)
			d->deadline = evtimer_new(r->loop, on_deadline, d);
		if (d->deadline != NULL)
			(void)evtimer_add(d->deadline, &(struct timeval){ 0 });
	}
}

bool
mail_reader_ask(struct mail_reader *r, int fd, mail_read_fn *done, void *arg)
{
	struct reading *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		close(fd);
		return false;
	}
	d->reader = r;
	d->done = done;
	d->arg = arg;
	d->mail_fd = fd;
	d->out_fd = -1;
	TAILQ_INSERT_TAIL(&r->readings, d, link);
	start_next(r);
	return true;
}

/* --- in the process ----------------------------------------------------------------------------
 */

static void
bound_myself(void)
{
	const struct rlimit cpu = { CPU_S, CPU_S }, none = { 0, 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_FSIZE, &none);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define __has_feature(x) 0
#endif
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
	const struct rlimit memory = { MEMORY_BYTES, MEMORY_BYTES };
	(void)setrlimit(RLIMIT_AS, &memory);
#endif
#endif
}

int
mail_reader_main(void)
{
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };
	struct stat st;

	bound_myself();
	if (fstat(STDIN_FILENO, &st) != 0 || st.st_size < 0)
		return EXIT_FAILURE;
	size_t size = (size_t)st.st_size;
	char *data = malloc(size + 1);
	if (data == NULL || pread(STDIN_FILENO, data, size, 0) != (ssize_t)size)
		_exit(EXIT_FAILURE);
	mail_parse_begin();
	if (!mail_sandbox_enter())
		_exit(EXIT_FAILURE);
	bool told = mail_parse(data, size, &letter) && mail_letter_tell(&letter, stdout);
	/* Nothing is tidied up: the kernel does that, faster. */
	_exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
}
