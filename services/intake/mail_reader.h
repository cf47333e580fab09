/*
 * mail_reader - has mails read by a process of its own, one for each mail.
 *
 * A parser of mail faces whatever anybody sends.  Here it may crash, loop or ask for memory without
 * end: it is this very program started anew with --read-mail, with nothing but the mail to read
 * and a pipe to tell by, bounded in time and memory.  So few run at once; others wait their turn.
 * One of those that run is the smallest that waited, the others are the oldest: mails made to take
 * long are large, and a short one that somebody wrote passes them by.
 */
#ifndef INTAKE_MAIL_READER_H
#define INTAKE_MAIL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "mail_letter.h"

struct event_base;
struct mail_reader;
struct mail_reading;

struct mail_reader_settings {
	size_t at_once;
	uint64_t limit_ms; /* for one mail, from its start */
	uint64_t memory_bytes; /* likewise */
};

enum mail_reading_end {
	MAIL_READING_TOLD,
	MAIL_READING_FAILED, /* the process looked at the mail and told nothing sound of it */
	MAIL_READING_NOT_BEGUN, /* no process, or one that never got as far: no fault of the mail's
				 */
};

/* letter: the callee's to finish; NULL unless it was told. */
typedef void mail_read_fn(void *arg, enum mail_reading_end end, struct mail_letter *letter);

/* NULL: out of memory. */
struct mail_reader *mail_reader_create(
    struct event_base *loop, const struct mail_reader_settings *settings);
/* Takes NULL; whoever waits hears from within that it was not begun. */
void mail_reader_destroy(struct mail_reader *r);
/* fd: of the whole raw mail, taken in any case.  Good until done() is called, which is never from
 * within.  NULL: out of memory, done() is not called. */
MUST_CHECK struct mail_reading *mail_reader_ask(
    struct mail_reader *r, int fd, uint64_t bytes, mail_read_fn *done, void *arg);
/* One that nobody waits for any more: true: it is forgotten, without done().  False: it has begun,
 * and goes on. */
MUST_CHECK bool mail_reader_withdraw(struct mail_reading *reading);

/* What "--read-mail BYTES" does: reads the mail on standard input, in so much memory, tells its
 * letter on standard output; the exit status. */
int mail_reader_main(const char *memory_bytes);

#endif
