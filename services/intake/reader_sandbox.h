/*
 * reader_sandbox - what is left to a process that reads mails or workbooks, once it has begun.
 *
 * It faces whatever anybody sends, so it is taken for one that somebody else may come to run.  It
 * keeps memory, the files it has, and reading further ones (iconv loads its tables so); no sockets,
 * no writing, no other programs or processes, nobody else's memory.
 */
#ifndef INTAKE_READER_SANDBOX_H
#define INTAKE_READER_SANDBOX_H

#include <stdbool.h>

#include "base.h"

/* Does this kernel have what it takes?  Where it does not, reader_sandbox_enter() bounds what it
 * can.
 */
bool reader_sandbox_known(void);
/* There is no way back.  False: refused. */
MUST_CHECK bool reader_sandbox_enter(void);
/* Of the service: others of its user do not read its memory. */
void reader_sandbox_shut(void);

#endif
