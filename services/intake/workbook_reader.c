/* Starts, bounds and hears the process that reads a workbook. */
#include "workbook_reader.h"

#include <event2/event.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reader_process.h"
#include "table_wire.h"

enum {
	PIECE_BYTES = 32 * 1024, /* of rows that a turn of the loop looks at */
	CPU_S = 60,
	LIMIT_S = 600, /* its CPU time is what bounds it, on a busy machine too */
	DIGITS_SIZE = 24,
	ARGUMENTS = 4,
};
/* The program and its libraries, and a row; shared texts are moved as they grow. */
#define MEMORY_BYTES (UINT64_C(128) * 1024 * 1024)
#define STRINGS_HELD 4

struct workbook_reader {
	struct workbook_calls calls;
	void *arg;
	struct reader_process process;
	struct event *readable;
	struct event *deadline;
	struct table_wire *wire;
	bool begun;
	bool destroyed; /* from within a call */
	bool calling;
};

bool
workbook_reader_is_for(int fd)
{
	char head[4];

	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head)
	       && memcmp(head, "PK\x03\x04", sizeof(head)) == 0;
}

bool
workbook_reader_from_1904(const struct workbook_reader *r)
{
	return table_wire_from_1904(r->wire);
}

enum table_problem
workbook_reader_problem(const struct workbook_reader *r)
{
	return table_wire_problem(r->wire);
}

int
workbook_reader_problem_line(const struct workbook_reader *r)
{
	return table_wire_line(r->wire);
}

/* Its process is gone afterwards. */
static enum reader_end
end_process(struct workbook_reader *r)
{
	if (r->readable != NULL)
		event_free(r->readable); /* before what it watches is closed */
	if (r->deadline != NULL)
		event_free(r->deadline);
	r->readable = r->deadline = NULL;
	return reader_process_end(&r->process);
}

void
workbook_reader_destroy(struct workbook_reader *r)
{
	if (r == NULL)
		return;
	(void)end_process(r);
	r->destroyed = true;
	if (r->calling)
		return;
	table_wire_destroy(r->wire);
	free(r);
}

/* --- hearing -----------------------------------------------------------------------------------
 */

static void
finish(struct workbook_reader *r, enum workbook_end end)
{
	(void)end_process(r);
	r->calling = true;
	r->calls.on_end(r->arg, end);
	r->calling = false;
	if (r->destroyed)
		workbook_reader_destroy(r);
}

/* It has closed its end without saying the last word. */
static void
finish_early(struct workbook_reader *r)
{
	bool crashed = end_process(r) == READER_CRASHED;

	if (!r->begun)
		finish(r, WORKBOOK_NOT_BEGUN);
	else
		finish(r, crashed ? WORKBOOK_CRASHED : WORKBOOK_CUT_OFF);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct workbook_reader *r = arg;

	(void)fd;
	(void)what;
	finish(r, r->begun ? WORKBOOK_CUT_OFF : WORKBOOK_NOT_BEGUN);
}

static bool
hand_on(void *arg, const struct table_row *row)
{
	struct workbook_reader *r = arg;

	return r->calls.on_row(r->arg, row) && !r->destroyed;
}

static void
take(struct workbook_reader *r, const uint8_t *said, size_t len)
{
	r->calling = true;
	enum table_wire_state state = table_wire_take(r->wire, said, len, hand_on, r);
	r->calling = false;
	if (r->destroyed)
		workbook_reader_destroy(r);
	else if (state == TABLE_WIRE_ENDED || state == TABLE_WIRE_STOPPED)
		finish(r, WORKBOOK_READ);
	else if (state == TABLE_WIRE_WRONG)
		finish(r, WORKBOOK_CRASHED); /* somebody else runs there, or nobody knows what */
}

static void
on_said(evutil_socket_t fd, short what, void *arg)
{
	struct workbook_reader *r = arg;
	uint8_t said[PIECE_BYTES];
	size_t skip = 0;
	ssize_t n = read(fd, said, sizeof(said));

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish_early(r);
		return;
	}
	if (!r->begun) {
		r->begun = said[0] == READER_BEGUN;
		skip = 1;
	}
	if (!r->begun)
		finish(r, WORKBOOK_NOT_BEGUN);
	else if ((size_t)n > skip)
		take(r, said + skip, (size_t)n - skip);
}

/* --- starting ----------------------------------------------------------------------------------
 */

static bool
spawn(struct workbook_reader *r, int fd, const struct table_limits *limits)
{
	char program[] = "/proc/self/exe", reads[] = "--read-workbook";
	char digits[ARGUMENTS][DIGITS_SIZE];
	char *argv[] = { program, reads, digits[0], digits[1], digits[2], digits[3], NULL };
	const uint64_t numbers[ARGUMENTS] = { MEMORY_BYTES + limits->string_bytes * STRINGS_HELD,
		limits->file_bytes, limits->unpacked_bytes, limits->string_bytes };
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	for (size_t i = 0; i < ARGUMENTS; i++)
		(void)snprintf(digits[i], DIGITS_SIZE, "%" PRIu64, numbers[i]);
	return copy != -1 && reader_process_start(&r->process, argv, copy);
}

struct workbook_reader *
workbook_reader_start(struct event_base *loop, int fd, const struct table_limits *limits,
    const struct workbook_calls *calls, void *arg)
{
	const struct timeval limit = { LIMIT_S, 0 };
	struct workbook_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->calls = *calls;
	r->arg = arg;
	r->process.out_fd = -1;
	if ((r->wire = table_wire_create()) != NULL && spawn(r, fd, limits)
	    && (r->readable = event_new(loop, r->process.out_fd, EV_READ | EV_PERSIST, on_said, r))
		   != NULL
	    && (r->deadline = evtimer_new(loop, on_deadline, r)) != NULL
	    && event_add(r->readable, NULL) == 0 && evtimer_add(r->deadline, &limit) == 0)
		return r;
	int why = errno;
	workbook_reader_destroy(r);
	errno = why;
	return NULL;
}

/* --- in the process ----------------------------------------------------------------------------
 */

struct telling {
	struct table *table;
	bool begun;
	bool failed;
};

static bool
tell_row(void *arg, const struct table_row *row)
{
	struct telling *t = arg;

	if (!t->begun)
		t->failed = !table_wire_tell_days(stdout, table_from_1904(t->table));
	t->begun = true;
	t->failed = t->failed || !table_wire_tell_row(stdout, row);
	return !t->failed;
}

int
workbook_reader_main(char **argv)
{
	struct table_limits limits = { strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10),
		(size_t)strtoull(argv[3], NULL, 10), .workbooks = true };
	struct telling telling = { 0 };

	reader_process_bound(CPU_S, strtoull(argv[0], NULL, 10));
	xmlInitParser();
	telling.table = table_open(STDIN_FILENO, &limits, ',');
	if (telling.table == NULL || !reader_process_begin(stdout))
		_exit(EXIT_FAILURE);
	while (table_step(telling.table, tell_row, &telling) == TABLE_MORE)
		continue;
	bool told = !telling.failed
		    && table_wire_tell_end(
			stdout, table_problem(telling.table), table_problem_line(telling.table));
	/* Nothing is tidied up: the kernel does that, faster. */
	_exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
}
