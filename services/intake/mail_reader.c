/* Starts, bounds and hears the processes that read mails. */
#include "mail_reader.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail_parse.h"
#include "reader_process.h"

enum { PIECE_BYTES = 64 * 1024, CPU_S = 10, MS_PER_S = 1000 };

struct mail_reading {
	TAILQ_ENTRY(mail_reading) link;
	struct mail_reader *reader;
	mail_read_fn *done;
	void *arg;
	uint64_t bytes;
	bool as_smallest; /* it was started for that */
	int mail_fd; /* -1: given to the process */
	struct reader_process process; /* pid 0: it waits its turn */
	struct event *readable;
	struct event *deadline;
	uint8_t *said;
	size_t len, room;
};

struct mail_reader {
	struct event_base *loop;
	size_t at_once, running;
	bool smallest_runs; /* one of them passed others by */
	struct timeval limit;
	char memory[24]; /* as the process is told it */
	TAILQ_HEAD(, mail_reading) readings;
	bool closing;
};

static void start_next(struct mail_reader *r);

struct mail_reader *
mail_reader_create(struct event_base *loop, const struct mail_reader_settings *settings)
{
	struct mail_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->at_once = settings->at_once;
	r->limit.tv_sec = (time_t)(settings->limit_ms / MS_PER_S);
	r->limit.tv_usec = (suseconds_t)(settings->limit_ms % MS_PER_S * MS_PER_S);
	(void)snprintf(r->memory, sizeof(r->memory), "%" PRIu64, settings->memory_bytes);
	TAILQ_INIT(&r->readings);
	return r;
}

static void
release(struct mail_reading *d)
{
	TAILQ_REMOVE(&d->reader->readings, d, link);
	if (d->readable != NULL)
		event_free(d->readable);
	if (d->deadline != NULL)
		event_free(d->deadline);
	if (d->mail_fd != -1)
		close(d->mail_fd);
	free(d->said);
	free(d);
}

/* The one place where a reading that began ends: its process is gone afterwards. */
static void
finish(struct mail_reading *d, enum mail_reading_end end, struct mail_letter *letter)
{
	struct mail_reader *r = d->reader;
	mail_read_fn *done = d->done;
	void *arg = d->arg;

	r->running -= d->process.pid > 0;
	if (d->readable != NULL)
		event_free(d->readable); /* before what it watches is closed */
	d->readable = NULL;
	(void)reader_process_end(&d->process); /* it has said all it had to say, or too much */
	if (d->as_smallest)
		r->smallest_runs = false;
	release(d);
	done(arg, end, letter);
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
		finish(TAILQ_FIRST(&r->readings), MAIL_READING_NOT_BEGUN, NULL);
	free(r);
}

/* --- hearing -----------------------------------------------------------------------------------
 */

/* The first byte says that it got as far as the mail. */
static void
finish_without(struct mail_reading *d)
{
	bool begun = d->len > 0 && d->said[0] == READER_BEGUN;

	finish(d, begun ? MAIL_READING_FAILED : MAIL_READING_NOT_BEGUN, NULL);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_without(arg);
}

/* False: it says too much, or memory ran out. */
static bool
make_room(struct mail_reading *d)
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
	struct mail_reading *d = arg;
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };

	(void)what;
	if (!make_room(d)) {
		finish_without(d);
		return;
	}
	ssize_t n = read(fd, d->said + d->len, d->room - d->len);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		d->len += (size_t)n;
		return;
	}
	if (n == 0 && d->len > 0 && d->said[0] == READER_BEGUN
	    && mail_letter_take(&letter, d->said + 1, d->len - 1))
		finish(d, MAIL_READING_TOLD, &letter);
	else
		finish_without(d);
}

/* --- starting ----------------------------------------------------------------------------------
 */

static bool
start(struct mail_reading *d)
{
	struct mail_reader *r = d->reader;
	char program[] = "/proc/self/exe", reads[] = "--read-mail";
	char *argv[] = { program, reads, r->memory, NULL };
	int mail_fd = d->mail_fd;

	d->mail_fd = -1;
	if (!reader_process_start(&d->process, argv, mail_fd))
		return false;
	r->running++;
	d->readable = event_new(r->loop, d->process.out_fd, EV_READ | EV_PERSIST, on_said, d);
	d->deadline = evtimer_new(r->loop, on_deadline, d);
	return d->readable != NULL && d->deadline != NULL && event_add(d->readable, NULL) == 0
	       && evtimer_add(d->deadline, &r->limit) == 0;
}

/* Of those that wait: the smallest, unless one runs for that, else the oldest; NULL: none waits. */
static struct mail_reading *
next_of(struct mail_reader *r)
{
	struct mail_reading *d, *best = NULL;

	TAILQ_FOREACH (d, &r->readings, link) {
		if (d->process.pid != 0 || d->deadline != NULL)
			continue;
		if (best == NULL || (!r->smallest_runs && d->bytes < best->bytes))
			best = d;
	}
	return best;
}

/* What cannot be started is answered at a later turn, by a deadline that is now. */
static void
start_next(struct mail_reader *r)
{
	struct mail_reading *d;

	while (r->running < r->at_once && (d = next_of(r)) != NULL) {
		d->as_smallest = !r->smallest_runs;
		r->smallest_runs = true;
		if (start(d))
			continue;
		if (d->deadline == NULL)
			d->deadline = evtimer_new(r->loop, on_deadline, d);
		if (d->deadline == NULL)
			return; /* out of memory: at the next start */
		(void)evtimer_add(d->deadline, &(struct timeval){ 0 });
	}
}

struct mail_reading *
mail_reader_ask(struct mail_reader *r, int fd, uint64_t bytes, mail_read_fn *done, void *arg)
{
	struct mail_reading *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		close(fd);
		return NULL;
	}
	d->reader = r;
	d->done = done;
	d->arg = arg;
	d->bytes = bytes;
	d->mail_fd = fd;
	d->process.out_fd = -1;
	TAILQ_INSERT_TAIL(&r->readings, d, link);
	start_next(r);
	return d;
}

bool
mail_reader_withdraw(struct mail_reading *d)
{
	if (d->process.pid != 0 || d->deadline != NULL)
		return false;
	release(d);
	return true;
}

/* --- in the process ----------------------------------------------------------------------------
 */

int
mail_reader_main(const char *memory_bytes)
{
	struct mail_letter letter = { .kind = MAIL_OF_PERSON };
	struct stat st;

	reader_process_bound(CPU_S, strtoull(memory_bytes, NULL, 10));
	if (fstat(STDIN_FILENO, &st) != 0 || st.st_size < 0)
		return EXIT_FAILURE;
	size_t size = (size_t)st.st_size;
	char *data = malloc(size + 1);
	if (data == NULL || pread(STDIN_FILENO, data, size, 0) != (ssize_t)size)
		_exit(EXIT_FAILURE);
	mail_parse_begin();
	if (!reader_process_begin(stdout))
		_exit(EXIT_FAILURE);
	bool told = mail_parse(data, size, &letter) && mail_letter_tell(&letter, stdout);
	/* Nothing is tidied up: the kernel does that, faster. */
	_exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
}
