/*
 * reader_process - a process of our own for reading what strangers made: a mail, a workbook.
 *
 * It is this very program started anew with another first argument, and has the file on standard
 * input, a pipe on standard output, no other file of ours and no environment.  It bounds itself
 * (time, memory), shuts itself in (reader_sandbox) and then says so with one byte: one that ended
 * before that never looked at the file, and says nothing about it.
 */
#ifndef INTAKE_READER_PROCESS_H
#define INTAKE_READER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base.h"

/* The first byte of what it says. */
enum { READER_BEGUN = 'B' };

struct reader_process {
	pid_t pid;
	int out_fd; /* does not block */
};

enum reader_end {
	READER_ENDED, /* by itself, or by us */
	READER_CRASHED, /* by a fault of its own, or over its CPU time */
};

/* argv[0] is the program, argv[1] says which reader, NULL ends it.  in_fd is taken in any case.
 * False: errno. */
MUST_CHECK bool reader_process_start(struct reader_process *p, char **argv, int in_fd);
/* It is gone afterwards, whatever it was doing. */
enum reader_end reader_process_end(struct reader_process *p);

/* --- in the process --- */

/* Once, before anything else. */
void reader_process_bound(unsigned cpu_s, uint64_t memory_bytes);
/* Shut in, and told so on out.  False: it must not go on. */
MUST_CHECK bool reader_process_begin(FILE *out);

#endif
