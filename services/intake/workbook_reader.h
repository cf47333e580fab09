/*
 * workbook_reader - has a workbook read by a process of its own, whose rows come in one by one.
 *
 * Archives, compression and XML are three parsers that face a file from elsewhere.  They run in a
 * reader_process, bounded in time and memory, with nothing of ours but the file; here only the
 * rows that it tells are looked at (table_wire).
 */
#ifndef INTAKE_WORKBOOK_READER_H
#define INTAKE_WORKBOOK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "table.h"

struct event_base;
struct workbook_reader;

enum workbook_end {
	WORKBOOK_READ, /* whole, as far as rows were wanted, or the problem says why not */
	WORKBOOK_CRASHED, /* its reader did, or took more time than any workbook does */
	WORKBOOK_CUT_OFF, /* its reader was ended by something else, or did not come to an end */
	WORKBOOK_NOT_BEGUN, /* its reader never got as far as the file */
};

struct workbook_calls {
	table_row_fn *on_row;
	/* Once, and never from within start(). */
	void (*on_end)(void *arg, enum workbook_end end);
};

/* Are these the first bytes of a workbook?  False too when they cannot be read. */
bool workbook_reader_is_for(int fd);
/* fd is lent, and its place is moved.  NULL: nobody reads it, errno; on_end is not called. */
struct workbook_reader *workbook_reader_start(struct event_base *loop, int fd,
    const struct table_limits *limits, const struct workbook_calls *calls, void *arg);
/* Takes NULL; may be called from within its calls, which do not come again. */
void workbook_reader_destroy(struct workbook_reader *r);

/* Before the first row it is known which days its numbers count from. */
bool workbook_reader_from_1904(const struct workbook_reader *r);
enum table_problem workbook_reader_problem(const struct workbook_reader *r);
int workbook_reader_problem_line(const struct workbook_reader *r);

/* What "--read-workbook MEMORY FILE UNPACKED STRINGS" does, all of them bytes: reads the workbook
 * on standard input, tells its rows on standard output; the exit status. */
int workbook_reader_main(char **argv);

#endif
