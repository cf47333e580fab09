/*
 * mail_reader - has mails read by a process of its own, one for each mail.
 *
 * A parser of mail faces whatever anybody sends.  Here it may crash, loop or ask for memory without
 * end: it is this very program started anew with --read-mail, with nothing but the mail to read
 * and a pipe to tell by, bounded in time and memory.  So few run at once; others wait their turn.
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

/* letter: the callee's to finish; NULL: the mail could not be read. */
typedef void mail_read_fn(void *arg, struct mail_letter *letter);

/* NULL: out of memory. */
struct mail_reader *mail_reader_create(struct event_base *loop, size_t at_once, uint64_t limit_ms);
/* Takes NULL; whoever waits hears NULL from within. */
void mail_reader_destroy(struct mail_reader *r);
/* fd: of the whole raw mail, taken in any case.  False: out of memory, done() is not called. */
MUST_CHECK bool mail_reader_ask(struct mail_reader *r, int fd, mail_read_fn *done, void *arg);

/* What "--read-mail" does: reads the mail on standard input, tells its letter on standard output;
 * the exit status. */
int mail_reader_main(void);

#endif
